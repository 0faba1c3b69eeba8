"""What happened? One SQLite file a study, one transaction a fact: the only truth about it.

Everything else (Ax's experiment, Ray's trials, the tables) is derived from here. Only the driver writes. SQLite runs
in WAL mode with `synchronous=FULL`: what a method wrote when it returned is still there after a power cut.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pydantic import ValidationError
from resnext_search.spaces import Architecture, Configuration, Study
from resnext_search.spaces.errors import ResnextSearchError, UsageError
from resnext_search.spaces.study_file import parse_study

SCHEMA_VERSION = 5

Phase = Literal["search", "tune", "confirm"]
Proposer = Literal["sobol", "ax", "plan"]
State = Literal["queued", "running", "completed", "stopped", "failed", "interrupted"]
# What early stopping says of a trial: it ends here, or it would have ended here and is trained on as a check.
Stop = Literal["stopped", "audited"]

# States that a trial does not leave.
ENDED: tuple[State, ...] = ("completed", "stopped", "failed")
# The search's trial 7, confirmed on fresh seeds, is the arm `finalist-0007`.
FINALIST = "finalist-"

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE trials (
    trial_id INTEGER PRIMARY KEY,           -- from 0, in the order of the proposals
    phase TEXT NOT NULL,                    -- search | tune | confirm
    arm TEXT,                               -- of the claim, or a finalist of the search; NULL in the search
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'completed', 'stopped', 'failed', 'interrupted')),
    configuration TEXT NOT NULL,            -- JSON of the architecture and the knobs
    seed INTEGER NOT NULL,
    proposed_by TEXT NOT NULL,              -- sobol | ax in the search | plan in tune and confirm
    device TEXT,                            -- cpu, or the name of the GPU
    host TEXT,
    queued_at REAL NOT NULL,                -- seconds since 1970
    started_at REAL,
    ended_at REAL,
    attempts INTEGER NOT NULL DEFAULT 0,    -- how often it was started
    alone INTEGER NOT NULL DEFAULT 0,       -- 1: its share of a GPU had too little memory, so it gets one alone
    micro_batches INTEGER NOT NULL DEFAULT 1, -- parts of a batch, where even a whole GPU had too little
    validation_error REAL,                  -- percent, at the last epoch; never in the confirm phase
    test_error REAL,                        -- percent, at the last epoch; only ever in the confirm phase
    test_correct TEXT,                      -- which test images were recognised: spaces/correctness.py
    stop_epoch INTEGER,                     -- after which it was stopped early, or would have been but for the audit
    checkpoint TEXT,                        -- relative to the study folder
    failure_class TEXT,
    failure_message TEXT,                   -- the tail of the error
    CHECK (state <> 'completed' OR (validation_error IS NULL) <> (test_error IS NULL)),
    CHECK (state <> 'stopped' OR (stop_epoch IS NOT NULL AND validation_error IS NULL))
);
CREATE TABLE epochs (
    trial_id INTEGER NOT NULL REFERENCES trials (trial_id),
    epoch INTEGER NOT NULL,                 -- from 1
    learning_rate REAL NOT NULL,
    train_loss REAL NOT NULL,
    validation_loss REAL,                   -- NULL in the confirm phase, which trains on those images
    validation_error REAL,
    seconds REAL NOT NULL,
    recorded_at REAL NOT NULL,
    PRIMARY KEY (trial_id, epoch),
    CHECK ((validation_loss IS NULL) = (validation_error IS NULL))
);
CREATE TABLE latencies (
    architecture TEXT NOT NULL,             -- JSON of a configuration without knobs
    device TEXT NOT NULL,                   -- as in trials
    host TEXT NOT NULL,
    latency_ms REAL NOT NULL CHECK (latency_ms > 0),
    latency_ms_spread REAL NOT NULL,
    measured_at REAL NOT NULL,
    PRIMARY KEY (architecture, device)
);
"""


@dataclass(frozen=True)
class Trial:
    """One row of the table `trials`, with the number of epochs and their seconds."""

    trial_id: int
    phase: Phase
    arm: str | None
    state: State
    configuration: Configuration
    seed: int
    proposed_by: Proposer
    device: str | None
    host: str | None
    queued_at: float
    started_at: float | None
    ended_at: float | None
    attempts: int
    alone: bool
    micro_batches: int
    validation_error: float | None
    test_error: float | None
    test_correct: str | None
    stop_epoch: int | None
    checkpoint: str | None
    failure_class: str | None
    failure_message: str | None
    epochs: int
    seconds: float


@dataclass(frozen=True)
class EpochRow:
    """One row of the table `epochs`, without its trial."""

    epoch: int
    learning_rate: float
    train_loss: float
    validation_loss: float | None
    validation_error: float | None
    seconds: float


@dataclass(frozen=True)
class LatencyRow:
    """One row of the table `latencies`: the inference of one image, in milliseconds, and the spread of its repeats."""

    latency_ms: float
    latency_ms_spread: float


class Journal:
    """The journal of one study, open.

    Args:
        path: The SQLite file.
        study: Given when the journal is made; must be None for one that exists.
        read_only: Open without the right to write, as `status` does beside a live run.

    Raises:
        UsageError: There is no journal at `path`, or one of another schema; or one should be made and there is one.
        ResnextSearchError: The file is damaged or is no journal. Methods raise it too: damage may lie anywhere.
    """

    def __init__(self, path: Path, *, study: Study | None = None, read_only: bool = False) -> None:
        self.path = path
        if study is not None:
            _create(path, study)
        if not path.is_file():
            raise UsageError(f"{path}: no such journal", hint="Is this a study folder? `resnext-search run` makes one.")
        mode = _read_only_mode(path) if read_only else "rw"
        with self._damage_in_words():
            self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        try:
            with self._damage_in_words():
                if not read_only:
                    self._connection.execute("PRAGMA journal_mode=WAL")
                    self._connection.execute("PRAGMA synchronous=FULL")
                self._check_version()
        except ResnextSearchError:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; nothing is lost by not calling this."""
        self._connection.close()

    # ------------------------------------------------------------------ the study

    def study(self) -> Study:
        """The resolved study, as of the last change that was allowed."""
        text = self._meta("study")
        try:
            return Study.model_validate_json(text)
        except ValidationError:  # of a plug-in that is no longer installed, say
            return parse_study(text, str(self.path))  # raises the same in words

    def change_study(self, study: Study) -> None:
        """Replace the resolved study, after a change that only adds to it."""
        with self._transaction():
            self._connection.execute("UPDATE meta SET value = ? WHERE key = 'study'", (study.model_dump_json(),))

    # ------------------------------------------------------------------ writing

    def enqueue(
        self, phase: Phase, configuration: Configuration, seed: int, proposed_by: Proposer, *, arm: str | None = None
    ) -> int:
        """Record a proposal; returns the number of its trial."""
        with self._transaction():
            number = int(self._connection.execute("SELECT COALESCE(MAX(trial_id) + 1, 0) FROM trials").fetchone()[0])
            self._connection.execute(
                "INSERT INTO trials (trial_id, phase, arm, state, configuration, seed, proposed_by, queued_at) "
                "VALUES (?, ?, ?, 'queued', ?, ?, ?, ?)",
                (number, phase, arm, configuration.to_json(), seed, proposed_by, time.time()),
            )
        return number

    def start(self, trial_id: int, checkpoint: str) -> None:
        """A queued or interrupted trial is handed to a worker; its state lies in `checkpoint`."""
        with self._transaction():
            self._connection.execute(
                "UPDATE trials SET state = 'running', attempts = attempts + 1, checkpoint = ?, "
                "started_at = COALESCE(started_at, ?) WHERE trial_id = ? AND state IN ('queued', 'interrupted')",
                (checkpoint, time.time(), trial_id),
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

        An epoch that a resumed trial reports again, from its checkpoint, changes nothing.

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
        with self._transaction():
            self._connection.execute(
                "INSERT INTO epochs VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (trial_id, epoch) DO NOTHING",
                (
                    trial_id,
                    row.epoch,
                    row.learning_rate,
                    row.train_loss,
                    row.validation_loss,
                    row.validation_error,
                    row.seconds,
                    time.time(),
                ),
            )
            if stop is not None:
                self._connection.execute(
                    "UPDATE trials SET stop_epoch = ? WHERE trial_id = ? AND state = 'running'", (row.epoch, trial_id)
                )
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
        """Record what an architecture takes on a device; of several measurements the first stays."""
        with self._transaction():
            self._connection.execute(
                "INSERT INTO latencies VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (architecture, device) DO NOTHING",
                (_key(architecture), device, host, row.latency_ms, row.latency_ms_spread, time.time()),
            )

    def fail(self, trial_id: int, failure_class: str, message: str) -> bool:
        """Record that a running trial failed; returns False if it was not running."""
        with self._transaction():
            changed = self._connection.execute(
                "UPDATE trials SET state = 'failed', failure_class = ?, failure_message = ?, ended_at = ?, "
                "checkpoint = NULL WHERE trial_id = ? AND state = 'running'",
                (failure_class, message, time.time(), trial_id),
            )
        return changed.rowcount == 1

    def put_back(self, trial_id: int, *, alone: bool, micro_batches: int) -> None:
        """A running trial found too little memory on its GPU: it waits for another attempt, with more room."""
        with self._transaction():
            self._connection.execute(
                "UPDATE trials SET state = 'interrupted', alone = ?, micro_batches = ? "
                "WHERE trial_id = ? AND state = 'running'",
                (alone, micro_batches, trial_id),
            )

    def interrupt_running(self) -> int:
        """Mark what was running as interrupted; returns how many that were."""
        with self._transaction():
            changed = self._connection.execute("UPDATE trials SET state = 'interrupted' WHERE state = 'running'")
        return changed.rowcount

    # ------------------------------------------------------------------ reading

    def trials(self, *, phase: Phase | None = None, states: Sequence[State] = ()) -> list[Trial]:
        """The trials, in the order of their numbers; all, or those of a phase and of some states."""
        trials = self._select("")
        return [t for t in trials if phase in (None, t.phase) and (not states or t.state in states)]

    def trial(self, trial_id: int) -> Trial:
        """One trial.

        Raises:
            UsageError: There is none of this number.
        """
        found = self._select("WHERE t.trial_id = ?", trial_id)
        if not found:
            raise UsageError(f"{self.path}: no trial {trial_id}")
        return found[0]

    def _select(self, where: str, *values: int) -> list[Trial]:
        rows = self._rows(
            "SELECT t.*, COUNT(e.epoch) AS epochs, COALESCE(SUM(e.seconds), 0.0) AS seconds "
            f"FROM trials t LEFT JOIN epochs e USING (trial_id) {where} GROUP BY t.trial_id ORDER BY t.trial_id",
            *values,
        )
        return [
            Trial(
                **{
                    **dict(row),
                    "configuration": Configuration.from_json(row["configuration"]),
                    "alone": bool(row["alone"]),
                }
            )
            for row in rows
        ]

    def epochs(self, trial_id: int) -> list[EpochRow]:
        """The epochs of a trial, in their order."""
        rows = self._rows(
            "SELECT epoch, learning_rate, train_loss, validation_loss, validation_error, seconds "
            "FROM epochs WHERE trial_id = ? ORDER BY epoch",
            trial_id,
        )
        return [EpochRow(**dict(row)) for row in rows]

    def history(self, phase: Phase) -> list[tuple[int, int, float | None]]:
        """Trial, epoch and validation error of all epochs of a phase, in the order in which they were recorded."""
        rows = self._rows(
            "SELECT trial_id, epoch, e.validation_error FROM epochs e JOIN trials USING (trial_id) "
            "WHERE phase = ? ORDER BY e.rowid",
            phase,
        )
        return [(row["trial_id"], row["epoch"], row["validation_error"]) for row in rows]

    def measured_on(self, architecture: Architecture) -> list[str]:
        """The devices on which the latency of an architecture was measured."""
        rows = self._rows("SELECT device FROM latencies WHERE architecture = ? ORDER BY rowid", _key(architecture))
        return [row["device"] for row in rows]

    def latency(self, trial: Trial) -> LatencyRow | None:
        """What the architecture of a trial takes on the trial's device, or on any before that is known; or None."""
        rows = self._rows(
            "SELECT latency_ms, latency_ms_spread FROM latencies "
            "WHERE architecture = ? AND device = COALESCE(?, device) ORDER BY rowid LIMIT 1",
            _key(trial.configuration.architecture),
            trial.device,
        )
        return LatencyRow(**dict(rows[0])) if rows else None

    # ------------------------------------------------------------------ inside

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except BaseException as error:
            if self._connection.in_transaction:  # SQLite itself rolls back when the disk is full
                self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise ResnextSearchError(f"{self.path}: cannot be written: {error}") from error
            raise

    @contextmanager
    def _damage_in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise ResnextSearchError(
                f"{self.path}: not readable as a journal: {error}",
                hint="Restore the file from a copy, or start a new study.",
            ) from error

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self._damage_in_words():
            return self._connection.execute(query, values).fetchall()

    def _check_version(self) -> None:
        version = self._meta("schema_version")
        if version != str(SCHEMA_VERSION):
            raise UsageError(
                f"{self.path}: journal of schema {version}; this version reads schema {SCHEMA_VERSION}",
                hint="Use the version of resnext-search that made it.",
            )

    def _meta(self, key: str) -> str:
        rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
        with self._damage_in_words():
            if not rows:
                raise sqlite3.DatabaseError(f"no {key} in it")
        return str(rows[0][0])


def _key(architecture: Architecture) -> str:
    return Configuration(architecture).to_json()


def _create(path: Path, study: Study) -> None:
    """Make a journal under another name first: whenever this is broken off, there is a whole one or none."""
    if path.exists():
        raise UsageError(f"{path}: exists already; a journal is never written over")
    draft = path.with_name(f"{path.name}.part")
    for left_over in (draft, path.with_name(f"{draft.name}-journal")):
        left_over.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(draft)) as connection, connection:
            connection.executescript(_SCHEMA)
            connection.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [("schema_version", str(SCHEMA_VERSION)), ("study", study.model_dump_json())],
            )
    except sqlite3.OperationalError as error:
        raise ResnextSearchError(f"{path}: cannot be written: {error}") from error
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)  # the name outlives a power cut, as the content does
    os.close(folder)


def _read_only_mode(path: Path) -> str:
    """SQLite reads a WAL file with the help of two more; where these cannot be made it must know that nobody writes."""
    beside_writer = path.with_name(f"{path.name}-wal").exists()
    return "ro" if beside_writer or os.access(path.parent, os.W_OK, effective_ids=True) else "ro&immutable=1"
