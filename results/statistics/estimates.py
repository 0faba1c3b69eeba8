"""By how much does one arm err less than others, and how sure is that? Estimates with t intervals.

Unit: percentage points of test error; positive means that the claimant is better. A comparison is a contrast: weights
over the arms, and its value is their weighted mean error. Runs with one seed form a block, and contrasts are taken
within blocks; only runs whose seeds differ between the arms are independent. Imports numpy and scipy's special
functions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from resnext_search.spaces.architecture.complexity import Floats
from scipy.special import betaincinv, stdtr, stdtrit

ROUNDING = 1e-9
# Numbers ranked at once; some ten arrays of that size are needed.
MOST_CELLS = 1_000_000


@dataclass(frozen=True)
class Estimate:
    """A contrast, with what its t intervals are made of.

    Args:
        value: The contrast, in points.
        standard_error: Of the value; NaN when there are too few runs to tell, 0 for identical runs.
        degrees: Degrees of freedom of the standard error.
        example_error: The part of it that more seeds would not shrink: the test images are a sample too. NaN when it is
            not known which of them were recognised.
    """

    value: float
    standard_error: float
    degrees: float
    example_error: float = math.nan

    def interval(self, level: float) -> tuple[float, float]:
        """Two-sided interval; both ends are the value when the standard error is 0, and NaN when that is.

        >>> [round(end, 3) for end in Estimate(0.5, 0.1, 9).interval(0.95)]
        [0.274, 0.726]
        """
        half = float(stdtrit(self.degrees, 0.5 + level / 2)) * self.standard_error
        return self.value - half, self.value + half

    def p_above(self, limit: float = 0.0) -> float:
        """One-sided p-value against "at most the limit"; 0.5 for identical runs, whose value is the limit.

        >>> round(Estimate(0.5, 0.1, 9).p_above(), 4), Estimate(0.0, 0.0, 9).p_above()
        (0.0004, 0.5)
        """
        return _upper_tail(self.value - limit, self.standard_error, self.degrees)

    def p_below(self, limit: float = 0.0) -> float:
        """One-sided p-value against "at least the limit"."""
        return _upper_tail(limit - self.value, self.standard_error, self.degrees)


def _upper_tail(value: float, error: float, degrees: float) -> float:
    if error == 0:
        # 8.3 - 8.0 is less than 0.3 in binary numbers, but not for the reader of a table
        return 0.5 - 0.5 * math.copysign(abs(value) > ROUNDING, value)
    return float(stdtr(degrees, -value / error))


def paired(contrasts: Floats) -> Estimate:
    """Estimate from one contrast a block: Student's t.

    Args:
        contrasts: `(seeds,)` array, in points. A single one has no standard error.

    >>> estimate = paired(np.array([0.4, 0.6, 0.5, 0.5]))
    >>> round(estimate.value, 3), round(estimate.standard_error, 4), estimate.degrees
    (0.5, 0.0408, 3)
    """
    count = len(contrasts)
    error = float(contrasts.std(ddof=1)) / math.sqrt(count) if count > 1 else math.nan
    return Estimate(float(contrasts.mean()), error, count - 1)


def paired_within(contrasts: Floats, machines: Sequence[str]) -> Estimate:
    """The same where contrasts of one machine are compared with each other alone: what machines do is left out.

    Args:
        contrasts: `(seeds,)` array, in points.
        machines: One a seed. Where none has two seeds there is no standard error.

    >>> estimate = paired_within(np.array([0.4, 0.6, 1.4, 1.6]), ["a", "a", "b", "b"])
    >>> round(estimate.value, 3), round(estimate.standard_error, 4), estimate.degrees  # sqrt(4 x 0.1² / 2 / 4)
    (1.0, 0.0707, 2)
    """
    _, places, runs = np.unique(machines, return_inverse=True, return_counts=True)
    left = contrasts - (np.bincount(places, weights=contrasts) / runs)[places]
    degrees = len(contrasts) - len(runs)
    error = math.sqrt(float((left**2).sum()) / degrees / len(contrasts)) if degrees else math.nan
    return Estimate(float(contrasts.mean()), error, degrees)


def independent(errors: Sequence[Floats], weights: Floats) -> Estimate:
    """Estimate from arms that do not share their seeds: Welch's t.

    Args:
        errors: One `(runs,)` array of test errors an arm, each of its own length. A single run has no standard error.
        weights: `(arms,)` array; an arm with weight 0 is not looked at.

    Source:
        Welch 1947, Biometrika 34; Satterthwaite 1946, Biometrics Bulletin 2.

    >>> estimate = independent([np.array([8.0, 9.0]), np.array([7.0, 7.5, 8.0])], np.array([1.0, -1.0]))
    >>> estimate.value, round(estimate.standard_error, 4), round(estimate.degrees, 3)
    (1.0, 0.5774, 1.684)
    """
    used = [(weight, values) for weight, values in zip(weights.tolist(), errors, strict=True) if weight]
    value = sum(weight * float(values.mean()) for weight, values in used)
    if any(len(values) < 2 for _, values in used):
        return Estimate(value, math.nan, math.nan)
    parts = [weight**2 * float(values.var(ddof=1)) / len(values) for weight, values in used]
    return summed(value, parts, [len(values) - 1 for _, values in used])


def summed(value: float, parts: Sequence[float], degrees: Sequence[float]) -> Estimate:
    """An estimate whose variance is a sum of independent parts, each with its own degrees of freedom.

    Args:
        value: What is estimated.
        parts: Of the variance; one that was counted twice is there once more, negative.
        degrees: One a part.

    Source:
        Satterthwaite 1946, Biometrics Bulletin 2.

    >>> summed(0.5, [3.0, 1.0], [9, 1])  # 4² / (3²/9 + 1²/1)
    Estimate(value=0.5, standard_error=2.0, degrees=8.0, example_error=nan)
    """
    variance = sum(parts)
    if variance <= 0:
        return Estimate(value, 0.0, min(degrees))
    spread = sum(part**2 / degree for part, degree in zip(parts, degrees, strict=True))
    return Estimate(value, math.sqrt(variance), variance**2 / spread)


def with_tuning(estimate: Estimate, variance: float, degrees: float) -> Estimate:
    """The estimate with the error of its arms' tuning, which is independent of their runs.

    Args:
        estimate: Of runs that were tuned once.
        variance: What other tunings would add to the variance of the value, in squared points; with 0 nothing changes.
        degrees: Degrees of freedom of that variance; may be infinite.

    >>> estimate = with_tuning(Estimate(0.5, 0.3, 9), 0.16, 9)
    >>> estimate.standard_error, round(estimate.degrees, 3)  # 0.25² / (0.09²/9 + 0.16²/9)
    (0.5, 16.691)
    """
    if variance == 0 or math.isnan(estimate.standard_error):
        return estimate
    own = estimate.standard_error**2
    spread = (own**2 / estimate.degrees if own else 0.0) + variance**2 / degrees
    total = own + variance
    wide = replace(estimate, standard_error=math.sqrt(total))
    return replace(wide, degrees=total**2 / spread if spread else math.inf)


def trend_weights(cardinalities: Sequence[int]) -> Floats:
    """Contrast of the least-squares line of error over log2 C: its value at the smallest C less that at the largest.

    Args:
        cardinalities: One an arm; at least two different ones.

    Returns:
        `(arms,)` array of weights.

    >>> trend_weights([1, 32]).tolist()
    [1.0, -1.0]
    >>> table_3 = np.array([23.9, 23.0, 22.6, 22.3, 22.2])  # the paper's, 50 layers
    >>> round(float(trend_weights([1, 2, 4, 8, 32]) @ table_3), 2)
    1.59
    """
    steps = np.log2(np.asarray(cardinalities, dtype=float))
    centred = steps - steps.mean()
    return np.asarray(-centred * np.ptp(steps) / (centred**2).sum())


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values of Holm's step-down procedure, in the order given; NaN stays NaN and counts as a hypothesis.

    Source:
        Holm 1979, Scandinavian J. of Statistics 6(2).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = list(p_values)
    highest = 0.0
    ranked = sorted((p, index) for index, p in enumerate(p_values) if not math.isnan(p))
    for rank, (p, index) in enumerate(ranked):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p))
        adjusted[index] = highest
    return adjusted


def clopper_pearson(successes: int, trials: int) -> tuple[float, float]:
    """95 % interval of a probability, which covers it at least so often; the whole of [0, 1] without a trial.

    Source:
        Clopper and Pearson 1934, Biometrika 26(4).

    >>> [round(end, 3) for end in clopper_pearson(0, 2)]  # 1 - sqrt(0.025)
    [0.0, 0.842]
    """
    failures = trials - successes
    low = float(betaincinv(successes, failures + 1, 0.025)) if successes else 0.0
    return low, float(betaincinv(successes + 1, failures, 0.975)) if failures else 1.0


def probability_of_improvement(claimant: Floats, rival: Floats) -> Floats:
    """Share of all pairs of runs in which the claimant's errs less; a tie is half a win (Mann-Whitney).

    Args:
        claimant: `(..., n)` array of errors.
        rival: `(..., k)` array of errors, with the same leading axes.

    Returns:
        `(...)` array; NaN where an arm has no run.

    >>> probability_of_improvement(np.array([1.0, 2.0]), np.array([2.0, 3.0])).item()
    0.875
    """
    wins, runs = claimant.shape[-1], claimant.shape[-1] + rival.shape[-1]
    if wins in (0, runs):
        return np.full(claimant.shape[:-1], math.nan)
    if claimant.ndim == 2 and claimant.shape[0] * runs > MOST_CELLS and claimant.shape[0] > 1:
        half = claimant.shape[0] // 2
        return np.concatenate(
            [probability_of_improvement(claimant[part], rival[part]) for part in (slice(half), slice(half, None))]
        )
    pooled = np.concatenate([claimant, rival], axis=-1)
    order = np.argsort(pooled, axis=-1, kind="stable")
    ranked = np.take_along_axis(pooled, order, axis=-1)
    # A tie's members share the mean of the places they take: its first, and from the other side its last.
    places = np.broadcast_to(np.arange(runs), ranked.shape)
    changed = ranked[..., 1:] != ranked[..., :-1]
    first, last = places.copy(), places.copy()
    first[..., 1:][~changed] = 0
    last[..., :-1][~changed] = runs
    first = np.maximum.accumulate(first, axis=-1)
    last = np.minimum.accumulate(last[..., ::-1], axis=-1)[..., ::-1]
    rival_places = np.where(order >= wins, (first + last) / 2, 0).sum(axis=-1)
    losses = runs - wins
    return np.asarray((rival_places - losses * (losses - 1) / 2) / (wins * losses))
