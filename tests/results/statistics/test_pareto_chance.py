"""What chance would have found: exact, by counting the draws."""

from __future__ import annotations

from itertools import combinations
from statistics import mean

import pytest
from resnext_search.results.statistics.pareto import best_of_start

ERRORS = [9.0, 3.0, 6.0, 6.0, 50.0]


def test_it_is_what_all_draws_give_on_average() -> None:
    for one in best_of_start(ERRORS):
        lowest = sorted(min(draw) for draw in combinations(ERRORS, one.trials))
        assert one.expected == pytest.approx(mean(lowest))
        assert (one.low, one.high) == (lowest[int(0.025 * len(lowest))], lowest[int(0.975 * (len(lowest) - 1) + 0.999)])


def test_of_all_it_is_the_lowest_for_sure() -> None:
    last = best_of_start(ERRORS)[-1]
    assert (last.trials, last.expected, last.low, last.high) == (5, 3.0, 3.0, 3.0)


def test_nothing_gives_nothing() -> None:
    assert best_of_start([]) == []


def test_of_many_it_stays_exact() -> None:
    many = best_of_start([float(error) for error in range(200)])
    assert many[99].expected == pytest.approx(
        200 / 101 * 1 + 1 / 101 - 1
    )  # the lowest of n of 0..N-1 is (N - n) / (n + 1)
