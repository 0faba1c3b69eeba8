"""Image files that are read as they are needed: a tree of class folders, such as ImageNet's.

`image_files.py` lists the names, `image_check.py` finds damaged files, `decoding.py` decodes and crops, and
`image_batches.py` has a DataLoader do so.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import torch
from resnext_search.spaces.errors import DataError
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers.data.dataset import Look
from resnext_search.trainers.data.decoding import View, Viewer
from resnext_search.trainers.data.image_batches import FolderBatches, decoders, expect_read
from resnext_search.trainers.data.image_check import unreadable_files
from resnext_search.trainers.data.image_files import Files, find_files
from resnext_search.trainers.data.in_memory import byte_counts, moments
from torch import Tensor

# Pixel statistics are those of so many images: their mean is off by about 3 % (1 / sqrt(1,000)) of what images differ.
SAMPLE = 1_000
# Of the files that cannot be read, so many are named.
MOST_NAMED = 3


@dataclass(frozen=True, eq=False)
class FolderDataset:
    """A tree of image files, of which names and classes are kept in memory.

    Args:
        files: The images.
        resolution: Height and width that they are brought to, in pixels.
        left_out: By path: why a file that is none of the images cannot be read.
    """

    files: Files
    resolution: int
    left_out: dict[str, str] = field(default_factory=dict)

    @functools.cached_property
    def labels(self) -> Tensor:
        """As `Dataset` says."""
        return torch.tensor(self.files.labels, dtype=torch.int64)

    @property
    def published_train(self) -> int:
        """As `Dataset` says: the images in `train`."""
        return self.files.published_train

    @functools.cached_property
    def fingerprint(self) -> str:
        """As `DatasetOfFiles` says, by the names of the files."""
        return hashlib.sha256("\0".join(self.files.paths).encode(errors="surrogateescape")).hexdigest()

    def expect_readable(self) -> None:
        """As `DatasetOfFiles` says."""
        unreadable = unreadable_files(self.files)
        if unreadable:
            raise DataError(
                f"data: image_folder: {len(unreadable):,} of {len(self.files.paths):,} images cannot be read: "
                f"{named(self.files.root, unreadable)}",
                hint="Mend them or take them away, or leave them out with data.unreadable=skip.",
            )

    def pixel_statistics(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """As `Dataset` says, of a sample: 1,000 of the images, evenly spaced by number, so from all classes alike.

        They are seen as in validation. The order of the numbers does not matter.

        Raises:
            DataError: One of them cannot be read.
        """
        spaced = torch.linspace(0, len(numbers) - 1, min(SAMPLE, len(numbers)), dtype=torch.float64).long()
        return _statistics(self, tuple(numbers.sort().values[spaced].tolist()))

    def batches(self, look: Look, device: torch.device, threads: int) -> FolderBatches:
        """Decoded by the processes of `decoders`; without any, by the thread that trains."""
        return FolderBatches(self.files, self.labels, self.resolution, look, device, decoders(device, threads))


@functools.lru_cache(maxsize=2)
def _statistics(dataset: FolderDataset, numbers: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    viewer = Viewer(dataset.files.root, dataset.resolution)
    views = [[View(dataset.files.paths[number])] for number in numbers]
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        counts = [byte_counts(expect_read(read).permute(0, 3, 1, 2)) for read in pool.map(viewer.__getitems__, views)]
    return moments(torch.stack(counts).sum(dim=0))


def read_image_folder(data: DataConfig) -> FolderDataset:
    """Find the images of a study, less those that cannot be read if it says so.

    Raises:
        DataError: The tree is missing, or is not what the study says.
    """
    if data.resolution is None or data.classes is None:
        raise DataError("data: an image_folder needs data.resolution and data.classes")
    files = find_files(data)
    if data.unreadable == "refuse":
        return FolderDataset(files, data.resolution)
    left_out = unreadable_files(files)
    kept = files.without(left_out)
    if kept.published_train in (0, len(kept.paths)):
        raise DataError(f"data: image_folder: {named(files.root, left_out)}: nothing is left to train or to test on")
    return FolderDataset(kept, data.resolution, left_out)


def named(root: str, unreadable: Mapping[str, str]) -> str:
    """The first few, each with its reason, in words.

    >>> named("data", {"train/0/a.png": "empty", "train/1/b.png": "no such file"})
    'data/train/0/a.png (empty), data/train/1/b.png (no such file)'
    """
    first = [f"{root}/{path} ({reason})" for path, reason in itertools.islice(unreadable.items(), MOST_NAMED)]
    more = len(unreadable) - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more else "")
