"""What the searcher answers Tune, and what it makes of what Tune tells it, without any process."""

from __future__ import annotations

from typing import Any

import pytest
from resnext_search.search.machines.settings import Searcher
from resnext_search.search.ray_backend import searcher as module
from resnext_search.search.ray_backend.searcher import RayScheduler, RaySearcher
from resnext_search.search.ray_backend.worker import LEFT_OUT, UNFIT

from tests.support.desk import Desk

FINISHED = str(Searcher.FINISHED)
FAILURE = {"failure_class": "ValueError", "failure_message": "no such colour"}
EPOCH = {
    **{"epoch": 1, "learning_rate": 0.1, "train_loss": 1.0, "validation_loss": 1.0, "validation_error": 9.0},
    **{"seconds": 1.0, "test_error": None, "test_correct": None, "device": "cpu", "host": "here"},
}


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


def test_a_trial_whose_machine_will_not_do_goes_to_another_one_and_nothing_is_held_against_it(desk: Desk) -> None:
    searcher = RaySearcher(desk.dispatcher(), desk.inspection())
    first = searcher.suggest("a")
    searcher.begins("a", "1", lambda: True)
    assert searcher.goes_on("a", {UNFIT: "torch 2.8.0 (the driver has 2.9.0)"}) is False
    searcher.on_trial_complete(trial_id="a", result={UNFIT: "..."})
    assert searcher.inspection.left_out() == {"1"}
    assert searcher.suggest("b") == first | {LEFT_OUT: ["1"]}
    [trial] = desk.journal.trials()
    assert (trial.state, trial.failure_class) == ("running", None)
    assert desk.journal.failures() == []
    said = desk.words.getvalue()
    assert "machine a gets no trials: torch 2.8.0 (the driver has 2.9.0)\n" in said
    assert "its machine will not do; it goes to another one\n" in said


def test_what_fails_where_others_did_goes_elsewhere_and_the_machine_is_left_out_when_they_train(desk: Desk) -> None:
    searcher = RaySearcher(desk.dispatcher(), desk.inspection())
    for name in "abc":
        searcher.suggest(name)
        searcher.begins(name, "1", lambda: True)
        searcher.on_trial_complete(trial_id=name, result=FAILURE)
    assert [trial.state for trial in desk.journal.trials()] == ["failed", "failed", "interrupted"]
    assert "failed (ValueError: no such colour) where others did; it goes to another machine\n" in desk.words.getvalue()
    assert searcher.suggest("d")["trial_id"] == 2
    searcher.begins("d", "2", lambda: True)
    assert searcher.goes_on("d", EPOCH)
    assert (
        "machine a gets no trials any more: 3 trials in a row failed on it and none elsewhere, the last by ValueError: "
        "no such colour\n"
    ) in desk.words.getvalue()


def test_failures_of_the_network_or_after_an_epoch_say_nothing_of_the_machine(desk: Desk) -> None:
    searcher = RaySearcher(desk.dispatcher(), desk.inspection())
    for name, failure in (("a", FAILURE | {"failure_class": "NotFinite"}), ("b", FAILURE), ("c", FAILURE)):
        searcher.suggest(name)
        searcher.begins(name, "1", lambda: True)
        if name == "b":
            searcher.goes_on(name, EPOCH)
        searcher.on_trial_complete(trial_id=name, result=failure)
    assert [trial.state for trial in desk.journal.trials()] == ["failed"] * 3
    assert searcher.inspection.left_out() == set()


@pytest.mark.parametrize(("is_refused", "losses"), [(False, 4), (True, 10)])
def test_a_process_that_was_lost_before_it_began_counts_only_where_all_machines_will_do(
    desk: Desk, is_refused: bool, losses: int
) -> None:
    """That is how one without the package is seen, if a trial is placed there before it has answered."""
    searcher = RaySearcher(desk.dispatcher(), desk.inspection())
    if is_refused:
        searcher.inspection.refuse("1", "resnext-search is not installed there")
    for number in range(losses):
        searcher.suggest(str(number))
        searcher.on_trial_complete(trial_id=str(number), error=True)
    assert desk.journal.trials()[0].state == ("interrupted" if is_refused else "failed")


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
        trial = type("Trial", (), {"trial_id": name})
        for _ in range(2):
            assert scheduler.on_trial_result(None, trial, EPOCH | {"seconds": seconds}) == scheduler.CONTINUE
    assert [name[:10] for name in tags] == ["trial 0000"]
    searcher.close()
    assert tags == []
