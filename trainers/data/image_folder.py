"""A tree of class folders of image files: decoded once if they fit into memory, else read as they are needed.

`image_files.py` lists the names, `image_check.py` finds damaged files, `pixels.py` decodes, `decoding.py` crops, and
`image_batches.py` has threads or a DataLoader do so.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from resnext_search.spaces.errors import DataError, escaped
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers.data.dataset import SAMPLED, Batches, Look
from resnext_search.trainers.data.decoding import View, Viewer
from resnext_search.trainers.data.image_batches import FolderBatches, decoded, decoders, expect_read
from resnext_search.trainers.data.image_check import Findings, look_at, of_both
from resnext_search.trainers.data.image_files import IMAGE_SUFFIXES, Files, find_files, in_words
from resnext_search.trainers.data.in_memory import MemoryDataset, byte_counts, moments
from resnext_search.trainers.data.pixels import DEEP, TRANSPARENT, TURNED
from torch import Tensor

# Pixel statistics of what is not kept are those of so many images: their mean is off by about 3 % (1 / sqrt(1,000)) of
# what images differ.
SAMPLE = 1_000
# Of the files that something is said of, so many are named.
MOST_NAMED = 3
# If no image of 16 bits has a byte above this, its upper eight bits hold four at most: less than can be learned from.
NEARLY_BLACK = 15
_DONE = {
    DEEP: "have more than 8 bits a channel, of which the upper 8 are used",
    TRANSPARENT: "are transparent and laid on white",
    TURNED: "are turned as their EXIF orientation says",
}


@dataclass(frozen=True, eq=False)
class FolderDataset:
    """A tree of image files.

    Args:
        files: The images.
        viewer: Reads them.
        memory: Most bytes of decoded images that may be kept in memory.
        looked: What was found out about all files of the tree, if those that cannot be read are none of the images.
    """

    files: Files
    viewer: Viewer
    memory: int = 0
    looked: Findings | None = None

    @property
    def left_out(self) -> Mapping[str, str]:
        """As `DatasetOfFiles` says."""
        return {} if self.looked is None else self.looked.unreadable

    @functools.cached_property
    def findings(self) -> Findings:
        """What is known of all files, after a look at those that nobody has looked at."""
        return look_at(self.files) if self.looked is None else self.looked

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
        findings = self.findings
        if findings.unreadable and self.looked is None:
            words = named(self.files.root, findings.unreadable)
            unreadable = f"{len(findings.unreadable):,} of {len(self.files.paths):,} images cannot be read: {words}"
            raise DataError(
                f"data: image_folder: {'; '.join([unreadable, *self._done()])}",
                hint="Mend them or take them away, or leave them out with data.unreadable=skip.",
            )
        if findings.brightest is not None and findings.brightest <= NEARLY_BLACK:
            deep = [path for path, traits in findings.traits.items() if DEEP in traits]
            raise DataError(
                f"data: image_folder: {len(deep):,} images have 16 bits a channel, and values in the lowest 12 of "
                f"them alone: the upper 8, which are used, are nearly black: {_first(self.files.root, deep)}",
                hint="Multiply all their values by one number, so that the highest is near 65,535, or save them with "
                "8 bits.",
            )

    @functools.cached_property
    def remarks(self) -> tuple[str, ...]:
        """As `InspectedDataset` says."""
        return (*self._passed_over(), *self._in_both(), *self._done())

    def _passed_over(self) -> Iterator[str]:
        root, passed_over = self.files.root, self.files.passed_over
        if passed_over:
            yield f"hidden or unused, and left out: {len(passed_over):,}, {_first(root, passed_over)}"
        if others := in_words(self.files.other_endings):
            yield f"left out: {others}; images are {', '.join(IMAGE_SUFFIXES)}"

    def _in_both(self) -> Iterator[str]:
        compared, same = of_both(self.files)
        if 2 * len(same) > compared:
            yield (
                f"of {compared:,} test images that were compared, {len(same):,} are copies of images of that name in "
                f"train: {_first(self.files.root, same)}"
            )

    def _done(self) -> Iterator[str]:
        """What is done to some images when they are read."""
        root, images = self.files.root, len(self.files.paths)
        for trait, done in _DONE.items():
            paths = [path for path, traits in self.findings.traits.items() if trait in traits]
            if paths:
                brightest = f" (the brightest reaches {self.findings.brightest} of 255)" if trait == DEEP else ""
                yield f"{len(paths):,} of {images:,} images {done}{brightest}: {_first(root, paths)}"

    @property
    def class_names(self) -> tuple[str, ...]:
        """As `InspectedDataset` says: those of the folders."""
        return self.files.classes

    @functools.cached_property
    def reading(self) -> str:
        """As `InspectedDataset` says; of whole images it is special to be normalised by a sample."""
        traits = self.findings.traits
        treated = hashlib.sha256(json.dumps(sorted(traits.items())).encode()).hexdigest() if traits else ""
        sampled = self.viewer.whole and not self.is_kept("none")
        return f"{f'{SAMPLED} ' * sampled}{treated}".strip()

    def bytes_decoded(self) -> int:
        """As `CountedDataset` says."""
        return 3 * self.viewer.resolution**2 * len(self.files.paths)

    def is_kept(self, augment: str) -> bool:
        """As `CountedDataset` says: if they fit, unless parts of the files are drawn."""
        return augment != "standard" and self.bytes_decoded() <= self.memory

    @functools.cached_property
    def _kept(self) -> MemoryDataset:
        return MemoryDataset(decoded(self.viewer, self.files.paths), self.labels, self.published_train)

    def pixel_statistics(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """As `Dataset` says; exactly of whole images that are kept.

        Else of a sample: 1,000 of the images, evenly spaced by number, so from all classes alike. They are seen as in
        validation. The order of the numbers does not matter.

        Raises:
            DataError: One of them cannot be read.
        """
        if self.viewer.whole and self.is_kept("none"):
            return self._kept.pixel_statistics(numbers)
        spaced = torch.linspace(0, len(numbers) - 1, min(SAMPLE, len(numbers)), dtype=torch.float64).long()
        return _statistics(self, tuple(numbers.sort().values[spaced].tolist()))

    def batches(self, look: Look, device: torch.device, threads: int) -> Batches:
        """Of images that are kept; else decoded by the processes of `decoders`, or without any by who trains."""
        if self.is_kept(look.augment):
            return self._kept.batches(look, device, threads)
        return FolderBatches(self.files, self.labels, self.viewer, look, device, decoders(device, threads))


@functools.lru_cache(maxsize=2)
def _statistics(dataset: FolderDataset, numbers: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    views = [[View(dataset.files.paths[number])] for number in numbers]
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        read = map(expect_read, pool.map(dataset.viewer.__getitems__, views))
        counts = [byte_counts(image.permute(0, 3, 1, 2)) for image in read]
    return moments(torch.stack(counts).sum(dim=0))


def read_image_folder(data: DataConfig) -> FolderDataset:
    """Find the images of a study, less those that cannot be read if it says so.

    Raises:
        DataError: The tree is missing, or is not what the study says.
    """
    if data.resolution is None or data.classes is None:
        raise DataError("data: an image_folder needs data.resolution and data.classes")
    files = find_files(data)
    viewer = Viewer(files.root, data.resolution, whole=data.view == "whole")
    if data.unreadable == "refuse":
        return FolderDataset(files, viewer, data.memory)
    looked = look_at(files)
    kept = files.without(looked.unreadable)
    if kept.published_train in (0, len(kept.paths)):
        words = named(files.root, looked.unreadable)
        raise DataError(f"data: image_folder: {words}: nothing is left to train or to test on")
    return FolderDataset(kept, viewer, data.memory, looked)


def named(root: str, unreadable: Mapping[str, str]) -> str:
    """The first few, each with its reason, in words.

    >>> named("data", {"train/0/a.png": "empty", "train/1/b.png": "no such file"})
    'data/train/0/a.png (empty), data/train/1/b.png (no such file)'
    """
    return _first(root, [f"{path} ({reason})" for path, reason in unreadable.items()])


def _first(root: str, paths: Collection[str]) -> str:
    first = [f"{root}/{path}" for path in itertools.islice(paths, MOST_NAMED)]
    more = len(paths) - len(first)
    return escaped(", ".join(first) + (f" and {more:,} more" if more else ""))
