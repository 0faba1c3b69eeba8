"""Which trials a claim needs next, from journals written by hand: nothing is trained here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from resnext_search.results import Journal
from resnext_search.search.planning.claim_trials import (
    claim_trials,
    enqueue_confirmation,
    enqueue_tuning,
    finalists,
    planned_trials,
    tuned_rates,
)
from resnext_search.search.surrogate.study_model import rank_trials
from resnext_search.spaces import Study
from resnext_search.spaces.claim.arms import claim_arms

from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import completed, epoch_row, new_folder, point

ARMS = ["cardinality", "width", "depth"]


@pytest.fixture
def study() -> Study:
    return tiny_study(TINY_CLAIM, "rules=1")


@pytest.fixture
def journal(tmp_path: Path, study: Study) -> Iterator[Journal]:
    """A study whose search has ended: errors of 12.5 and 9.0 percent."""
    _, journal = new_folder(tmp_path, study)
    with journal:
        completed(journal, point(0), 12.5)
        completed(journal, point(4, 0.2), 9.0)
        yield journal


def rate_of(trial: object) -> float:
    return float(dict(trial.configuration.knobs)["learning_rate"])  # type: ignore[attr-defined]


def end_tuning(journal: Journal, error_at: dict[float, float]) -> None:
    """End all tuning trials that wait, with the error of their learning rate; one without fails."""
    for trial in journal.trials(phase="tune", states=["queued"]):
        journal.start(trial.trial_id, "x")
        if rate_of(trial) in error_at:
            row = epoch_row(2, error_at[rate_of(trial)])
            journal.record_epoch(trial.trial_id, row, device="cpu", host="here", final=True)
        else:
            journal.fail(trial.trial_id, "TrainingDiverged", "the loss is nan")


def test_every_arm_is_tuned_with_the_same_rates_and_the_same_seed(study: Study, journal: Journal) -> None:
    assert enqueue_tuning(study, journal) == 3

    trials = journal.trials(phase="tune")
    assert [(trial.arm, rate_of(trial)) for trial in trials] == [
        (arm, rate) for rate in (0.01, 0.1, 1.0) for arm in ARMS
    ]
    assert len({trial.seed for trial in trials}) == 1
    assert {trial.configuration.architecture for trial in trials} == {arm.architecture for arm in claim_arms(study)}
    assert enqueue_tuning(study, journal) == 0  # they wait: nothing more is needed yet
    end_tuning(journal, {0.01: 9.0, 0.1: 8.0, 1.0: 9.0})
    assert enqueue_tuning(study, journal) == 0
    assert tuned_rates(journal) == dict.fromkeys(ARMS, 0.1)


def test_a_best_rate_at_the_edge_widens_the_range_for_every_arm(study: Study, journal: Journal) -> None:
    enqueue_tuning(study, journal)
    end_tuning(journal, {0.01: 9.0, 0.1: 8.0, 1.0: 7.0})
    assert tuned_rates(journal) == {}

    assert enqueue_tuning(study, journal) == 2

    assert sorted({rate_of(trial) for trial in journal.trials(phase="tune")}) == [0.01, 0.1, 1.0, 10.0, 100.0]
    assert len(journal.trials(phase="tune")) == 3 * 5
    end_tuning(journal, {10.0: 8.0})  # and 100 diverges
    assert enqueue_tuning(study, journal) == 0
    assert tuned_rates(journal) == dict.fromkeys(ARMS, 1.0)


def test_a_range_is_widened_twice_and_then_no_arm_is_confirmed(study: Study, journal: Journal) -> None:
    errors = {10.0**power: 50.0 - 5 * power for power in range(-2, 9)}
    for queued in (3, 2, 2, 0):
        assert enqueue_tuning(study, journal) == queued
        end_tuning(journal, errors)
    assert tuned_rates(journal) == {}

    assert enqueue_confirmation(study, journal) == 5

    assert {trial.arm for trial in journal.trials(phase="confirm")} == {"finalist-0001"}
    assert planned_trials(study, journal) == {"search": 4, "tune": 21, "confirm": 5}


def test_a_list_of_rates_is_not_widened(tmp_path: Path) -> None:
    study = tiny_study(TINY_CLAIM, "rules=1", "axes.learning_rate=[0.01, 0.1, 0.3]")
    _, journal = new_folder(tmp_path, study)
    with journal:
        assert enqueue_tuning(study, journal) == 3
        end_tuning(journal, {0.01: 9.0, 0.1: 8.0, 0.3: 7.0})
        assert enqueue_tuning(study, journal) == 0


def test_listed_learning_rates_are_all_tried_whatever_tuning_trials_says() -> None:
    study = tiny_study(TINY_CLAIM, "axes.learning_rate=[0.01, 0.03, 0.1, 0.3]")
    assert study.claim is not None
    assert study.claim.tuning_trials == 3
    assert claim_trials(study).tune == 4 * (4 + 5 * 2)


def test_under_the_second_rules_a_claim_takes_two_rounds_of_tuning_and_the_rates_that_came_second() -> None:
    """4 arms: 3 rates, then 5 on 2 seeds; 5 seeds each, 3 for the runner-up of all but the base; 1 finalist."""
    study = tiny_study(TINY_CLAIM)
    assert claim_trials(study) == (4 * (3 + 5 * 2), 4 * 5, 5, 3 * 3)
    assert claim_trials(study).confirm == 20 + 5 + 9
    assert claim_trials(study, 2) == (4 * (3 + 5 * 2), 4 * 2, 2, 3 * 2)
    assert claim_trials(tiny_study(TINY_CLAIM, "rules=1")) == (9, 15, 5, 0)


def test_the_look_that_says_a_word_ends_what_is_planned(tmp_path: Path) -> None:
    study = tiny_study(TINY_CLAIM.replace("seeds: 5", "looks: [10, 20, 40]"))
    _, journal = new_folder(tmp_path, study)
    with journal:
        planned = {"search": 4, "tune": 52}
        for look, word, seeds in ((10, "inconclusive", 40), (15, "supported", 40), (20, "contradicted", 20)):
            journal.record_look(look, word, planned=look != 15)
            assert planned_trials(study, journal) == planned | {"confirm": 4 * seeds + 9 + seeds}


def test_confirmation_is_blocked_by_fresh_seeds_with_the_arms_shuffled_in_each(study: Study, journal: Journal) -> None:
    enqueue_tuning(study, journal)
    end_tuning(journal, {0.01: 9.0, 0.1: 8.0, 1.0: 9.0})
    used = {trial.seed for trial in journal.trials()}

    assert enqueue_confirmation(study, journal) == 5 * 4

    trials = journal.trials(phase="confirm")
    blocks = [trials[start : start + 4] for start in range(0, 20, 4)]
    for block in blocks:
        assert len({trial.seed for trial in block}) == 1
        assert {trial.arm for trial in block} == {*ARMS, "finalist-0001"}
    assert len({block[0].seed for block in blocks}) == 5
    assert not used & {trial.seed for trial in trials}
    assert len({tuple(trial.arm for trial in block) for block in blocks}) > 1
    by_arm = {trial.arm: trial.configuration for trial in trials}
    assert by_arm["width"].knobs == (("learning_rate", 0.1),)
    assert by_arm["finalist-0001"] == point(4, 0.2)  # the best of the search
    assert enqueue_confirmation(study, journal) == 0
    assert planned_trials(study, journal) == {"search": 4, "tune": 9, "confirm": 20}


def test_more_seeds_add_blocks_and_leave_those_that_are_there(study: Study, journal: Journal) -> None:
    enqueue_tuning(study, journal)
    end_tuning(journal, {0.01: 9.0, 0.1: 8.0, 1.0: 9.0})
    enqueue_confirmation(study, journal)
    before = journal.trials(phase="confirm")
    assert study.claim is not None
    more = study.model_copy(update={"claim": study.claim.model_copy(update={"seeds": 6})})

    assert enqueue_confirmation(more, journal) == 4

    assert journal.trials(phase="confirm")[:20] == before


def test_finalists_are_the_best_of_the_search_by_the_model(study: Study, journal: Journal) -> None:
    """Trial 1 reported the lowest error; its neighbours say that this was luck."""
    for architecture, rate, error in [(4, 0.19, 30.0), (4, 0.21, 30.0), (0, 0.11, 12.4), (0, 0.09, 12.6)]:
        completed(journal, point(architecture, rate), error)
    assert study.claim is not None
    names = [f"finalist-{trial.trial_id:04d}" for trial, _ in rank_trials(journal)]
    assert {"finalist-0000", "finalist-0004", "finalist-0005"} == set(names[:3])
    for wanted in (0, 1, 3, 9):
        claim = study.claim.model_copy(update={"finalists": wanted})
        assert list(finalists(study.model_copy(update={"claim": claim}), journal)) == names[:wanted]


def test_a_study_that_continues_confirms_the_same_finalists(study: Study, journal: Journal) -> None:
    assert study.claim is not None
    many = study.model_copy(update={"claim": study.claim.model_copy(update={"finalists": 2})})
    completed(journal, point(2), 9.1)
    assert enqueue_confirmation(many, journal) == 5 * 2
    journal.start(journal.trials(phase="confirm")[0].trial_id, "x")
    with Journal(journal.path) as again:
        again.interrupt_running()
        assert enqueue_confirmation(many, again) == 0


def test_a_study_without_a_claim_plans_its_search_alone(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path)
    with journal:
        assert planned_trials(tiny_study(), journal) == {"search": 4}
