"""Which image files does a tree of class folders hold? Names alone: nothing is opened, no image library imported."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple, Self

from resnext_search.spaces.errors import DataError
from resnext_search.spaces.study.sections import DataConfig

# torchvision's `IMG_EXTENSIONS`: what its `ImageFolder` takes for an image.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


class Files(NamedTuple):
    """Image files in one numbering: the training split first, then the test split; each by class, then by name.

    Args:
        root: The folder that holds `train` and `test`.
        paths: Relative to it, such as `train/n01440764/n01440764_18.JPEG`.
        labels: Number of every image's class; classes are sorted by name.
        published_train: How many, from the first, are in `train`.
    """

    root: str
    paths: tuple[str, ...]
    labels: tuple[int, ...]
    published_train: int

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

    Raises:
        DataError: `train` or `test` is missing, a class has no image file, or the classes are not what the study says.
    """
    root = Path(data.root)
    train, test = (_classes_of(data, root / part) for part in ("train", "test"))
    if train != test or len(train) != data.classes:
        raise DataError(
            f"data: image_folder: {root} has {len(train)} classes to train and {len(test)} to test on; data.classes "
            f"says {data.classes}, the same for both",
            hint=_different(train, test) or "Correct data.classes, or the folders.",
        )
    paths: list[str] = []
    labels: list[int] = []
    published_train = 0
    for part in ("train", "test"):
        for label, name in enumerate(train):
            found = list(_images_below(data, root, f"{part}/{name}"))
            if not found:
                raise _not_laid_out(data, f"{root}/{part}/{name} has no images ({', '.join(IMAGE_SUFFIXES)})")
            paths += found
            labels += [label] * len(found)
        published_train = published_train or len(paths)
    return Files(data.root, tuple(paths), tuple(labels), published_train)


def _classes_of(data: DataConfig, folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            classes = sorted(entry.name for entry in entries if entry.is_dir())
    except OSError as error:
        raise _not_laid_out(data, f"{folder} has no folders of images: {error.strerror}") from error
    if not classes:
        raise _not_laid_out(data, f"{folder} has no folders of images: it is empty")
    return classes


def _images_below(data: DataConfig, root: Path, folder: str) -> Iterator[str]:
    """Paths relative to the root, sorted; a link to nothing counts, so that it is found missing and not passed over."""
    try:
        with os.scandir(root / folder) as entries:
            # the kind of an entry comes with its name: no file is touched
            found = sorted((entry.name, entry.is_dir()) for entry in entries)
    except OSError as error:
        raise _not_laid_out(data, f"{root / folder} cannot be read: {error.strerror}") from error
    for name, is_folder in found:
        if is_folder:
            yield from _images_below(data, root, f"{folder}/{name}")
        elif name.lower().endswith(IMAGE_SUFFIXES):
            yield f"{folder}/{name}"


def _different(train: list[str], test: list[str]) -> str:
    """The first classes that one side lacks."""
    lacking = [("test", name) for name in train if name not in test]
    lacking += [("train", name) for name in test if name not in train]
    return f"Missing: {', '.join(f'{part}/{name}' for part, name in lacking[:3])}." if lacking else ""


def _not_laid_out(data: DataConfig, found: str) -> DataError:
    return DataError(
        f"data: image_folder: {found}",
        hint=f"Lay the images out as {data.root}/train/<class>/* and {data.root}/test/<class>/*.",
    )
