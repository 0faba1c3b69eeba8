"""Splits: never meet, depend on the seed alone, and keep the test images for the end."""

from __future__ import annotations

import pytest
import torch
from resnext_search.spaces import Study
from resnext_search.spaces.errors import DataError
from resnext_search.spaces.folds import FOLDS
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers.data.in_memory import MemoryDataset
from resnext_search.trainers.data.readers import load_dataset
from resnext_search.trainers.data.splits import (
    divide,
    folds_of,
    is_drawn_by_chance,
    split,
    split_by_fold,
    split_for_confirmation,
    splits_of,
)

DIGITS = DataConfig(name="digits")
CLAIM = {"kind": "spend", "base": {"cardinality": 2, "width": 4, "blocks": [1, 1, 1]}, "seeds": 10}
OLD_TRAIN, OLD_TEST = [1605, 480, 954, 1549, 647], [1300, 569, 56, 856, 767]
OLD_CONFIRMED = [403, 537, 1390, 581, 1672]


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
    assert caught.value.hint == "Lower data.train_images or data.validation_images, or add images."


def folder_of(labels: list[int], test: int) -> MemoryDataset:
    """As an `image_folder` of two classes numbers its images, with black ones; the last ones are to test on."""
    images = torch.zeros(len(labels), 3, 8, 8, dtype=torch.uint8)
    return MemoryDataset(images, torch.tensor(labels), len(labels) - test)


@pytest.mark.parametrize("seed", range(10))
def test_in_a_small_folder_every_class_is_validated_on(seed: int) -> None:
    dataset = folder_of([0] * 6 + [1] * 6 + [0, 1], 2)
    config = DataConfig(name="image_folder", resolution=8, classes=2)
    train, validation, test = divide(dataset, config, seed)
    assert (len(train), len(validation), test.tolist()) == (10, 2, [12, 13])  # a tenth would be one
    assert sorted(dataset.labels[validation].tolist()) == [0, 1]
    assert sorted([*train.tolist(), *validation.tolist()]) == list(range(12))
    assert not is_drawn_by_chance(dataset, config, seed)


def test_a_folder_whose_classes_are_drawn_anyway_is_divided_by_chance_alone() -> None:
    dataset = folder_of([0, 1] * 100 + [0, 1], 2)
    config = DataConfig(name="image_folder", resolution=8, classes=2)
    shuffled = torch.randperm(200, generator=torch.Generator().manual_seed(derive_seed(3, "split")))
    train, validation, _ = divide(dataset, config, 3)
    assert torch.equal(torch.cat([validation, train]), shuffled)
    assert len(validation) == 20
    assert is_drawn_by_chance(dataset, config, 3)


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


def folded_study(**data: int) -> Study:
    """A study with a claim on data without a published test split."""
    return Study.model_validate(
        {
            "name": "folded",
            "data": {"name": "digits", **data},
            "template": {"planes": 8},
            "budget": {"multiply_adds": 1_000_000, "tolerance": 0.5},
            "axes": {"cardinality": [2], "width": [2], "blocks": [1], "learning_rate": {"min": 0.01, "max": 1.0}},
            "claim": CLAIM,
        }
    )


@pytest.mark.parametrize("images", [5, 8, 1_797])
def test_every_image_is_in_one_fold_and_folds_differ_by_one_image_at_most(images: int) -> None:
    sizes = [(folds_of(images) == fold).sum() for fold in range(FOLDS)]
    assert sum(sizes) == images
    assert max(sizes) - min(sizes) <= 1


def test_over_five_seeds_every_image_is_tested_once_and_never_trained_on_by_who_is_tested_on_it() -> None:
    dataset, study, tested = load_dataset(DIGITS), folded_study(), []
    assert study.has_folds
    for seed in range(20, 25):
        splits = splits_of(dataset, study, seed, confirm=True)
        assert len(splits.validation) == 0
        assert not set(splits.train.tolist()) & set(splits.test.tolist())
        assert len(splits.train) + len(splits.test) == 1_797
        tested += splits.test.tolist()
    assert sorted(tested) == list(range(1_797))


def test_what_validates_and_what_tests_with_seeds_of_one_fold_have_the_same_images() -> None:
    dataset, study = load_dataset(DIGITS), folded_study()
    tuned, confirmed = splits_of(dataset, study, 7, confirm=False), splits_of(dataset, study, 12, confirm=True)
    assert torch.equal(tuned.validation, confirmed.test)
    assert len(tuned.test) == 0
    assert sorted(tuned.train.tolist()) == sorted(confirmed.train.tolist())
    assert not set(tuned.train.tolist()) & set(tuned.validation.tolist())


def test_the_images_of_a_fold_are_those_of_every_study_in_ascending_order() -> None:
    dataset = load_dataset(DIGITS)
    one = splits_of(dataset, folded_study(), 3, confirm=True)
    other = splits_of(dataset, folded_study(train_images=200).model_copy(update={"name": "other"}), 8, confirm=True)
    assert torch.equal(one.test, other.test)
    assert one.test.tolist() == sorted(one.test.tolist())


def test_with_folds_fewer_training_images_are_drawn_for_every_confirming_seed_and_are_fixed_otherwise() -> None:
    dataset, study = load_dataset(DIGITS), folded_study(train_images=200)
    everything = splits_of(dataset, folded_study(), 1, confirm=True).train.tolist()
    first, second = (splits_of(dataset, study, seed, confirm=True).train.tolist() for seed in (1, 6))
    assert len(first) == len(second) == 200
    assert set(first) != set(second)
    assert set(first) | set(second) <= set(everything)
    tuned = [splits_of(dataset, study, seed, confirm=False).train for seed in (1, 6)]
    assert torch.equal(tuned[0], tuned[1])
    assert len(tuned[0]) == 200


def test_with_folds_pixels_are_normalised_by_the_images_that_are_trained_on() -> None:
    dataset = load_dataset(DIGITS)
    splits = split_by_fold(dataset, DIGITS, 0, 1, confirm=False)
    mean, _ = dataset.pixel_statistics(splits.train)
    assert torch.equal(splits.mean, mean)


def test_images_outside_a_fold_are_at_least_those_that_the_study_counts_on() -> None:
    dataset, study = load_dataset(DIGITS), folded_study()
    sizes = {len(splits_of(dataset, study, seed, confirm=True).train) for seed in range(FOLDS)}
    assert sizes == {1_437, 1_438}
    assert study.images_per_epoch("confirm") == study.images_per_epoch("tune") == 1_437


@pytest.mark.parametrize("rules", [1, 2])
def test_without_a_claim_or_under_the_old_rules_nothing_has_folds(rules: int) -> None:
    dataset = load_dataset(DIGITS)
    study = Study.model_validate(folded_study().model_dump() | {"rules": rules, "claim": None if rules == 2 else CLAIM})
    for seed in (3, 4):
        chosen, evidence = (splits_of(dataset, study, seed, confirm=confirm) for confirm in (False, True))
        assert all(map(torch.equal, chosen, split(dataset, DIGITS, study.root_seed)))
        drawn = split_for_confirmation(dataset, DIGITS, study.root_seed, derive_seed(seed, "images"))
        assert all(map(torch.equal, evidence, drawn))


def test_the_splits_of_digits_under_the_old_rules_stay_as_they_were() -> None:
    """The first images of seed 0 as version 1 of the rules had them: journals that are continued rest on them."""
    splits = split(load_dataset(DIGITS), DIGITS, 0)
    assert splits.train[:5].tolist() == OLD_TRAIN
    assert splits.test[:5].tolist() == OLD_TEST
    confirmed = split_for_confirmation(load_dataset(DIGITS), DIGITS, 0, 1)
    assert confirmed.train[:5].tolist() == OLD_CONFIRMED
