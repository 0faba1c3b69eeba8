"""Which image files does a tree of class folders hold? Names alone: nothing is opened, no image library imported."""

from __future__ import annotations

import os
import shlex
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

from resnext_search.spaces.errors import DataError, escaped, shortened
from resnext_search.spaces.study.sections import DataConfig

# torchvision's `IMG_EXTENSIONS`: what its `ImageFolder` takes for an image.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
# What macOS's archives, Synology's thumbnails, Windows, Linux and Python leave in any folder. It is passed over, as are
# names that begin with a dot: `.ipynb_checkpoints`, `._a.jpg`.
LEFT_BY_PROGRAMS = ("__macosx", "@eadir", "$recycle.bin", "system volume information", "lost+found", "__pycache__")
# Files of theirs that have no dot before them.
FILES_LEFT_BY_PROGRAMS = ("thumbs.db", "desktop.ini", "icon\r")
# Other names of the two folders, without regard to case.
ALIASES = {
    "train": ("train", "training", "trn"),
    "test": ("test", "testing", "tst", "val", "valid", "validation", "eval", "dev"),
}
# Of folders that are there or missing, so many are named.
MOST_NAMED = 3


class Files(NamedTuple):
    """Image files in one numbering: the training split first, then the test split; each by class, then by name.

    Args:
        root: The folder that holds `train` and `test`.
        paths: Relative to it, such as `train/n01440764/n01440764_18.JPEG`.
        labels: Number of every image's class; classes are sorted by name.
        published_train: How many, from the first, are in `train`.
        classes: Their names.
        passed_over: Relative to the root: hidden folders and image files, what programs leave behind, and folders that
            could be meant for a split.
        other_endings: Of the other files in the folders of classes: how many have an ending, the most frequent first.
    """

    root: str
    paths: tuple[str, ...]
    labels: tuple[int, ...]
    published_train: int
    classes: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
    other_endings: tuple[tuple[str, int], ...] = ()

    def without(self, left_out: Collection[str]) -> Self:
        """The others, numbered anew."""
        kept = [number for number, path in enumerate(self.paths) if path not in left_out]
        return self._replace(
            paths=tuple(self.paths[number] for number in kept),
            labels=tuple(self.labels[number] for number in kept),
            published_train=sum(number < self.published_train for number in kept),
        )


@dataclass
class _NotUsed:
    """What is met on the way, and is no image: paths, and how many files have an ending."""

    paths: list[str] = field(default_factory=list)
    endings: Counter[str] = field(default_factory=Counter)


def find_files(data: DataConfig) -> Files:
    """List the images of `data.root`, as torchvision's `ImageFolder` does; some seconds for a million of them.

    What is hidden, or left behind by programs, is passed over. What is no regular file, or a link that leads nowhere,
    is listed if it has the ending of an image, so that it is found unreadable and not passed over.

    Raises:
        DataError: `train` or `test` is missing, they or their classes are the same folders, a class has no image file,
            a folder is a link to one above it, or the classes are not what the study says.
    """
    root = Path(data.root)
    not_used = _NotUsed(_other_splits(data, root))
    _expect_apart(root, ["train"], ["test"])
    train, test = (_classes_of(data, root, part, not_used) for part in ("train", "test"))
    if train != test or len(train) != data.classes:
        raise DataError(
            f"data: image_folder: {escaped(str(root))} has {len(train)} classes to train and {len(test)} to test on; "
            f"data.classes says {data.classes}, the same for both",
            hint=_different(train, test) or "Correct data.classes, or the folders.",
        )
    _expect_apart(root, *([f"{part}/{name}" for name in train] for part in ("train", "test")))
    paths: list[str] = []
    labels: list[int] = []
    published_train = 0
    for part in ("train", "test"):
        for label, name in enumerate(train):
            before = not_used.endings.copy()
            found = list(_images_below(data, root, f"{part}/{name}", not_used, (_place(root / part),)))
            if not found:
                others = in_words((not_used.endings - before).most_common())
                words = f"{root}/{part}/{name} has no images ({', '.join(IMAGE_SUFFIXES)})"
                raise _not_laid_out(data, words + (f", but {others}" if others else ""))
            paths += found
            labels += [label] * len(found)
        published_train = published_train or len(paths)
    return Files(
        data.root,
        tuple(paths),
        tuple(labels),
        published_train,
        tuple(train),
        tuple(not_used.paths),
        tuple(sorted(not_used.endings.items(), key=lambda one: (-one[1], one[0]))),
    )


def in_words(endings: Collection[tuple[str, int]]) -> str:
    """Which endings other files have, in words; empty if there are none.

    >>> in_words([(".heic", 4), ("", 1)])
    '5 files with other endings (.heic 4, none 1)'
    """
    files = sum(count for _, count in endings)
    named = [f"{shortened(ending) or 'none'} {count:,}" for ending, count in list(endings)[:MOST_NAMED]]
    more = [f"{len(endings) - MOST_NAMED:,} more endings"] if len(endings) > MOST_NAMED else []
    return f"{files:,} file{'s' * (files != 1)} with other endings ({', '.join([*named, *more])})" if files else ""


def _expect_apart(root: Path, train: Collection[str], test: Collection[str]) -> None:
    """Raises `DataError` if a folder to test on is one of those to train on, by whatever name."""
    places = {_place(root / name): name for name in train}
    for name in test:
        if same := places.get(_place(root / name)):
            raise DataError(
                escaped(f"data: image_folder: {root / name} and {root / same} are the same folder"),
                hint="Give test images of its own: those that were trained on say nothing of others.",
            )


def _place(folder: Path) -> Path:
    """Where a folder is when all links are followed."""
    return Path(os.path.realpath(folder))


def _other_splits(data: DataConfig, root: Path) -> list[str]:
    """Folders beside `train` and `test` that have the name of a split.

    Raises:
        DataError: One of the two is missing; what could be meant is named.
    """
    try:
        with os.scandir(root) as entries:
            folders = sorted(entry.name for entry in entries if _is_folder(entry) and not _is_passed_over(entry.name))
    except OSError as error:
        raise _not_laid_out(data, f"{root} has no folders of images: {error.strerror}") from error
    missing = [part for part in ALIASES if not (root / part).is_dir()]
    if not missing:
        return [name for name in folders if name not in ALIASES and _split_of(name)]
    there = ", ".join(folders[:MOST_NAMED]) + f" and {len(folders) - MOST_NAMED:,} more" * (len(folders) > MOST_NAMED)
    renamed = [
        shlex.join(["mv", str(root / meant), str(root / part)])
        for part in missing
        if (meant := min((name for name in folders if _split_of(name) == part), key=_likeness, default=None))
    ]
    deeper = [f"data.root={root / name}" for name in folders if (root / name / "train").is_dir()]
    raise _not_laid_out(
        data,
        f"{root} has no folder {' and no folder '.join(missing)}; there is {there or 'no folder at all'}",
        f"If that is meant: {'; '.join(renamed or deeper[:1])}. " if renamed or deeper else "",
    )


def _split_of(name: str) -> str:
    """The split that a folder of this name could be meant for; empty if none."""
    return next((part for part, names in ALIASES.items() if name.casefold() in names), "")


def _likeness(name: str) -> int:
    """Lower for names that are more like that of their split."""
    return ALIASES[_split_of(name)].index(name.casefold())


def _is_passed_over(name: str) -> bool:
    return name.startswith(".") or name.lower() in LEFT_BY_PROGRAMS


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Of a link, whether it leads to one; the kind of others comes with the name, and no file is touched."""
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or to where nobody may look
        return False


def _classes_of(data: DataConfig, root: Path, part: str, not_used: _NotUsed) -> list[str]:
    try:
        with os.scandir(root / part) as entries:
            inside = sorted((entry.name, _is_folder(entry)) for entry in entries)
    except OSError as error:
        raise _not_laid_out(data, f"{root / part} has no folders of images: {error.strerror}") from error
    folders = [name for name, is_folder in inside if is_folder]
    not_used.paths += [f"{part}/{name}" for name in folders if _is_passed_over(name)]
    classes = [name for name in folders if not _is_passed_over(name)]
    if not classes:
        raise _not_laid_out(
            data,
            f"{root / part} has no folders of images: {f'{len(inside):,} other entries' if inside else 'it is empty'}",
        )
    return classes


def _images_below(
    data: DataConfig, root: Path, folder: str, not_used: _NotUsed, above: tuple[Path, ...]
) -> Iterator[str]:
    """Paths relative to the root, sorted; `above` are the places of the folders that led here."""
    here = _place(root / folder)
    if any(here == place or here in place.parents for place in above):
        raise DataError(
            escaped(f"data: image_folder: {root / folder} is a link to {here}, a folder that holds it"),
            hint=escaped(f"Take the link away: {shlex.join(['rm', str(root / folder)])}"),
        )
    try:
        with os.scandir(root / folder) as entries:
            found = sorted((entry.name, _is_folder(entry)) for entry in entries)
    except OSError as error:
        raise _not_laid_out(data, f"{root / folder} cannot be read: {error.strerror}") from error
    for name, is_folder in found:
        is_image = not is_folder and name.lower().endswith(IMAGE_SUFFIXES)
        if (is_folder or is_image) and _is_passed_over(name):
            not_used.paths.append(f"{folder}/{name}")
        elif is_folder:
            yield from _images_below(data, root, f"{folder}/{name}", not_used, (*above, here))
        elif is_image:
            yield f"{folder}/{name}"
        elif not _is_passed_over(name) and name.lower() not in FILES_LEFT_BY_PROGRAMS:
            not_used.endings[os.path.splitext(name)[1].lower()] += 1  # noqa: PTH122  a Path takes longer


def _different(train: list[str], test: list[str]) -> str:
    """The first classes that one side lacks."""
    lacking = [("test", name) for name in train if name not in test]
    lacking += [("train", name) for name in test if name not in train]
    looks = Counter(unicodedata.normalize("NFC", name) for _, name in lacking)
    named = [
        f"{part}/{name if looks[unicodedata.normalize('NFC', name)] == 1 else ascii(name)[1:-1]}"
        for part, name in lacking[:MOST_NAMED]
    ]
    return escaped(f"Missing: {', '.join(named)}.") if lacking else ""


def _not_laid_out(data: DataConfig, found: str, guess: str = "") -> DataError:
    return DataError(
        escaped(f"data: image_folder: {found}"),
        hint=escaped(f"{guess}Lay the images out as {data.root}/train/<class>/* and {data.root}/test/<class>/*."),
    )
