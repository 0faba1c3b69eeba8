"""Which image files cannot be read, and which are read in a special way? Every file is decoded once.

What came of a class is kept in the user's cache, named after the names, sizes and times of change of the class's files.
So it holds for every copy of them, on whatever disk; a folder that has changed is looked at again, alone; and a check
that was broken off goes on.
"""

from __future__ import annotations

import filecmp
import functools
import hashlib
import itertools
import json
import logging
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from resnext_search.spaces.errors import escaped
from resnext_search.spaces.whole_file import write_whole
from resnext_search.trainers.data.image_files import Files
from resnext_search.trainers.data.pixels import DEEP, UnreadableImage, read_picture

# From so many files on, the user is told what takes so long.
MANY_FILES = 10_000
# Of the test images, so many are compared with those of their names in `train`.
MOST_COMPARED = 100
# Of how files are decoded: what was found out by another version is not believed.
DECODING = 2
_log = logging.getLogger(__name__)


@dataclass
class Findings:
    """What was found out about image files.

    Args:
        unreadable: By path, in the order of the files: why it cannot be read.
        traits: By path, in that order: what is done to it when it is read; those to which nothing is are missing.
        brightest: The highest byte of any image of more than 8 bits; None if there is none.
    """

    unreadable: dict[str, str] = field(default_factory=dict)
    traits: dict[str, list[str]] = field(default_factory=dict)
    brightest: int | None = None

    def add(self, other: Findings) -> None:
        """Take in what was found out about other files."""
        self.unreadable |= other.unreadable
        self.traits |= other.traits
        self.brightest = max((one for one in (self.brightest, other.brightest) if one is not None), default=None)

    def is_sound(self, paths: Sequence[str]) -> bool:
        """Whether it can be what was found out about these files."""
        if not isinstance(self.unreadable, dict) or not isinstance(self.traits, dict):
            return False
        reasons = all(isinstance(reason, str) for reason in self.unreadable.values())
        lists = all(isinstance(traits, list) for traits in self.traits.values())
        number = isinstance(self.brightest, int | None)
        return reasons and lists and number and {*self.unreadable, *self.traits} <= set(paths)


def look_at(files: Files) -> Findings:
    """Look at every file that was not looked at before, on all cores.

    Threads, not processes: Pillow decodes without Python's lock, and no process has to be started.
    """
    folders = [list(paths) for _, paths in itertools.groupby(files.paths, lambda path: path.split("/")[:2])]
    kept = [_Kept(files.root, paths) for paths in folders]
    left = sum(len(one.paths) for one in kept if one.read() is None)
    cores = len(os.sched_getaffinity(0))
    if left >= MANY_FILES:
        _log.warning(
            "data: image_folder: looking once at %s images in %s, on %d cores", f"{left:,}", escaped(files.root), cores
        )
    findings = Findings()
    with ThreadPoolExecutor(cores) as pool:
        for one in kept:
            found = one.read()  # another process may have looked at this folder meanwhile
            if found is None:
                found = Findings()
                for looked in pool.map(functools.partial(_look, files.root), one.paths):
                    found.add(looked)
                one.write(found)
            findings.add(found)
    return findings


def _look(root: str, path: str) -> Findings:
    try:
        picture = read_picture(Path(root, path))
    except UnreadableImage as error:
        return Findings(unreadable={path: escaped(str(error)) or "damaged"})
    if not picture.traits:
        return Findings()
    highest = int(np.asarray(picture.rgb).max()) if DEEP in picture.traits else None
    return Findings(traits={path: list(picture.traits)}, brightest=highest)


def of_both(files: Files) -> tuple[int, list[str]]:
    """How many test images were compared, 100 at most, evenly spaced; and which are in `train` under that name too.

    An image of another class or name, and one that cannot be read, is none of those.
    """
    train, test = set(files.paths[: files.published_train]), files.paths[files.published_train :]
    compared = test[:: -(-len(test) // MOST_COMPARED)]
    return len(compared), [path for path in compared if _is_copy(files.root, path, train)]


def _is_copy(root: str, path: str, train: set[str]) -> bool:
    twin = f"train/{path.removeprefix('test/')}"
    try:
        return twin in train and filecmp.cmp(f"{root}/{twin}", f"{root}/{path}", shallow=False)
    except OSError:
        return False


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
        digest = hashlib.sha256(f"{DECODING}\n".encode())
        for path in paths:
            digest.update(f"{path!r} {_state(f'{root}/{path}')}\n".encode())
        self.file = cache_folder() / f"{digest.hexdigest()}.json"

    def read(self) -> Findings | None:
        """What was found out. None if that is not known; a damaged file is no knowledge."""
        try:
            found = Findings(**json.loads(self.file.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None
        return found if found.is_sound(self.paths) else None

    def write(self, found: Findings) -> None:
        """Keep it, if anything can be kept there."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.file, json.dumps(asdict(found)))
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
