"""What is asked of the runs, and when is the answer which word? The rules of the verdict, fixed before any run.

They work on numbers and on arrays of studies alike, so that `power.py` applies the very rules that judge.
Imports numpy alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from resnext_search.results.statistics.estimates import trend_weights
from resnext_search.spaces.architecture.complexity import Floats
from resnext_search.spaces.errors import UsageError

Kind = Literal["spend", "trade", "pair"]
Word = Literal["supported", "partly supported", "no practical difference", "contradicted", "inconclusive", "invalid"]

# Fewer runs an arm say nothing of the spread between seeds; RegNet's tables have five (arXiv:2003.13678).
FEWEST_SEEDS = 5
# A run of the better arm errs less than one of the other in three of four pairs: Bouthillier et al. 2021,
# arXiv:2103.03098, take this for a difference that matters.
LEAST_PROBABILITY = 0.75
ALPHA = 0.05
# 8.3 - 8.0 is less than 0.3 in binary numbers, but not for the reader of a table.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Question:
    """Which arms are compared, and how.

    Args:
        kind: `spend`: does the claimant beat every rival? `trade`: do more groups err less? `pair`: like `spend`, with
            a claimant of the user's choice.
        claimant: The arm that the claim is about.
        arms: All of them, the claimant first; of a `trade`, by ascending cardinality.
        cardinalities: Of the arms of a `trade`; otherwise empty.
    """

    kind: Kind
    claimant: str
    arms: tuple[str, ...]
    cardinalities: tuple[int, ...] = ()

    def rivals(self) -> list[str]:
        """All arms but the claimant."""
        return [arm for arm in self.arms if arm != self.claimant]

    def pairs(self) -> list[tuple[str, str]]:
        """The plain comparisons, (claimant, rival): of a `trade` each cardinality against the smallest."""
        if self.kind == "trade":
            return [(arm, self.arms[0]) for arm in self.arms[1:]]
        return [(self.claimant, rival) for rival in self.rivals()]

    def weights(self, claimant: str, rival: str) -> Floats:
        """Contrast of a comparison, `(arms,)`: what the claimant errs less than the rival."""
        return np.array([float(arm == rival) - float(arm == claimant) for arm in self.arms])

    def trend(self) -> Floats | None:
        """Contrast of the trend over log2 C, `(arms,)`; None if the question is no `trade`."""
        return trend_weights(self.cardinalities) if self.kind == "trade" else None

    def gains(self) -> Floats:
        """Mean errors, `(arms,)`, under which every primary contrast is 1."""
        if self.kind != "trade":
            return np.array([float(arm != self.claimant) for arm in self.arms])
        steps = np.log2(np.array(self.cardinalities, dtype=float))
        return np.asarray((steps[-1] - steps) / (steps[-1] - steps[0]))


def ask(arms: Iterable[str], claimant: str | None = None) -> Question:
    """Tell from the names of the arms what is asked.

    Args:
        arms: Names; at least two different ones.
        claimant: Compared with all others, whatever the names say.

    Raises:
        UsageError: The claimant is no arm, is needed, or there is one arm only.

    >>> ask(["width", "depth", "cardinality"]).arms
    ('cardinality', 'depth', 'width')
    >>> ask(["32x4d-50", "8x14d-50", "1x64d-50"]).pairs()
    [('8x14d-50', '1x64d-50'), ('32x4d-50', '1x64d-50')]
    """
    names = sorted(set(arms))
    listed = ", ".join(names)
    if len(names) < 2:
        raise UsageError(f"arm: only {listed}; a comparison needs two arms", hint="Give the runs of its rivals too.")
    if claimant is not None and claimant not in names:
        raise UsageError(f"claimant {claimant!r} is no arm of these runs; allowed: {listed}", hint="Change --claimant.")
    if claimant is None and "cardinality" not in names:
        groups = {name: re.match(r"([1-9][0-9]{0,8})x[1-9][0-9]{0,8}d", name, re.ASCII) for name in names}
        cardinalities = {name: int(match[1]) for name, match in groups.items() if match}
        if len(set(cardinalities.values())) < len(names):
            raise UsageError(
                f"arm: neither an arm 'cardinality', nor one cardinality an arm as in 1x64d and 32x4d: {listed}",
                hint=f"Say which arm the claim is about, e.g. --claimant {names[0]}.",
            )
        ordered = sorted(names, key=cardinalities.__getitem__)
        return Question("trade", ordered[-1], tuple(ordered), tuple(cardinalities[name] for name in ordered))
    kind: Kind = "spend" if claimant in (None, "cardinality") else "pair"
    chosen = claimant or "cardinality"
    return Question(kind, chosen, (chosen, *(name for name in names if name != chosen)))


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
