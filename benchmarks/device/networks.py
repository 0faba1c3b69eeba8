"""Eight networks, from those that keep a GPU busy to those that wait for Python, and images that need no files."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from resnext_search.spaces import Architecture, Configuration, Study
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers import training_run
from resnext_search.trainers.data.in_memory import MemoryDataset
from resnext_search.trainers.training_run import TrainingRun

CPU = torch.device("cpu")
# Enough for an epoch of 78 steps of 128; speed does not depend on their number.
IMAGES, JUDGED = 10_000, 2_000
DIGITS, DIGITS_JUDGED = 1_000, 300
# What a processor does in a few seconds.
IMAGES_ON_CPU, JUDGED_ON_CPU = 600, 16


class Network(NamedTuple):
    """A network and what it is trained on; its batch is smaller on a processor."""

    data: str
    planes: int
    stride: int
    batch: int
    batch_on_cpu: int
    cardinality: int
    width: int
    blocks: tuple[int, ...]

    def study(self, device: torch.device, **recipe: Any) -> Study:
        """A study that trains it."""
        train, judged = (DIGITS, DIGITS_JUDGED) if self.data == "digits" else (IMAGES, JUDGED)
        if device.type == "cpu":
            train, judged = min(train, IMAGES_ON_CPU), JUDGED_ON_CPU
        batch = self.batch if device.type == "cuda" else self.batch_on_cpu
        return Study.model_validate(
            {
                "name": "device-check",
                "data": {"name": self.data, "train_images": train, "validation_images": judged},
                "template": {"stem": "cifar", "stride": self.stride, "planes": self.planes, "stages": 3},
                "budget": {"like": {"cardinality": 1, "width": self.planes, "blocks": [1, 1, 1]}},
                "axes": {"cardinality": [1, 8, 32], "width": {"min": 1, "max": 64}, "blocks": [1]},
                "trainer": {"epochs": 2, "batch_size": batch, "learning_rate": 0.05} | recipe,
            }
        )

    @property
    def configuration(self) -> Configuration:
        """Its architecture."""
        return Configuration(Architecture.paper(self.cardinality, self.width, self.blocks))

    def trial(self, device: torch.device, *, threads: int = 1, **recipe: Any) -> TrainingRun:
        """A trial that trains it."""
        return TrainingRun(self.study(device, **recipe), self.configuration, 1, device=device, threads=threads)


# Named by multiply-adds, at which those of one size are nearly equal.
NETWORKS = {
    "cifar 748M 1x64d": Network("cifar10", 64, 1, 128, 2, 1, 64, (3, 3, 3)),
    "cifar 748M 8x14d": Network("cifar10", 64, 1, 128, 2, 8, 14, (3, 3, 3)),
    "cifar 748M 32x4d": Network("cifar10", 64, 1, 128, 2, 32, 4, (3, 3, 3)),
    "cifar 47M 1x16d": Network("cifar10", 16, 1, 128, 16, 1, 16, (3, 3, 3)),
    "cifar 47M 8x3d": Network("cifar10", 16, 1, 128, 16, 8, 3, (3, 3, 3)),
    "fashion 4M 1x16d": Network("fashion_mnist", 16, 2, 64, 64, 1, 16, (1, 1, 1)),
    "fashion 4M 8x3d": Network("fashion_mnist", 16, 2, 64, 64, 8, 3, (1, 1, 1)),
    "digits 1M 2x12d": Network("digits", 12, 1, 64, 64, 2, 12, (1, 1, 1)),
}


@functools.lru_cache(maxsize=2)
def images_like(data: DataConfig) -> MemoryDataset:
    """Images with the shape of a data set's, and no more than are used; ten faint patterns under noise."""
    facts, generator = data.facts(), torch.Generator().manual_seed(1)
    published = facts.train_images + facts.test_images  # of a data set without a test split
    if facts.published_test:
        published = (data.train_images or 0) + (data.validation_images or 0)
    count, shape = published + facts.published_test, (facts.channels, facts.resolution, facts.resolution)
    labels = torch.randint(facts.classes, (count,), generator=generator)
    patterns = torch.randint(40, 215, (facts.classes, *shape), generator=generator).float()
    noise = torch.randn(count, *shape, generator=generator)
    pixels = (0.35 * patterns[labels] + 80 + 45 * noise).clamp(0, 255).to(torch.uint8)
    return MemoryDataset(pixels, labels, published)


@contextmanager
def without_files() -> Iterator[None]:
    """Within the block trials are trained on such images, whatever data set they name."""
    reader = training_run.load_dataset
    training_run.load_dataset = images_like  # type: ignore[assignment]
    try:
        yield
    finally:
        training_run.load_dataset = reader


def endless_steps(trial: TrainingRun) -> Iterator[torch.Tensor]:
    """The losses of one epoch, the first, again and again."""
    while True:
        yield from trial.steps(1)
