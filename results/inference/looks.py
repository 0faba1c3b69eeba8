"""How much of the error may each look at the runs spend, and what does it cost to look without a plan?

Looking again until a word comes out errs more often than one look. A plan spends the error over its looks: so much of
it up to each, and the level of a look follows from that and from how much it agrees with those before, which is worked
out for runs of equal weight (Armitage's recursion). What does not shrink with the seeds, such as the error of tuning,
makes looks agree more than that, and the levels safe. Imports numpy and scipy.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from resnext_search.results.inference.rules import ALPHA_DIRECTION
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

# Up to the share t of all seeds the share t^2 of the error is spent: little at first, when few seeds say little. A part
# of it is kept: where the variances are estimated from few runs, looks agree less than in the recursion.
SPENDING = 2.0
SPENT = 0.95
# Of the recursion: points of a grid over the sum of the differences, in standard deviations up to its limit.
POINTS = 801
REACH = 8.0
# Simulated studies; the standard error of a share of 10 % is 0.2 points.
STUDIES = 20_000


def share_of_look(looks: Sequence[int], seeds: int) -> float | None:
    """The level of a planned look, as a share of that of a single one; None for a number of seeds that is no look.

    Args:
        looks: Planned numbers of seeds an arm, ascending.
        seeds: At this look.

    Source:
        Kim and DeMets 1987, Biometrika 74(1), for the spending; Armitage, McPherson and Rowe 1969, J. Royal Statistical
        Society A 132(2), for the recursion.

    >>> [round(share_of_look([10, 20, 40], seeds), 3) for seeds in (10, 20, 40)], share_of_look([10, 20], 15)
    ([0.059, 0.199, 0.819], None)
    """
    return _shares(tuple(looks))[list(looks).index(seeds)] if seeds in looks else None


@lru_cache(maxsize=8)
def _shares(looks: tuple[int, ...]) -> tuple[float, ...]:
    times = np.array(looks) / looks[-1]
    errors = (SPENT if len(looks) > 1 else 1.0) * ALPHA_DIRECTION * np.diff([0.0, *times**SPENDING])
    shares = [float(errors[0] / ALPHA_DIRECTION)]
    # density of the sum of the differences at a look, of the studies that go on
    limit = -ndtri(errors[0]) * np.sqrt(times[0])
    sums = np.linspace(-REACH, limit, POINTS)
    density = np.exp(-(sums**2) / (2 * times[0])) / np.sqrt(2 * np.pi * times[0])
    for before, time, error in zip(times, times[1:], errors[1:], strict=False):
        step = np.sqrt(time - before)

        def crossed(level: float, sums=sums, density=density, step=step) -> float:  # type: ignore[no-untyped-def]
            return float(np.trapezoid(density * ndtr((sums - level) / step), sums))

        limit = brentq(lambda level, crossed=crossed, error=error: crossed(level) - error, 0, REACH)
        shares.append(float(ndtr(-limit / np.sqrt(time)) / ALPHA_DIRECTION))
        there = np.linspace(-REACH, limit, POINTS)
        steps = np.exp(-(((there[:, None] - sums) / step) ** 2) / 2) / (step * np.sqrt(2 * np.pi))
        sums, density = there, np.trapezoid(steps * density, sums, axis=1)
    return tuple(shares)


def cost_of_looking(looks: Sequence[int], comparisons: int) -> float:
    """How often some look without a plan says better or worse where nothing differs, as a share; by simulation.

    Args:
        looks: Numbers of seeds an arm at which the runs were judged, in any order.
        comparisons: Plain ones, which share their claimant.

    >>> cost_of_looking([10], 1) < 0.055 < cost_of_looking([10, 20, 30, 40], 1)
    True
    """
    times = sorted(set(looks))
    generator = np.random.default_rng(0)
    steps = np.diff([0, *times])
    walks = generator.standard_normal((comparisons + 1, STUDIES, len(times))) * np.sqrt(steps)
    sums = (walks[:-1] + walks[-1]).cumsum(axis=2) / np.sqrt(2 * np.array(times))
    # Holm's first step: the largest of them all
    limit = -ndtri(ALPHA_DIRECTION / comparisons)
    return float((np.abs(sums) >= limit).any(axis=(0, 2)).mean())
