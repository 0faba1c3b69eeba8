"""Which learning rate is an arm's best, and was the range it was sought in wide enough?"""

from __future__ import annotations

import math
from collections.abc import Mapping


def best_rate(errors: Mapping[float, float]) -> float:
    """The learning rate with the lowest error; of equal ones the one nearest the middle of the range, on a log scale.

    Args:
        errors: Validation error in percent by learning rate. A failed trial has NaN, which is worse than any number.

    Returns:
        The rate; the middle one if all failed.

    >>> best_rate({0.01: 9.0, 0.1: 7.0, 1.0: 7.0})
    0.1
    """
    middle = (math.log(min(errors)) + math.log(max(errors))) / 2
    return min(
        sorted(errors),
        key=lambda rate: (math.inf if math.isnan(errors[rate]) else errors[rate], abs(math.log(rate) - middle)),
    )


def edge_of(errors: Mapping[float, float]) -> str:
    """`lowest` or `highest` if the best rate is that of the rates tried, else empty: the optimum may lie outside.

    >>> edge_of({0.01: 9.0, 0.1: 7.0, 1.0: 6.5}), edge_of({0.01: 9.0, 0.1: 7.0, 1.0: 8.0})
    ('highest', '')
    """
    best = best_rate(errors)
    return "lowest" if best == min(errors) else "highest" if best == max(errors) else ""
