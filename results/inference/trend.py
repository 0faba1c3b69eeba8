"""Does the error of a `trade` fall along a line, and which C is best? What a single trend hides. Imports numpy, and
scipy's special functions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from resnext_search.results.inference.comparisons import NOT_KNOWN, Comparison
from resnext_search.results.inference.question import Question
from resnext_search.results.inference.rules import ALPHA_DIRECTION, ALPHA_MARGIN, TrendFinding
from resnext_search.results.inference.sample import Sample
from resnext_search.spaces.architecture.complexity import Floats
from scipy.special import fdtrc


@dataclass(frozen=True)
class Bend:
    """What a trend does not say.

    Args:
        statistic: Of the lack of fit: how far the arms' means lie off the line over log2 C; F-distributed without any.
        degrees: Of freedom, both; 0 where there are too few seeds or arms, or the arms have different seeds.
        p: Its p-value.
        best: The arm that errs least.
        best_interval: How much less than the smallest C, simultaneous with those of `intervals`.
        intervals: Of every comparison with the smallest C: together they cover in 95 % of studies.
        last_loses_to: Arms between the smallest and the largest C that surely err less than the largest.
    """

    statistic: float
    degrees: tuple[int, int]
    p: float
    best: str
    best_interval: tuple[float, float]
    intervals: tuple[tuple[float, float], ...]
    last_loses_to: tuple[str, ...]


def bend_of(sample: Sample, question: Question, spent: float = 1.0) -> Bend | None:
    """What the trend of a `trade` of three arms or more hides; None for other questions, or an arm without runs."""
    if question.kind != "trade" or len(question.arms) < 3 or min(map(len, sample.errors)) == 0:
        return None
    estimates = [sample.estimate(question.weights(*pair)) for pair in question.pairs()]
    level = 1 - 0.05 / len(estimates)  # Bonferroni's
    intervals = tuple(NOT_KNOWN if math.isnan(one.degrees) else one.interval(level) for one in estimates)
    means = [sample.estimate_of(arm).value for arm in question.arms]
    best = int(np.argmin(means))
    last = question.arms[-1]
    beaten = [
        arm
        for arm in question.arms[1:-1]
        if sample.estimate(question.weights(arm, last)).p_above() <= ALPHA_MARGIN * spent
    ]
    statistic, degrees, p = _lack_of_fit(sample, question)
    best_interval = intervals[best - 1] if best else (0.0, 0.0)
    return Bend(statistic, degrees, p, question.arms[best], best_interval, intervals, tuple(beaten))


def trend_finding(
    trend: Comparison | None, comparisons: Sequence[Comparison], bend: Bend | None, margin: float, spent: float = 1.0
) -> TrendFinding | None:
    """What the rules look at; None where the trend is the only comparison, or there is none."""
    if trend is None or bend is None:
        return None
    better = [one.p <= ALPHA_DIRECTION * spent or one.difference >= margin for one in comparisons]
    return TrendFinding(trend.finding(), bool(bend.last_loses_to), any(better))


def _lack_of_fit(sample: Sample, question: Question) -> tuple[float, tuple[int, int], float]:
    """Hotelling's test that all contrasts which a line leaves are 0, the error of tuning in their covariance.

    Source:
        Hotelling 1931, Annals of Mathematical Statistics 2(3).
    """
    contrasts = _off_the_line(question.cardinalities)
    count, seeds = len(contrasts), len(sample.errors[0])
    if not sample.blocked or seeds <= count:
        return math.nan, (0, 0), math.nan
    values = contrasts @ np.array(sample.errors)
    tuning = np.diag([sample.tuning.get(arm, (0.0, 0.0))[0] for arm in sample.arms])
    covariance = np.atleast_2d(np.cov(values)) / seeds + contrasts @ tuning @ contrasts.T
    mean = values.mean(axis=1)
    if np.linalg.matrix_rank(covariance) < count:
        return math.nan, (0, 0), math.nan
    squared = float(mean @ np.linalg.solve(covariance, mean))
    statistic = squared * (seeds - count) / (count * (seeds - 1))
    return statistic, (count, seeds - count), float(fdtrc(count, seeds - count, statistic))


def _off_the_line(cardinalities: Sequence[int]) -> Floats:
    """Orthonormal contrasts, `(arms - 2, arms)`, that are 0 on every line over log2 C."""
    steps = np.log2(np.array(cardinalities, dtype=float))
    _, _, rows = np.linalg.svd(np.stack([np.ones(len(steps)), steps]))
    return np.asarray(rows[2:])
