"""What a dispatcher makes of the journal's troubles; the rest of it is seen in whole studies."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from resnext_search.search.execution.dispatcher import Dispatcher
from resnext_search.search.monitor.terminal import Progress

from tests.support.desk import Desk
from tests.support.journals import HERE, epoch_row, point
from tests.support.limits import files_end_at


@pytest.fixture
def dispatcher(desk: Desk) -> Dispatcher:
    """Of two queued trials, on a machine that trains one at a time."""
    for place in range(2):
        desk.journal.enqueue("search", point(place), 7, "sobol")
    return Dispatcher("search", desk.begin(), Progress(desk.console, 2, 2), at_once=lambda: 1, gpu=0)


def fact(epoch: int, error: float) -> dict[str, Any]:
    """What a worker reports."""
    return {**asdict(epoch_row(epoch, error)), **HERE, "test_error": None, "test_correct": None}


def test_what_the_journal_cannot_record_is_not_trained_on_and_no_trial_is_begun(dispatcher: Dispatcher) -> None:
    dispatcher.next()
    assert dispatcher.record(0, fact(1, 80.0))
    with files_end_at(4_096):
        assert not dispatcher.record(0, fact(2, 70.0))
        dispatcher.released(0)
        assert dispatcher.next() is None
    assert dispatcher.is_over
    assert "journal.sqlite: cannot be written: " in str(dispatcher.error)
    with dispatcher.journal as journal:
        trials = journal.trials()
        assert [(trial.state, trial.epochs) for trial in trials] == [("running", 1), ("queued", 0)]
        assert journal.interrupt_running() == 1  # there is room again: both are done when the command is given again


def test_a_trial_that_the_journal_cannot_begin_is_not_begun(dispatcher: Dispatcher) -> None:
    with files_end_at(4_096):
        assert dispatcher.next() is None
    assert dispatcher.is_over
    assert "journal.sqlite: cannot be written: " in str(dispatcher.error)
    with dispatcher.journal as journal:
        assert [trial.attempts for trial in journal.trials()] == [0, 0]


def test_a_trial_ends_with_its_last_epoch(dispatcher: Dispatcher) -> None:
    dispatcher.next()
    assert dispatcher.record(0, fact(1, 80.0))
    assert not dispatcher.record(0, fact(2, 70.0))
    assert dispatcher.error is None
