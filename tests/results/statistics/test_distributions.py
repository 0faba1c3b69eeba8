"""Two samples of errors as wholes: bands and distances that can be counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from resnext_search.results.statistics.distributions import band_of, compare_distributions


def test_the_distance_is_the_largest_between_the_two_functions() -> None:
    """At 2.0 three of four are reached on one side, one of four on the other."""
    found = compare_distributions(("a", "b"), (np.array([1.0, 1.5, 2.0, 9.0]), np.array([1.2, 3.0, 4.0, 5.0])))
    assert found is not None
    assert found.distance == 0.5
    assert found.p == pytest.approx(0.7714, abs=1e-4)  # exact, of all 70 ways to share eight errors out


def test_samples_of_one_value_do_not_differ() -> None:
    found = compare_distributions(("a", "b"), (np.full(10, 3.0), np.full(12, 3.0)))
    assert found is not None
    assert (found.distance, found.p) == (0.0, 1.0)


def test_the_band_holds_the_whole_distribution_in_at_least_95_of_100_samples() -> None:
    generator = np.random.default_rng(0)
    ordered = np.sort(generator.random((4000, 40)), axis=1)
    steps = np.arange(41) / 40
    largest = np.maximum(np.abs(ordered - steps[:-1]), np.abs(ordered - steps[1:])).max(axis=1)
    share = float((largest <= band_of(40)).mean())
    assert 0.95 <= share < 0.97
    assert band_of(40) == pytest.approx(math.sqrt(math.log(40) / 80))


def test_quantiles_are_errors_of_networks_and_their_intervals_those_of_the_band() -> None:
    """Of 1 to 40 the median is the 20th; its band reaches from the share 0.285 to 0.715: the 12th and the 29th."""
    errors = np.arange(1.0, 41.0)
    found = compare_distributions(("a", "b"), (errors[::-1], errors))
    assert found is not None
    tenth, _, median, _, _ = found.first.quantiles
    assert (median.share, median.error, median.interval) == (0.5, 20.0, (12.0, 29.0))
    assert tenth.error == 4.0
    assert math.isnan(tenth.interval[0])
    assert tenth.interval[1] == 13.0
    assert (found.first.count, found.first.lowest, found.first.highest) == (40, 1.0, 40.0)


def test_nothing_is_said_of_a_sample_that_is_empty() -> None:
    assert compare_distributions(("a", "b"), (np.array([]), np.array([1.0]))) is None
