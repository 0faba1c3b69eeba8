"""The best learning rate of an arm, and whether it lies at the edge of what was tried."""

from __future__ import annotations

import math

import pytest
from resnext_search.spaces.claim.tuning import best_rate, edge_of, planned_rates, wider_rates

from tests.support.helpers import TINY_CLAIM, tiny_study


@pytest.mark.parametrize(
    ("errors", "best", "edge"),
    [
        ({0.01: 9.0, 0.1: 7.0, 1.0: 8.0}, 0.1, ""),
        ({0.01: 6.0, 0.1: 7.0, 1.0: 8.0}, 0.01, "lowest"),
        ({1.0: 6.0, 0.1: 7.0, 0.01: 8.0}, 1.0, "highest"),  # the order does not matter
        ({0.01: 7.0, 0.1: 7.0, 1.0: 7.0}, 0.1, ""),  # of equal ones the one nearest the middle
        ({0.01: 7.0, 0.03: 9.0, 0.1: 7.0}, 0.01, "lowest"),  # two equally near: the lower
        ({0.01: 9.0, 0.1: 8.0, 1.0: math.nan}, 0.1, ""),  # a failed trial is worse than any other
        ({0.01: math.nan, 0.1: math.nan, 1.0: math.nan}, 0.1, ""),
    ],
)
def test_the_best_rate_and_its_edge(errors: dict[float, float], best: float, edge: str) -> None:
    assert best_rate(errors) == best
    assert edge_of(errors) == edge


@pytest.mark.parametrize(
    ("errors", "wider"),
    [
        ({0.01: 9.0, 0.1: 7.0, 1.0: 8.0}, []),
        ({0.01: 9.0, 0.1: 8.0, 1.0: 7.0}, [10.0, 100.0]),
        ({0.01: 6.0, 0.1: 7.0, 1.0: 8.0}, [0.001, 0.0001]),
        ({10.0**power: -power for power in range(-2, 5)}, []),  # seven rates: the three planned, widened twice
    ],
)
def test_rates_follow_beyond_the_edge_at_their_own_distance(errors: dict[float, float], wider: list[float]) -> None:
    assert planned_rates(tiny_study(TINY_CLAIM)) == [0.01, 0.1, 1.0]
    assert wider_rates(tiny_study(TINY_CLAIM), {"width": errors}) == wider


def test_an_edge_of_either_side_widens_that_side() -> None:
    curves = {"width": {0.01: 6.0, 0.1: 7.0, 1.0: 8.0}, "depth": {0.01: 9.0, 0.1: 8.0, 1.0: 7.0}}
    assert wider_rates(tiny_study(TINY_CLAIM), curves) == [0.001, 0.0001, 10.0, 100.0]
