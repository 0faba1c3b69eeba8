"""What the searcher answers Tune, and what it makes of what Tune tells it, without any process."""

from __future__ import annotations

from typing import Any

import pytest
from resnext_search.search.machines.settings import Searcher
from resnext_search.search.ray_backend import searcher as module
from resnext_search.search.ray_backend.searcher import RayScheduler, RaySearcher

from tests.support.desk import Desk

FINISHED = str(Searcher.FINISHED)
FAILURE = {"failure_class": "ValueError", "failure_message": "no such colour"}


def test_tune_is_given_what_a_worker_needs_while_there_is_room(desk: Desk) -> None:
    searcher = RaySearcher(desk.dispatcher(), desk.inspection())
    assert [searcher.suggest(name)["trial_id"] for name in "ab"] == [0, 1]
    assert searcher.suggest("c") is None
    assert (searcher.handed_out, searcher.has("b"), searcher.has("c")) == (2, True, False)


def test_a_trial_that_tune_lost_is_handed_out_again_under_another_name(desk: Desk) -> None:
    """Also one that was lost before its first step: Tune calls that an error of the trial that was to begin."""
    searcher = RaySearcher(desk.dispatcher(), desk.inspection())
    first = searcher.suggest("a")
    searcher.on_trial_complete(trial_id="a", error=True)
    assert searcher.suggest("b") == first


def test_a_failure_that_a_worker_reported_is_the_trials(desk: Desk) -> None:
    searcher = RaySearcher(desk.dispatcher(), desk.inspection())
    searcher.suggest("a")
    assert searcher.goes_on("a", FAILURE)  # its function ends by itself
    searcher.on_trial_complete(trial_id="a", result=FAILURE)
    [trial] = desk.journal.trials()
    assert (trial.state, trial.failure_message) == ("failed", "no such colour")
    searcher.on_trial_complete(trial_id="a", error=True)  # told twice, it counts once
    assert desk.journal.trials() == [trial]


def test_who_is_to_stop_is_finished(desk: Desk) -> None:
    searcher = RaySearcher(desk.dispatcher(), desk.inspection())
    searcher.suggest("a")
    desk.context.stops.ask("drain")
    assert searcher.suggest("b") == FINISHED


def test_a_trial_bears_its_name_if_it_takes_long(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two epochs of 20 s do, two of 10 s do not; a tag that cannot be made is done without."""
    tags: list[Any] = []
    monkeypatch.setattr(module, "name_tag", lambda name: tags.append(name) or name)
    monkeypatch.setattr(module, "kill", tags.remove)
    searcher = RaySearcher(desk.dispatcher(), desk.inspection())
    scheduler = RayScheduler(searcher)
    for name, seconds in (("a", 20.0), ("b", 10.0)):
        searcher.suggest(name)
        row = {"epoch": 1, "learning_rate": 0.1, "train_loss": 1.0, "validation_loss": 1.0, "validation_error": 9.0}
        about = {"seconds": seconds, "test_error": None, "test_correct": None, "device": "cpu", "host": "here"}
        trial = type("Trial", (), {"trial_id": name})
        assert scheduler.on_trial_result(None, trial, row | about) == scheduler.CONTINUE
        assert scheduler.on_trial_result(None, trial, row | about | {"epoch": 1}) == scheduler.CONTINUE
    assert [name[:10] for name in tags] == ["trial 0000"]
    searcher.close()
    assert tags == []
