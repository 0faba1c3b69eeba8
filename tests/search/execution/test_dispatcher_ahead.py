"""On a cluster more is handed out than there is room for, so that it has a reason to grow; and losses, by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from resnext_search.search.execution import dispatcher as dispatching
from resnext_search.search.execution.dispatcher import Dispatcher

from tests.support.desk import Desk


class Room:
    """How many trials a cluster holds, as set."""

    trials = 0

    def __call__(self) -> int:
        return self.trials


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def auto(tmp_path: Path) -> Iterator[Desk]:
    """As many trials at once as there is room for, of a search of 40 whose first proposals need no model."""
    desk = Desk(tmp_path, "search={trials: 40, parallel: auto}")
    with desk.journal:
        yield desk


def handed_out(dispatcher: Dispatcher) -> list[int]:
    """The numbers of all trials that are handed out before it says no."""
    numbers = []
    while (trial := dispatcher.next()) is not None:
        numbers.append(trial.trial_id)
    return numbers


def states(desk: Desk) -> list[str]:
    return [trial.state for trial in desk.journal.trials()]


def tell(dispatcher: Dispatcher, number: int, epoch: int) -> None:
    """An epoch of a trial of two."""
    row = {"epoch": epoch, "learning_rate": 0.1, "train_loss": 1.0, "validation_loss": 1.0, "validation_error": 9.0}
    about = {"seconds": 0.1, "test_error": None, "test_correct": None, "device": "cpu", "host": "here"}
    dispatcher.record(number, row | about)


# ------------------------------------------------------------------ ahead


def test_all_trials_that_need_no_model_wait_for_a_cluster_to_grow(auto: Desk, room: Room) -> None:
    dispatcher = auto.dispatcher(room=room)
    assert dispatcher.proposals is not None
    start = dispatcher.proposals.fixed
    assert 4 < start < dispatching.MOST_AHEAD  # the features of a candidate, and two more
    assert handed_out(dispatcher) == list(range(start))
    assert states(auto) == ["queued"] * start  # no worker has begun
    room.trials = 2
    assert handed_out(dispatcher) == []  # those that wait are more than enough, and a model waits for what it can learn
    for number in (0, 1):
        dispatcher.begins(number)
    dispatcher.begins(1)
    assert [dispatcher.is_ahead(number) for number in (0, 1, 2)] == [False, False, True]
    assert states(auto) == ["running"] * 2 + ["queued"] * (start - 2)
    assert [trial.attempts for trial in auto.journal.trials()] == [1, 1] + [0] * (start - 2)


def test_of_a_models_proposals_one_waits(auto: Desk, room: Room) -> None:
    dispatcher = auto.dispatcher(room=room)
    assert dispatcher.proposals is not None
    room.trials = dispatcher.proposals.fixed
    numbers = handed_out(dispatcher)
    assert numbers == list(range(room.trials + 1))
    assert states(auto) == ["running"] * room.trials + ["queued"]
    tell(dispatcher, 0, 2)
    dispatcher.released(0)
    dispatcher.begins(numbers[-1])  # in its place
    assert handed_out(dispatcher) == [numbers[-1] + 1]


def test_no_more_wait_than_would_double_a_cluster(auto: Desk, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatching, "MOST_AHEAD", 2)
    dispatcher = auto.dispatcher(room=room)
    assert len(handed_out(dispatcher)) == 2
    room.trials = 3
    assert len(handed_out(dispatcher)) == 6 - 2  # three that run, and three more


def test_no_more_are_handed_out_than_the_study_allows(desk: Desk, room: Room) -> None:
    room.trials = 8
    assert len(handed_out(desk.dispatcher(room=room))) == 2  # search.parallel


def test_a_trial_that_waits_and_is_taken_back_was_never_begun(auto: Desk, room: Room) -> None:
    dispatcher = auto.dispatcher(room=room)
    [first, *_] = handed_out(dispatcher)
    assert dispatcher.is_ahead(first)
    assert not dispatcher.starts_none
    auto.context.stops.ask("drain")
    assert dispatcher.starts_none
    dispatcher.released(first)
    assert not dispatcher.is_ahead(first)
    assert set(states(auto)) == {"queued"}


def test_a_worker_that_is_lost_before_it_begins_is_a_loss_all_the_same(auto: Desk, room: Room) -> None:
    """As where the package is missing: else it would be tried for ever."""
    dispatcher = auto.dispatcher(room=room)
    handed_out(dispatcher)
    for _ in range(4):
        dispatcher.lost(0)
        handed_out(dispatcher)
    trial = auto.journal.trial(0)
    assert (trial.state, trial.attempts, trial.failure_class) == ("failed", 4, "WorkerLost")


# ------------------------------------------------------------------ losses


def test_four_preemptions_with_progress_fail_no_trial(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "trainer.epochs=6")
    with desk.journal:
        dispatcher = desk.dispatcher()
        for epoch in range(1, 6):
            assert dispatcher.next() is not None
            tell(dispatcher, 0, epoch)
            dispatcher.lost(0)
        assert (desk.journal.trial(0).state, desk.journal.trial(0).epochs) == ("interrupted", 5)
        for _ in range(4):  # and now it gains nothing any more
            assert desk.journal.trial(0).state == "interrupted"
            dispatcher.next()
            dispatcher.lost(0)
        assert desk.journal.trial(0).failure_message == "its process was lost 4 times"


def test_what_is_lost_with_its_machine_does_not_count(desk: Desk) -> None:
    dispatcher, gone = desk.dispatcher(), [False]
    for _ in range(9):
        assert dispatcher.next() is not None
        dispatcher.lost(0, lambda: False)
    for _ in range(3):
        dispatcher.next()
        dispatcher.lost(0, lambda: not gone[0])
    gone[0] = True  # that machine was about to go: its processes went first
    for _ in range(3):
        dispatcher.next()
        dispatcher.lost(0)
    assert desk.journal.trial(0).state == "interrupted"
    dispatcher.next()
    dispatcher.lost(0)
    assert desk.journal.trial(0).failure_class == "WorkerLost"
