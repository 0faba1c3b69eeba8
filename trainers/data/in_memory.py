"""Images that fit into memory: bytes, kept on the device that trains, prepared there a batch at a time.

No other process and no image library takes part, so a step waits for nothing.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from resnext_search.trainers.data.augment import draw_moves, move, normalise
from resnext_search.trainers.data.dataset import Batch, Look
from torch import Tensor

# Of a portion of images whose bytes are counted.
COUNTED_BYTES = 2**22
# Of batches prepared ahead on a GPU: how many at most, and their bytes.
MOST_AHEAD, AHEAD_BYTES = 32, 2**26


@dataclass(frozen=True, eq=False)
class MemoryDataset:
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

    @functools.cached_property
    def fingerprint(self) -> str:
        """As `FingerprintedDataset` says."""
        digits = hashlib.sha256(f"{list(self.images.shape)} {self.published_train}".encode())
        for part in (self.images, self.labels):
            digits.update(part.contiguous().numpy().data)
        return digits.hexdigest()

    def bytes_decoded(self) -> int:
        """As `CountedDataset` says."""
        return self.images.nbytes

    def is_kept(self, augment: str) -> bool:
        """As `CountedDataset` says: always."""
        return True

    def pixel_statistics(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """As `Dataset` says, exactly; so many images at a time that no second copy of all of them is made."""
        portion = max(1, COUNTED_BYTES // self.images[0].nbytes)
        counts = torch.zeros(self.images.shape[1], 256, dtype=torch.int64)
        for some in torch.split(numbers, portion):
            counts += byte_counts(self.images[some])  # kept apart they would lie where the next portion finds room
        return moments(counts)

    def batches(self, look: Look, device: torch.device, threads: int) -> MemoryBatches:
        """Prepared in the thread that trains."""
        look = look._replace(mean=look.mean.to(device), std=look.std.to(device))
        return MemoryBatches(*_on_device(self, device), look)


@functools.lru_cache(maxsize=1)
def _on_device(dataset: MemoryDataset, device: torch.device) -> tuple[Tensor, Tensor]:
    """Images and labels, copied to a GPU once in a process, and kept from trial to trial."""
    return dataset.images.to(device), dataset.labels.to(device)


@dataclass(frozen=True, eq=False)
class MemoryBatches:
    """Batches of a `MemoryDataset`, of its images and labels; all tensors are on the trial's device."""

    images: Tensor
    labels: Tensor
    look: Look

    def training(self, order: Tensor, size: int, generator: torch.Generator) -> Iterator[Batch]:
        """As `Batches` says."""
        batches = self._batches(order[: len(order) // size * size], size * batches_ahead(self.images, size))
        if self.look.augment != "none":
            batches = moved(batches, len(order), self.look.flip, generator)
        for images, labels in batches:
            images = images.contiguous(memory_format=torch.channels_last)
            yield from map(Batch, torch.split(images, size), torch.split(labels, size))

    def plain(self, numbers: Tensor, size: int) -> Iterator[Batch]:
        """As `Batches` says."""
        for images, labels in self._batches(numbers, size):
            yield Batch(images.contiguous(memory_format=torch.channels_last), labels)

    def _batches(self, numbers: Tensor, size: int) -> Iterator[Batch]:
        """Normalised images, not yet channels last."""
        for chosen in torch.split(numbers.to(self.images.device), size):
            yield Batch(normalise(self.images[chosen], self.look.mean, self.look.std), self.labels[chosen])


def batches_ahead(images: Tensor, size: int) -> int:
    """How many batches of so many of these images are prepared at once.

    On a GPU the fourteen kernels of it take as long for a batch as for thirty, so some are made ahead, in 64 MiB. A
    processor finds in its cache what it has just prepared, and makes one.
    """
    if not images.is_cuda:
        return 1
    return max(1, min(MOST_AHEAD, AHEAD_BYTES // (4 * size * images[0].numel())))


def moved(batches: Iterator[Batch], images: int, flip: bool, generator: torch.Generator) -> Iterator[Batch]:
    """An epoch's batches, moved. The moves of so many images are drawn at once: no step waits for them."""
    moves, done = None, 0
    for pixels, labels in batches:
        moves = moves or draw_moves(images, pixels.shape[-1], flip, generator).to(pixels.device)
        yield Batch(move(pixels, moves.at(slice(done, done + len(labels)))), labels)
        done += len(labels)


def byte_counts(images: Tensor) -> Tensor:
    """How often each channel has each byte, `(channels, 256)` int64: exact, and no float copy of the images."""
    return torch.stack([torch.bincount(channel.flatten(), minlength=256) for channel in images.unbind(dim=1)])


def moments(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of every channel, on the scale 0 to 255; a constant channel gets deviation 1.

    Two `(channels,)` float32 tensors, from `byte_counts` of at least one image: `(channels, 256)`.

    >>> images = torch.tensor([0, 10, 20, 30], dtype=torch.uint8).view(1, 1, 2, 2)
    >>> mean, std = moments(byte_counts(images))
    >>> mean.item(), round(std.item() ** 2)
    (15.0, 125)
    """
    values = torch.arange(256, dtype=torch.float64)
    found = []
    for channel in counts:
        shares = channel / channel.sum()
        mean = float(shares.double() @ values)
        found.append((mean, float(shares.double() @ (values - mean) ** 2) ** 0.5))
    mean, std = torch.tensor(found, dtype=torch.float32).T
    return mean.contiguous(), std.clamp(min=1.0)
