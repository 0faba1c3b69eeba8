"""Estimates with t intervals: by hand, and against scipy's own tests and loops over everything."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from resnext_search.results.statistics.estimates import (
    Estimate,
    holm,
    independent,
    paired,
    probability_of_improvement,
    trend_weights,
    two_way,
)

CLAIMANT = np.array([7.9, 8.1, 8.0, 8.4, 7.7])
RIVAL = np.array([8.3, 8.2, 8.6, 8.5, 8.1])


def test_an_interval_a_bound_and_p_values() -> None:
    estimate = Estimate(0.5, 0.1, 9)
    assert estimate.interval(0.95) == pytest.approx((0.5 - 0.2262157, 0.5 + 0.2262157))  # t(9, 0.975) = 2.262157
    assert estimate.interval(0.9)[0] == pytest.approx(0.5 - 0.1833113)  # the one-sided 95 % bound
    assert estimate.p_better() + estimate.p_worse() == pytest.approx(1)
    assert Estimate(0.1833113, 0.1, 9).p_better() == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize(("value", "better", "worse"), [(0.2, 0.0, 1.0), (-0.2, 1.0, 0.0), (0.0, 0.5, 0.5)])
def test_without_any_spread_the_interval_is_a_point(value: float, better: float, worse: float) -> None:
    estimate = Estimate(value, 0.0, 4)
    assert estimate.interval(0.95) == (value, value)
    assert (estimate.p_better(), estimate.p_worse()) == (better, worse)


def test_blocks_are_students_paired_test() -> None:
    estimate, reference = paired(RIVAL - CLAIMANT), scipy.stats.ttest_rel(RIVAL, CLAIMANT, alternative="greater")
    assert estimate.value / estimate.standard_error == pytest.approx(reference.statistic)
    assert estimate.p_better() == pytest.approx(reference.pvalue)


def test_arms_with_other_seeds_are_welchs_test() -> None:
    estimate = independent([CLAIMANT, RIVAL[:3]], np.array([-1.0, 1.0]))
    reference = scipy.stats.ttest_ind(RIVAL[:3], CLAIMANT, equal_var=False, alternative="greater")
    assert estimate.p_better() == pytest.approx(reference.pvalue)
    assert estimate.degrees == pytest.approx(reference.df)


def test_an_arm_of_weight_0_may_have_any_runs() -> None:
    errors = [CLAIMANT, np.array([99.0]), RIVAL]
    assert independent(errors, np.array([-1.0, 0.0, 1.0])) == independent([CLAIMANT, RIVAL], np.array([-1.0, 1.0]))


def test_a_single_run_has_no_standard_error() -> None:
    for estimate in (
        paired(np.array([0.4])),
        independent([np.array([8.0, 9.0]), np.array([8.1])], np.array([1.0, -1.0])),
        two_way(np.array([[0.0, 100.0, 0.0]])),
    ):
        assert math.isnan(estimate.standard_error)
        assert math.isnan(estimate.interval(0.9)[0])
        assert math.isnan(estimate.p_better())


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


def test_the_trend_of_two_arms_is_their_difference() -> None:
    assert trend_weights([4, 16]).tolist() == [1.0, -1.0]


def test_the_trend_is_the_least_squares_line_over_its_whole_range() -> None:
    cardinalities, errors = [1, 2, 4, 8, 32], np.array([23.9, 23.0, 22.6, 22.3, 22.2])
    slope = np.polynomial.Polynomial.fit(np.log2(cardinalities), errors, 1).convert().coef[1]
    assert float(trend_weights(cardinalities) @ errors) == pytest.approx(-5 * slope)
    assert float(trend_weights(cardinalities).sum()) == pytest.approx(0)


def test_holms_procedure_by_hand() -> None:
    assert holm([0.01, 0.02, 0.03]) == pytest.approx([0.03, 0.04, 0.04])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([0.04]) == [0.04]
    assert holm([]) == []


def test_holms_procedure_leaves_a_missing_p_value_alone() -> None:
    adjusted = holm([math.nan, 0.01])
    assert math.isnan(adjusted[0])
    assert adjusted[1] == 0.02


@pytest.mark.parametrize(
    ("claimant", "rival", "probability"),
    [
        ([1, 2, 3], [4, 5], 1.0),
        ([4, 5], [1, 2, 3], 0.0),
        ([1, 1], [1, 1], 0.5),
        ([1, 3], [2, 2], 0.5),
        ([1, 2], [2, 3], 0.875),
    ],
)
def test_probability_of_improvement_by_hand(claimant: list[int], rival: list[int], probability: float) -> None:
    assert probability_of_improvement(np.array(claimant, float), np.array(rival, float)) == probability


@given(st.data())
def test_probability_of_improvement_equals_a_loop_over_pairs(data: st.DataObject) -> None:
    few_values = st.integers(0, 3).map(float)  # so that ties are common
    claimant = data.draw(arrays(np.float64, (4, 3), elements=few_values))
    rival = data.draw(arrays(np.float64, (4, 5), elements=few_values))
    pairs = claimant[:, :, None] - rival[:, None, :]
    expected = ((pairs < 0) + 0.5 * (pairs == 0)).mean(axis=(1, 2))
    np.testing.assert_allclose(probability_of_improvement(claimant, rival), expected)


def test_an_arm_without_runs_has_no_probability_of_improvement() -> None:
    assert np.isnan(probability_of_improvement(np.empty(0), np.array([1.0])))
    assert np.isnan(probability_of_improvement(np.array([1.0]), np.empty(0)))
