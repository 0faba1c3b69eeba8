"""When was the answer which word, under the first rules? Studies that were begun under them are judged by them.

They work on numbers and on arrays of studies alike, so that `first_power.py` applies the very rules that judge. What
was wrong with them says `docs/explanation/verdict.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from resnext_search.results.inference.comparisons import Comparison
from resnext_search.results.inference.question import Word

# Fewer runs an arm say nothing of the spread between seeds; RegNet's tables have five (arXiv:2003.13678).
FEWEST_SEEDS = 5
# A run of the better arm errs less than one of the other in three of four pairs: Bouthillier et al. 2021,
# arXiv:2103.03098, take this for a difference that matters.
LEAST_PROBABILITY = 0.75
ALPHA = 0.05
# 8.3 - 8.0 is less than 0.3 in binary numbers, but not for the reader of a table.
ROUNDING = 1e-9


def is_gain(lower_bound: Any, value: Any, probability: Any, margin: float) -> Any:
    """Whether a difference is sure, large enough to matter, and seen in most pairs of runs; numbers, or arrays
    of one shape, such as `(studies,)`. A NaN is no gain.

    >>> is_gain(0.1, 0.3, 0.8, 0.3), is_gain(0.1, 0.29, 0.8, 0.3), is_gain(0.1, 0.3, 0.7, 0.3)
    (True, False, False)
    """
    large = value >= margin - ROUNDING
    return (lower_bound > 0) & large & (probability >= LEAST_PROBABILITY - ROUNDING)


@dataclass(frozen=True)
class Finding:
    """What the rules look at, of one comparison.

    Args:
        value: The difference, in points; positive where the claimant is better.
        lower_bound: One-sided 95 %.
        interval_90: Two-sided.
        p_better: One-sided, corrected for the number of comparisons.
        p_worse: The same, of the other side.
        probability: Of improvement.
    """

    value: float
    lower_bound: float
    interval_90: tuple[float, float]
    p_better: float
    p_worse: float
    probability: float

    def supports(self, margin: float) -> bool:
        """Whether the claimant is better: no correction, since all must be."""
        return bool(is_gain(self.lower_bound, self.value, self.probability, margin))

    def supports_alone(self, margin: float) -> bool:
        """Whether the claimant is better here, whatever the others say: corrected for their number."""
        return bool(is_gain(ALPHA - self.p_better, self.value, self.probability, margin))

    def contradicts(self, margin: float) -> bool:
        """Whether the claimant is worse: the mirror image of `supports_alone`."""
        return bool(is_gain(ALPHA - self.p_worse, -self.value, 1 - self.probability, margin))

    def is_negligible(self, margin: float) -> bool:
        """Whether the difference is surely smaller than the margin, in either direction."""
        return -margin < self.interval_90[0] and self.interval_90[1] < margin


def finding_of(one: Comparison) -> Finding:
    """What the rules look at of a comparison."""
    return Finding(one.difference, one.lower_bound, one.interval_90, one.p_holm, one.p_worse_holm, one.probability)


def choose_word(comparisons: Sequence[Finding], trend: Finding | None, margin: float) -> Word:
    """The verdict on valid runs with enough seeds; the first word that fits.

    Args:
        comparisons: The plain ones; at least one.
        trend: Of a `trade`: then it alone supports or contradicts.
        margin: Least difference that matters, in points.
    """
    primary = comparisons if trend is None else [trend]
    everything = comparisons if trend is None else [*comparisons, trend]
    # "Beats every rival" is an intersection-union test: each at its level, and all together keep it.
    if all(finding.supports(margin) for finding in primary):
        return "supported"
    if all(finding.is_negligible(margin) for finding in everything):
        return "no practical difference"
    # "Loses to some rival" is a union, so its p-values are corrected. An upper bound below 0 alone would contradict a
    # claim for a hundredth of a point, and without any difference more often than one study in twenty.
    if any(finding.contradicts(margin) for finding in primary):
        return "contradicted"
    if any(finding.supports_alone(margin) for finding in comparisons):
        return "partly supported"
    return "inconclusive"
