"""What do several budgets say together? A word at each of them, and what a way of spending gains over all.

The word over all budgets is that of the rules for one, with the rivals of all budgets: `supported` is to beat every
rival at every budget, and what one of them is enough for is corrected for the number of all. The word of a single
budget is corrected for all of them too, so that all words together err as often as one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from resnext_search.results.inference.comparisons import Comparison
from resnext_search.results.inference.question import Question, Word
from resnext_search.results.inference.rules import Direction, Finding, choose_word, direction_of
from resnext_search.results.inference.sample import Sample
from resnext_search.results.statistics.estimates import ROUNDING, holm
from resnext_search.spaces.architecture.complexity import Floats

# Words that every comparison has a part in: over all budgets they are said of each.
EVERYWHERE: tuple[Word, ...] = ("supported", "no practical difference")


@dataclass(frozen=True)
class AtBudget:
    """What is said of one budget.

    Args:
        times: How many times the base's groups it pays for.
        word: Corrected for the rivals of all budgets. Where the runs allow no answer over all, that of none is one.
        direction: Of the claimant against its rivals there, corrected too.
    """

    times: int
    word: Word
    direction: Direction


@dataclass(frozen=True)
class OverBudgets:
    """What the claimant errs less than one of its rivals over all budgets, in points; no rule reads it.

    Args:
        rival: The way to spend, such as `width`.
        gain: Mean over the budgets.
        gain_interval: Two-sided, 95 %.
        slope: What the gain grows by as the budget doubles: of the line through them. NaN where all cost the same.
        slope_interval: Two-sided, 95 %.
    """

    rival: str
    gain: float
    gain_interval: tuple[float, float]
    slope: float
    slope_interval: tuple[float, float]


def words_at_budgets(
    question: Question, overall: Word, comparisons: Sequence[Comparison], unsound: Sequence[str], spent: float
) -> tuple[AtBudget, ...]:
    """The word of every budget; nothing where there is one.

    Args:
        overall: The word over all budgets; one that has to hold at every budget is that of each.
        question: With its budgets.
        comparisons: The plain ones, corrected together, in the order of the question's pairs.
        unsound: Rivals that are not surely better than the base.
        spent: Share of the error that this look may spend.
    """
    if not question.budgets:
        return ()
    parts = question.parts()
    of_parts = [[one for one in comparisons if one.claimant == part.claimant] for part in parts]
    negligible = holm([max(one.p_negligible for one in of) for of in of_parts])
    words = []
    for times, of, nothing in zip(question.budgets, of_parts, negligible, strict=True):
        findings = [_corrected(one.finding(), nothing) for one in of]
        sound = [one.rival not in unsound for one in of] if question.base is not None else None
        word = choose_word(findings, None, sound=sound, base_is_missing=question.base is None, spent=spent)
        word = overall if overall in EVERYWHERE else word
        words.append(AtBudget(times, word, direction_of(findings, None, spent)))
    return tuple(words)


def _corrected(finding: Finding, negligible: float) -> Finding:
    """A finding of which also what every rival has to show is corrected for the number of all."""
    return replace(finding, gain=finding.gain_corrected, loss=finding.loss_corrected, negligible=negligible)


def over_budgets(sample: Sample, question: Question, costs: Sequence[float]) -> tuple[OverBudgets, ...]:
    """Every rival over all budgets; nothing where there is one budget.

    Args:
        sample: The runs.
        question: With its budgets.
        costs: Of every budget, in any unit: multiply-adds, or the multiples of the base.
    """
    found = []
    for way in question.ways() if question.budgets else ():
        mean = np.full(len(costs), 1 / len(costs))
        gain = sample.estimate(_weighted(question, way, mean))
        slope = sample.estimate(_weighted(question, way, _slope_weights(np.log2(np.asarray(costs, dtype=float)))))
        found.append(OverBudgets(way, gain.value, gain.interval(0.95), slope.value, slope.interval(0.95)))
    return tuple(found)


def _slope_weights(places: Floats) -> Floats:
    """Contrast of the least-squares slope of one value a place; NaN where all places are one."""
    centred = places - places.mean()
    if np.ptp(places) < ROUNDING:
        return np.full(len(places), np.nan)
    return np.asarray(centred / (centred**2).sum())


def _weighted(question: Question, way: str, weights: Floats) -> Floats:
    """Contrast of the arms: of every budget the difference from a rival, weighted."""
    total = np.zeros(len(question.arms))
    for part, weight in zip(question.parts(), weights, strict=True):
        rival = f"{way}{part.claimant[len(question.claimant) :]}"
        total += weight * question.weights(part.claimant, rival)
    return total
