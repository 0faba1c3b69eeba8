"""What happened? One SQLite file a study, one transaction a fact: the only truth about it.

Everything else (Ax's experiment, Ray's trials, the tables) is derived from here. Only the driver writes. SQLite runs
in WAL mode with `synchronous=FULL`: what a method wrote when it returned is still there after a power cut.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple
from pathlib import Path
from typing import Any

from resnext_search.results.journal.file import transaction
from resnext_search.results.journal.reader import JournalReader, key_of
from resnext_search.results.journal.rows import EpochRow, LatencyRow, Machine, Proposer, Stop
from resnext_search.results.journal.schema import create
from resnext_search.spaces.architecture.architecture import Architecture
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Phase, Study


class Journal(JournalReader):
    """The journal of one study, open; `JournalReader` says what it is asked.

    Args:
        path: The SQLite file; one of an older schema is brought to today's, and a copy of it is kept at `kept`.
        study: Given when the journal is made; must be None for one that exists.
        read_only: Open it as `JournalReader` does; nothing can be written.

    Raises:
        UsageError: As of `JournalReader`; or a journal should be made and there is one.
        ResnextSearchError: As of `JournalReader`; or it cannot be written.
    """

    def __init__(self, path: Path, *, study: Study | None = None, read_only: bool = False) -> None:
        if study is not None:
            create(path, study)
        self._open(path, read_only=read_only)

    def together(self) -> AbstractContextManager[None]:
        """Facts written inside are one transaction: all of them or, after an exception, none; one wait for the disk."""
        return transaction(self.path, self._connection)

    def _write(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """One statement as a transaction, or as part of the one around it."""
        with self.together():
            return self._connection.execute(statement, values)

    def change_study(self, study: Study) -> None:
        """Replace the resolved study, after a change that only adds to it."""
        self._write("UPDATE meta SET value = ? WHERE key = 'study'", (study.model_dump_json(),))

    def keep_active_seconds(self, seconds: float) -> None:
        """Replace the time that the study was at work."""
        self._write(
            "INSERT INTO meta VALUES ('active_seconds', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (str(seconds),),
        )

    def keep_forecast(self, forecast: Mapping[str, Any]) -> None:
        """Keep what the study was expected to take; of several forecasts the first stays."""
        self._write("INSERT INTO meta VALUES ('forecast', ?) ON CONFLICT (key) DO NOTHING", (json.dumps(forecast),))

    def enqueue(
        self, phase: Phase, configuration: Configuration, seed: int, proposed_by: Proposer, *, arm: str | None = None
    ) -> int:
        """Record a proposal; returns the number of its trial."""
        with self.together():
            number = int(self._connection.execute("SELECT COALESCE(MAX(trial_id) + 1, 0) FROM trials").fetchone()[0])
            self._connection.execute(
                "INSERT INTO trials (trial_id, phase, arm, state, configuration, seed, proposed_by, queued_at) "
                "VALUES (?, ?, ?, 'queued', ?, ?, ?, ?)",
                (number, phase, arm, configuration.to_json(), seed, proposed_by, time.time()),
            )
        return number

    def start(self, trial_id: int, checkpoint: str) -> None:
        """A queued or interrupted trial is handed to a worker; its state lies in `checkpoint`."""
        self._write(
            "UPDATE trials SET state = 'running', attempts = attempts + 1, checkpoint = ?, "
            "started_at = COALESCE(started_at, ?) WHERE trial_id = ? AND state IN ('queued', 'interrupted')",
            (checkpoint, time.time(), trial_id),
        )

    def record_machine(self, trial_id: int, machine: Machine) -> None:
        """Record on what a running trial is trained; where it goes on elsewhere, the last machine stays."""
        facts = [*astuple(machine)[:-1], json.dumps(dict(machine.versions))]
        with self.together():
            self._connection.execute(
                f"INSERT INTO machines VALUES ({'?, ' * len(facts)}?) ON CONFLICT (machine) DO NOTHING",
                (machine.key, *facts),
            )
            self._connection.execute(
                "UPDATE trials SET machine = ? WHERE trial_id = ? AND state = 'running'", (machine.key, trial_id)
            )

    def record_epoch(
        self,
        trial_id: int,
        row: EpochRow,
        *,
        device: str,
        host: str,
        final: bool,
        stop: Stop | None = None,
        test_error: float | None = None,
        test_correct: str | None = None,
    ) -> bool:
        """Record an epoch, and with it that the trial is completed or stopped: one transaction.

        An epoch that a resumed trial reports again, from its checkpoint, changes nothing; nor does one of a trial that
        does not run.

        Args:
            trial_id: The trial.
            row: The epoch.
            device: Where it was trained.
            host: On which machine.
            final: Whether it was the last one.
            stop: What early stopping says after it.
            test_error: In percent, with the last epoch of a trial that confirms.
            test_correct: Which test images were recognised; like `test_error`.

        Returns:
            Whether this call ended the trial.
        """
        with self.together():
            self._connection.execute(
                "INSERT INTO epochs SELECT ?, ?, ?, ?, ?, ?, ?, ? FROM trials WHERE trial_id = ? AND state = 'running' "
                "ON CONFLICT (trial_id, epoch) DO NOTHING",
                (trial_id, *astuple(row), time.time(), trial_id),
            )
            if stop is not None:
                statement = "UPDATE trials SET stop_epoch = ? WHERE trial_id = ? AND state = 'running'"
                self._write(statement, (row.epoch, trial_id))
            if not final and stop != "stopped":
                return False
            state, error = ("completed", row.validation_error) if final else ("stopped", None)
            changed = self._connection.execute(
                "UPDATE trials SET state = ?, validation_error = ?, test_error = ?, test_correct = ?, "
                "device = ?, host = ?, ended_at = ?, checkpoint = NULL WHERE trial_id = ? AND state = 'running'",
                (state, error, test_error, test_correct, device, host, time.time(), trial_id),
            )
        return changed.rowcount == 1

    def record_latency(self, architecture: Architecture, row: LatencyRow, *, device: str, host: str) -> None:
        """Record what an architecture takes on a device, by its model; of several measurements the first stays."""
        self._write(
            f"INSERT INTO latencies VALUES ({'?, ' * (len(row) + 3)}?) ON CONFLICT (architecture, device) DO NOTHING",
            (key_of(architecture), device, host, *row, time.time()),
        )

    def record_look(self, seeds: int, word: str, planned: bool) -> None:
        """Record what the runs say with so many seeds an arm; of several looks at the same number the first stays."""
        self._write(
            "INSERT INTO looks VALUES (?, ?, ?, ?) ON CONFLICT (seeds) DO NOTHING", (seeds, word, planned, time.time())
        )

    def fail(self, trial_id: int, failure_class: str, message: str) -> bool:
        """Record that a running trial failed; returns False if it was not running."""
        changed = self._write(
            "UPDATE trials SET state = 'failed', failure_class = ?, failure_message = ?, ended_at = ?, "
            "checkpoint = NULL WHERE trial_id = ? AND state = 'running'",
            (failure_class, message, time.time(), trial_id),
        )
        return changed.rowcount == 1

    def put_back(self, trial_id: int, *, alone: bool, micro_batches: int) -> None:
        """A running trial found too little memory on its GPU: it waits for another attempt, with more room."""
        self._write(
            "UPDATE trials SET state = 'interrupted', alone = ?, micro_batches = ? "
            "WHERE trial_id = ? AND state = 'running'",
            (alone, micro_batches, trial_id),
        )

    def interrupt_running(self) -> int:
        """Mark what was running as interrupted; returns how many that were."""
        return self._write("UPDATE trials SET state = 'interrupted' WHERE state = 'running'").rowcount

    def retry_failed(self) -> list[int]:
        """Queue all failed trials again, as if never begun, and return their numbers; their failures are kept apart."""
        with self.together():
            self._connection.execute(
                "INSERT INTO failures SELECT trial_id, attempts, failure_class, failure_message, COUNT(e.epoch), "
                "COALESCE(SUM(e.seconds), 0.0), ended_at FROM trials LEFT JOIN epochs e USING (trial_id) "
                "WHERE state = 'failed' GROUP BY trial_id"
            )
            self._write("DELETE FROM epochs WHERE trial_id IN (SELECT trial_id FROM trials WHERE state = 'failed')")
            rows = self._connection.execute(
                "UPDATE trials SET state = 'queued', failure_class = NULL, failure_message = NULL, started_at = NULL, "
                "ended_at = NULL, machine = NULL, stop_epoch = NULL, alone = 0, micro_batches = 1 "
                "WHERE state = 'failed' RETURNING trial_id"
            ).fetchall()
        return sorted(row[0] for row in rows)
