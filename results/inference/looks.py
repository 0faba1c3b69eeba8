"""How much of the error may each look at the runs spend, and what does it cost to look without a plan?

Looking again until a word comes out errs more often than one look. A plan spends the error over its looks, and together
they spend what one would have: Pocock's spending function of Lan and DeMets, the looks' shares added up without regard
to how much they agree. Imports numpy, and scipy's special functions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from resnext_search.results.inference.rules import ALPHA_DIRECTION
from scipy.special import ndtri

# Simulated studies; the standard error of a share of 10 % is 0.2 points.
STUDIES = 20_000


def share_of_look(looks: Sequence[int], seeds: int) -> float | None:
    """The share of the error that a planned look may spend; None for a number of seeds that is no look.

    Args:
        looks: Planned numbers of seeds an arm, ascending.
        seeds: At this look.

    Source:
        Lan and DeMets 1983, Biometrika 70(3): the error spent up to the share t of all seeds is ln(1 + (e - 1) t).

    >>> [round(share_of_look([10, 20, 40], seeds), 4) for seeds in (10, 20, 40)], share_of_look([10, 20], 15)
    ([0.3574, 0.2627, 0.3799], None)
    """
    if seeds not in looks:
        return None
    before = [0, *looks][list(looks).index(seeds)]
    return _spent(seeds / looks[-1]) - _spent(before / looks[-1])


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


def _spent(share: float) -> float:
    return math.log(1 + (math.e - 1) * share)
