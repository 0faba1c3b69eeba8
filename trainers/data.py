"""Where do the images come from, and which of them are trained on, chosen by and tested on?

Images stay uint8 in memory, as they were published; augmentation and normalisation are in `augment.py`. Nothing is
ever downloaded: a missing data set is an error that says how to get it.
"""

from __future__ import annotations

import functools
import gzip
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from resnext_search.spaces.datasets import DATASETS
from resnext_search.spaces.errors import DataError
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study import DataConfig
from torch import Tensor

# Where Debian's and Ubuntu's package dataset-fashion-mnist puts its files.
DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


@dataclass(frozen=True, eq=False)
class Dataset:
    """All images of a data set, in one numbering: the published training split first, then the test split.

    Args:
        images: `(images, channels, side, side)` uint8.
        labels: `(images,)` int64, classes from 0.
        published_train: How many of them, from the first, are the published training split; all of them where the
            data set has no test split of its own.
    """

    images: Tensor
    labels: Tensor
    published_train: int


class Splits(NamedTuple):
    """Numbers of the images in each split, and what their pixels are normalised by.

    Args:
        train: `(train images,)` int64, shuffled.
        validation: `(validation images,)` int64; from the published training split, never trained on.
        test: `(test images,)` int64.
        mean: `(channels,)` float32, mean of the pixels of train and validation, on the scale 0 to 255.
        std: `(channels,)` float32, their standard deviation; at least 1.
    """

    train: Tensor
    validation: Tensor
    test: Tensor
    mean: Tensor
    std: Tensor


@functools.lru_cache(maxsize=2)
def load_dataset(data: DataConfig) -> Dataset:
    """Read a data set into memory, once in a process: a worker keeps it from trial to trial.

    Raises:
        DataError: It is missing, damaged, or not what the study says.
    """
    return _READERS[data.name](data)


@functools.lru_cache(maxsize=2)
def split(dataset: Dataset, data: DataConfig, seed: int) -> Splits:
    """Divide a data set, the same way for all trials of a study.

    Args:
        dataset: From `load_dataset`.
        data: Says how many images to train and validate on.
        seed: The study's seed.

    Raises:
        DataError: There are fewer images than the study asks for.
    """
    pool, test = _pool_and_test(dataset, data, seed)
    train_count, validation_count = _sizes(data, len(pool))
    validation, train = pool[:validation_count], pool[validation_count:][:train_count]
    mean, std = pixel_statistics(dataset.images[torch.cat([train, validation])])
    return Splits(train, validation, test, mean, std)


def split_for_confirmation(dataset: Dataset, data: DataConfig, seed: int, draw: int) -> Splits:
    """Divide a data set for a run that is evidence: nothing is kept for validation, the test split is that of `split`.

    The run trains on as many images as training and validation have together. Where the data set has more, each run
    draws its own: which images were drawn is one of the causes of chance that a comparison has to cover.

    Args:
        dataset: From `load_dataset`.
        data: Says how many images to train and validate on.
        seed: The study's seed.
        draw: Seed of the images drawn.

    Raises:
        DataError: There are fewer images than the study asks for.

    Source:
        Bouthillier et al. 2021, arXiv:2103.03098: vary as many sources of chance as possible.
    """
    pool, test = _pool_and_test(dataset, data, seed)
    shuffled = torch.randperm(len(pool), generator=torch.Generator().manual_seed(draw))
    train = pool[shuffled[: sum(_sizes(data, len(pool)))]]
    mean, std = pixel_statistics(dataset.images[train])
    return Splits(train, train[:0], test, mean, std)


def _pool_and_test(dataset: Dataset, data: DataConfig, seed: int) -> tuple[Tensor, Tensor]:
    """Numbers of the images to train and validate on, shuffled, and of the test images."""
    pool = torch.randperm(dataset.published_train, generator=torch.Generator().manual_seed(derive_seed(seed, "split")))
    test = torch.arange(dataset.published_train, len(dataset.images))
    if len(test):
        return pool, test
    held_out = DATASETS[data.name].test_images
    return pool[held_out:], pool[:held_out]


def _sizes(data: DataConfig, available: int) -> tuple[int, int]:
    """Images to train on and to validate on, of so many."""
    train_count, validation_count = data.split_sizes(available)
    if min(validation_count, train_count) < 1 or validation_count + train_count > available:
        raise DataError(
            f"data: {data.name} has {available:,} training images; {data.train_images or 'the rest'} to train on and "
            f"{validation_count:,} to validate on were asked for",
            hint="Lower data.train_images or data.validation_images.",
        )
    return train_count, validation_count


def pixel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of every channel, on the scale 0 to 255; a constant channel gets deviation 1.

    >>> mean, std = pixel_statistics(torch.tensor([0, 10, 20, 30], dtype=torch.uint8).view(1, 1, 2, 2))
    >>> mean.item(), round(std.item() ** 2)
    (15.0, 125)
    """
    values = torch.arange(256, dtype=torch.float64)
    moments = []
    for channel in images.unbind(dim=1):
        # a histogram of bytes is exact, and needs no float copy of all images
        shares = torch.bincount(channel.flatten(), minlength=256) / channel.numel()
        mean = float(shares.double() @ values)
        moments.append((mean, float(shares.double() @ (values - mean) ** 2) ** 0.5))
    mean, std = torch.tensor(moments, dtype=torch.float32).T
    return mean.contiguous(), std.clamp(min=1.0)


# ------------------------------------------------------------------ one reader for each data set


def _read_digits(data: DataConfig) -> Dataset:
    from sklearn.datasets import load_digits  # takes half a second to import, and only this data set needs it

    images, labels = load_digits(return_X_y=True)
    pixels = np.rint(images * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)  # published as 0 to 16
    return Dataset(torch.from_numpy(pixels), torch.from_numpy(labels.astype(np.int64)), len(pixels))


def _read_fashion_mnist(data: DataConfig) -> Dataset:
    folders = [Path(data.root) / "FashionMNIST" / "raw", DEBIAN_FASHION_MNIST]
    hint = (
        "On Debian and Ubuntu: apt-get install dataset-fashion-mnist. Elsewhere: python -c "
        f"\"import torchvision; torchvision.datasets.FashionMNIST('{data.root}', download=True)\""
    )
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
    hint = (
        "Get it with: python -c "
        f"\"import torchvision; torchvision.datasets.{kind.__name__}('{data.root}', download=True)\""
    )
    try:
        with warnings.catch_warnings():
            # its files are pickles of 2009, whose dtype(align=0) NumPy 2.4.0 warns of and 2.4.6 does not
            # (pytorch/vision#9340)
            warnings.filterwarnings("ignore", message=r"dtype\(\): align should be passed")
            parts = [kind(data.root, train=train, download=False) for train in (True, False)]
    except RuntimeError as error:
        raise DataError(
            f"data: {data.name}: no intact copy in {Path(data.root) / kind.base_folder}", hint=hint
        ) from error
    images = [part.data.transpose(0, 3, 1, 2) for part in parts]
    return _joined(data, images, [np.array(part.targets) for part in parts], hint)


def _joined(data: DataConfig, images: list[NDArray[np.uint8]], labels: list[NDArray[Any]], hint: str) -> Dataset:
    """Training and test split in one numbering, if they have the published shape."""
    facts = DATASETS[data.name]
    shape = (facts.channels, facts.resolution, facts.resolution)
    for part, part_labels, count in zip(images, labels, (facts.train_images, facts.test_images), strict=True):
        if part.shape != (count, *shape) or part_labels.shape != (count,) or part_labels.max() >= facts.classes:
            raise DataError(
                f"data: {data.name}: found images of shape {part.shape} with {len(part_labels):,} labels; published "
                f"are {(count, *shape)} in {facts.classes} classes",
                hint=hint,
            )
    return Dataset(
        torch.from_numpy(np.concatenate(images)),
        torch.from_numpy(np.concatenate(labels).astype(np.int64)),
        facts.train_images,
    )


def _read_image_folder(data: DataConfig) -> Dataset:
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    if data.resolution is None or data.classes is None:
        raise DataError("data: an image_folder needs data.resolution and data.classes")
    to_square = v2.Compose([v2.Resize(data.resolution), v2.CenterCrop(data.resolution), v2.PILToTensor()])
    parts = []
    for name in ("train", "test"):
        folder = Path(data.root) / name
        try:
            parts.append(ImageFolder(folder, transform=to_square))
        except FileNotFoundError as error:
            raise DataError(
                f"data: image_folder: {folder} has no folders of images: {error}",
                hint=f"Lay the images out as {data.root}/train/<class>/* and {data.root}/test/<class>/*.",
            ) from error
    train, test = parts
    if train.classes != test.classes or len(train.classes) != data.classes:
        raise DataError(
            f"data: image_folder: {data.root} has {len(train.classes)} classes to train and {len(test.classes)} to "
            f"test on; data.classes says {data.classes}, the same for both",
            hint="Correct data.classes, or the folders.",
        )
    # everything is held in memory: some 150 kB for an image of 224 pixels
    images = torch.stack([image for part in parts for image, _ in part])
    return Dataset(images, torch.tensor(train.targets + test.targets), len(train))


_READERS: dict[str, Callable[[DataConfig], Dataset]] = {
    "digits": _read_digits,
    "fashion_mnist": _read_fashion_mnist,
    "cifar10": _read_cifar,
    "cifar100": _read_cifar,
    "image_folder": _read_image_folder,
}
