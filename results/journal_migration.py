"""How does a journal of an older schema become one of today's? Copied row by row into today's tables, or not at all.

Every schema so far knows everything that the one before it did, so that a row is what it was and the columns that it
did not have hold their default: nothing was stopped early, measured or put back before it could be.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from resnext_search.results.journal_schema import CHANGES, SCHEMA_VERSION, create_statements, kept_copy
from resnext_search.spaces.whole_file import whole_file


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring the tables of schema `version` to today's; to be called inside a transaction.

    Raises:
        sqlite3.Error: A row breaks a rule of today's tables, or the file is damaged.
    """
    for older in range(version, SCHEMA_VERSION):
        for statement in CHANGES[older]:
            connection.execute(statement)
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
    kept = kept_copy(path, version)
    with whole_file(kept) as draft, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("VACUUM INTO ?", (str(draft),))
    return kept


def in_memory(connection: sqlite3.Connection) -> sqlite3.Connection:
    """A copy of a journal that is gone when it is closed; the given connection is closed."""
    with closing(connection):
        copy = sqlite3.connect(":memory:", isolation_level=None)
        connection.backup(copy)
    return copy


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
