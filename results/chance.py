"""What would chance have found? The best of n trials drawn from a space-filling start, by counting, without a model.

The start of a search is a sample of the space, and so says what a random search of the same space would have reached:
with as many trials as the start has, or fewer. Beyond that it says nothing, and nothing is said here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple


class BestOf(NamedTuple):
    """The lowest error of so many trials: its expectation, and the range that holds it in 95 % of draws."""

    trials: int
    expected: float
    low: float
    high: float


def best_of_start(errors: Sequence[float]) -> list[BestOf]:
    """The lowest of every n of some errors, n drawn without putting back: exact, n from 1 to all.

    Args:
        errors: Of the trials of the start, in percent; without NaN. Empty gives nothing.

    Source:
        The unbiased estimator: of B values in ascending order, the lowest of n is the i-th (from 1) in
        binom(B - i, n - 1) of the binom(B, n) draws.

    >>> [(one.trials, one.expected) for one in best_of_start([9.0, 3.0, 6.0])]  # of two: 3, 3 or 6
    [(1, 6.0), (2, 4.0), (3, 3.0)]
    """
    ordered, total = sorted(errors), len(errors)
    found = []
    for number in range(1, total + 1):
        draws = math.comb(total, number)
        shares = [math.comb(total - place, number - 1) / draws for place in range(1, total + 1)]
        expected = sum(share * error for share, error in zip(shares, ordered, strict=True))
        found.append(BestOf(number, expected, _quantile(ordered, shares, 0.025), _quantile(ordered, shares, 0.975)))
    return found


def _quantile(ordered: Sequence[float], shares: Sequence[float], level: float) -> float:
    """The first value up to which the shares add up to the level."""
    together = accumulate(shares)
    return next((error for error, sum_ in zip(ordered, together, strict=True) if sum_ >= level - 1e-12), ordered[-1])
