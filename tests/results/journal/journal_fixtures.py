"""A journal of every schema that there was, as SQL in `golden/`.

`python -m tests.results.journal.journal_fixtures` adds one.

Those of the schemas 1 to 4 were written in this way by the code that had them.
"""

from __future__ import annotations

import dataclasses
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from resnext_search.results import Journal, LatencyRow
from resnext_search.results.journal.schema import SCHEMA_VERSION

from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import FORECAST, HERE, MACHINE, completed, epoch_row, new_folder, point, started

GOLDEN = Path(__file__).parent / "golden"
STUDY = (TINY_CLAIM, "search.early_stopping=asha", "objectives=[validation_error, latency_ms]")


def fixture(version: int) -> Path:
    """The dump of a journal of this schema."""
    return GOLDEN / f"journal-{version}.sql"


def restore(version: int, path: Path) -> None:
    """Make the file that was dumped."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(fixture(version).read_text(encoding="utf-8"))


def write_every_kind_of_fact(journal: Journal) -> None:
    """Trials in every state and phase, epochs with and without validation, a machine, a latency, a look, a forecast."""
    completed(journal, point(0), 12.5)
    completed(journal, point(4, 0.2), 9.0, machine=MACHINE)
    journal.fail(started(journal, point(3, 1.0)), "TrainingDiverged", "Traceback ...\nthe loss is nan\n")
    number = started(journal, point(7, 0.01))
    journal.record_epoch(number, epoch_row(1, 80.0), **HERE, final=False)
    journal.interrupt_running()
    memory = started(journal, point(5, 0.3))
    journal.record_epoch(memory, epoch_row(1, 70.0), **HERE, final=False)
    journal.enqueue("search", point(2, 0.05), 2**63 - 1, "ax")
    number = journal.enqueue("tune", point(1), 7, "plan", arm="width")
    journal.start(number, f"checkpoints/trial-{number:05d}.pt")
    for epoch, error in enumerate((90.0, 20.0), start=1):
        journal.record_epoch(number, epoch_row(epoch, error), **HERE, final=epoch == 2)
    number = journal.enqueue("confirm", point(1), 8, "plan", arm="width")
    journal.start(number, f"checkpoints/trial-{number:05d}.pt")
    for epoch, test in ((1, {}), (2, {"test_error": 50.0, "test_correct": "2:gA=="})):
        row = dataclasses.replace(epoch_row(epoch, 0.0), validation_loss=None, validation_error=None)
        journal.record_epoch(number, row, **HERE, final=epoch == 2, **test)
    journal.record_epoch(started(journal, point(6, 0.6)), epoch_row(1, 88.0), **HERE, final=False, stop="stopped")
    number = started(journal, point(6, 0.7))
    journal.record_epoch(number, epoch_row(1, 89.0), **HERE, final=False, stop="audited")
    journal.record_epoch(number, epoch_row(2, 30.0), **HERE, final=True)
    journal.record_latency(point(0).architecture, LatencyRow(1.5, 0.25), **HERE)
    journal.record_latency(point(4).architecture, LatencyRow(2.5, 0.5), device=MACHINE.computes, host="here")
    journal.put_back(memory, alone=True, micro_batches=2)
    journal.keep_forecast(FORECAST)
    journal.record_look(5, "inconclusive", planned=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        folder, journal = new_folder(Path(name), tiny_study(*STUDY))
        with journal:
            write_every_kind_of_fact(journal)
        with closing(sqlite3.connect(folder.journal)) as connection:
            fixture(SCHEMA_VERSION).write_text("\n".join(connection.iterdump()) + "\n", encoding="utf-8")
