"""The crossed bootstrap: reproducible, and against a plain one that draws every image."""

from __future__ import annotations

import numpy as np
import pytest
from resnext_search.results.statistics import bootstrap
from resnext_search.results.statistics.bootstrap import percentile_interval, resampled_errors

WRONG = np.random.default_rng(0).random((2, 4, 60)) < np.linspace(0, 0.5, 60)
ERRORS = list(100 * WRONG.mean(axis=2))


def test_the_same_generator_gives_the_same_replicates() -> None:
    first, second = (
        resampled_errors(ERRORS, WRONG, np.random.default_rng(5), blocked=True, replicates=50) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    assert [values.shape for values in first] == [(50, 4), (50, 4)]


def test_patterns_are_drawn_as_images_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "MOST_CELLS", 1000)  # in many parts
    fast = np.array(resampled_errors(ERRORS, WRONG, np.random.default_rng(1), blocked=True, replicates=4000))
    generator = np.random.default_rng(2)
    plain = []
    for _ in range(4000):
        images, seeds = generator.integers(60, size=60), generator.integers(4, size=4)
        plain.append(100 * WRONG[:, seeds][:, :, images].mean(axis=2))
    differences = [values[1].mean(axis=1) - values[0].mean(axis=1) for values in (fast, np.array(plain).swapaxes(0, 1))]
    assert differences[0].mean() == pytest.approx(differences[1].mean(), abs=0.3)
    assert differences[0].std() == pytest.approx(differences[1].std(), rel=0.06)


def test_blocked_seeds_are_drawn_for_all_arms_together() -> None:
    errors = [np.array([1.0, 2.0, 3.0]), np.array([11.0, 12.0, 13.0])]
    first, second = resampled_errors(errors, None, np.random.default_rng(0), blocked=True, replicates=30)
    np.testing.assert_array_equal(second - first, np.full((30, 3), 10.0))


def test_arms_with_other_seeds_are_drawn_apart() -> None:
    errors = [np.array([1.0, 2.0, 3.0]), np.array([11.0, 12.0])]
    first, second = resampled_errors(errors, None, np.random.default_rng(0), blocked=False, replicates=30)
    assert first.shape == (30, 3)
    assert second.shape == (30, 2)
    assert set(np.unique(second)) == {11.0, 12.0}


def test_images_are_drawn_within_their_fold_and_seeds_over_all() -> None:
    folds = [np.array([0, 1, 0])] * 2
    alike, other = np.ones(4, bool), np.array([True, False, False])  # in fold 0 every draw of images is the same
    wrong = [[alike, other, ~alike], [alike, ~other, ~alike]]
    errors = [np.array([100 * answers.mean() for answers in of]) for of in wrong]
    generator = np.random.default_rng(0)
    first, second = resampled_errors(errors, wrong, generator, blocked=True, folds=folds, replicates=2000)
    assert set(np.unique(first.round(3))) == {0.0, 33.333, 66.667, 100.0}
    # where a seed of fold 1 was drawn, both arms have its images, and so the second errs where the first does not
    in_fold_1 = first != second
    in_fold_1 |= (first == 50) & (second == 50)
    np.testing.assert_allclose((first + second)[in_fold_1], 100)
    assert first.mean() == pytest.approx(errors[0].mean(), abs=2)


def test_answers_of_arms_with_other_seeds_are_drawn_too() -> None:
    wrong = [list(WRONG[0]), list(WRONG[1, :2])]
    errors = [np.array([100 * answers.mean() for answers in of]) for of in wrong]
    first, second = resampled_errors(errors, wrong, np.random.default_rng(0), blocked=False, replicates=500)
    assert (first.shape, second.shape) == ((500, 4), (500, 2))
    assert len(np.unique(second)) > 10  # without other images there would be two values


def test_an_interval_of_equal_replicates_is_a_point() -> None:
    assert percentile_interval(np.full(10, 0.1)) == (0.1, 0.1)
