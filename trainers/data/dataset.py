"""What is a data set to a trial? Labelled images in one numbering, handed out as batches on the trial's device.

Two kinds: `in_memory.py` for those that fit into memory, `image_folder.py` for files, which are read as they are needed
where they do not. A plug-in may bring a third.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor


class Look(NamedTuple):
    """What a network sees of an image.

    Args:
        mean: `(channels,)` float32, subtracted from the pixels, on the scale 0 to 255.
        std: `(channels,)` float32, what they are divided by after that.
        augment: `trainer.augment` of the study; `standard` and `crop` are the same but for an `image_folder`.
        flip: Whether a mirrored image still shows the same thing.
    """

    mean: Tensor
    std: Tensor
    augment: str
    flip: bool


class Batch(NamedTuple):
    """Some images and their labels, on the trial's device.

    Args:
        images: `(images, channels, side, side)` float32, normalised, channels last in memory.
        labels: `(images,)` int64.
    """

    images: Tensor
    labels: Tensor


class Batches(Protocol):
    """Hands out the images of one trial."""

    def training(self, order: Tensor, size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Batches of an epoch, augmented; an incomplete last one is left out.

        Args:
            order: `(images,)` int64, their numbers, on the CPU.
            size: Images of a batch.
            generator: Draws the augmentation of the epoch, on the CPU; the only source of chance.
        """
        ...

    def plain(self, numbers: Tensor, size: int) -> Iterator[Batch]:
        """Batches without augmentation, in the order of these `(images,)` numbers; the last one may be smaller."""
        ...


@runtime_checkable
class Dataset(Protocol):
    """All images of a data set: the published training split first, then the test split."""

    @property
    def labels(self) -> Tensor:
        """`(images,)` int64 on the CPU, classes from 0."""
        ...

    @property
    def published_train(self) -> int:
        """How many images, from the first, are the published training split; all, where there is no test split."""
        ...

    def __hash__(self) -> int:
        """By identity: splits are kept from trial to trial."""
        ...

    def pixel_statistics(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of every channel of the images with these `(images,)` numbers.

        Both `(channels,)` float32, on the scale 0 to 255; no deviation is below 1.
        """
        ...

    def batches(self, look: Look, device: torch.device, threads: int) -> Batches:
        """What hands out the images of a trial that has so many processor threads."""
        ...


@runtime_checkable
class CountedDataset(Dataset, Protocol):
    """A data set that says what it takes of the memory of every process that trains on it."""

    def bytes_decoded(self) -> int:
        """Of all its images."""
        ...

    def is_kept(self, augment: str) -> bool:
        """Whether they stay in memory, from trial to trial, for this `trainer.augment`."""
        ...


@runtime_checkable
class FingerprintedDataset(Dataset, Protocol):
    """A data set that can be told from others."""

    @property
    def fingerprint(self) -> str:
        """The same for the same images in the same numbering, wherever they lie."""
        ...


def fingerprint_of(dataset: Dataset) -> str:
    """Its fingerprint; of one that has none, digits made of its labels."""
    if isinstance(dataset, FingerprintedDataset):
        return dataset.fingerprint
    return hashlib.sha256(dataset.labels.contiguous().numpy().data).hexdigest()


@runtime_checkable
class DatasetOfFiles(FingerprintedDataset, Protocol):
    """A data set whose images stay in files, which may differ from machine to machine and from day to day."""

    @property
    def left_out(self) -> Mapping[str, str]:
        """By file: why it cannot be read and is none of the images."""
        ...

    def expect_readable(self) -> None:
        """Look once at every file.

        Raises:
            DataError: Some cannot be read, or cannot be learned from.
        """
        ...


# Says in `InspectedDataset.reading` that a sample normalises whole images, since not all of them are in memory.
SAMPLED = "sampled"


@runtime_checkable
class InspectedDataset(DatasetOfFiles, Protocol):
    """A data set of files that says, after a look at all of them, what a user should know."""

    @property
    def remarks(self) -> Sequence[str]:
        """What is not as usual, a sentence each: files that are passed over or are read in a special way."""
        ...

    @property
    def class_names(self) -> Sequence[str]:
        """What the classes are called, by number."""
        ...

    @property
    def reading(self) -> str:
        """The same for files that are read in the same special ways; empty if all are read as usual."""
        ...
