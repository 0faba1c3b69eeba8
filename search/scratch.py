"""Where do Ray's sockets and logs lie while a study runs? In a folder that goes with the run, or after a killed one."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "rs-"  # short: Unix sockets below it allow about 100 characters
_LOCK = "LOCK"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder for the time of the block; those that killed runs of this user left behind are removed first."""
    _remove_orphans(Path(tempfile.gettempdir()))
    path = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        with (path / _LOCK).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _remove_orphans(root: Path) -> None:
    """The operating system drops a lock with its process: a folder whose lock is free is nobody's."""
    for lock in root.glob(f"{PREFIX}*/{_LOCK}"):
        with suppress(OSError):  # held, gone meanwhile, or not ours to open
            if lock.parent.lstat().st_uid == os.getuid():
                with lock.open("r+") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(lock.parent, ignore_errors=True)
