"""The model of latencies: measured ones as they are, others near a law that was made up, and never a crash."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from resnext_search.search.surrogate.latency_model import UNKNOWN_DEVIATION, expected_latencies, latency_features
from resnext_search.spaces import FeasibleSet

from tests.support.helpers import tiny_study
from tests.support.journals import tiny_set
from tests.support.optimizers import middle_set


def law(feasible: FeasibleSet) -> np.ndarray:
    """Milliseconds, made up: a tenth for every layer, more for more activations, and a tenth more a doubling of C."""
    counts = np.asarray(feasible.counts.activations)
    return (0.1 * feasible.depth + counts / 2_000) * feasible.cardinality ** np.log2(1.1)


@cache
def measured_part(count: int, seed: int = 0) -> dict[int, float]:
    chosen = np.random.default_rng(seed).choice(len(middle_set()), count, replace=False)
    return {int(place): float(law(middle_set())[place]) for place in chosen}


# ------------------------------------------------------------------ what it sees


def test_features_fill_the_unit_cube() -> None:
    features = latency_features(middle_set())
    assert features.shape == (len(middle_set()), 4)
    assert features.min(axis=0).tolist() == [0.0] * 4
    assert features.max(axis=0).tolist() == [1.0] * 4


def test_doubling_the_groups_is_a_step_of_the_same_length_everywhere() -> None:
    """The tiny study has C = 1, 2 and 4: 0, a half and 1."""
    column = latency_features(tiny_set())[:, 1]
    assert dict(zip(tiny_set().cardinality.tolist(), column.tolist(), strict=True)) == pytest.approx(
        {1: 0, 2: 0.5, 4: 1}
    )


def test_what_does_not_vary_is_left_out() -> None:
    one_cardinality = tiny_study("axes.cardinality=[2]").feasible_set()
    assert latency_features(one_cardinality).shape == (len(one_cardinality), 3)
    only = tiny_study("axes.cardinality=[4]").feasible_set()
    assert latency_features(only).shape == (1, 0)


# ------------------------------------------------------------------ what it expects


def test_a_measured_latency_is_known_and_others_are_not() -> None:
    measured = measured_part(10)
    medians, deviations = expected_latencies(latency_features(middle_set()), measured)
    assert {place: medians[place] for place in measured} == measured
    assert (deviations == 0).sum() == len(measured)
    assert np.flatnonzero(deviations == 0).tolist() == sorted(measured)


def test_of_forty_measured_the_others_are_expected_within_a_few_percent() -> None:
    medians, deviations = expected_latencies(latency_features(middle_set()), measured_part(40))
    others = deviations > 0
    off = np.log(medians / law(middle_set()))[others]
    assert np.sqrt((off**2).mean()) < 0.03
    assert (np.abs(off) < 3 * deviations[others]).mean() > 0.9


def test_twice_the_time_everywhere_is_twice_the_expectation_and_no_other_doubt() -> None:
    features, measured = latency_features(middle_set()), measured_part(12)
    medians, deviations = expected_latencies(features, measured)
    doubled = expected_latencies(features, {place: 2 * value for place, value in measured.items()})
    np.testing.assert_allclose(doubled[0], 2 * medians, rtol=1e-4)
    np.testing.assert_allclose(doubled[1], deviations, rtol=1e-3)


def test_the_same_measurements_give_the_same_bits() -> None:
    features = latency_features(middle_set())
    for first, second in zip(*(expected_latencies(features, measured_part(20)) for _ in range(2)), strict=True):
        np.testing.assert_array_equal(first, second)


# ------------------------------------------------------------------ too little to learn from


@pytest.mark.parametrize("measured", [{3: 2.0}, {3: 2.0, 5: 2.0}])
def test_before_two_latencies_differ_the_others_are_taken_to_be_like_them_within_a_factor(
    measured: dict[int, float],
) -> None:
    medians, deviations = expected_latencies(latency_features(tiny_set()), measured)
    assert medians == pytest.approx(2.0)
    others = [place for place in range(len(tiny_set())) if place not in measured]
    assert deviations[others].tolist() == [UNKNOWN_DEVIATION] * len(others)
    assert deviations[list(measured)].tolist() == [0.0] * len(measured)


def test_architectures_that_cannot_be_told_apart_are_expected_at_the_geometric_mean() -> None:
    medians, deviations = expected_latencies(np.empty((3, 0)), {0: 1.0, 2: 4.0})
    assert medians.tolist() == [1.0, pytest.approx(2.0), 4.0]
    assert deviations.tolist() == [0.0, UNKNOWN_DEVIATION, 0.0]


def test_a_space_of_one_architecture_needs_no_model() -> None:
    medians, deviations = expected_latencies(np.empty((1, 0)), {0: 1.5})
    assert (medians.tolist(), deviations.tolist()) == ([1.5], [0.0])
