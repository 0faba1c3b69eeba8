"""Estimates with t intervals: by hand, and against scipy's own tests and loops over everything."""

from __future__ import annotations

import math
from dataclasses import astuple

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
    with_tuning,
)

CLAIMANT = np.array([7.9, 8.1, 8.0, 8.4, 7.7])
RIVAL = np.array([8.3, 8.2, 8.6, 8.5, 8.1])


def test_an_interval_a_bound_and_p_values() -> None:
    estimate = Estimate(0.5, 0.1, 9)
    assert estimate.interval(0.95) == pytest.approx((0.5 - 0.2262157, 0.5 + 0.2262157))  # t(9, 0.975) = 2.262157
    assert estimate.interval(0.9)[0] == pytest.approx(0.5 - 0.1833113)  # the one-sided 95 % bound
    assert estimate.p_above() + estimate.p_below() == pytest.approx(1)
    assert Estimate(0.1833113, 0.1, 9).p_above() == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize(("value", "better", "worse"), [(0.2, 0.0, 1.0), (-0.2, 1.0, 0.0), (0.0, 0.5, 0.5)])
def test_without_any_spread_the_interval_is_a_point(value: float, better: float, worse: float) -> None:
    estimate = Estimate(value, 0.0, 4)
    assert estimate.interval(0.95) == (value, value)
    assert (estimate.p_above(), estimate.p_below()) == (better, worse)


def test_blocks_are_students_paired_test() -> None:
    estimate, reference = paired(RIVAL - CLAIMANT), scipy.stats.ttest_rel(RIVAL, CLAIMANT, alternative="greater")
    assert estimate.value / estimate.standard_error == pytest.approx(reference.statistic)
    assert estimate.p_above() == pytest.approx(reference.pvalue)


def test_arms_with_other_seeds_are_welchs_test() -> None:
    estimate = independent([CLAIMANT, RIVAL[:3]], np.array([-1.0, 1.0]))
    reference = scipy.stats.ttest_ind(RIVAL[:3], CLAIMANT, equal_var=False, alternative="greater")
    assert estimate.p_above() == pytest.approx(reference.pvalue)
    assert estimate.degrees == pytest.approx(reference.df)


def test_an_arm_of_weight_0_may_have_any_runs() -> None:
    errors = [CLAIMANT, np.array([99.0]), RIVAL]
    found, expected = (
        independent(errors, np.array([-1.0, 0.0, 1.0])),
        independent([CLAIMANT, RIVAL], np.array([-1.0, 1.0])),
    )
    assert astuple(found) == astuple(expected)  # as tuples, in which a NaN is itself


def test_a_single_run_has_no_standard_error() -> None:
    for estimate in (
        paired(np.array([0.4])),
        independent([np.array([8.0, 9.0]), np.array([8.1])], np.array([1.0, -1.0])),
    ):
        assert math.isnan(estimate.standard_error)
        assert math.isnan(estimate.interval(0.9)[0])
        assert math.isnan(estimate.p_above())


def test_tuning_adds_its_variance_and_keeps_its_degrees() -> None:
    estimate = Estimate(0.5, 0.3, 9, 0.1)
    wide = with_tuning(estimate, 0.16, 3)
    assert wide.standard_error == pytest.approx(0.5)  # 0.09 + 0.16
    assert wide.degrees == pytest.approx(0.25**2 / (0.09**2 / 9 + 0.16**2 / 3))
    assert (wide.value, wide.example_error) == (0.5, 0.1)
    assert with_tuning(estimate, 0.16, math.inf).degrees == pytest.approx(0.25**2 / (0.09**2 / 9))


def test_tuning_without_an_error_changes_nothing() -> None:
    for estimate in (Estimate(0.5, 0.3, 9), Estimate(0.5, 0.0, 4, 0.0)):
        assert with_tuning(estimate, 0.0, 3) == estimate


def test_runs_that_are_alike_have_the_error_of_their_tuning_alone() -> None:
    for degrees in (6, math.inf):
        found, expected = with_tuning(Estimate(0.5, 0.0, 4), 0.04, degrees), Estimate(0.5, 0.2, degrees)
        assert astuple(found) == astuple(expected)
    assert with_tuning(Estimate(0.5, 0.0, 4), 0.04, math.inf).interval(0.95)[1] == pytest.approx(0.5 + 1.959964 * 0.2)


def test_a_single_run_has_no_standard_error_with_its_tuning_either() -> None:
    assert math.isnan(with_tuning(Estimate(0.5, math.nan, 0), 0.04, 6).interval(0.9)[0])


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
