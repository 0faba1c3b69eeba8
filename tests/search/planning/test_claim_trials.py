"""How many trials a claim takes, from journals written by hand: nothing is trained here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from resnext_search.results import Journal
from resnext_search.search.planning.claim_trials import claim_trials, planned_trials
from resnext_search.search.planning.confirmation import enqueue_confirmation, enqueue_to_next_look
from resnext_search.search.planning.tuning_rounds import enqueue_tuning
from resnext_search.spaces import Study

from tests.support.claims import end_confirmation, end_round, end_tuning, tune
from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import new_folder

After = Callable[[Study], Journal]


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


def test_a_study_without_a_claim_plans_its_search_alone(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path)
    with journal:
        assert planned_trials(tiny_study(), journal) == {"search": 4}


@pytest.mark.parametrize("rules", [1, 2])
def test_what_is_planned_before_the_first_trial_is_what_is_there_at_the_end(after_search: After, rules: int) -> None:
    study = tiny_study(TINY_CLAIM, f"rules={rules}", "search.trials=2")
    journal = after_search(study)
    planned = planned_trials(study, journal)
    while enqueue_tuning(study, journal):
        assert planned_trials(study, journal) == planned
        end_round(journal)
    enqueue_confirmation(study, journal)
    assert {phase: len(journal.trials(phase=phase)) for phase in planned} == planned
    assert planned_trials(study, journal) == planned


@pytest.mark.parametrize(("rules", "arms"), [(1, 3), (2, 4)])
def test_with_an_arm_at_the_edge_no_second_round_and_no_arm_is_planned(
    after_search: After, rules: int, arms: int
) -> None:
    study = tiny_study(TINY_CLAIM, f"rules={rules}")
    journal = after_search(study)
    errors = {10.0**power: 50.0 - 5 * power for power in range(-2, 9)}
    while enqueue_tuning(study, journal):
        end_tuning(journal, errors)
    assert planned_trials(study, journal) == {"search": 4, "tune": arms * (3 + 4), "confirm": 5}


def test_after_a_look_that_ends_the_study_no_more_is_planned(after_search: After) -> None:
    claim = TINY_CLAIM.replace("seeds: 5", "looks: [10, 20], finalists: 0")
    study = tiny_study(claim, "search.trials=2")
    journal = after_search(study)
    tune(study, journal)
    assert planned_trials(study, journal)["confirm"] == 4 * 20 + 3 * 3
    enqueue_to_next_look(study, journal)
    end_confirmation(journal)
    assert planned_trials(study, journal)["confirm"] == 4 * 20 + 3 * 3
    journal.record_look(10, "supported", planned=True)
    assert planned_trials(study, journal)["confirm"] == 4 * 10 + 3 * 3 == len(journal.trials(phase="confirm"))
