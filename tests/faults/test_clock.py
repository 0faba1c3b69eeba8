"""The clock is set, or the machine sleeps, while a study runs: nothing is counted that was no work."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from resnext_search.results import Journal
from resnext_search.results.journal.folder import locked
from resnext_search.results.tables.files import write_tables
from resnext_search.search.monitor.status import read_status
from resnext_search.search.planning.forecast import remaining

from tests.support.helpers import tiny_study
from tests.support.journals import HERE, completed, epoch_row, new_folder, point, started, tables_of

HOUR = 3600.0


@pytest.mark.parametrize("jump", [-HOUR, HOUR, 14 * 24 * HOUR])
def test_a_trial_during_which_the_clock_jumped_counts_with_its_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    folder, journal = new_folder(tmp_path)
    with journal, locked(folder.lock):
        completed(journal, point(0), 30.0)
        number = started(journal, point(1))
        journal.record_epoch(number, epoch_row(1, 90.0), final=False, **HERE)
        now[0] += jump
        journal.record_epoch(number, epoch_row(2, 20.0), final=True, **HERE)
        running = started(journal, point(2))
        journal.record_epoch(running, epoch_row(1, 90.0), final=False, **HERE)
        now[0] -= jump
        status = read_status(folder, journal)
        left = remaining(tiny_study(), {"search": 4}, journal.trials(states=["completed"]), now[0])
        write_tables(folder, *tables_of(journal))

    assert [row["seconds"] for row in status["running"]] == [pytest.approx(max(0.25, -jump))]
    assert left is not None
    assert left.seconds < 10
    trials = pd.read_csv(folder.trials)
    assert trials.validation_error.tolist()[:2] == [30.0, 20.0]
    assert trials.seconds.tolist() == [0.5, 0.5, 0.25]


def test_a_trial_that_was_interrupted_for_a_month_took_what_its_epochs_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    folder, journal = new_folder(tmp_path)
    with journal:
        number = started(journal, point(0))
        journal.record_epoch(number, epoch_row(1, 90.0), final=False, **HERE)
        journal.interrupt_running()
    now[0] += 30 * 24 * HOUR
    with Journal(folder.journal) as journal:
        journal.start(number, "checkpoints/trial-00000.pt")
        journal.record_epoch(number, epoch_row(2, 20.0), final=True, **HERE)
        left = remaining(tiny_study(), {"search": 3}, journal.trials(), now[0])

    assert left is not None
    assert left.seconds == 2 * 0.5
