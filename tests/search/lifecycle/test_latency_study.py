"""Whole studies that minimise latency, on a real Ray, with real training of small networks on the digits."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from resnext_search.results import Journal
from resnext_search.search import Optimizer, run_study
from resnext_search.search.monitor.status import read_best
from resnext_search.spaces.errors import UsageError

from tests.support.helpers import tiny_study

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("shared_ray")]

TRIALS = 10  # seven of the design, and three of the model
STUDY = tiny_study("objectives=[validation_error, latency_ms]", f"search={{trials: {TRIALS}, parallel: 1}}")


def test_every_architecture_is_measured_once_and_a_replay_proposes_the_same(tmp_path: Path) -> None:
    folder = run_study(tiny_study(*overrides(4)), tmp_path / "run", cpus=1, gpus=0)  # in two sittings
    folder = run_study(STUDY, folder.path, cpus=1, gpus=0)

    trials, front = pd.read_csv(folder.trials), pd.read_csv(folder.pareto)
    assert trials.state.tolist() == ["completed"] * TRIALS
    assert (trials.latency_ms > 0).all()
    assert (trials.latency_ms_spread >= 0).all()
    assert (trials.training_step_ms > 0).all()
    assert trials.hypervolume.between(0, 1, inclusive="neither").all()
    assert trials.hypervolume.is_monotonic_increasing
    assert trials.proposed_by.tolist() == ["sobol"] * 7 + ["ax"] * 3
    architectures = trials.groupby(["architecture", "group_widths", "blocks"])
    assert (architectures.latency_ms.nunique() == 1).all()
    assert front.latency_ms.is_monotonic_decreasing  # the best error is the slowest of the front
    with Journal(folder.journal, read_only=True) as journal:
        rows = journal._rows("SELECT device FROM latencies")
        assert len(rows) == len(architectures) < TRIALS
        best = read_best(journal)
        replayed(journal)
    assert best is not None
    assert best["latency_ms"] > 0


def overrides(trials: int) -> tuple[str, str]:
    return "objectives=[validation_error, latency_ms]", f"search={{trials: {trials}, parallel: 1}}"


def replayed(journal: Journal) -> None:
    """Told what the journal holds, an optimizer asks for the same trials, one after the other."""
    optimizer = Optimizer(STUDY.feasible_set(), STUDY.knobs(), STUDY.objectives, STUDY.root_seed)
    for trial in journal.trials():
        [proposal] = optimizer.ask()
        assert proposal.configuration == trial.configuration
        latency = journal.latency(trial)
        assert latency is not None
        assert trial.validation_error is not None
        told = {"validation_error": trial.validation_error, "latency_ms": latency.latency_ms}
        optimizer.tell(proposal.proposal_id, told)


def test_a_trainer_that_yields_no_latency_is_refused_when_its_first_trial_ends(tmp_path: Path) -> None:
    def pretend(study, configuration, seed, **_):  # type: ignore[no-untyped-def]
        from resnext_search.trainers import Epoch

        return iter([Epoch(epoch, 0.1, 1.0, 1.0, 50.0, 0.01) for epoch in (1, 2)])

    with pytest.raises(UsageError, match="proposal 0: latency_ms is missing; a positive number"):
        run_study(STUDY, tmp_path / "run", train=pretend, cpus=1, gpus=0)


def test_a_latency_that_is_no_number_fails_its_trial(tmp_path: Path) -> None:
    def pretend(study, configuration, seed, *, latency, checkpoint, **_):  # type: ignore[no-untyped-def]
        from resnext_search.trainers import Epoch, Latency

        number = int(checkpoint.stem.removeprefix("trial-"))
        if latency:
            yield Latency(float("nan") if number == 1 else 2.0, 0.1)
        yield from (Epoch(epoch, 0.1, 1.0, 1.0, 50.0 - number, 0.01) for epoch in (1, 2))

    folder = run_study(STUDY, tmp_path / "run", train=pretend, cpus=1, gpus=0)

    trials = pd.read_csv(folder.trials).set_index("trial")
    assert trials.state.tolist() == ["completed", "failed", *["completed"] * (TRIALS - 2)]
    assert (trials.loc[1, "failure_class"], trials.loc[1, "failure_message"]) == ("NotFinite", "the latency ms is nan")
    assert set(trials.latency_ms.drop(1)) == {2.0}
