"""From a sample to a word, by the second rules: comparisons, then what the rules make of them.

Imports numpy, through `comparisons` scipy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from resnext_search.results.inference.comparisons import Comparisons, compare
from resnext_search.results.inference.curve import AtBudget, words_at_budgets
from resnext_search.results.inference.question import Question, Word
from resnext_search.results.inference.rules import ALPHA_DIRECTION, Direction, choose_word, direction_of
from resnext_search.results.inference.sample import Sample
from resnext_search.results.inference.trend import Bend, bend_of, trend_finding
from resnext_search.spaces.study.sections import FEWEST_SEEDS


@dataclass(frozen=True)
class Decision:
    """What the runs of a fair comparison say.

    Args:
        word: `inconclusive` with too few runs an arm.
        direction: Of the claimant against its rivals, or of the trend; `null` with too few runs an arm.
        comparisons: All of them.
        bend: Of a `trade`: what its trend hides.
        unsound: Rivals that are not surely better than the base that they were made from.
        base_is_missing: Whether the arm `base` of a `spend` is, without which no rival is known to be sound.
        budgets: Of a `spend` at several budgets, what is said of each; with too few runs of any arm `inconclusive`.
    """

    word: Word
    direction: Direction
    comparisons: Comparisons
    bend: Bend | None
    unsound: tuple[str, ...] = ()
    base_is_missing: bool = False
    budgets: tuple[AtBudget, ...] = ()


def decide(
    sample: Sample,
    question: Question,
    margin: float,
    generator: np.random.Generator | None = None,
    *,
    spent: float = 1.0,
    fewest: int = FEWEST_SEEDS,
) -> Decision:
    """Apply the second rules to a sample.

    Args:
        sample: The runs.
        question: What is asked of them.
        margin: Least difference that matters, in points.
        generator: Of the bootstrap; without it its intervals are NaN, and nothing else changes.
        spent: Share of the error that this look may spend.
        fewest: Runs an arm that a word takes.
    """
    comparisons = compare(sample, question, margin, generator)
    bend = bend_of(sample, question, spent)
    trend = trend_finding(comparisons.trend, comparisons.plain, bend, margin, spent)
    findings = [one.finding() for one in comparisons.plain]
    unsound: tuple[str, ...] = ()
    base_is_missing = question.kind == "spend" and question.base is None
    if question.base is not None:
        unsound = tuple(arm for arm in question.rivals() if not _is_bought(comparisons, arm, spent))
    word: Word = "inconclusive"
    direction: Direction = None
    budgets = tuple(AtBudget(times, word, direction) for times in question.budgets)
    if min(map(len, sample.errors)) >= fewest:
        sound = [one.rival not in unsound for one in comparisons.plain] if question.base is not None else None
        word = choose_word(findings, trend, sound=sound, base_is_missing=base_is_missing, spent=spent)
        direction = direction_of(findings, trend, spent)
        budgets = words_at_budgets(question, word, comparisons.plain, unsound, spent)
    return Decision(word, direction, comparisons, bend, unsound, base_is_missing, budgets)


def words_without_a_seed(sample: Sample, question: Question, margin: float, spent: float = 1.0) -> list[Word]:
    """The word if any one seed had not been there, seed by seed; empty where arms have other seeds."""
    runs = len(sample.errors[0])
    if not sample.blocked or runs < FEWEST_SEEDS:
        return []
    # by the same rules, though it is one seed less than a word takes
    return [decide(sample.without_run(run), question, margin, spent=spent, fewest=runs - 1).word for run in range(runs)]


def word_at(sample: Sample, question: Question, margin: float, shifts: Mapping[str, float], spent: float = 1.0) -> Word:
    """The word if arms had erred so much more, in points, and as unequally as they did."""
    return decide(replace(sample, shifts=shifts), question, margin, spent=spent).word


def _is_bought(comparisons: Comparisons, arm: str, spent: float) -> bool:
    """Whether an arm is surely better than the base."""
    return any(one.claimant == arm and one.p <= ALPHA_DIRECTION * spent for one in comparisons.bought)
