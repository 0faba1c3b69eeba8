"""Are there enough images for what a study does with them? Asked once, before a run; no image is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from resnext_search.spaces.errors import DataError, escaped
from resnext_search.spaces.folds import FOLDS, fewest_outside
from resnext_search.spaces.study.study import Study
from resnext_search.trainers.data.dataset import Dataset, DatasetOfFiles, InspectedDataset
from resnext_search.trainers.data.splits import divide
from torch import Tensor

# Of the classes that a split lacks, so many are named.
MOST_NAMED = 3


def expect_enough(dataset: Dataset, study: Study) -> None:
    """Make sure that every trial has images to train on, to be chosen by and to be tested on.

    Of files, which may be few or damaged, every class has to be in each of the splits: a network that was never asked
    about a class would seem to make no error there.

    Raises:
        DataError: A split is empty, or lacks a class, or there are fewer images to train on than one batch.
    """
    if study.has_folds:
        _expect_folds(dataset, study)
        return
    train, validation, test = divide(dataset, study.data, study.root_seed)
    parts = {"train on": train, "validate on": validation, "test on": test}
    if not len(test):
        raise DataError(f"data: {study.data.name} has no images to test on", hint="Add some.")
    lacking = list(_lacking(dataset, study, parts)) if isinstance(dataset, DatasetOfFiles) else []
    if lacking:
        left_out = len(dataset.left_out) if isinstance(dataset, DatasetOfFiles) else 0
        after = f" after {left_out:,} that cannot be read were left out" if left_out else ""
        raise DataError(
            f"data: {study.data.name}: too few images{after}: {'; '.join(lacking)}",
            hint="Every class needs images to train, validate and test on: add some, mend those that cannot be read, "
            "or change data.validation_images or data.train_images.",
        )
    _expect_a_batch(len(train), study)


def _lacking(dataset: Dataset, study: Study, parts: Mapping[str, Tensor]) -> Iterator[str]:
    """In words, which classes each split lacks."""
    classes = study.facts().classes
    names = dataset.class_names if isinstance(dataset, InspectedDataset) else list(map(str, range(classes)))
    for purpose, numbers in parts.items():
        lacked = (torch.bincount(dataset.labels[numbers], minlength=classes) == 0).nonzero().flatten().tolist()
        if lacked:
            more = f" and {len(lacked) - MOST_NAMED:,} more classes" * (len(lacked) > MOST_NAMED)
            named = ", ".join(escaped(names[label]) for label in lacked[:MOST_NAMED])
            yield f"of {len(numbers):,} to {purpose} none is of {named}{more}"


def _expect_folds(dataset: Dataset, study: Study) -> None:
    images = len(dataset.labels)
    if images < FOLDS:
        raise DataError(f"data: {study.data.name} has {images:,} images; {FOLDS} folds need more", hint="Add some.")
    outside = fewest_outside(images)
    _expect_a_batch(min(outside, study.data.train_images or outside), study)


def _expect_a_batch(images: int, study: Study) -> None:
    """Another package's trainer may do with an incomplete batch."""
    searched = [round(knob.high) for knob in study.knobs() if knob.name == "batch_size"]
    largest = max([study.trainer.batch_size, *searched])
    if study.trainer.plugin is None and images < largest:
        raise fewer_than_a_batch(images, largest)


def fewer_than_a_batch(images: int, batch_size: int) -> DataError:
    """What is wrong with so few images to train on."""
    return DataError(
        f"data: {images:,} images to train on are fewer than one batch of {batch_size:,}",
        hint="Lower trainer.batch_size (or axes.batch_size), or raise data.train_images.",
    )
