"""What would a stopped trial have reached? An estimate from the learning curves of those that were trained to the end.

Their last error is regressed on the one at the epoch of the stop. Trials that were to be stopped as well and were
trained on by chance (the audit) stand for all that were stopped, so they weigh as many: without that weight the line
would follow the trials that got better, since the others were not trained on. The error of a stopped trial is then
known with a variance of its own, with which the model takes it in. Imports no heavy library.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from resnext_search.search.surrogate.observations import Observations
from resnext_search.spaces.architecture.complexity import Floats
from resnext_search.spaces.study.sections import Recipe

# With fewer trials there is no line, and curves are taken to fall alike.
FEWEST_FOR_A_LINE = 3
# Variance of a slope of which nothing is known but that it lies in [0, 1].
UNKNOWN_SLOPE = 1 / 12
# Of a long training this part is too short to tell anything: at a hundredth of its length curves still cross.
SHORTEST_PART = 27


@dataclass(frozen=True)
class Stopped:
    """A trial that was stopped early: after which epoch, with which error in percent; and its latency if measured."""

    epoch: int
    error: float
    latency_ms: float | None = None


@dataclass(frozen=True)
class Curve:
    """A trial that was trained to the end: its errors in percent, one an epoch, and for how many trials it stands."""

    errors: tuple[float, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class Line:
    """Last error by the error at some epoch: `height + slope * (error - centre)`, with variances."""

    centre: float  # mean of the errors at that epoch
    height: float  # mean of the last errors
    slope: float  # in [0, 1]: who is behind stays behind, and not by more
    scatter: float  # variance of a single last error around the line, that of the height included
    slope_variance: float

    def at(self, error: float) -> tuple[float, float]:
        """Mean and variance of the last error."""
        off = error - self.centre
        return self.height + self.slope * off, self.scatter + self.slope_variance * off**2


def first_look(recipe: Recipe) -> int:
    """The first epoch after which a curve says something: the warm-up has ended.

    >>> first_look(Recipe(epochs=9)), first_look(Recipe(epochs=12, warmup_epochs=1.5)), first_look(Recipe(epochs=300))
    (1, 2, 11)
    """
    return max(1, math.ceil(recipe.warmup_epochs), recipe.epochs // SHORTEST_PART)


def line(epoch: int, curves: Sequence[Curve]) -> Line:
    """How the last error follows from the one at an epoch.

    The variance around it is that of the residuals and, counted as one more, of the last errors themselves: a line
    through three trials fits by luck.

    Args:
        epoch: From 1; every curve has it.
        curves: At least one.

    >>> steady = [Curve((40.0, 10.0)), Curve((50.0, 15.0)), Curve((60.0, 20.0))]
    >>> mean, variance = line(1, steady).at(70.0)
    >>> mean, round(variance, 3)
    (25.0, 27.778)
    """
    at, last = (np.array([curve.errors[index] for curve in curves]) for index in (epoch - 1, -1))
    if len(curves) < FEWEST_FOR_A_LINE:
        fall = float(np.median(at - last))
        return Line(0.0, -fall, 1.0, fall**2, 0.0)
    weights = np.array([curve.weight for curve in curves])
    weights /= weights.sum()
    centre, height = float(weights @ at), float(weights @ last)
    spread = float(weights @ (at - centre) ** 2) if np.ptp(at) > 0 else 0.0
    slope = min(max(float(weights @ ((at - centre) * (last - height))) / spread, 0.0), 1.0) if spread else 0.5
    residuals = last - height - slope * (at - centre)
    squares = len(curves) * float(weights @ residuals**2) + float(weights @ (last - height) ** 2)
    variance = squares / (len(curves) - 1)
    standing = 1 / float(weights @ weights)  # how many trials of equal weight would be as good
    slope_variance = min(variance / (standing * spread), UNKNOWN_SLOPE) if spread else UNKNOWN_SLOPE
    return Line(centre, height, slope, variance * (1 + 1 / standing), slope_variance)


def observe(
    outcomes: Mapping[int, float | Stopped],
    curves: Mapping[int, Curve],
    features: Callable[[Sequence[int]], Floats],
) -> tuple[list[int], Observations]:
    """What a model is told: errors of completed trials, and estimates of what stopped ones would have reached.

    Args:
        outcomes: By trial: its last error, or that it was stopped.
        curves: By trial. Those of completed trials count; without any nothing can be said of stopped ones, and they are
            left out.
        features: Gives the `(n, d)` features of n trials.

    Returns:
        The n trials that count, ascending, and their observations; a variance is 0 where the error was seen.
    """
    completed = [number for number, outcome in sorted(outcomes.items()) if not isinstance(outcome, Stopped)]
    known = [curves[number] for number in completed if number in curves]
    lines: dict[int, Line] = {}
    rows = []
    for number, outcome in sorted(outcomes.items()):
        if not isinstance(outcome, Stopped):
            rows.append((number, outcome, 0.0))
        elif reaching := [curve for curve in known if len(curve.errors) >= outcome.epoch]:
            lines.setdefault(outcome.epoch, line(outcome.epoch, reaching))
            rows.append((number, *lines[outcome.epoch].at(outcome.error)))
    numbers = [number for number, _, _ in rows]
    errors, variances = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    return numbers, Observations(features(numbers), errors, variances)
