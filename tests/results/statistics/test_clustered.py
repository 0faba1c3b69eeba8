"""Runs and test images, crossed and in folds: by hand, against sums of squares, and on average against the truth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from resnext_search.results.statistics.clustered import clustered
from resnext_search.results.statistics.estimates import Estimate, independent, paired

CLAIMANT = np.array([7.9, 8.1, 8.0, 8.4, 7.7])
RIVAL = np.array([8.3, 8.2, 8.6, 8.5, 8.1])


def two_way(contrasts: np.ndarray) -> Estimate:
    """A block a row, and the same images for all."""
    return clustered([{0: contrasts}])


def test_two_way_by_hand() -> None:
    # rows' means 2 and 4, columns' means 1 and 5; the residual is 0.5 in every cell, with signs
    estimate = two_way(np.array([[0.5, 3.5], [1.5, 6.5]]))
    assert estimate.value == 3
    # mean squares: seeds 2·(1 + 1) = 4, examples 2·(4 + 4) = 16, residual 4·0.25 = 1; all over nm = 4
    assert estimate.standard_error**2 == pytest.approx((4 + 16 - 1) / 4)
    assert estimate.example_error**2 == pytest.approx((16 - 1) / 4)
    assert estimate.degrees == pytest.approx(19**2 / (4**2 + 16**2 + 1**2))


def test_two_way_takes_no_part_below_the_residual() -> None:
    # All rows' means are equal, and all columns' are: only a residual, whose mean square is 4·25 / 1.
    estimate = two_way(np.array([[5.0, -5.0], [-5.0, 5.0]]))
    assert estimate.standard_error**2 == pytest.approx(100 / 4)
    assert estimate.example_error == 0


def test_two_way_of_images_that_do_not_differ_is_the_paired_test() -> None:
    differences = RIVAL - CLAIMANT
    estimate, reference = two_way(np.repeat(differences[:, None], 50, axis=1)), paired(differences)
    assert estimate.standard_error == pytest.approx(reference.standard_error)
    assert estimate.degrees == pytest.approx(reference.degrees)
    assert estimate.example_error == 0


def test_two_way_of_equal_runs_knows_the_images_uncertainty_alone() -> None:
    images = np.array([0.0, 100.0, 0.0, 0.0, -100.0, 100.0])
    estimate = two_way(np.repeat(images[None], 5, axis=0))
    assert estimate.standard_error == pytest.approx(images.std(ddof=1) / math.sqrt(6))
    assert estimate.example_error == pytest.approx(estimate.standard_error)


def test_two_way_of_nothing_but_equal_answers() -> None:
    assert two_way(np.zeros((5, 20))) == Estimate(0.0, 0.0, 4, 0.0)
    assert two_way(np.full((5, 20), 100.0)).interval(0.95) == (100.0, 100.0)


@given(arrays(np.float64, st.tuples(st.integers(2, 5), st.integers(2, 6)), elements=st.sampled_from([-100, 0, 100])))
def test_two_way_equals_the_sums_of_squares_and_is_never_below_a_part(contrasts: np.ndarray) -> None:
    n, m = contrasts.shape
    rows, columns, mean = contrasts.mean(axis=1), contrasts.mean(axis=0), contrasts.mean()
    residual = contrasts - rows[:, None] - columns + mean
    v_residual = float((residual**2).sum()) / ((n - 1) * (m - 1)) / (n * m)
    v_seeds, v_images = rows.var(ddof=1) / n, columns.var(ddof=1) / m
    estimate = two_way(contrasts)
    variance = max(v_seeds, v_residual) + max(v_images, v_residual) - v_residual
    assert estimate.standard_error**2 == pytest.approx(variance, rel=1e-6, abs=1e-6)
    assert estimate.standard_error**2 >= max(v_seeds, v_images) - 1e-6


@pytest.mark.parametrize(("runs", "images"), [(2, 3), (10, 400), (7, 31)])
def test_one_fold_is_the_crossed_analysis_of_variance_to_the_last_digits(runs: int, images: int) -> None:
    generator = np.random.default_rng(runs)
    contrasts = 100.0 * generator.integers(-1, 2, size=(runs, images)) + generator.normal(0, 9, size=(runs, 1))
    mean, rows, columns = contrasts.mean(), contrasts.mean(axis=1), contrasts.mean(axis=0)
    degrees = np.array([runs - 1, images - 1, (runs - 1) * (images - 1)])
    squares = [images * ((rows - mean) ** 2).sum(), runs * ((columns - mean) ** 2).sum(), 0.0]
    squares[2] = ((contrasts - mean) ** 2).sum() - squares[0] - squares[1]
    between_runs, between_images, residual = np.array(squares) / degrees
    parts = np.array([max(between_runs, residual), max(between_images, residual), -residual]) / contrasts.size
    estimate = two_way(contrasts)
    assert estimate.standard_error**2 == pytest.approx(parts.sum(), rel=1e-12)
    assert estimate.degrees == pytest.approx(parts.sum() ** 2 / (parts**2 / degrees).sum(), rel=1e-12)
    assert estimate.example_error**2 == pytest.approx(parts[1] + parts[2], rel=1e-10, abs=1e-12)


def test_a_single_run_or_image_has_no_standard_error() -> None:
    several = np.array([[0.0, 100.0, 0.0], [0.0, 0.0, 0.0]])
    for groups in (
        [{0: several[:1]}],
        [{0: several}, {0: several[:1]}],
        [{0: several[:, :1]}],
        [{0: several[:1], 1: several[1:]}, {0: several, 1: several}],
    ):
        estimate = clustered(groups)
        assert math.isnan(estimate.standard_error)
        assert math.isnan(estimate.interval(0.9)[0])


def test_two_folds_by_hand() -> None:
    # Runs' means 1, 5 and 2, 4, whose mean is 3 and mean square (4 + 4 + 1 + 1) / 3.
    first, second = np.array([[0.0, 2.0], [2.0, 8.0]]), np.array([[1.0, 3.0], [3.0, 5.0]])
    estimate = clustered([{0: first, 1: second}])
    assert estimate.value == 3
    # Residuals: 1 in every cell of the first fold, none in the second; 4 / 2 degrees of freedom.
    residual = 2.0
    # Images' means: 1, 5 (variance 8) and 2, 4 (variance 2); a half of the runs in each fold, which has two images.
    images = [0.25 * (8 - residual / 2) / 2, 0.25 * (2 - residual / 2) / 2]
    assert estimate.example_error**2 == pytest.approx(sum(images))
    # Two of four runs to a fold: (1 - 1/2) / (1 - 1/4) of it is not in the runs' part.
    from_runs = 10 / 3 / 4
    assert estimate.standard_error**2 == pytest.approx(from_runs + sum(images) * 2 / 3)


def test_the_names_and_the_order_of_folds_say_nothing() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=(3, 7)), generator.normal(size=(2, 8))
    one, other = clustered([{0: first, 1: second}]), clustered([{9: second, 4: first}])
    assert one.standard_error == pytest.approx(other.standard_error)
    assert one.degrees == pytest.approx(other.degrees)


def test_runs_that_share_no_image_are_students_test() -> None:
    runs = {fold: values[None] for fold, values in enumerate(np.random.default_rng(1).normal(size=(5, 40)))}
    estimate = clustered([runs])
    reference = paired(np.array([values.mean() for values in runs.values()]))
    assert estimate.standard_error == pytest.approx(reference.standard_error)
    assert estimate.degrees == reference.degrees
    assert math.isnan(estimate.example_error)


def test_arms_with_other_seeds_whose_images_do_not_differ_are_welchs_test() -> None:
    groups = [{0: np.repeat(RIVAL[:3, None], 50, axis=1)}, {0: np.repeat(-CLAIMANT[:, None], 50, axis=1)}]
    estimate, reference = clustered(groups), independent([RIVAL[:3], CLAIMANT], np.array([1.0, -1.0]))
    assert estimate.value == pytest.approx(reference.value)
    assert estimate.standard_error == pytest.approx(reference.standard_error)
    assert estimate.degrees == pytest.approx(reference.degrees)


def test_arms_with_other_seeds_share_what_is_hard_for_both() -> None:
    hard = 100.0 * (np.arange(50) < 10)
    estimate = clustered([{0: np.repeat(hard[None], 3, axis=0)}, {0: np.repeat(-hard[None], 5, axis=0)}])
    assert (estimate.value, estimate.standard_error, estimate.example_error) == (0, 0, 0)
    own = hard.copy()
    own[:2] = 0.0  # two images that one arm recognises
    estimate = clustered([{0: np.repeat(hard[None], 3, axis=0)}, {0: np.repeat(-own[None], 5, axis=0)}])
    assert estimate.standard_error == pytest.approx((hard - own).std(ddof=1) / math.sqrt(50))


def unit_effects(runs: Sequence[int], images: Sequence[int], cause: str) -> Iterator[dict[int, np.ndarray]]:
    """Every effect of size 1 that one seed, one image or one answer can have, as contrasts by fold."""
    for fold, (count, examples) in enumerate(zip(runs, images, strict=True)):
        rows = [[k] for k in range(count)] if cause != "image" else [list(range(count))]
        columns = [[i] for i in range(examples)] if cause != "seed" else [list(range(examples))]
        for row in rows:
            for column in columns:
                effect = {f: np.zeros(shape) for f, shape in enumerate(zip(runs, images, strict=True))}
                effect[fold][np.ix_(row, column)] = 1.0
                yield effect


@pytest.mark.parametrize("runs", [[4], [2, 2, 2], [3, 2, 1]])
@pytest.mark.parametrize("cause", ["seed", "image", "answer"])
def test_the_variance_is_right_on_average_whatever_causes_it(runs: list[int], cause: str) -> None:
    """The variance is a quadratic form, so its expectation is a sum over independent effects: no simulation is needed.

    Every effect is added to and taken from contrasts that vary enough for no part to meet its lower limit.
    """
    images, n = [5, 5, 6][: len(runs)], sum(runs)
    generator = np.random.default_rng(0)
    wide = {
        fold: 1e3 * generator.normal(size=(count, 1)) + 1e2 * generator.normal(size=examples)
        for fold, (count, examples) in enumerate(zip(runs, images, strict=True))
    }
    found, truth = 0.0, 0.0
    for effect in unit_effects(runs, images, cause):
        plus, minus = (clustered([{fold: wide[fold] + sign * effect[fold] for fold in wide}]) for sign in (1, -1))
        found += (plus.standard_error**2 + minus.standard_error**2) / 2 - clustered([wide]).standard_error ** 2
        truth += (sum(values.mean(axis=1).sum() for values in effect.values()) / n) ** 2
    assert found == pytest.approx(truth, rel=1e-5)


def coverage(groups: Sequence[Sequence[int]], spreads: tuple[float, float, float], studies: int) -> float:
    """Share of 95 % intervals that hold 0: of arms with so many runs in every fold of 60 images."""
    generator, covered = np.random.default_rng(3), 0
    for _ in range(studies):
        contrasts = []
        shared = [generator.normal(size=60) for _ in groups[0]]
        for sign, runs in zip((1, -1), groups, strict=False):
            taste = [spreads[1] * generator.normal(size=60) for _ in runs]
            contrasts.append(
                {
                    fold: sign
                    * (
                        spreads[0] * generator.normal(size=(count, 1))
                        + (taste[fold] + (3 * shared[fold] if len(groups) > 1 else 0))
                        + spreads[2] * generator.normal(size=(count, 60))
                    )
                    for fold, count in enumerate(runs)
                    if count
                }
            )
        low, high = clustered(contrasts).interval(0.95)
        covered += low <= 0 <= high
    return covered / studies


@pytest.mark.parametrize(
    "groups",
    [
        [[2, 2, 2, 2, 2]],
        [[4, 4, 3, 4, 2]],  # some seeds failed
        [[10], [5]],
        [[2, 3, 2], [4, 4, 4]],
    ],
    ids=["folds", "gaps", "unequal arms", "unequal arms in folds"],
)
@pytest.mark.parametrize("spreads", [(0.3, 1.0, 3.0), (0.1, 2.0, 1.0)], ids=["runs differ", "images differ"])
def test_intervals_cover(groups: list[list[int]], spreads: tuple[float, float, float]) -> None:
    """Two standard errors of a simulation of 1,000 studies are 1.4 points; seeded."""
    assert 0.93 <= coverage(groups, spreads, 1_000) <= 0.985
