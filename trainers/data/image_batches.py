"""How do image files become batches? A DataLoader decodes and crops them, and hands them to the device that trains.

It has processes of its own where a trial has threads to spare. Images leave it as bytes; the device normalises them.
Where all of them fit into memory, they are decoded at once, and no DataLoader is needed.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from resnext_search.spaces.errors import DataError
from resnext_search.trainers.data.augment import normalise
from resnext_search.trainers.data.dataset import Batch, Look
from resnext_search.trainers.data.decoding import View, Viewer
from resnext_search.trainers.data.image_files import Files
from resnext_search.trainers.data.in_memory import moved
from torch import Tensor
from torch.utils.data import DataLoader

# Images that a thread decodes before it puts them where they belong.
DECODED_AT_ONCE = 16


def decoders(device: torch.device, threads: int) -> int:
    """How many processes decode images for a trial that has so many processor threads.

    One thread trains, or keeps a GPU busy; the others decode. Two cores that train themselves have nothing to spare:
    there a process gains nothing (5.4 s an epoch with one, 5.1 s without; 1,620 photographs of 500x400, a network of
    5 million multiply-adds), and takes 3.5 s to start.

    >>> decoders(torch.device("cpu"), 1), decoders(torch.device("cpu"), 2), decoders(torch.device("cpu"), 8)
    (0, 0, 7)
    >>> decoders(torch.device("cuda"), 1), decoders(torch.device("cuda"), 2)
    (0, 1)
    """
    return 0 if threads <= 2 and device.type == "cpu" else threads - 1


def decoded(viewer: Viewer, paths: Sequence[str]) -> Tensor:
    """Images as they are without chance, `(images, 3, height, width)` uint8, decoded by as many threads as torch has.

    Raises:
        DataError: One of them cannot be read.
    """
    images = torch.empty(len(paths), 3, viewer.resolution, viewer.resolution, dtype=torch.uint8)

    def decode(first: int) -> None:
        some = slice(first, first + DECODED_AT_ONCE)
        read = expect_read(viewer.__getitems__([View(path) for path in paths[some]]))
        images.numpy()[some] = read.permute(0, 3, 1, 2).numpy()  # torch would start threads of its own for each

    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for _ in pool.map(decode, range(0, len(paths), DECODED_AT_ONCE)):
            pass
    return images


class FolderBatches:
    """Batches of a `FolderDataset`, one pass over the images after the other.

    Args:
        files: The images.
        labels: `(images,)` int64, their classes.
        viewer: Reads them.
        look: What the network sees of them.
        device: Where the batches go.
        workers: Processes that decode; they start with the first pass, and end with this object. Without any, whoever
            asks for a batch decodes it.
    """

    def __init__(
        self, files: Files, labels: Tensor, viewer: Viewer, look: Look, device: torch.device, workers: int
    ) -> None:
        self.paths, self.labels = files.paths, labels
        self.device, self.augment, self.flip = device, look.augment, look.flip
        self.mean, self.std = look.mean.to(device), look.std.to(device)
        self._passes = _Passes()
        self._loader: DataLoader[Tensor | str] = DataLoader(
            dataclasses.replace(viewer, flip=look.flip),  # type: ignore[arg-type]
            batch_sampler=self._passes,
            collate_fn=_as_it_is,
            num_workers=workers,
            # processes that begin anew: a copy of one with threads (Ray's, torch's) may wait for ever for a lock
            multiprocessing_context="spawn" if workers else None,
            persistent_workers=workers > 0,  # each takes seconds to import torch
            pin_memory=device.type == "cuda",
            generator=torch.Generator(),  # else it would draw a number from torch's own
        )

    def training(self, order: Tensor, size: int, generator: torch.Generator) -> Iterator[Batch]:
        """As `Batches` says. A random part has a seed of its own, so it does not matter which process decodes it."""
        images, order = len(order), order[: len(order) // size * size]
        if self.augment == "standard":
            return self._batches(order, torch.randint(2**63 - 1, (len(order),), generator=generator).tolist(), size)
        plain = self.plain(order, size)
        return moved(plain, images, self.flip, generator) if self.augment == "crop" else plain

    def plain(self, numbers: Tensor, size: int) -> Iterator[Batch]:
        """As `Batches` says."""
        return self._batches(numbers, [None] * len(numbers), size)

    def _batches(self, numbers: Tensor, seeds: Sequence[int | None], size: int) -> Iterator[Batch]:
        views = (View(self.paths[number], seed) for number, seed in zip(numbers.tolist(), seeds, strict=True))
        labels = torch.split(self.labels[numbers].to(self.device), size)  # at once: no step waits for its own
        number = self._passes.begin(iter(lambda: list(itertools.islice(views, size)), []))
        for read, batch_labels in zip(self._loader, labels, strict=True):
            if number != self._passes.number:
                raise RuntimeError("another pass over the images has begun before this one was over")
            pixels = expect_read(read).to(self.device, non_blocking=True).permute(0, 3, 1, 2)
            yield Batch(normalise(pixels, self.mean, self.std), batch_labels)


class _Passes:
    """What the DataLoader is to load next; it asks for it at the beginning of every pass."""

    def __init__(self) -> None:
        self.number = 0
        self._batches: Iterator[list[View]] = iter(())

    def begin(self, batches: Iterator[list[View]]) -> int:
        """Number of the pass over these batches."""
        self._batches = batches
        self.number += 1
        return self.number

    def __iter__(self) -> Iterator[list[View]]:
        return self._batches


def _as_it_is(read: Any) -> Any:
    """The viewer has made a batch of it already."""
    return read


def expect_read(read: Tensor | str) -> Tensor:
    """What a `Viewer` has read: `(images, height, width, 3)` uint8.

    Raises:
        DataError: It could not read a file.
    """
    if isinstance(read, str):
        raise DataError(
            f"data: image_folder: {read}",
            hint="Mend it or take it away. A study with `data: {unreadable: skip}` leaves such files out.",
        )
    return read
