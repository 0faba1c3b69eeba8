"""Which trials does the model see, and on what scale? All of few, a bounded choice of many.

A fit costs the cube of the trials, so that hyperparameters are fitted to at most `FITTED_TO` of them and, from
`REFITTED_UNTIL` on, only when their number has grown by a tenth. Both depend on what was told and on nothing else: not
on how often a proposal was asked for, and not on the order in which trials ended. So a replay fits the same again.
Imports numpy alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from resnext_search.spaces.complexity import Integers
from resnext_search.spaces.knobs import Floats

REFITTED_UNTIL = 100
FITTED_TO = 300
PREDICTED_FROM = 1_000
# Percent; the square of a larger one may be infinite, and it says no more than this one.
LARGEST_ERROR = 1e100


@dataclass(frozen=True)
class Standardized:
    """What the model is told: `(n, d)` places and `(n,)` outcomes; an error is `centre + scale * outcome`."""

    places: Floats
    outcomes: Floats
    centre: float
    scale: float


@dataclass(frozen=True)
class Observations:
    """Completed trials in the order of their proposals: `(n, d)` places in the unit cube, `(n,)` errors in percent.

    `cut` says whether errors far above the others are cut off.
    """

    places: Floats
    errors: Floats
    cut: bool = True

    def to_fit(self) -> Standardized:
        """What the hyperparameters are fitted to."""
        number = fitted_number(len(self.errors))
        return _standardized(self.places[:number], self.errors[:number], FITTED_TO, self.cut)

    def to_predict(self) -> Standardized:
        """What predictions are made from."""
        return _standardized(self.places, self.errors, PREDICTED_FROM, self.cut)

    def first(self, count: int) -> Observations:
        """The first `count` trials alone."""
        return replace(self, places=self.places[:count], errors=self.errors[:count])


def fitted_number(observed: int) -> int:
    """How many of the first trials count for the hyperparameters.

    >>> [fitted_number(observed) for observed in (7, 100, 101, 109, 110, 120, 121, 10_000)]
    [7, 100, 100, 100, 110, 110, 121, 9394]
    """
    number = min(observed, REFITTED_UNTIL)
    while (larger := number + max(1, number // 10)) <= observed:
        number = larger
    return number


def thinned(places: Floats, errors: Floats, limit: int) -> Integers:
    """At most `limit` trials, ascending: a third the best, a third the last, and others that lie far from all of them.

    The best are where the next proposal will be, the last were proposed for what was not known yet, and the others
    keep the model from forgetting the rest of the space.
    """
    if len(errors) <= limit:
        return np.arange(len(errors))
    third = limit // 3
    chosen = list(dict.fromkeys([*np.argsort(errors, kind="stable")[:third], *range(len(errors) - third, len(errors))]))
    nearest = np.full(len(errors), np.inf)
    for trial in chosen:
        np.minimum(nearest, ((places - places[trial]) ** 2).sum(axis=1), out=nearest)
    nearest[chosen] = -1  # a place may have been tried twice, a trial is chosen once
    while len(chosen) < limit:
        trial = int(nearest.argmax())
        chosen.append(trial)
        np.minimum(nearest, ((places - places[trial]) ** 2).sum(axis=1), out=nearest)
        nearest[trial] = -1
    return np.sort(np.array(chosen))


def _standardized(places: Floats, errors: Floats, limit: int, cut_off: bool) -> Standardized:
    """Trials that diverged end near chance: cut off as outliers, they do not flatten everything that is better.

    The cut is Tukey's, 1.5 quartile distances above the upper quartile, as in Ax's transform `Winsorize`.
    """
    errors = np.clip(errors, -LARGEST_ERROR, LARGEST_ERROR)
    lower, upper = np.percentile(errors, 25, method="lower"), np.percentile(errors, 75, method="higher")
    cut = np.minimum(errors, upper + 1.5 * (upper - lower)) if cut_off else errors
    centre = float(cut.mean())
    scale = float(cut.std(ddof=1)) if len(cut) > 1 else 0.0
    scale = scale if scale > 0 else 1.0
    kept = thinned(places, errors, limit)
    return Standardized(places[kept], (cut[kept] - centre) / scale, centre, scale)
