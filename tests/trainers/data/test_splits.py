"""Splits: never meet, depend on the seed alone, and keep the test images for the end."""

from __future__ import annotations

import pytest
import torch
from resnext_search.spaces.errors import DataError
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers.data.in_memory import MemoryDataset
from resnext_search.trainers.data.readers import load_dataset
from resnext_search.trainers.data.splits import split, split_for_confirmation

DIGITS = DataConfig(name="digits")


def test_the_splits_of_digits_have_the_published_sizes_and_never_meet() -> None:
    splits = split(load_dataset(DIGITS), DIGITS, 0)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (1_260, 140, 397)
    assert sorted(torch.cat(splits[:3]).tolist()) == list(range(1_797))


def test_splits_depend_on_the_seed_alone() -> None:
    dataset = load_dataset(DIGITS)
    first = split(dataset, DIGITS, 0)
    split.cache_clear()
    again, other = split(dataset, DIGITS, 0), split(dataset, DIGITS, 1)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert set(first.test.tolist()) != set(other.test.tolist())


def test_a_published_test_split_stays_as_it_is_whatever_the_seed() -> None:
    dataset = MemoryDataset(torch.zeros(30, 1, 2, 2, dtype=torch.uint8), torch.zeros(30, dtype=torch.int64), 20)
    config = DataConfig(name="cifar10", train_images=11, validation_images=5)
    for seed in range(5):
        splits = split(dataset, config, seed)
        assert splits.test.tolist() == list(range(20, 30))
        assert (len(splits.train), len(splits.validation)) == (11, 5)
        assert len(set(torch.cat(splits[:2]).tolist())) == 16
        assert max(torch.cat(splits[:2]).tolist()) < 20


def test_fewer_training_images_leave_validation_and_test_as_they_were() -> None:
    dataset = load_dataset(DIGITS)
    everything = split(dataset, DIGITS, 0)
    some = split(dataset, DataConfig(name="digits", train_images=100), 0)
    assert torch.equal(some.validation, everything.validation)
    assert torch.equal(some.test, everything.test)
    assert torch.equal(some.train, everything.train[:100])


def test_more_images_than_there_are_is_refused() -> None:
    dataset = MemoryDataset(torch.zeros(30, 1, 2, 2, dtype=torch.uint8), torch.zeros(30, dtype=torch.int64), 20)
    config = DataConfig(name="cifar10", train_images=19, validation_images=2)
    with pytest.raises(DataError) as caught:
        split(dataset, config, 0)
    assert str(caught.value) == (
        "data: cifar10 has 20 training images; 19 to train on and 2 to validate on were asked for"
    )
    assert caught.value.hint == "Lower data.train_images or data.validation_images."


def test_pixels_are_normalised_by_train_and_validation_and_not_by_test() -> None:
    images = torch.tensor([0, 10, 20, 255], dtype=torch.uint8).view(4, 1, 1, 1)
    dataset = MemoryDataset(images, torch.zeros(4, dtype=torch.int64), 3)
    splits = split(dataset, DataConfig(name="cifar10", validation_images=1), 0)
    assert splits.mean.tolist() == [10.0]
    assert splits.std.item() ** 2 == pytest.approx(200 / 3)


def test_where_all_images_are_used_every_confirming_run_trains_on_the_same_ones_in_another_order() -> None:
    dataset = load_dataset(DIGITS)
    usual = split(dataset, DIGITS, 0)
    first, second = (split_for_confirmation(dataset, DIGITS, 0, draw) for draw in (1, 2))
    assert sorted(first.train.tolist()) == sorted(second.train.tolist())
    assert sorted(first.train.tolist()) == sorted([*usual.train.tolist(), *usual.validation.tolist()])
    assert torch.equal(first.mean, usual.mean)
