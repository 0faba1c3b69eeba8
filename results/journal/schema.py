"""Which tables does the journal have, which had it, how is one made, and how does an older one become one of today's?

To change the schema: change `SCHEMA`, raise `SCHEMA_VERSION`, and keep a journal of the new schema for the tests:
`python -m tests.results.journal.journal_fixtures`.

An older journal is copied row by row into today's tables, or not at all. Every schema so far knows everything that the
one before it did, so that a row is what it was and the columns that it did not have hold their default: nothing was
stopped early, measured or put back before it could be.
"""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from resnext_search.spaces.errors import ResnextSearchError, UsageError
from resnext_search.spaces.study.study import Study
from resnext_search.spaces.whole_file import whole_file

SCHEMA_VERSION = 9

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE trials (
    trial_id INTEGER PRIMARY KEY,           -- from 0, in the order of the proposals
    phase TEXT NOT NULL,                    -- search | tune | confirm
    arm TEXT,                               -- of the claim, or a finalist of the search; NULL in the search
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'completed', 'stopped', 'failed', 'interrupted')),
    configuration TEXT NOT NULL,            -- JSON of the architecture and the knobs
    seed INTEGER NOT NULL,
    proposed_by TEXT NOT NULL,              -- sobol | ax in the search | plan in tune and confirm
    device TEXT,                            -- cpu | cuda
    host TEXT,
    machine TEXT REFERENCES machines (machine), -- NULL before it reports, and in schemas before 8
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
CREATE TABLE machines (                     -- what hosts are that trained, whatever they are called
    machine TEXT PRIMARY KEY,               -- digits made of all that follows
    processor TEXT NOT NULL,
    cores INTEGER NOT NULL,
    memory_gib REAL NOT NULL,
    gpu TEXT,                               -- that trained; NULL where the processor did
    driver TEXT,
    system TEXT NOT NULL,
    versions TEXT NOT NULL                  -- JSON, by name
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
    device TEXT NOT NULL,                   -- model of the GPU or processor; in schemas before 9: cpu | cuda
    host TEXT NOT NULL,
    latency_ms REAL NOT NULL CHECK (latency_ms > 0),
    latency_ms_spread REAL NOT NULL,
    measured_at REAL NOT NULL,
    PRIMARY KEY (architecture, device)
);
CREATE TABLE failures (                     -- of trials that were then tried again from the start
    trial_id INTEGER NOT NULL REFERENCES trials (trial_id),
    attempt INTEGER NOT NULL,               -- as trials.attempts had it
    failure_class TEXT NOT NULL,
    failure_message TEXT NOT NULL,
    epochs INTEGER NOT NULL,                -- that were trained for nothing
    seconds REAL NOT NULL,                  -- of these epochs
    failed_at REAL NOT NULL,
    PRIMARY KEY (trial_id, attempt)
);
CREATE TABLE looks (                        -- at the runs that confirm, each before more of them were queued
    seeds INTEGER PRIMARY KEY,              -- that every arm had
    word TEXT NOT NULL,                     -- what the runs said: the verdict
    planned INTEGER NOT NULL,               -- 1: it stood in the plan
    judged_at REAL NOT NULL
);
"""


def create_statements() -> dict[str, str]:
    """By table, the statement that makes it."""
    statements, statement = {}, ""
    for line in SCHEMA.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            statements[statement.split()[2]] = statement
            statement = ""
    return statements


def create(path: Path, study: Study) -> None:
    """Make a journal under another name first: whenever this is broken off, there is a whole one or none."""
    if path.exists():
        raise UsageError(f"{path}: exists already; a journal is never written over")
    try:
        with whole_file(path) as draft, closing(sqlite3.connect(draft)) as connection, connection:
            connection.executescript(SCHEMA)
            connection.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [
                    ("schema_version", str(SCHEMA_VERSION)),
                    ("study", study.model_dump_json()),
                    ("birth", secrets.token_hex(8)),
                ],
            )
    except (sqlite3.OperationalError, OSError) as error:
        raise ResnextSearchError(f"{path}: cannot be written: {error}") from error


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables of an older schema to today's; to be called inside a transaction.

    Columns of the same name are copied, and new ones hold their default: that has sufficed for every schema so far.

    Raises:
        sqlite3.Error: A row breaks a rule of today's tables, or the file is damaged.
    """
    today = create_statements()
    there = [table for table in today if _columns(connection, table)]
    for table in there:
        connection.execute(f"CREATE TEMP TABLE old_{table} AS SELECT * FROM main.{table} ORDER BY rowid")
        connection.execute(f"DROP TABLE main.{table}")
    for statement in today.values():
        connection.execute(statement)
    for table in there:
        known = _columns(connection, f"old_{table}")
        columns = ", ".join(column for column in _columns(connection, table) if column in known)
        connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM old_{table} ORDER BY rowid")
        connection.execute(f"DROP TABLE old_{table}")
    connection.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", (str(SCHEMA_VERSION),))


def keep_copy(path: Path, version: int) -> Path:
    """Keep a journal as it is on the disk beside itself, before a change to it is committed; returns where.

    Raises:
        OSError: It cannot be written.
        sqlite3.Error: The disk is full, or the journal is damaged.
    """
    kept = path.with_name(f"{path.stem}-schema-{version}{path.suffix}")
    with whole_file(kept) as draft, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("VACUUM INTO ?", (str(draft),))
    return kept


def in_memory(connection: sqlite3.Connection) -> sqlite3.Connection:
    """A copy of a journal that is gone when it is closed; the given connection is closed."""
    with closing(connection):
        copy = sqlite3.connect(":memory:", isolation_level=None)
        connection.backup(copy)
    return copy


def whole_copy(path: Path) -> bytes:
    """What the file of a journal would have if all that is committed stood in it alone, also while it is written.

    Raises:
        sqlite3.Error: It is damaged, or there is none.
    """
    with closing(in_memory(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True))) as copy:
        return copy.serialize()


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
