"""What is a verdict: a word, and all that it rests on. Plain data, as `verdict.json` has it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from resnext_search.results.inference.comparisons import Comparison
from resnext_search.results.inference.curve import AtBudget, OverBudgets
from resnext_search.results.inference.power import Advice
from resnext_search.results.inference.question import Kind, Word
from resnext_search.results.inference.rules import Direction
from resnext_search.results.inference.trend import Bend
from resnext_search.results.statistics.distributions import Distributions
from resnext_search.results.verdict.arms import ArmResult, CostRatio, Scale
from resnext_search.results.verdict.notes import RunnerUp


@dataclass(frozen=True)
class Verdict:
    """The answer, for the scale it was found at.

    Args:
        verdict: One of the six words.
        kind: What was asked: `spend`, `trade`, `spaces` or `pair`; None while a study has no arms yet.
        claimant: The arm that the claim is about.
        margin: Least difference that matters, in points.
        reasons: Why this word: sentences, the first of which names the scale; of `invalid` what is unfair.
        notes: What else a reader has to know: sentences.
        scale: For what it holds.
        arms: Those compared.
        comparisons: The claimant against every rival; in a `trade` every cardinality against the smallest.
        trend: Of a `trade`: over log2 C, from the smallest to the largest cardinality.
        seeds_needed: Of an `inconclusive` verdict: seeds an arm that would settle it; None where more would not.
        finalists: Confirmed winners of the free search; they were chosen, and so are not compared.
        secondary: What else the arms cost, and whether the comparison holds at equal cost of that kind too.
        rules: By which it was judged. What follows is of the second alone.
        direction: Whether the claimant is surely better than every rival, or surely worse than one, by whatever amount.
        bought: What each arm gains on the base, which costs about half.
        further: Arms with still more groups than the claimant, against every rival.
        bend: Of a `trade`: what its trend hides.
        advice: How many seeds would settle it; None where a word came out.
        runner_up: What the word would be at the arms' second best learning rates.
        without_a_seed: The word if any one seed had not been there, seed by seed.
        look: Which share of the error this look may spend; 1 where it is the only one.
        budgets: Of a `spend` at several budgets: the word of each, corrected for their number.
        over_budgets: What the claimant gains on each rival over all budgets, and whether that grows with them.
        distributions: Of two spaces: the errors of their networks as wholes.
    """

    verdict: Word
    kind: Kind | None
    claimant: str | None
    margin: float
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    scale: Scale
    arms: tuple[ArmResult, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    trend: Comparison | None = None
    seeds_needed: int | None = None
    finalists: tuple[ArmResult, ...] = ()
    secondary: tuple[CostRatio, ...] = ()
    rules: int = 2
    direction: Direction = None
    bought: tuple[Comparison, ...] = ()
    further: tuple[Comparison, ...] = ()
    bend: Bend | None = None
    advice: Advice | None = None
    runner_up: RunnerUp | None = None
    without_a_seed: tuple[Word, ...] = ()
    look: float = 1.0
    budgets: tuple[AtBudget, ...] = ()
    over_budgets: tuple[OverBudgets, ...] = ()
    distributions: Distributions | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values in a fixed order: floats with six decimals, and null for a number or interval not known."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        plain = [_plain(inner) for inner in value]
        return None if plain and all(inner is None for inner in plain) else plain
    if isinstance(value, float):
        return round(value, 6) + 0.0 if math.isfinite(value) else None  # adding 0 makes 0 of -0
    return value
