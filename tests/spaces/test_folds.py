"""Every seed has a fold, and can be moved to any other."""

from __future__ import annotations

import pytest
from resnext_search.spaces.folds import FOLDS, fewest_outside, fold_of, seed_in_fold
from resnext_search.spaces.seeds import derive_seed


@pytest.mark.parametrize("seed", [0, 4, 5, 2**63 - 1, 2**63 - 2, 2**63 - 3, 2**63 - 4, derive_seed(0, "confirm", 3)])
def test_a_moved_seed_is_in_its_fold_and_still_a_seed(seed: int) -> None:
    moved = [seed_in_fold(seed, fold) for fold in range(FOLDS)]
    assert [fold_of(each) for each in moved] == list(range(FOLDS))
    assert all(0 <= each < 2**63 and abs(each - seed) < 2 * FOLDS for each in moved)
    assert seed_in_fold(seed, fold_of(seed)) == seed


def test_blocks_and_tuning_seeds_go_round_the_folds() -> None:
    assert [fold_of(seed_in_fold(17, block)) for block in range(7)] == [0, 1, 2, 3, 4, 0, 1]


@pytest.mark.parametrize(("images", "fewest"), [(5, 4), (6, 4), (9, 7), (10, 8), (1_797, 1_437)])
def test_a_training_has_at_least_the_images_outside_a_largest_fold(images: int, fewest: int) -> None:
    sizes = [len(range(fold, images, FOLDS)) for fold in range(FOLDS)]
    assert fewest_outside(images) == fewest == images - max(sizes)
