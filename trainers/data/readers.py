"""Where do the images come from?

They stay bytes, as they were published; an `image_folder` stays in its files (`image_folder.py`). Nothing is ever
downloaded: a missing data set is an error that says how to get it. What is trained on and what is kept for the end is
in `splits.py`.
"""

from __future__ import annotations

import functools
import gzip
import os
import re
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from resnext_search.spaces.datasets import dataset_plugin
from resnext_search.spaces.errors import DataError, ResnextSearchError
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers.data.dataset import Dataset, DatasetOfFiles
from resnext_search.trainers.data.in_memory import MemoryDataset

# Where Debian's and Ubuntu's package dataset-fashion-mnist puts its files.
DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


@functools.lru_cache(maxsize=2)
def load_dataset(data: DataConfig) -> Dataset:
    """Read a data set, once in a process: a worker keeps it from trial to trial.

    Raises:
        DataError: It is missing, damaged, or not what the study says.
    """
    return _READERS.get(data.name, _read_plugin)(data.model_copy(update={"root": _expanded(data.root)}))


def _expanded(root: str) -> str:
    """The folder that `~` and `$NAME` in a root stand for on this machine; a study keeps them as they are written."""
    path = os.path.expanduser(os.path.expandvars(root))  # noqa: PTH111 - pathlib raises on users
    if (unknown := re.search(r"^~[^/]*|\$\w+|\$\{[^}]*\}", path)) and not Path(path).exists():
        what = "no user of this name" if path.startswith("~") else "no variable of this name in the environment"
        hint = "Set it, or give the path in full: data.root=/..."
        raise DataError(f"data.root: found {root}: {unknown[0]}: {what}", hint=hint)
    return path


def check_dataset(data: DataConfig) -> Dataset:
    """Read a data set, and look at its files if the images stay there: what is done once, before a run.

    Raises:
        DataError: As `load_dataset`; or images cannot be read, and the study does not say to leave them out.
    """
    dataset = load_dataset(data)
    if isinstance(dataset, DatasetOfFiles):
        dataset.expect_readable()
    return dataset


def _read_digits(data: DataConfig) -> MemoryDataset:
    from sklearn.datasets import load_digits  # takes half a second to import, and only this data set needs it

    images, labels = load_digits(return_X_y=True)
    pixels = np.rint(images * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)  # published as 0 to 16
    return MemoryDataset(torch.from_numpy(pixels), torch.from_numpy(labels.astype(np.int64)), len(pixels))


def _read_fashion_mnist(data: DataConfig) -> Dataset:
    folders = [Path(data.root) / "FashionMNIST" / "raw", DEBIAN_FASHION_MNIST]
    python = f"import torchvision; torchvision.datasets.FashionMNIST('{data.root}', download=True)"
    hint = f'On Debian and Ubuntu: apt-get install dataset-fashion-mnist. Elsewhere: python -c "{python}"'
    images = [_read_idx(folders, f"{part}-images-idx3-ubyte", hint)[:, None] for part in ("train", "t10k")]
    labels = [_read_idx(folders, f"{part}-labels-idx1-ubyte", hint) for part in ("train", "t10k")]
    return _joined(data, images, labels, hint)


def _read_idx(folders: list[Path], name: str, hint: str) -> NDArray[np.uint8]:
    """Bytes of an IDX file, plain or gzipped, from the first folder that has it.

    Source:
        The format's description on the MNIST page: two zero bytes, type, number of axes, the axes' lengths, the bytes.
    """
    candidates = [folder / (name + suffix) for folder in folders for suffix in ("", ".gz")]
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        raise DataError(f"data: fashion_mnist: {name} is neither in {folders[0]} nor in {folders[1]}", hint=hint)
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        shape = np.frombuffer(raw, ">i4", count=raw[3], offset=4)
        return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape).copy()
    except (OSError, EOFError, zlib.error, ValueError, IndexError) as error:
        raise DataError(f"data: fashion_mnist: {path} is damaged: {error}", hint=hint) from error


def _read_cifar(data: DataConfig) -> Dataset:
    from torchvision import datasets  # pulls in image libraries, which digits do not need

    kind = {"cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100}[data.name]
    python = f"import torchvision; torchvision.datasets.{kind.__name__}('{data.root}', download=True)"
    hint = f'Get it with: python -c "{python}"'
    try:
        with warnings.catch_warnings():
            # its files are pickles of 2009, whose dtype(align=0) NumPy 2.4.0 warns of and 2.4.6 does not
            # (pytorch/vision#9340)
            warnings.filterwarnings("ignore", message=r"dtype\(\): align should be passed")
            parts = [kind(data.root, train=train, download=False) for train in (True, False)]
    except RuntimeError as error:
        folder = Path(data.root) / kind.base_folder
        raise DataError(f"data: {data.name}: no intact copy in {folder}", hint=hint) from error
    images = [part.data.transpose(0, 3, 1, 2) for part in parts]
    return _joined(data, images, [np.array(part.targets) for part in parts], hint)


def _joined(data: DataConfig, images: list[NDArray[np.uint8]], labels: list[NDArray[Any]], hint: str) -> Dataset:
    """Training and test split in one numbering, if they have the published shape."""
    facts = data.facts()
    shape = (facts.channels, facts.resolution, facts.resolution)
    for part, part_labels, count in zip(images, labels, (facts.train_images, facts.test_images), strict=True):
        if part.shape != (count, *shape) or part_labels.shape != (count,) or part_labels.max() >= facts.classes:
            raise DataError(
                f"data: {data.name}: found images of shape {part.shape} with {len(part_labels):,} labels; published "
                f"are {(count, *shape)} in {facts.classes} classes",
                hint=hint,
            )
    classes = np.concatenate(labels).astype(np.int64)
    return MemoryDataset(torch.from_numpy(np.concatenate(images)), torch.from_numpy(classes), facts.train_images)


def _read_image_folder(data: DataConfig) -> Dataset:
    # it imports image libraries, which the others do not need
    from resnext_search.trainers.data.image_folder import read_image_folder

    return read_image_folder(data)


def _read_plugin(data: DataConfig) -> Dataset:
    """The data set of another package, if it is what that package says of it."""
    try:
        dataset = dataset_plugin(data.name).read(data)
    except ResnextSearchError:
        raise
    except Exception as error:
        raise DataError(f"data: {data.name}: its plug-in failed with {type(error).__name__}: {error}") from error
    facts, allowed = data.facts(), "a Dataset, such as resnext_search.trainers.MemoryDataset"
    if not isinstance(dataset, Dataset):
        raise DataError(f"data: {data.name}: its plug-in read {type(dataset).__name__}; allowed: {allowed}")
    low, high = int(dataset.labels.min()), int(dataset.labels.max())
    found = (dataset.published_train, len(dataset.labels))
    total = facts.train_images + facts.test_images
    if found not in ((facts.train_images, total), (total, total)) or not 0 <= low <= high < facts.classes:
        raise DataError(
            f"data: {data.name}: its plug-in read {found[0]:,} images to train on of {found[1]:,}, with labels {low} "
            f"to {high}; its facts are {facts}"
        )
    return dataset


_READERS: dict[str, Callable[[DataConfig], Dataset]] = {
    "digits": _read_digits,
    "fashion_mnist": _read_fashion_mnist,
    "cifar10": _read_cifar,
    "cifar100": _read_cifar,
    "image_folder": _read_image_folder,
}
