"""Is this file a journal, and can it be read or written now? Opening it, its transactions, and damage in words."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from resnext_search.results.journal.schema import SCHEMA_VERSION, create, in_memory, keep_copy, migrate
from resnext_search.spaces.errors import ResnextSearchError, UsageError
from resnext_search.spaces.study.study import Study


class JournalFile:
    """The journal of one study, open.

    Args:
        path: The SQLite file.
        study: Given when the journal is made; must be None for one that exists.
        read_only: Open without the right to write, as `status` does beside a live run; a journal of an older schema is
            brought to today's in memory, and otherwise in the file, of which a copy is kept.

    Raises:
        UsageError: There is no journal at `path`, or one of a newer schema; or one should be made and there is one.
        ResnextSearchError: The file is damaged or is no journal. Methods raise it too: damage may lie anywhere.
    """

    def __init__(self, path: Path, *, study: Study | None = None, read_only: bool = False) -> None:
        self.path = path
        self.kept: Path | None = None  # where the journal lies as it was, if it was brought to today's schema
        if study is not None:
            create(path, study)
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
                self._bring_to_today(read_only=read_only)
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

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if self._connection.in_transaction:  # part of a larger one
            yield
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except BaseException as error:
            if self._connection.in_transaction:  # SQLite itself rolls back when the disk is full
                self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise ResnextSearchError(
                    f"{self.path}: cannot be written: {error}",
                    hint="Make room on the disk, then give the same command again: what has finished is saved.",
                ) from error
            with self._damage_in_words():
                raise

    @contextmanager
    def _damage_in_words(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):  # of a row or a statement, not of the file
            raise
        except sqlite3.DatabaseError as error:
            raise ResnextSearchError(
                f"{self.path}: not readable as a journal: {error}",
                hint="Restore the file from a copy, or start a new study.",
            ) from error

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self._damage_in_words():
            return self._connection.execute(query, values).fetchall()

    def _bring_to_today(self, *, read_only: bool) -> None:
        """Refuse a journal of a newer schema; bring an older one to today's, in memory if it is only read."""
        found = self._meta("schema_version")
        self.schema = version = int(found) if re.fullmatch("[1-9][0-9]{0,5}", found) else None
        if version == SCHEMA_VERSION:
            return
        if version is None or version > SCHEMA_VERSION:
            raise UsageError(
                f"{self.path}: journal of schema {found}; this version reads schemas 1 to {SCHEMA_VERSION}",
                hint="Use the version of resnext-search that made it.",
            )
        try:
            if read_only:
                self._connection = in_memory(self._connection)
                self._connection.row_factory = sqlite3.Row
            with self._transaction():
                migrate(self._connection, version)
                self.kept = None if read_only else keep_copy(self.path, version)
        except (sqlite3.Error, OSError, ResnextSearchError) as error:
            raise ResnextSearchError(
                f"{self.path}: journal of schema {version} cannot be brought to schema {SCHEMA_VERSION}: {error}",
                hint="It is left as it was. Use the version of resnext-search that made it.",
            ) from error
        if read_only:
            self._connection.execute("PRAGMA query_only=ON")

    def _meta(self, key: str) -> str:
        rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
        with self._damage_in_words():
            if not rows:
                raise sqlite3.DatabaseError(f"no {key} in it")
        return str(rows[0][0])


def _read_only_mode(path: Path) -> str:
    """SQLite reads a WAL file with the help of two more; where these cannot be made it must know that nobody writes."""
    beside_writer = path.with_name(f"{path.name}-wal").exists()
    return "ro" if beside_writer or os.access(path.parent, os.W_OK, effective_ids=True) else "ro&immutable=1"
