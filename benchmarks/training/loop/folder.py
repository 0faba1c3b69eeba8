"""Does a folder of images in memory cost what its plan says, and train as fast as images that were never in files?

Both are trained by one thread of one process, in turns of some steps. Seconds are those of its processor, so that what
else the machine does is not counted.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import torch
from PIL import Image
from resnext_search.spaces import Study
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers.calibration import images_of
from resnext_search.trainers.data.dataset import Look
from resnext_search.trainers.data.in_memory import MemoryDataset
from resnext_search.trainers.data.readers import load_dataset
from resnext_search.trainers.device import prepare
from resnext_search.trainers.training_run import TrainingRun

from benchmarks.training.loop.loops import CPU, STUDY, configuration

TRAIN, TEST, CLASSES, SIDE = 20_000, 1_000, 10, 32
STEPS = 10


def write_tree(root: Path) -> Study:
    """Noise as PNG, and the study that trains on it: that of `loops.py`, with `augment: crop`."""
    random = np.random.default_rng(0)
    for part, count in (("train", TRAIN), ("test", TEST)):
        for number in range(count):
            folder = root / part / str(number % CLASSES)
            folder.mkdir(parents=True, exist_ok=True)
            pixels = random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number:05}.png", compress_level=1)
    data = DataConfig(
        name="image_folder", root=str(root), resolution=SIDE, classes=CLASSES, view="whole", validation_images=1_000
    )
    trainer = STUDY.trainer.model_copy(update={"augment": "crop"})
    return STUDY.model_copy(update={"data": data, "trainer": trainer})


class Decoded(NamedTuple):
    """What it took to decode a folder: seconds, bytes that the process grew by, and bytes that its plan says."""

    seconds: float
    grown: int
    planned: int


def decode(study: Study) -> Decoded:
    """Decode a folder as its first trial does, with one thread."""
    prepare(CPU, 1)
    files = load_dataset(study.data.model_copy(update={"memory": 1}))
    files.pixel_statistics(torch.arange(8))  # what the first images take beside themselves
    dataset = load_dataset(study.data)
    before, began = _own_bytes(), time.process_time()
    dataset.pixel_statistics(torch.arange(TRAIN))
    seconds, grown = time.process_time() - began, _own_bytes() - before
    said = images_of(dataset, study)
    assert said is not None
    return Decoded(seconds, grown, said["bytes"])


def _own_bytes() -> int:
    """Memory of this process, less that of libraries, which comes and goes."""
    found = psutil.Process().memory_info()
    return int(found.rss - found.shared)


def speeds(study: Study, cardinality: int, rounds: int) -> Iterator[tuple[float, float]]:
    """Images a second of the folder, and of the same images without files; a pair a round, either one first."""
    folder = TrainingRun(study, configuration(cardinality), 0, device=CPU, threads=1)
    plain = TrainingRun(study, configuration(cardinality), 0, device=CPU, threads=1)
    look = Look(plain.splits.mean, plain.splits.std, "crop", True)
    kept = folder.batches
    images = MemoryDataset(kept.images.clone(), folder.labels.clone(), TRAIN)  # type: ignore[attr-defined]
    plain.batches = images.batches(look, CPU, 1)
    steps = [itertools.chain.from_iterable(map(one.steps, itertools.cycle((1, 2, 3)))) for one in (folder, plain)]
    for number in range(rounds + 1):
        seconds = [0.0, 0.0]
        for place in (0, 1) if number % 2 else (1, 0):
            began = time.process_time()
            for _ in range(STEPS):
                next(steps[place])
            seconds[place] = time.process_time() - began
        if number:  # the first is to warm up
            yield tuple(STEPS * study.trainer.batch_size / one for one in seconds)  # type: ignore[misc]
