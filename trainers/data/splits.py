"""Which images are trained on, chosen by and tested on? The same for all trials of a study, from its seed."""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
from resnext_search.spaces.errors import DataError
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers.data.dataset import Dataset
from torch import Tensor


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
def split(dataset: Dataset, data: DataConfig, seed: int) -> Splits:
    """Divide a data set, the same way for all trials of a study, whose seed it takes.

    Raises:
        DataError: There are fewer images than the study asks for.
    """
    pool, test = _pool_and_test(dataset, data, seed)
    train_count, validation_count = _sizes(data, len(pool))
    validation, train = pool[:validation_count], pool[validation_count:][:train_count]
    mean, std = dataset.pixel_statistics(torch.cat([train, validation]))
    return Splits(train, validation, test, mean, std)


def split_for_confirmation(dataset: Dataset, data: DataConfig, seed: int, draw: int) -> Splits:
    """Divide a data set for a run that is evidence: nothing is kept for validation, the test split is that of `split`.

    The run trains on as many images as training and validation have together. Where the data set has more, each run
    draws its own, with the seed `draw`: which images were drawn is one of the causes of chance that a comparison has to
    cover.

    Raises:
        DataError: There are fewer images than the study asks for.

    Source:
        Bouthillier et al. 2021, arXiv:2103.03098: vary as many sources of chance as possible.
    """
    pool, test = _pool_and_test(dataset, data, seed)
    shuffled = torch.randperm(len(pool), generator=torch.Generator().manual_seed(draw))
    train = pool[shuffled[: sum(_sizes(data, len(pool)))]]
    mean, std = dataset.pixel_statistics(train)
    return Splits(train, train[:0], test, mean, std)


def _pool_and_test(dataset: Dataset, data: DataConfig, seed: int) -> tuple[Tensor, Tensor]:
    """Numbers of the images to train and validate on, shuffled, and of the test images."""
    pool = torch.randperm(dataset.published_train, generator=torch.Generator().manual_seed(derive_seed(seed, "split")))
    test = torch.arange(dataset.published_train, len(dataset.labels))
    if len(test):
        return pool, test
    held_out = data.facts().test_images
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
