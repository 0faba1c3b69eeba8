"""Which image files does a tree of class folders hold? Names alone: nothing is opened, no image library imported."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple, Self

from resnext_search.spaces.errors import DataError, escaped
from resnext_search.spaces.study.sections import DataConfig

# torchvision's `IMG_EXTENSIONS`: what its `ImageFolder` takes for an image.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
# What macOS's archives, Synology's thumbnails, Windows, Linux and Python leave in any folder. It is passed over, as are
# names that begin with a dot: `.ipynb_checkpoints`, `._a.jpg`.
LEFT_BY_PROGRAMS = ("__macosx", "@eadir", "$recycle.bin", "system volume information", "lost+found", "__pycache__")
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
    """

    root: str
    paths: tuple[str, ...]
    labels: tuple[int, ...]
    published_train: int
    classes: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()

    def without(self, left_out: Collection[str]) -> Self:
        """The others, numbered anew."""
        kept = [number for number, path in enumerate(self.paths) if path not in left_out]
        return self._replace(
            paths=tuple(self.paths[number] for number in kept),
            labels=tuple(self.labels[number] for number in kept),
            published_train=sum(number < self.published_train for number in kept),
        )


def find_files(data: DataConfig) -> Files:
    """List the images of `data.root`, as torchvision's `ImageFolder` does; some seconds for a million of them.

    What is hidden, or left behind by programs, is passed over.

    Raises:
        DataError: `train` or `test` is missing, a class has no image file, or the classes are not what the study says.
    """
    root = Path(data.root)
    passed_over = _other_splits(data, root)
    train, test = (_classes_of(data, root, part, passed_over) for part in ("train", "test"))
    if train != test or len(train) != data.classes:
        raise DataError(
            f"data: image_folder: {escaped(str(root))} has {len(train)} classes to train and {len(test)} to test on; "
            f"data.classes says {data.classes}, the same for both",
            hint=_different(train, test) or "Correct data.classes, or the folders.",
        )
    paths: list[str] = []
    labels: list[int] = []
    published_train = 0
    for part in ("train", "test"):
        for label, name in enumerate(train):
            found = list(_images_below(data, root, f"{part}/{name}", passed_over))
            if not found:
                raise _not_laid_out(data, f"{root}/{part}/{name} has no images ({', '.join(IMAGE_SUFFIXES)})")
            paths += found
            labels += [label] * len(found)
        published_train = published_train or len(paths)
    return Files(data.root, tuple(paths), tuple(labels), published_train, tuple(train), tuple(passed_over))


def _other_splits(data: DataConfig, root: Path) -> list[str]:
    """Folders beside `train` and `test` that have the name of a split.

    Raises:
        DataError: One of the two is missing; what could be meant is named.
    """
    try:
        with os.scandir(root) as entries:
            folders = sorted(entry.name for entry in entries if entry.is_dir() and not _is_passed_over(entry.name))
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


def _classes_of(data: DataConfig, root: Path, part: str, passed_over: list[str]) -> list[str]:
    try:
        with os.scandir(root / part) as entries:
            inside = sorted((entry.name, entry.is_dir()) for entry in entries)
    except OSError as error:
        raise _not_laid_out(data, f"{root / part} has no folders of images: {error.strerror}") from error
    folders = [name for name, is_folder in inside if is_folder]
    passed_over += [f"{part}/{name}" for name in folders if _is_passed_over(name)]
    classes = [name for name in folders if not _is_passed_over(name)]
    if not classes:
        raise _not_laid_out(
            data,
            f"{root / part} has no folders of images: {f'{len(inside):,} other entries' if inside else 'it is empty'}",
        )
    return classes


def _images_below(data: DataConfig, root: Path, folder: str, passed_over: list[str]) -> Iterator[str]:
    """Paths relative to the root, sorted; a link to nothing counts, so that it is found missing and not passed over."""
    try:
        with os.scandir(root / folder) as entries:
            # the kind of an entry comes with its name: no file is touched
            found = sorted((entry.name, entry.is_dir()) for entry in entries)
    except OSError as error:
        raise _not_laid_out(data, f"{root / folder} cannot be read: {error.strerror}") from error
    for name, is_folder in found:
        is_image = not is_folder and name.lower().endswith(IMAGE_SUFFIXES)
        if (is_folder or is_image) and _is_passed_over(name):
            passed_over.append(f"{folder}/{name}")
        elif is_folder:
            yield from _images_below(data, root, f"{folder}/{name}", passed_over)
        elif is_image:
            yield f"{folder}/{name}"


def _different(train: list[str], test: list[str]) -> str:
    """The first classes that one side lacks."""
    lacking = [("test", name) for name in train if name not in test]
    lacking += [("train", name) for name in test if name not in train]
    return escaped(f"Missing: {', '.join(f'{part}/{name}' for part, name in lacking[:MOST_NAMED])}.") if lacking else ""


def _not_laid_out(data: DataConfig, found: str, guess: str = "") -> DataError:
    return DataError(
        escaped(f"data: image_folder: {found}"),
        hint=escaped(f"{guess}Lay the images out as {data.root}/train/<class>/* and {data.root}/test/<class>/*."),
    )
