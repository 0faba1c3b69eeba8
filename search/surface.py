"""What does the model hold of the surface of equal FLOPs? The best error at every pair of C and depth that it has.

At a fixed budget d follows from the two, but for what the blocks of the stages and the tolerance leave open; so the
candidate that is expected to err least stands for every pair. Intervals are those of that one candidate, without the
noise of a training, stretched as those of the effects are. Imports numpy and scipy alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from resnext_search.search.outlook import Outlook
from resnext_search.spaces import Configuration
from resnext_search.spaces.seeds import derive_seed
from scipy.special import ndtri

# Of all pairs together so many candidates are predicted, and of one at least some.
PREDICTED, FEWEST = 20_000, 50


@dataclass(frozen=True)
class Spot:
    """The best candidate of a pair of C and depth, with its error in percent and the 95 % interval of that."""

    best: Configuration
    error: float
    low: float
    high: float


def surface(outlook: Outlook, seed: int) -> list[Spot]:
    """Every pair of cardinality and depth of the feasible set, in ascending order.

    Args:
        outlook: The model and the candidates.
        seed: The study's; of many candidates the same seed predicts the same part.
    """
    feasible, rows = outlook.pool.feasible, len(outlook.pool.knob_rows)
    pairs, pair_of = np.unique(np.stack([feasible.cardinality, feasible.depth], axis=1), axis=0, return_inverse=True)
    limit = max(FEWEST, PREDICTED // len(pairs))
    best = []
    for number, pair in enumerate(pairs.tolist()):
        members = (np.flatnonzero(pair_of == number)[:, None] * rows + np.arange(rows)).ravel()
        if len(members) > limit:
            generator = np.random.default_rng(derive_seed(seed, "surface", *pair))
            members = np.sort(generator.choice(members, limit, replace=False))
        best.append(int(members[outlook.predict(members)[0].argmin()]))
    mean, variance = outlook.predict(np.array(best))
    reach = float(ndtri(0.975)) * outlook.stretch * np.sqrt(variance)
    # of few trials and a large stretch, logarithms go beyond what an error can be
    errors, lows, highs = (
        np.minimum(outlook.belief.scale.errors(outcomes), 100).tolist()
        for outcomes in (mean, mean - reach, mean + reach)
    )
    return [
        Spot(outlook.pool.configuration(candidate), *numbers)
        for candidate, *numbers in zip(best, errors, lows, highs, strict=True)
    ]
