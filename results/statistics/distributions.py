"""How do two samples of errors differ as wholes? Their empirical distributions, with bands, and their largest distance.

Imports numpy, and scipy's two-sample test when it is used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from resnext_search.spaces.architecture.complexity import Floats

# Shares of the networks whose error is named.
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True)
class Quantile:
    """The error that a share of a distribution does not exceed, with its interval; NaN is an end that is not bounded.

    All quantiles of a distribution lie in their intervals together, with 95 %.
    """

    share: float
    error: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Distribution:
    """The errors of one sample.

    Args:
        name: Whose.
        count: How many.
        lowest: The least of them, in the unit of the errors.
        highest: The greatest.
        band: Half the height of the band, at 95 %, that the whole distribution lies in, as a share.
        quantiles: At `SHARES`.
    """

    name: str
    count: int
    lowest: float
    highest: float
    band: float
    quantiles: tuple[Quantile, ...]


@dataclass(frozen=True)
class Distributions:
    """Two of them.

    Args:
        first: One.
        second: The other.
        distance: The largest between the two as functions (Kolmogorov and Smirnov), from 0 to 1.
        p: Two-sided, that it is so large if both are samples of one distribution.
    """

    first: Distribution
    second: Distribution
    distance: float
    p: float


def compare_distributions(names: Sequence[str], errors: Sequence[Floats]) -> Distributions | None:
    """Compare two samples of errors, `(runs,)` arrays; None where one is empty.

    Source:
        The band: Dvoretzky, Kiefer and Wolfowitz 1956 with the constant of Massart 1990, Annals of Probability 18(3).
        Distributions to compare search spaces by: Radosavovic et al. 2019, arXiv:1905.13214.

    >>> found = compare_distributions(("a", "b"), (np.array([1.0, 2.0, 3.0]), np.array([3.5, 4.0, 5.0])))
    >>> found.distance, round(found.p, 3), found.first.quantiles[2].error
    (1.0, 0.1, 2.0)
    """
    from scipy.stats import ks_2samp  # takes half a second to import, for this alone

    if min(map(len, errors)) == 0:
        return None
    first, second = (_distribution(name, of) for name, of in zip(names, errors, strict=True))
    test = ks_2samp(errors[0], errors[1])
    return Distributions(first, second, float(test.statistic), float(test.pvalue))


def band_of(count: int) -> float:
    """Half the height of the 95 % band of the distribution of so many values.

    >>> round(band_of(40), 3)
    0.215
    """
    return math.sqrt(math.log(2 / 0.05) / (2 * count))


def _distribution(name: str, errors: Floats) -> Distribution:
    ordered, band = np.sort(errors), band_of(len(errors))
    quantiles = tuple(
        Quantile(share, _at(ordered, share), (_at(ordered, share - band), _at(ordered, share + band)))
        for share in SHARES
    )
    return Distribution(name, len(ordered), float(ordered[0]), float(ordered[-1]), band, quantiles)


def _at(ordered: Floats, share: float) -> float:
    """The least value that so large a share does not exceed; NaN beyond 0 and 1."""
    place = math.ceil(share * len(ordered) - 1e-9)
    return float(ordered[place - 1]) if 1 <= place <= len(ordered) else math.nan
