"""Which image files cannot be read? Every file is decoded once; what came of a class is kept in the user's cache.

What is kept is named after the names, sizes and times of change of the class's files. So it holds for every copy of
them, on whatever disk; a folder that has changed is looked at again, alone; and a check that was broken off goes on.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import logging
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from resnext_search.spaces.whole_file import write_whole
from resnext_search.trainers.data.decoding import UnreadableImage, open_image
from resnext_search.trainers.data.image_files import Files

# From so many files on, the user is told what takes so long.
MANY_FILES = 10_000
_log = logging.getLogger(__name__)


def unreadable_files(files: Files) -> dict[str, str]:
    """Look at every file that was not looked at before, on all cores.

    Threads, not processes: Pillow decodes without Python's lock, and no process has to be started.

    Returns:
        By path, in the order of the files: why it cannot be read.
    """
    folders = [list(paths) for _, paths in itertools.groupby(files.paths, lambda path: path.split("/")[:2])]
    kept = [_Kept(files.root, paths) for paths in folders]
    left = sum(len(one.paths) for one in kept if one.read() is None)
    cores = len(os.sched_getaffinity(0))
    if left >= MANY_FILES:
        _log.warning("data: image_folder: looking once at %s images in %s, on %d cores", f"{left:,}", files.root, cores)
    unreadable: dict[str, str] = {}
    with ThreadPoolExecutor(cores) as pool:
        for one in kept:
            found = one.read()  # another process may have looked at this folder meanwhile
            if found is None:
                reasons = pool.map(_reason, (Path(files.root, path) for path in one.paths))
                found = {path: reason for path, reason in zip(one.paths, reasons, strict=True) if reason}
                one.write(found)
            unreadable |= found
    return unreadable


def _reason(path: Path) -> str:
    """Why a file cannot be read; nothing if it can."""
    try:
        open_image(path)
    except UnreadableImage as error:
        return str(error) or "damaged"
    return ""


def cache_folder() -> Path:
    """Where outcomes are kept.

    Source:
        The XDG Base Directory Specification: `$XDG_CACHE_HOME` if it is an absolute path, else `~/.cache`.
    """
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        place = given if given.is_absolute() else Path.home() / ".cache"
    except RuntimeError:  # a container may have users without a home
        place = Path(tempfile.gettempdir())
    return place / "resnext-search" / "image_folder"


class _Kept:
    """The outcome of one class folder, in a file that is whole and sound, or is not there.

    Args:
        root: The folder of the data set.
        paths: Files of one class, relative to the root.
    """

    def __init__(self, root: str, paths: Sequence[str]) -> None:
        self.paths = paths
        digest = hashlib.sha256()
        for path in paths:
            digest.update(f"{path!r} {_state(f'{root}/{path}')}\n".encode())
        self.file = cache_folder() / f"{digest.hexdigest()}.json"

    def read(self) -> dict[str, str] | None:
        """By path: why it cannot be read. None if that is not known; a damaged file is no knowledge."""
        try:
            found = json.loads(self.file.read_bytes())
        except (OSError, ValueError):
            return None
        sound = isinstance(found, dict) and set(found) <= set(self.paths)
        return found if sound and all(isinstance(reason, str) for reason in found.values()) else None

    def write(self, found: dict[str, str]) -> None:
        """Keep it, if anything can be kept there."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.file, json.dumps(found))
        except OSError as error:
            _warn_once(f"what was found out about the images cannot be kept in {self.file.parent}: {error.strerror}")


def _state(path: str) -> str:
    """Size in bytes, and time of the last change in nanoseconds."""
    try:
        now = os.stat(path)  # noqa: PTH116  a Path takes five times as long, and there may be a million
    except OSError:
        return "missing"
    return f"{now.st_size} {now.st_mtime_ns}"


@functools.cache
def _warn_once(words: str) -> None:
    _log.warning("%s; every process has to look for itself", words)
