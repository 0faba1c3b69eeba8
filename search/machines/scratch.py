"""Where do Ray's sockets and logs lie? In a folder that goes with the run, or after a killed one.

Imports no Ray.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from resnext_search.spaces.errors import UsageError, shown

PREFIX = "rs-"
_LOCK = "LOCK"
# Bytes of the name of a Unix socket, whose field of 108 ends with a zero (unix(7)), and what Ray and we put into it.
LONGEST_SOCKET = 107
_BELOW_THE_ROOT = f"/{PREFIX}8letters/session_2026-11-30_16-16-00_123456_4194304/sockets/plasma_store"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder for the time of the block; those that killed runs of this user left behind are removed first."""
    root = _root_of_sockets()
    _remove_orphans(root)
    path = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=root))
    try:
        with FileLock(path / _LOCK):  # locked before it bears its name: nobody takes it for one that is left behind
            path = path.rename(path.with_name(path.name.removeprefix(".")))
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _root_of_sockets() -> Path:
    """The folder for temporary files, or /tmp where the names of Ray's sockets in it would be too long, or not ASCII.

    Raises:
        UsageError: They would, and /tmp cannot be written.
    """
    wanted, usual = tempfile.gettempdir(), "/tmp"
    longest = LONGEST_SOCKET - len(_BELOW_THE_ROOT)
    if len(wanted) <= longest and wanted.isascii():
        return Path(wanted)
    if not os.access(usual, os.W_OK | os.X_OK):
        raise UsageError(
            f"TMPDIR: found {shown(wanted)}; allowed: at most {longest} characters of ASCII",
            hint=f"Sockets have short names, and {usual} cannot be written: set TMPDIR to a folder with a short name.",
        )
    return Path(usual)


def _remove_orphans(root: Path) -> None:
    """The operating system drops a lock with its process: a folder whose lock is free is nobody's."""
    for lock in root.glob(f"{PREFIX}*/{_LOCK}"):
        with suppress(OSError, Timeout):  # gone meanwhile, not ours to open, or held
            if lock.parent.lstat().st_uid == os.getuid():
                with FileLock(lock, timeout=0):
                    shutil.rmtree(lock.parent, ignore_errors=True)
