"""When the arms are judged, whether that was planned, and whether the study goes on, from journals written by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from resnext_search.results import Journal
from resnext_search.search.planning.confirmation import enqueue_to_next_look
from resnext_search.search.planning.looks import is_look_due, seeds_at_the_end, seeds_due, take_look
from resnext_search.search.planning.tuning_rounds import enqueue_tuning
from resnext_search.spaces import Study

from tests.support.claims import end_confirmation, end_tuning, tune
from tests.support.helpers import TINY_CLAIM, tiny_study

After = Callable[[Study], Journal]
LOOKS = TINY_CLAIM.replace("seeds: 5", "looks: [10, 20, 30], finalists: 0")
TEN = TINY_CLAIM.replace("seeds: 5", "seeds: 10, finalists: 0")


class Said(NamedTuple):
    verdict: str


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the verdict will say, look by look: which runs say it is for other tests."""
    said: list[str] = []
    monkeypatch.setattr("resnext_search.results.verdict.sources.judge_study", lambda *_: Said(said.pop(0)))
    return said


def tuned(after_search: After, *overrides: str) -> tuple[Study, Journal]:
    study = tiny_study(*overrides)
    journal = after_search(study)
    tune(study, journal)
    return study, journal


def looks(journal: Journal) -> list[tuple[int, str, bool]]:
    return [(look.seeds, look.word, look.planned) for look in journal.looks()]


def test_the_confirmation_goes_to_the_first_look_and_ends_with_a_word(after_search: After, words: list[str]) -> None:
    words += ["supported"]
    study, journal = tuned(after_search, LOOKS)
    assert seeds_due(study, journal) == 10
    assert enqueue_to_next_look(study, journal) == 4 * 10 + 3 * 3
    assert enqueue_to_next_look(study, journal) == 0, "they have not ended"
    assert looks(journal) == []
    end_confirmation(journal)
    assert is_look_due(study, journal)
    assert enqueue_to_next_look(study, journal) == 0
    assert looks(journal) == [(10, "supported", True)]
    assert seeds_due(study, journal) == seeds_at_the_end(study, journal) == 10
    assert not is_look_due(study, journal)
    assert not take_look(study, journal)


def test_without_a_word_it_goes_on_to_the_next_look_until_the_last(after_search: After, words: list[str]) -> None:
    words += ["inconclusive"] * 3
    study, journal = tuned(after_search, LOOKS)
    for queued in (4 * 10 + 3 * 3, 4 * 10, 4 * 10, 0):
        assert enqueue_to_next_look(study, journal) == queued
        assert seeds_at_the_end(study, journal) == 30
        end_confirmation(journal)
    assert looks(journal) == [(10, "inconclusive", True), (20, "inconclusive", True), (30, "inconclusive", True)]
    assert seeds_due(study, journal) == 30


def test_runs_that_failed_make_no_word_and_it_goes_on(after_search: After, words: list[str]) -> None:
    words += ["invalid"]
    study, journal = tuned(after_search, LOOKS)
    enqueue_to_next_look(study, journal)
    end_confirmation(journal, lambda trial: None if trial.arm == "depth" else 12.0)
    assert enqueue_to_next_look(study, journal) == 4 * 10
    assert looks(journal) == [(10, "invalid", True)]


def test_a_study_that_was_killed_before_a_look_takes_it_later(after_search: After, words: list[str]) -> None:
    words += ["inconclusive"]
    study, journal = tuned(after_search, LOOKS)
    enqueue_to_next_look(study, journal)
    end_confirmation(journal)
    with Journal(journal.path) as again:
        assert enqueue_to_next_look(study, again) == 4 * 10
        assert len(again.looks()) == 1


def test_without_looks_there_is_one_at_the_end_and_seeds_that_are_added_make_one_that_was_not_planned(
    after_search: After, words: list[str]
) -> None:
    words += ["supported"] * 2
    study, journal = tuned(after_search, TEN)
    enqueue_to_next_look(study, journal)
    end_confirmation(journal)
    assert enqueue_to_next_look(study, journal) == 0
    assert looks(journal) == [(10, "supported", True)]

    assert study.claim is not None
    more = study.model_copy(update={"claim": study.claim.model_copy(update={"seeds": 20})})
    assert enqueue_to_next_look(more, journal) == 4 * 10, "whatever was said"
    end_confirmation(journal)
    assert enqueue_to_next_look(more, journal) == 0
    assert [(seeds, planned) for seeds, _, planned in looks(journal)] == [(10, True), (20, False)]


def test_seeds_that_are_added_before_the_end_were_not_planned_either(after_search: After, words: list[str]) -> None:
    """Somebody may have read the verdict on those that were there."""
    words += ["supported"] * 2
    study, journal = tuned(after_search, TEN)
    enqueue_to_next_look(study, journal)
    end_confirmation(journal)
    assert study.claim is not None
    more = study.model_copy(update={"claim": study.claim.model_copy(update={"seeds": 20})})
    enqueue_to_next_look(more, journal)
    end_confirmation(journal)
    enqueue_to_next_look(more, journal)
    assert [(seeds, planned) for seeds, _, planned in looks(journal)] == [(20, False)]


def test_trials_that_are_tried_again_leave_a_planned_look_planned(after_search: After, words: list[str]) -> None:
    words += ["supported"] * 2
    study, journal = tuned(after_search, TEN)
    enqueue_to_next_look(study, journal)
    first = journal.trials(phase="confirm")[0].trial_id
    journal.start(first, "x")
    journal.fail(first, "RuntimeError", "no disk")
    journal.retry_failed()
    end_confirmation(journal)
    enqueue_to_next_look(study, journal)
    assert [(seeds, planned) for seeds, _, planned in looks(journal)] == [(10, True)]


def test_under_the_first_rules_nothing_is_looked_at(after_search: After) -> None:
    study, journal = tuned(after_search, TINY_CLAIM, "rules=1")
    enqueue_to_next_look(study, journal)
    end_confirmation(journal)
    assert enqueue_to_next_look(study, journal) == 0
    assert looks(journal) == []


def test_where_no_arm_is_confirmed_nothing_is_looked_at_and_the_finalist_has_all_seeds(after_search: After) -> None:
    study = tiny_study(LOOKS.replace("finalists: 0", "finalists: 1"))
    journal = after_search(study)
    while enqueue_tuning(study, journal):
        end_tuning(journal, {10.0**power: 50.0 - 5 * power for power in range(-2, 9)})
    assert enqueue_to_next_look(study, journal) == 30
    end_confirmation(journal)
    assert enqueue_to_next_look(study, journal) == 0
    assert looks(journal) == []
