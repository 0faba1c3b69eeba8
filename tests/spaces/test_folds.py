"""Every seed has a fold, and can be moved to any other."""

from __future__ import annotations

import pytest
from resnext_search.spaces.folds import FOLDS, fold_of, most_outside, seed_in_fold
from resnext_search.spaces.seeds import derive_seed


@pytest.mark.parametrize("seed", [0, 4, 5, 2**63 - 1, 2**63 - 2, 2**63 - 3, 2**63 - 4, derive_seed(0, "confirm", 3)])
def test_a_moved_seed_is_in_its_fold_and_still_a_seed(seed: int) -> None:
    moved = [seed_in_fold(seed, fold) for fold in range(FOLDS)]
    assert [fold_of(each) for each in moved] == list(range(FOLDS))
    assert all(0 <= each < 2**63 and abs(each - seed) < 2 * FOLDS for each in moved)
    assert seed_in_fold(seed, fold_of(seed)) == seed


def test_blocks_and_tuning_seeds_go_round_the_folds() -> None:
    assert [fold_of(seed_in_fold(17, block)) for block in range(7)] == [0, 1, 2, 3, 4, 0, 1]


@pytest.mark.parametrize(("images", "most"), [(5, 4), (6, 5), (9, 8), (10, 8), (1_797, 1_438)])
def test_a_training_never_has_more_than_the_images_outside_a_smallest_fold(images: int, most: int) -> None:
    sizes = [len(range(fold, images, FOLDS)) for fold in range(FOLDS)]
    assert most_outside(images) == most == images - min(sizes)
