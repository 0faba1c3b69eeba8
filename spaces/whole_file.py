"""How is a file written so that nobody ever reads half of it? Under another name first, then into its place at once.

A reader, a machine that loses power and a disk that is full see the old file or the new one.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resnext_search.spaces.errors import UsageError

# How the draft of a file ends: one that was left behind by a process that was killed is of no use to anyone.
DRAFT = ".part"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Put into the place of a file what the block writes to the path that it is given, if it ends well.

    The draft lies in the same folder under a name of its own, so that two processes that write the same file do not
    write into each other's.

    Raises:
        OSError: It cannot be written; the old file stays. Or the block wrote nothing.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}{DRAFT}")
    try:
        yield draft
        _sync(draft)  # first the content, then the name: after a power cut the name never stands for half a file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync(path.parent)  # the new name outlives a power cut, too


def write_whole(path: Path, content: str | bytes | memoryview) -> None:
    """Replace a file at once; text is written as UTF-8, with its line ends as they are.

    Raises:
        OSError: It cannot be written; the old file stays. It names the file, as no error of a full disk does by itself.
    """
    try:
        with whole_file(path) as draft:
            draft.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


@contextmanager
def writing(path: Path, *, hint: str = "") -> Iterator[None]:
    """Say in words that a file or folder which the block writes cannot be written.

    Raises:
        UsageError: The block raised an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}", hint=hint) from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
