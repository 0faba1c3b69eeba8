"""Whole studies on a real Ray, with real training of small networks on the digits."""

from __future__ import annotations

import itertools
import json
import math
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from resnext_search.results import Journal, StudyFolder, pareto_front
from resnext_search.results.verdict.sources import judge_csv
from resnext_search.search import run_study
from resnext_search.spaces.errors import FolderLocked, StudyError, TooManyFailures

from tests.support.helpers import TINY_CLAIM, tiny_study

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("shared_ray")]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, ray_of_the_session: None) -> StudyFolder:
    """The tiny study, run to its end."""
    return run_study(tiny_study(), tmp_path_factory.mktemp("ended") / "run", cpus=2, gpus=0)


def test_a_study_trains_every_trial_inside_the_band_and_writes_its_tables(ended: StudyFolder) -> None:
    study, folder = tiny_study(), ended

    trials = pd.read_csv(folder.trials)
    assert trials.state.tolist() == ["completed"] * 4
    assert trials.epochs.tolist() == [2] * 4
    assert trials.multiply_adds.between(study.band().low, study.band().high).all()
    assert len(trials[["architecture", "group_widths", "blocks", "learning_rate"]].drop_duplicates()) == 4
    front = pd.read_csv(folder.pareto)
    assert len(front) == pareto_front(trials[["validation_error"]].to_numpy()).sum()
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "LOCK",
        "effects.csv",
        "journal.sqlite",
        "log.txt",
        "pareto.csv",
        "plan.json",
        "report.html",
        "study.yaml",
        "trials.csv",
    ]


def test_a_finished_study_is_not_trained_again_and_may_get_more_trials(ended: StudyFolder, tmp_path: Path) -> None:
    shutil.copytree(ended.path, tmp_path / "run")
    before = pd.read_csv(ended.trials)

    again = run_study(tiny_study(), tmp_path / "run", cpus=2, gpus=0)
    assert again.trials.read_bytes() == ended.trials.read_bytes()
    again = run_study(tiny_study("search.trials=5"), tmp_path / "run", cpus=2, gpus=0)

    after = pd.read_csv(again.trials)
    assert len(after) == 5
    pd.testing.assert_frame_equal(after[:4], before)


def test_a_changed_study_is_refused_with_the_difference(ended: StudyFolder, tmp_path: Path) -> None:
    shutil.copytree(ended.path, tmp_path / "run")

    with pytest.raises(StudyError, match=r"trainer\.epochs: 2 -> 3") as refused:
        run_study(tiny_study("search.trials=5", "trainer.epochs=3"), tmp_path / "run", cpus=2, gpus=0)

    assert "--out" in refused.value.hint
    assert (tmp_path / "run" / "study.yaml").read_bytes() == ended.study.read_bytes()


def test_a_folder_has_one_run_at_a_time(tmp_path: Path) -> None:
    from resnext_search.results.journal.folder import locked

    (tmp_path / "run").mkdir()
    with locked(tmp_path / "run" / "LOCK"), pytest.raises(FolderLocked, match=f"process {os.getpid()} on"):
        run_study(tiny_study(), tmp_path / "run", cpus=2, gpus=0)


def test_trials_that_raise_or_diverge_are_recorded_and_do_not_stop_the_study(tmp_path: Path) -> None:
    from resnext_search.trainers import train

    def sometimes(study, configuration, seed, *, latency, **where):  # type: ignore[no-untyped-def]
        number = int(where["checkpoint"].stem.removeprefix("trial-"))
        if number == 1:
            raise RuntimeError("a worker's disk is full")
        if number == 3:  # a real divergence: the step size is beyond all reason
            configuration = type(configuration)(configuration.architecture, (("learning_rate", 1e30),))
        epochs = train(study, configuration, seed, **where)
        if number == 6:
            return (epoch._replace(validation_error=math.nan) for epoch in epochs)
        return itertools.islice(epochs, 1) if number == 8 else epochs

    folder = run_study(tiny_study("search.trials=9"), tmp_path / "run", train=sometimes, cpus=2, gpus=0)

    trials = pd.read_csv(folder.trials).set_index("trial")
    assert trials.state.value_counts().to_dict() == {"completed": 5, "failed": 4}
    assert trials.loc[1, "failure_class"] == "RuntimeError"
    assert "a worker's disk is full" in trials.loc[1, "failure_message"]
    assert trials.loc[3, "failure_class"] == "TrainingDiverged"
    assert trials.loc[6, "failure_class"] == "NotFinite"
    assert trials.loc[8, "failure_message"] == "the trainer ended after epoch 1 of 2"
    assert math.isnan(trials.loc[3, "validation_error"])
    with Journal(folder.journal, read_only=True) as journal:
        assert "Traceback" in (journal.trials()[1].failure_message or "")


def test_a_study_in_which_every_trial_fails_stops_early_and_says_why(tmp_path: Path) -> None:
    def never(*_, **__):  # type: ignore[no-untyped-def]
        raise ValueError("no such colour")

    with pytest.raises(
        TooManyFailures, match=r"(?s)of \d trials failed, the last one with ValueError:.*no such colour"
    ):
        run_study(tiny_study("search.trials=30"), tmp_path / "run", train=never, cpus=2, gpus=0)

    with Journal(tmp_path / "run" / "journal.sqlite", read_only=True) as journal:
        assert 5 <= len(journal.trials()) <= 7


def test_a_search_ends_when_every_configuration_has_been_tried(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    overrides = ("axes.cardinality=[4]", "axes.learning_rate={listed: [0.05, 0.1]}", "search.trials=40")

    folder = run_study(tiny_study(*overrides), tmp_path / "run", cpus=2, gpus=0)

    assert pd.read_csv(folder.trials).state.tolist() == ["completed"] * 2
    assert "Every configuration of the feasible set has been tried." in capfd.readouterr().out
    run_study(tiny_study(*overrides), tmp_path / "run", cpus=2, gpus=0)
    assert "\nsearch: " not in capfd.readouterr().out, "nothing was left to do"


def test_fractional_gpus_share_a_gpu_and_bound_the_trials_at_once(tmp_path: Path) -> None:
    """Ray's logical GPUs: the machine need not have any. The trainer reports what it was given, and trains nothing."""
    seen = tmp_path / "seen"
    seen.mkdir()

    def record(study, configuration, seed, *, device, checkpoint, **_):  # type: ignore[no-untyped-def]
        from resnext_search.trainers import Epoch

        (seen / checkpoint.stem).write_text(f"{device} {os.environ['CUDA_VISIBLE_DEVICES']}")
        return iter([Epoch(1, 0.1, 1.0, 1.0, 50.0 + seed % 7, 0.01)])

    study = tiny_study("resources.gpu=0.5", "trainer.epochs=1", "trainer.warmup_epochs=0", "search.trials=6")
    run_study(study, tmp_path / "run", train=record, cpus=4, gpus=1)

    assert {path.read_text() for path in seen.iterdir()} == {"cuda 0"}
    assert len(list(seen.iterdir())) == 6


# ------------------------------------------------------------------ a study with a claim

# four epochs, so that the arms learn and the best learning rate lies inside the range
CLAIMED = (
    TINY_CLAIM,
    "rules=1",
    "search.trials=2",
    "trainer.epochs=4",
    "axes.learning_rate={min: 0.01, max: 10.0, scale: log}",
)


def test_a_claim_goes_through_all_phases_and_more_seeds_only_add_to_it(tmp_path: Path) -> None:
    folder = run_study(tiny_study(*CLAIMED), tmp_path / "run", cpus=1, gpus=0)

    trials = pd.read_csv(folder.trials, dtype={"seed": str})
    assert trials.state.eq("completed").all()
    by_phase = trials.groupby("phase")
    assert by_phase.test_error.count().to_dict() == {"confirm": 20, "search": 0, "tune": 0}
    assert by_phase.validation_error.count().to_dict()["confirm"] == 0
    confirmed = trials[trials.phase == "confirm"]
    finalist = f"finalist-{trials[trials.phase == 'search'].validation_error.idxmin():04d}"
    assert confirmed.groupby("arm").seed.nunique().to_dict() == dict.fromkeys(
        ["cardinality", "depth", finalist, "width"], 5
    )
    assert not set(confirmed.seed) & set(trials[trials.phase != "confirm"].seed)
    verdict = json.loads(folder.verdict.read_text())
    assert verdict == judge_csv(folder.trials, margin=5.0, rules=1)[1].to_json()
    assert verdict["verdict"] != "invalid"
    assert [row["arm"] for row in verdict["finalists"]] == [finalist]

    more = TINY_CLAIM.replace("seeds: 5", "seeds: 6")
    run_study(tiny_study(more, *CLAIMED[1:]), tmp_path / "run", cpus=1, gpus=0)

    after = pd.read_csv(folder.trials, dtype={"seed": str})
    assert len(after) == len(trials) + 4
    pd.testing.assert_frame_equal(after[: len(trials)], trials, check_dtype=False)


def test_an_arm_that_diverges_makes_the_claim_invalid(tmp_path: Path) -> None:
    from resnext_search.trainers import Epoch, TrainingDiverged

    def pretend(study, configuration, seed, *, confirm, **_):  # type: ignore[no-untyped-def]
        rate = dict(configuration.knobs)["learning_rate"]
        if confirm and configuration.architecture.depth > 8:  # the depth arm
            raise TrainingDiverged(1, math.nan)
        error = 10 + abs(math.log10(rate) + 1)  # best at 0.1
        found = {"test_error": error + seed % 7 / 10} if confirm else {}
        return iter([Epoch(1, rate, 1.0, None if confirm else 1.0, None if confirm else error, 0.01, **found)])

    study = tiny_study(TINY_CLAIM, "rules=1", "search.trials=2", "trainer.epochs=1", "trainer.warmup_epochs=0")
    folder = run_study(study, tmp_path / "run", train=pretend, cpus=1, gpus=0)

    verdict = json.loads(folder.verdict.read_text())
    assert verdict["verdict"] == "invalid"
    assert any("5 of 5 runs of depth failed" in reason for reason in verdict["reasons"])
