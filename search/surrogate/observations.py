"""Which trials does the model see, and on what scale? All of few, a bounded choice of many.

A fit costs the cube of the trials, so that hyperparameters are fitted to at most `FITTED_TO` of them and, from
`REFITTED_UNTIL` on, only when their number has grown by a tenth. Both depend on what was told and on nothing else: not
on how often a proposal was asked for, and not on the order in which trials ended. So a replay fits the same again.
Imports numpy alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from resnext_search.spaces.architecture.complexity import Floats, Integers

REFITTED_UNTIL = 100
FITTED_TO = 300
PREDICTED_FROM = 1_000


@dataclass(frozen=True)
class LogScale:
    """On what scale errors are learned: logarithms, moved and scaled; `floor` stands for an error of 0.

    A learning rate twice too high multiplies an error, and a network that hardly learns has many times the error of a
    good one. As ratios they are all of a size, while as differences the bad ones flatten what is good: on a table of
    real trainings (benchmarks/search/optimizer/digits.py) the model of 40 random trials chose a configuration 1.5
    points above the best on average (n = 40), and 3.9 points when errors were cut off as outliers instead.

    >>> scale = LogScale.of(np.array([1.0, 10.0, 100.0]))
    >>> scale.outcomes(np.array([1.0, 10.0, 100.0])).round(9).tolist()
    [-1.0, 0.0, 1.0]
    >>> scale.errors(np.array([-1.0, 2.0])).round(9).tolist()
    [1.0, 1000.0]
    """

    centre: float
    spread: float
    floor: float

    @classmethod
    def of(cls, errors: Floats) -> LogScale:
        """The scale of `(n,)` errors; half of the lowest above 0 stands for 0."""
        positive = errors[errors > 0]
        floor = float(positive.min()) / 2 if len(positive) else 1.0
        logarithms = np.log(np.maximum(errors, floor))
        spread = float(logarithms.std(ddof=1)) if len(errors) > 1 else 0.0
        return cls(float(logarithms.mean()), spread if spread > 1e-9 else 1.0, floor)

    def outcomes(self, errors: Floats) -> Floats:
        """`(n,)` errors in percent on this scale; one below `floor` counts as `floor`."""
        return np.asarray((np.log(np.maximum(errors, self.floor)) - self.centre) / self.spread)

    def errors(self, outcomes: Floats) -> Floats:
        """And back, `(n,)` array in percent."""
        return np.asarray(np.exp(self.centre + self.spread * outcomes))

    def variances(self, errors: Floats, variances: Floats) -> Floats:
        """`(n,)` variances of errors, in percent squared, as those of outcomes, relative to the error."""
        return np.asarray((np.sqrt(variances) / np.maximum(errors, self.floor) / self.spread) ** 2)


@dataclass(frozen=True)
class Standardized:
    """What the model is told: `(n, d)` features and `(n,)` outcomes, which are logarithms of errors, standardized.

    The `(n,)` variances are what outcomes are uncertain by beyond the noise of a training: those of stopped trials.
    """

    features: Floats
    outcomes: Floats
    variances: Floats
    scale: LogScale


@dataclass(frozen=True)
class Observations:
    """Trials in the order of their proposals: `(n, d)` features in the unit cube, `(n,)` errors in percent.

    Variances, in percent squared, are above 0 where an error is an estimate: that of a trial that was stopped early.
    """

    features: Floats
    errors: Floats
    variances: Floats | float = 0.0

    def to_fit(self) -> Standardized:
        """What the hyperparameters are fitted to."""
        return self.first(fitted_number(len(self.errors)))._standardized(FITTED_TO)

    def to_predict(self, limit: int = PREDICTED_FROM) -> Standardized:
        """What predictions are made from; with a lower limit in less time."""
        return self._standardized(limit)

    def first(self, count: int) -> Observations:
        """The first `count` trials alone."""
        variances = np.broadcast_to(self.variances, len(self.errors))
        return Observations(self.features[:count], self.errors[:count], variances[:count])

    def _standardized(self, limit: int) -> Standardized:
        """Thinned to a limit, on a scale of all."""
        scale, kept = LogScale.of(self.errors), thinned(self.features, self.errors, limit)
        errors, variances = self.errors[kept], np.broadcast_to(self.variances, len(self.errors))[kept]
        return Standardized(self.features[kept], scale.outcomes(errors), scale.variances(errors, variances), scale)


def joined(parts: Sequence[Observations]) -> Observations:
    """At least one of them as one, in their order."""
    variances = [np.broadcast_to(part.variances, len(part.errors)) for part in parts]
    return Observations(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.errors for part in parts]),
        np.concatenate(variances),
    )


def can_learn(dimensions: int, errors: Collection[float]) -> bool:
    """Whether completed trials say anything to a model: they have features, and their errors differ."""
    return dimensions > 0 and len(set(errors)) > 1


def fitted_number(observed: int) -> int:
    """How many of the first trials count for the hyperparameters.

    >>> [fitted_number(observed) for observed in (7, 100, 101, 109, 110, 120, 121, 10_000)]
    [7, 100, 100, 100, 110, 110, 121, 9394]
    """
    number = min(observed, REFITTED_UNTIL)
    while (larger := number + max(1, number // 10)) <= observed:
        number = larger
    return number


def thinned(features: Floats, errors: Floats, limit: int) -> Integers:
    """At most `limit` trials, ascending: a third the best, a third the last, and others that lie far from all of them.

    The best are where the next proposal will be, the last were proposed for what was not known yet, and the others
    keep the model from forgetting the rest of the space. Ties go to the first.

    Args:
        features: `(n, d)` array of the trials.
        errors: `(n,)` array.
        limit: At least 3.

    Returns:
        `(min(n, limit),)` positions.
    """
    if len(errors) <= limit:
        return np.arange(len(errors))
    third = limit // 3
    kept = list(dict.fromkeys([*np.argsort(errors, kind="stable")[:third], *range(len(errors) - third, len(errors))]))
    nearest = np.full(len(errors), np.inf)
    for trial in kept:
        np.minimum(nearest, ((features - features[trial]) ** 2).sum(axis=1), out=nearest)
    nearest[kept] = -1  # a point may have been tried twice, a trial is kept once
    while len(kept) < limit:
        trial = int(nearest.argmax())
        kept.append(trial)
        np.minimum(nearest, ((features - features[trial]) ** 2).sum(axis=1), out=nearest)
        nearest[trial] = -1
    return np.sort(np.array(kept))
