"""Who works on a study folder? At most one run at a time."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resnext_search.spaces.errors import FolderLocked


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file for the time of the block.

    The operating system drops the lock with the process, however it ends: a lock file left behind locks nothing.

    Raises:
        FolderLocked: A live run holds it; the message names its process and host.
    """
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderLocked(
                f"{path.parent}: another run works on this folder ({holder(path)})",
                hint=f"Follow it with: resnext-search status {path.parent} --watch",
            ) from None
        file.truncate(0)
        file.write(f"{this_process()}\n")
        file.flush()
        yield


def this_process() -> str:
    """How the holder of a lock is called, in the lock file and in messages."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def holder(path: Path) -> str:
    """Who holds a lock, by what stands in its file; also who held it last."""
    return path.read_text(encoding="utf-8").strip() or "unknown process"
