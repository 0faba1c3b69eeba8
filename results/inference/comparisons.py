"""From test errors to comparisons: the numbers of a verdict, without its words.

Takes arrays, not tables, so that a benchmark can judge thousands of studies. Imports numpy, through `statistics` scipy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from resnext_search.results.inference.rules import Finding, Question
from resnext_search.results.inference.sample import Sample
from resnext_search.results.statistics.bootstrap import REPLICATES, percentile_interval, resampled_errors
from resnext_search.results.statistics.estimates import holm, probability_of_improvement
from resnext_search.spaces.architecture.complexity import Floats

NOT_KNOWN = (math.nan, math.nan)


@dataclass(frozen=True)
class Comparison:
    """One difference, in percentage points of test error; positive where the claimant is better.

    Args:
        claimant: The arm that is to be better.
        rival: The arm it is compared with.
        difference: In points; of a trend what the fitted line loses from the rival to the claimant.
        interval: Two-sided, 95 %.
        interval_90: Two-sided, 90 %; its lower end is the one-sided 95 % bound.
        lower_bound: One-sided, 95 %.
        p: One-sided p-value against "no better".
        p_holm: The same, corrected for the number of comparisons.
        p_worse: One-sided p-value against "no worse".
        p_worse_holm: The same, corrected.
        standard_error: Of the difference.
        example_error: The part of it that more seeds would not shrink; NaN when not known.
        probability: Of improvement: the claimant's run errs less in so many of all pairs of runs.
        probability_interval: 95 %, from the crossed bootstrap.
        bootstrap_interval: 95 %, of the difference; for comparison, no rule reads it.
    """

    claimant: str
    rival: str
    difference: float
    interval: tuple[float, float]
    interval_90: tuple[float, float]
    lower_bound: float
    p: float
    p_holm: float
    p_worse: float
    p_worse_holm: float
    standard_error: float
    example_error: float
    probability: float
    probability_interval: tuple[float, float] = NOT_KNOWN
    bootstrap_interval: tuple[float, float] = NOT_KNOWN

    def finding(self) -> Finding:
        """What the rules look at."""
        return Finding(
            self.difference, self.lower_bound, self.interval_90, self.p_holm, self.p_worse_holm, self.probability
        )


def compare(
    sample: Sample, question: Question, generator: np.random.Generator, replicates: int = REPLICATES
) -> tuple[list[Comparison], Comparison | None]:
    """Every plain comparison of a question, and the trend if it is a `trade`.

    Args:
        sample: The runs.
        question: What is asked of them.
        generator: Of the bootstrap.
        replicates: Of the bootstrap; with 0 its intervals are NaN, and nothing else changes.

    Returns:
        The comparisons, corrected for their number, and the trend, which is a single one.
    """
    resampled: Sequence[Floats] = ()
    # Intervals from one run, or none, would be lies of width 0.
    if replicates and min(map(len, sample.errors)) > 1:
        resampled = resampled_errors(
            sample.errors,
            sample.wrong,
            generator,
            blocked=sample.blocked,
            folds=sample.folds,
            replicates=replicates,
        )
    comparisons = _compare(sample, [(*pair, question.weights(*pair)) for pair in question.pairs()], resampled)
    trend = question.trend()
    if trend is None:
        return comparisons, None
    return comparisons, _compare(sample, [(question.claimant, question.arms[0], trend)], resampled)[0]


def _compare(
    sample: Sample, contrasts: Sequence[tuple[str, str, Floats]], resampled: Sequence[Floats]
) -> list[Comparison]:
    estimates = [sample.estimate(weights) for _, _, weights in contrasts]
    better, worse = [one.p_better() for one in estimates], [one.p_worse() for one in estimates]
    better_holm, worse_holm = holm(better), holm(worse)
    comparisons = []
    for index, ((claimant, rival, weights), estimate) in enumerate(zip(contrasts, estimates, strict=True)):
        first, second = sample.arms.index(claimant), sample.arms.index(rival)
        interval_90 = estimate.interval(0.9)
        probability_interval = bootstrap_interval = NOT_KNOWN
        if resampled:
            probability_interval = percentile_interval(probability_of_improvement(resampled[first], resampled[second]))
            means = np.stack([values.mean(axis=1) for values in resampled])
            bootstrap_interval = percentile_interval(weights @ means)
        comparisons.append(
            Comparison(
                claimant,
                rival,
                estimate.value,
                estimate.interval(0.95),
                interval_90,
                interval_90[0],
                better[index],
                better_holm[index],
                worse[index],
                worse_holm[index],
                estimate.standard_error,
                estimate.example_error,
                float(probability_of_improvement(sample.errors[first], sample.errors[second])),
                probability_interval,
                bootstrap_interval,
            )
        )
    return comparisons
