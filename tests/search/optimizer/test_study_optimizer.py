"""What the optimizer of a study is told from its journal: errors, and latencies of trials that ended in any way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from resnext_search.results import Journal, LatencyRow
from resnext_search.search.optimizer.optimizer import Failure
from resnext_search.search.optimizer.study_optimizer import Proposals
from resnext_search.search.surrogate.learning_curves import Stopped
from resnext_search.spaces.errors import UsageError

from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import epoch_row, new_folder, tiny_set

STUDY = tiny_study("objectives=[validation_error, latency_ms]", "search.trials=20", "rules=1")
HERE = {"device": "cpu", "host": "here"}


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with new_folder(tmp_path, STUDY)[1] as journal:
        yield journal


def latency_row(architecture: int) -> LatencyRow:
    """Made up: the first takes 1 ms, and every other 0.1 ms more than the one before it."""
    return LatencyRow(1 + architecture / 10, 0.05)


def run(journal: Journal, proposals: Proposals, trials: int) -> None:
    """Trials as a run makes them, one after the other; every third fails."""
    for _ in range(trials):
        trial = proposals.next()
        assert trial is not None
        place = tiny_set().index(trial.configuration.architecture)
        journal.start(trial.trial_id, "x")
        journal.record_latency(trial.configuration.architecture, latency_row(place), **HERE)
        if trial.trial_id % 3 == 2:
            journal.fail(trial.trial_id, "TrainingDiverged", "the loss is nan")
        else:
            journal.record_epoch(trial.trial_id, epoch_row(2, 50.0 - 3 * place), **HERE, final=True)
        proposals.ended(trial.trial_id)


def test_a_study_that_continues_proposes_what_it_would_have_proposed(journal: Journal, tmp_path: Path) -> None:
    there = Proposals(STUDY, tiny_set(), journal)
    run(journal, there, 12)
    again = Proposals(STUDY, tiny_set(), journal)
    assert again._optimizer._state.measured("latency_ms") == there._optimizer._state.measured("latency_ms")
    assert again._optimizer.ask(2) == there._optimizer.ask(2)
    assert journal.trials()[-1].proposed_by == "ax"


def test_with_folds_all_trials_of_a_search_are_judged_by_the_images_of_the_first_fold(tmp_path: Path) -> None:
    study = tiny_study(TINY_CLAIM)
    with new_folder(tmp_path / "folded", study)[1] as journal:
        proposals = Proposals(study, tiny_set(), journal)
        trials = [proposals.next() for _ in range(4)]
    seeds = {trial.seed for trial in trials if trial is not None}
    assert len(seeds) == 4
    assert {study.fold_of(seed) for seed in seeds} == {0}


def test_latencies_of_stopped_and_failed_trials_are_told_unless_their_architecture_was_not_measured(
    journal: Journal,
) -> None:
    """The first two are measured; the third is not, and the fourth has the architecture of the second."""
    proposals = Proposals(STUDY, tiny_set(), journal)
    architectures = []
    for number in range(4):
        trial = proposals.next()
        assert trial is not None
        architecture = trial.configuration.architecture
        architectures.append(tiny_set().index(architecture))
        journal.start(number, "x")
        if number < 2:
            journal.record_latency(architecture, latency_row(architectures[-1]), **HERE)
        if number % 2:
            journal.fail(number, "RuntimeError", "no disk")
        else:
            journal.record_epoch(number, epoch_row(1, 50.0), **HERE, final=False, stop="stopped")
        proposals.ended(number)
    assert architectures == [3, 4, 5, 4]
    assert proposals._optimizer._state.outcomes == {
        0: Stopped(1, 50.0, 1.3),
        1: Failure("RuntimeError", "no disk", 1.4),
        2: Stopped(1, 50.0),
        3: Failure("RuntimeError", "no disk", 1.4),
    }
    assert proposals._optimizer._state.measured("latency_ms") == {3: 1.3, 4: 1.4}


def test_a_completed_trial_whose_latency_is_missing_is_said(journal: Journal) -> None:
    proposals = Proposals(STUDY, tiny_set(), journal)
    trial = proposals.next()
    assert trial is not None
    journal.start(trial.trial_id, "x")
    journal.record_epoch(trial.trial_id, epoch_row(2, 50.0), **HERE, final=True)
    with pytest.raises(UsageError, match="proposal 0: latency_ms is missing"):
        proposals.ended(trial.trial_id)
