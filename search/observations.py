"""Which trials does the model see, and on what scale? All of few, a bounded choice of many.

A fit costs the cube of the trials, so that hyperparameters are fitted to at most `FITTED_TO` of them and, from
`REFITTED_UNTIL` on, only when their number has grown by a tenth. Both depend on what was told and on nothing else: not
on how often a proposal was asked for, and not on the order in which trials ended. So a replay fits the same again.
Imports numpy alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from resnext_search.spaces.complexity import Integers
from resnext_search.spaces.knobs import Floats

REFITTED_UNTIL = 100
FITTED_TO = 300
PREDICTED_FROM = 1_000


@dataclass(frozen=True)
class Standardized:
    """What the model is told: `(n, d)` places and `(n,)` outcomes; an error is `centre + scale * outcome`.

    The `(n,)` variances are what outcomes are uncertain by beyond the noise of a training: those of stopped trials.
    """

    places: Floats
    outcomes: Floats
    variances: Floats
    centre: float
    scale: float


@dataclass(frozen=True)
class Observations:
    """Trials in the order of their proposals: `(n, d)` places in the unit cube, `(n,)` errors in percent.

    The error of a stopped trial is an estimate with a variance, in squared percent; those of completed trials have 0.
    """

    places: Floats
    errors: Floats
    variances: Floats | float = 0.0

    def to_fit(self) -> Standardized:
        """What the hyperparameters are fitted to."""
        return self._standardized(fitted_number(len(self.errors)), FITTED_TO)

    def to_predict(self) -> Standardized:
        """What predictions are made from."""
        return self._standardized(len(self.errors), PREDICTED_FROM)

    def _standardized(self, number: int, limit: int) -> Standardized:
        """The first so many trials, thinned to a limit.

        Trials that diverged end near chance: cut off as outliers, they do not flatten everything that is better. The
        cut is Tukey's, 1.5 quartile distances above the upper quartile, as in Ax's transform `Winsorize`.
        """
        places, errors = self.places[:number], self.errors[:number]
        variances = np.broadcast_to(self.variances, len(self.errors))[:number]
        lower, upper = np.percentile(errors, 25, method="lower"), np.percentile(errors, 75, method="higher")
        cut = np.minimum(errors, upper + 1.5 * (upper - lower))
        centre = float(cut.mean())
        scale = float(cut.std(ddof=1)) if len(cut) > 1 else 0.0
        scale = scale if scale > 0 else 1.0
        kept = thinned(places, errors, limit)
        return Standardized(places[kept], (cut[kept] - centre) / scale, variances[kept] / scale**2, centre, scale)


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
