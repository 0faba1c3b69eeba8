"""Which images are trained on, chosen by and tested on? From the seed of the study; with folds, of the trial too."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from resnext_search.spaces.errors import DataError
from resnext_search.spaces.folds import FOLDS
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.spaces.study.study import Study
from resnext_search.trainers.data.dataset import Dataset
from torch import Tensor


class Splits(NamedTuple):
    """Numbers of the images in each split, and what their pixels are normalised by.

    Args:
        train: `(train images,)` int64, shuffled.
        validation: `(validation images,)` int64; from the published training split, never trained on. A trial that
            confirms has none.
        test: `(test images,)` int64. With folds, a trial that confirms alone has them.
        mean: `(channels,)` float32, mean of the pixels of train and validation, on the scale 0 to 255; with folds of
            train alone.
        std: `(channels,)` float32, their standard deviation; at least 1.
    """

    train: Tensor
    validation: Tensor
    test: Tensor
    mean: Tensor
    std: Tensor


def splits_of(dataset: Dataset, study: Study, seed: int, *, confirm: bool) -> Splits:
    """The images of a trial with this seed, in whichever way its study divides the data set.

    Raises:
        DataError: There are fewer images than the study asks for.
    """
    fold, draw = study.fold_of(seed), derive_seed(seed, "images")
    if fold is not None:
        fixed = derive_seed(study.root_seed, "split")
        return split_by_fold(dataset, study.data, fold, draw if confirm else fixed, confirm=confirm)
    if confirm:
        return split_for_confirmation(dataset, study.data, study.root_seed, draw)
    return split(dataset, study.data, study.root_seed)


@functools.lru_cache(maxsize=2)
def split(dataset: Dataset, data: DataConfig, seed: int) -> Splits:
    """Divide a data set, the same way for all trials of a study, whose seed it takes.

    Raises:
        DataError: There are fewer images than the study asks for.
    """
    train, validation, test = divide(dataset, data, seed)
    mean, std = dataset.pixel_statistics(torch.cat([train, validation]))
    return Splits(train, validation, test, mean, std)


def divide(dataset: Dataset, data: DataConfig, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Numbers of the images that `split` trains on, validates on and tests on; no image is looked at.

    Raises:
        DataError: There are fewer images than the study asks for.
    """
    pool, test = _pool_and_test(dataset, data, seed)
    train_count, validation_count = _sizes(data, len(pool))
    if data.classes is not None:  # a folder of the user's own, and perhaps small
        pool = every_class_first(pool, dataset.labels[pool], validation_count)
    return pool[validation_count:][:train_count], pool[:validation_count], test


def is_drawn_by_chance(dataset: Dataset, data: DataConfig, seed: int) -> bool:
    """Whether `divide` had to help no class into validation, neither by a larger split nor by another order."""
    pool, _ = _pool_and_test(dataset, data, seed)
    count = data.validation_images or len(pool) // 10
    return count == _sizes(data, len(pool))[1] and every_class_first(pool, dataset.labels[pool], count) is pool


def every_class_first(pool: Tensor, labels: Tensor, count: int) -> Tensor:
    """The pool in an order in which the first `count` have an image of every class, if there are so few classes.

    One that is so already stays as it is. Otherwise the first image of every class comes before all others.

    >>> every_class_first(torch.tensor([7, 8, 9, 5]), torch.tensor([0, 0, 1, 2]), 3).tolist()
    [7, 9, 5, 8]
    """
    _, places = np.unique(labels.numpy(), return_index=True)
    if len(places) > count or places.max() < count:
        return pool
    first = torch.from_numpy(np.sort(places))
    others = torch.ones(len(pool), dtype=torch.bool)
    others[first] = False
    return torch.cat([pool[first], pool[others]])


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


@functools.lru_cache(maxsize=FOLDS)
def split_by_fold(dataset: Dataset, data: DataConfig, fold: int, draw: int, *, confirm: bool) -> Splits:
    """Divide a data set that has no published test split: train on what a fold leaves.

    The folds are the same in every study and cover all images, so that what one study tests on no seed of another
    moves. Where `data.train_images` are fewer than the fold leaves, `draw` says which; `data.validation_images` is not
    looked at.

    Args:
        dataset: All its images are used, wherever a plug-in draws the line between training and test.
        data: Says how many images to train on.
        fold: From 0 to `FOLDS` - 1; its images are in ascending order.
        draw: Seed of the order of the images to train on.
        confirm: Whether the fold is tested on; otherwise it is validated on, and nothing is tested.
    """
    folds = folds_of(len(dataset.labels))
    held_out = torch.from_numpy(np.flatnonzero(folds == fold))
    others = torch.from_numpy(np.flatnonzero(folds != fold))
    shuffled = torch.randperm(len(others), generator=torch.Generator().manual_seed(draw))
    train = others[shuffled[: data.train_images]]
    mean, std = dataset.pixel_statistics(train)
    validation, test = (held_out[:0], held_out) if confirm else (held_out, held_out[:0])
    return Splits(train, validation, test, mean, std)


def folds_of(images: int) -> NDArray[np.int64]:
    """The fold of each of so many images, `(images,)`: at random, and the same in every study.

    >>> np.bincount(folds_of(1_797)).tolist()
    [360, 360, 359, 359, 359]
    """
    return np.random.default_rng(derive_seed(0, "folds")).permutation(np.arange(images) % FOLDS)


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
            hint="Lower data.train_images or data.validation_images, or add images.",
        )
    return train_count, validation_count
