"""A backend that is not Ray's: the trials of a study one after the other, in this process."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from resnext_search.results import Journal
from resnext_search.search import run_study
from resnext_search.search.execution.context import RunContext
from resnext_search.search.execution.dispatcher import Dispatcher
from resnext_search.search.execution.run_trial import run_trial
from resnext_search.search.monitor.terminal import Progress
from resnext_search.search.optimizer.study_optimizer import Proposals
from resnext_search.spaces import Study
from resnext_search.spaces.errors import StudyError, TooManyFailures
from resnext_search.spaces.study.study import Phase

from tests.support.helpers import TINY_CLAIM, tiny_study

Epoch = namedtuple(
    "Epoch", "epoch learning_rate train_loss validation_loss validation_error seconds test_error test_correct"
)


class InProcess:
    """One worker: this process."""

    dashboard = None

    def run_trials(
        self, phase: Phase, context: RunContext, progress: Progress, proposals: Proposals | None = None
    ) -> None:
        dispatcher = Dispatcher(phase, context, progress, proposals, at_once=lambda: 1, gpu=0)
        text, checkpoints, confirm = context.study.model_dump_json(), context.folder.checkpoints, phase == "confirm"
        while (trial := dispatcher.next()) is not None:
            facts: list[dict[str, Any]] = []
            order = dispatcher.order(trial)
            run_trial(
                order, text, checkpoints, context.train, gpu=0, confirm=confirm, device="cpu", report=facts.append
            )
            for fact in facts:
                dispatcher.record(trial.trial_id, fact)
            if "failure_class" in facts[-1]:
                dispatcher.failed(trial.trial_id, facts[-1]["failure_class"], facts[-1]["failure_message"])
            dispatcher.released(trial.trial_id)
        if dispatcher.error is not None:
            raise dispatcher.error


@contextmanager
def in_process(study: Study, *, cpus: int | None, gpus: int | None) -> Iterator[InProcess]:
    yield InProcess()


def train(study: Study, configuration: Any, seed: int, *, confirm: bool, **_: Any) -> Iterator[Epoch]:
    """Made-up epochs, of which those of a middle rate are best."""
    rate = dict(configuration.knobs)["learning_rate"]
    error = 10 + abs(rate - 0.1) + seed % 7 / 10
    for epoch in range(1, study.trainer.epochs + 1):
        if confirm:
            yield Epoch(epoch, rate, 1.0, None, None, 0.01, error if epoch == study.trainer.epochs else None, None)
        else:
            yield Epoch(epoch, rate, 1.0, 1.0, error, 0.01, None, None)


@pytest.mark.parametrize(("rules", "trials"), [(1, [4, 9, 20]), (2, [4, 52, 34])])
def test_a_whole_study_runs_without_ray(tmp_path: Path, rules: int, trials: list[int]) -> None:
    folder = run_study(tiny_study(TINY_CLAIM, f"rules={rules}"), tmp_path / "run", train=train, backend=in_process)
    with Journal(folder.journal, read_only=True) as journal:
        assert {trial.state for trial in journal.trials()} == {"completed"}
        assert [len(journal.trials(phase=phase)) for phase in ("search", "tune", "confirm")] == trials
    assert folder.verdict.exists()


def test_a_folder_goes_on_under_the_rules_it_was_begun_with(tmp_path: Path) -> None:
    """The file is the same and names none; more seeds than the folds of the second rules could divide are no matter."""
    run_study(tiny_study(TINY_CLAIM, "rules=1"), tmp_path / "run", train=train, backend=in_process)
    more = tiny_study(TINY_CLAIM.replace("seeds: 5", "seeds: 10"))
    assert more.rules == 2
    folder = run_study(more, tmp_path / "run", train=train, backend=in_process)
    with Journal(folder.journal, read_only=True) as journal:
        assert journal.study().rules == 1
        assert [len(journal.trials(phase=phase)) for phase in ("search", "tune", "confirm")] == [4, 9, 40]
    with pytest.raises(StudyError, match=r"\n  rules: 1 -> 2$"):
        run_study(tiny_study(TINY_CLAIM, "rules=2"), tmp_path / "run", train=train, backend=in_process)


def test_failures_end_it_as_they_end_it_on_ray(tmp_path: Path) -> None:
    def fail(*_: Any, **__: Any) -> Iterator[Any]:
        raise ValueError("no such colour")

    with pytest.raises(TooManyFailures, match="4 of 4 trials failed, the last one with ValueError"):
        run_study(tiny_study(), tmp_path / "run", train=fail, backend=in_process)
