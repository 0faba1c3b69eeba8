"""Is this file a journal, and can it be read or written now? Opening it, its transactions, and damage in words."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from resnext_search.results.journal.schema import SCHEMA_VERSION, in_memory, keep_copy, migrate
from resnext_search.spaces.errors import ResnextSearchError, UsageError


class OpenFile(NamedTuple):
    """The file of a journal, open.

    Args:
        connection: To the file, or to what it becomes under today's schema.
        schema: Of the file.
        kept: Where it lies as it was, if it was brought to today's schema.
    """

    connection: sqlite3.Connection
    schema: int
    kept: Path | None


def open_file(path: Path, *, read_only: bool) -> OpenFile:
    """Open the file of a journal, and bring an older schema to today's: in memory if it is only read.

    Raises:
        UsageError: There is no journal at `path`, or one of a newer schema.
        ResnextSearchError: The file is damaged or is no journal.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such journal", hint="Is this a study folder? `resnext-search run` makes one.")
    mode = _read_only_mode(path) if read_only else "rw"
    with damage_in_words(path):
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)
    try:
        with damage_in_words(path):
            if not read_only:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=FULL")
            opened = _of_today(path, connection, read_only=read_only)
    except ResnextSearchError:
        connection.close()
        raise
    opened.connection.row_factory = sqlite3.Row
    return opened


def _of_today(path: Path, connection: sqlite3.Connection, *, read_only: bool) -> OpenFile:
    """Refuse a journal of a newer schema, migrate an older one."""
    found = meta(path, connection, "schema_version")
    version = int(found) if re.fullmatch("[1-9][0-9]{0,5}", found) else None
    if version is None or version > SCHEMA_VERSION:
        raise UsageError(
            f"{path}: journal of schema {found}; this version reads schemas 1 to {SCHEMA_VERSION}",
            hint="Use the version of resnext-search that made it.",
        )
    if version == SCHEMA_VERSION:
        return OpenFile(connection, version, None)
    try:
        if read_only:
            connection = in_memory(connection)
        with transaction(path, connection):
            migrate(connection)
            kept = None if read_only else keep_copy(path, version)
    except (sqlite3.Error, OSError, ResnextSearchError) as error:
        connection.close()
        raise ResnextSearchError(
            f"{path}: journal of schema {version} cannot be brought to schema {SCHEMA_VERSION}: {error}",
            hint="It is left as it was. Use the version of resnext-search that made it.",
        ) from error
    if read_only:
        connection.execute("PRAGMA query_only=ON")
    return OpenFile(connection, version, kept)


def meta(path: Path, connection: sqlite3.Connection, key: str) -> str:
    """A value of the table `meta`, which must have it."""
    with damage_in_words(path):
        row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise sqlite3.DatabaseError(f"no {key} in it")
    return str(row[0])


@contextmanager
def transaction(path: Path, connection: sqlite3.Connection) -> Iterator[None]:
    """All that the block writes, or nothing of it; part of the transaction around it if there is one."""
    if connection.in_transaction:
        yield
        return
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException as error:
        if connection.in_transaction:  # SQLite itself rolls back when the disk is full
            connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.OperationalError):
            raise ResnextSearchError(
                f"{path}: cannot be written: {error}",
                hint="Make room on the disk, then give the same command again: what has finished is saved.",
            ) from error
        with damage_in_words(path):
            raise


@contextmanager
def damage_in_words(path: Path) -> Iterator[None]:
    """Say what SQLite says of a file, and what to do."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):  # of a row or a statement, not of the file
        raise
    except sqlite3.DatabaseError as error:
        raise ResnextSearchError(
            f"{path}: not readable as a journal: {error}", hint="Restore the file from a copy, or start a new study."
        ) from error


def _read_only_mode(path: Path) -> str:
    """SQLite reads a WAL file with the help of two more; where these cannot be made it must know that nobody writes."""
    beside_writer = path.with_name(f"{path.name}-wal").exists()
    return "ro" if beside_writer or os.access(path.parent, os.W_OK, effective_ids=True) else "ro&immutable=1"
