"""From test errors to comparisons: the numbers of a verdict, without its words.

Takes arrays, not tables, so that a benchmark can judge thousands of studies. Imports numpy, through `statistics` scipy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from resnext_search.results.inference.question import Question
from resnext_search.results.inference.rules import Finding
from resnext_search.results.inference.sample import Sample
from resnext_search.results.statistics.bootstrap import REPLICATES, percentile_interval, resampled_errors
from resnext_search.results.statistics.estimates import Estimate, holm, probability_of_improvement
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
        p_gain: One-sided p-value against "better by less than the margin".
        p_gain_holm: The same, corrected.
        p_loss: One-sided p-value against "worse by less than the margin".
        p_loss_holm: The same, corrected.
        p_negligible: Against "differs by the margin or more", either way.
        standard_error: Of the difference.
        example_error: The part of it that more seeds would not shrink; NaN when not known.
        tuning_error: The part of it that is the choice of the arms' learning rates; NaN when not known.
        median: Of the differences within seeds, or where arms have other seeds the difference of the medians.
        probability: Of improvement: the share of seeds, or of pairs of runs, in which the claimant's run errs less.
        probability_interval: 95 %, from the crossed bootstrap; NaN within seeds.
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
    p_gain: float
    p_gain_holm: float
    p_loss: float
    p_loss_holm: float
    p_negligible: float
    standard_error: float
    example_error: float
    tuning_error: float
    median: float
    probability: float
    probability_interval: tuple[float, float] = NOT_KNOWN
    bootstrap_interval: tuple[float, float] = NOT_KNOWN

    def finding(self) -> Finding:
        """What the rules look at."""
        return Finding(
            self.p_holm,
            self.p_worse_holm,
            self.p_gain,
            self.p_gain_holm,
            self.p_loss,
            self.p_loss_holm,
            self.p_negligible,
        )


@dataclass(frozen=True)
class Comparisons:
    """Every comparison of a question.

    Args:
        plain: The claimant against every rival; of a `trade` each cardinality against the smallest.
        trend: Of a `trade`, over log2 C.
        further: Each arm with still more groups against every rival, corrected for their number.
        bought: Every arm that costs what the claim spends against the base, which costs about half.
    """

    plain: tuple[Comparison, ...]
    trend: Comparison | None = None
    further: tuple[Comparison, ...] = ()
    bought: tuple[Comparison, ...] = ()


def compare(
    sample: Sample,
    question: Question,
    margin: float,
    generator: np.random.Generator | None = None,
    *,
    rules: int = 2,
    replicates: int = REPLICATES,
) -> Comparisons:
    """Every comparison of a question.

    Args:
        sample: The runs.
        question: What is asked of them.
        margin: Least difference that matters, in points.
        generator: Of the bootstrap; without it its intervals are NaN, and nothing else changes.
        rules: Under the first the trend is corrected by itself, and the probability is that of all pairs of runs.
        replicates: Of the bootstrap.
    """
    resampled: Sequence[Floats] = ()
    # Intervals from one run, or none, would be lies of width 0.
    if generator is not None and min(map(len, sample.errors)) > 1:
        resampled = resampled_errors(
            sample.errors,
            sample.wrong,
            generator,
            blocked=sample.blocked,
            folds=sample.folds,
            replicates=replicates,
        )
    within = rules > 1 and sample.blocked

    def compared(pairs: Sequence[tuple[str, str]], trend: Floats | None = None) -> list[Comparison]:
        contrasts = [(*pair, question.weights(*pair)) for pair in pairs]
        if trend is not None:
            contrasts.append((question.claimant, question.arms[0], trend))
        return _compare(sample, contrasts, margin, resampled, within)

    trend = question.trend()
    bought = [(arm, question.base) for arm in question.matched()] if question.base is not None else []
    further = compared(question.further_pairs())
    if trend is None:
        return Comparisons(tuple(compared(question.pairs())), None, tuple(further), tuple(compared(bought)))
    if rules == 1 or len(question.arms) == 2:
        return Comparisons(tuple(compared(question.pairs())), compared([], trend)[0])
    *plain, last = compared(question.pairs(), trend)
    return Comparisons(tuple(plain), last)


def _compare(
    sample: Sample,
    contrasts: Sequence[tuple[str, str, Floats]],
    margin: float,
    resampled: Sequence[Floats],
    within: bool,
) -> list[Comparison]:
    estimates = [sample.estimate(weights) for _, _, weights in contrasts]
    tests = [_Tests.of(estimate, margin) for estimate in estimates]
    corrected = _Tests(*(holm(column) for column in zip(*tests, strict=True))) if tests else None
    comparisons = []
    for index, ((claimant, rival, weights), estimate) in enumerate(zip(contrasts, estimates, strict=True)):
        assert corrected is not None
        first, second = sample.arms.index(claimant), sample.arms.index(rival)
        interval_90 = estimate.interval(0.9)
        probability_interval = bootstrap_interval = NOT_KNOWN
        if resampled:
            if not within:
                wins = probability_of_improvement(resampled[first], resampled[second])
                probability_interval = percentile_interval(wins)
            means = np.stack([values.mean(axis=1) for values in resampled])
            bootstrap_interval = percentile_interval(weights @ means)
        test = tests[index]
        comparisons.append(
            Comparison(
                claimant,
                rival,
                estimate.value,
                estimate.interval(0.95),
                interval_90,
                interval_90[0],
                test.better,
                corrected.better[index],
                test.worse,
                corrected.worse[index],
                test.gain,
                corrected.gain[index],
                test.loss,
                corrected.loss[index],
                test.negligible,
                estimate.standard_error,
                estimate.example_error,
                sample.tuning_error(weights),
                _median(sample, weights, first, second),
                _probability(sample.errors[first], sample.errors[second], within),
                probability_interval,
                bootstrap_interval,
            )
        )
    return comparisons


class _Tests(NamedTuple):
    """One-sided p-values of a comparison, or of several lists of them."""

    better: Any
    worse: Any
    gain: Any
    loss: Any
    negligible: Any

    @classmethod
    def of(cls, estimate: Estimate, margin: float) -> _Tests:
        negligible = max(estimate.p_above(-margin), estimate.p_below(margin))
        return cls(
            estimate.p_above(0), estimate.p_below(0), estimate.p_above(margin), estimate.p_below(-margin), negligible
        )


def _median(sample: Sample, weights: Floats, first: int, second: int) -> float:
    if min(len(sample.errors[first]), len(sample.errors[second])) == 0:
        return math.nan
    if sample.blocked:
        used = np.flatnonzero(weights).tolist()
        return float(np.median(np.asarray(sum(weights[arm] * sample.errors[arm] for arm in used))))
    return float(np.median(sample.errors[second]) - np.median(sample.errors[first]))


def _probability(claimant: Floats, rival: Floats, within: bool) -> float:
    """Within seeds a tie is half a win, as it is between runs."""
    if within and len(claimant):
        return float((0.5 + 0.5 * np.sign(rival - claimant)).mean())
    return float(probability_of_improvement(claimant, rival))
