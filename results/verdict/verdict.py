"""Does cardinality beat its rivals? The verdict on runs with test errors: one of six words, with all that it rests on.

The rules are in `rules.py`, the reasons for `invalid` in `fairness.py`, and the text for people in `text.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from resnext_search.results.inference.comparisons import Comparison, compare
from resnext_search.results.inference.power import Spread, power, seeds_needed
from resnext_search.results.inference.rules import FEWEST_SEEDS, Kind, Question, Word, ask, choose_word
from resnext_search.results.inference.sample import Run, Sample, gather
from resnext_search.results.verdict import reasons as why
from resnext_search.results.verdict.arms import (
    ArmResult,
    CostRatio,
    Scale,
    arm_result,
    compare_costs,
    finalist_results,
    scale_of,
)
from resnext_search.results.verdict.fairness import cost_of, unfair
from resnext_search.results.verdict.runs import read_runs
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.seeds import derive_seed

MARGIN = 0.3
TOLERANCE = 0.02
# Of the runs of a pilot, before their spread says how many more are needed.
FEWEST_OF_A_PILOT = 3


@dataclass(frozen=True)
class Verdict:
    """The answer, for the scale it was found at.

    Args:
        verdict: One of the six words.
        kind: What was asked: `spend`, `trade` or `pair`; None while a study has no arms yet.
        claimant: The arm that the claim is about.
        margin: Least difference that matters, in points.
        reasons: Why this word: sentences.
        notes: What else a reader has to know: sentences.
        scale: For what it holds.
        arms: Those compared.
        comparisons: The claimant against every rival; in a `trade` every cardinality against the smallest.
        trend: Of a `trade`: over log2 C, from the smallest to the largest cardinality.
        seeds_needed: Of an `inconclusive` verdict: seeds an arm that would settle it; None where more would not.
        finalists: Confirmed winners of the free search; they were chosen, and so are not compared.
        secondary: What else the arms cost, and whether the comparison holds at equal cost of that kind too.
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

    def to_json(self) -> dict[str, Any]:
        """Plain values in a fixed order: floats with six decimals, and null for a number or interval not known."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def judge(
    runs: pd.DataFrame,
    *,
    claimant: str | None = None,
    margin: float = MARGIN,
    tolerance: float = TOLERANCE,
    seed: int = 0,
) -> Verdict:
    """Judge whether an arm beats its rivals.

    Arms named `cardinality` and otherwise make a `spend`, arms named `8x14d` a `trade`; others need a `claimant`.

    Args:
        runs: One row a run, with columns `arm, seed, test_error` (percent) and what else is known: `multiply_adds,
            parameters, activations, seconds, epochs, data, architecture, correct` (which test images were recognised,
            as `spaces.correctness` packs it). The order of the rows does not matter. Or a study's `trials.csv`, which
            has a column `phase`: its tuning is looked at too, and only its runs that confirm are evidence.
        claimant: The arm to compare with all others, whatever the names say.
        margin: Least difference that matters, in points; to be fixed before the runs.
        tolerance: Largest deviation of an arm's multiply-adds from the claimant's, as a share.
        seed: Of the bootstrap.

    Raises:
        UsageError: The table is broken, or does not say what is to be compared; or margin or tolerance make no sense.

    >>> table = pd.DataFrame({"arm": ["1x64d"] * 5 + ["32x4d"] * 5, "seed": [0, 1, 2, 3, 4] * 2,
    ...                       "test_error": [23.1, 23.2, 23.3, 23.2, 23.2, 21.9, 22.0, 21.8, 21.9, 21.9]})
    >>> judge(table).verdict
    'supported'
    """
    if not margin > 0 or not tolerance >= 0:
        raise UsageError(
            f"margin {margin:g} and tolerance {tolerance:g}; allowed: a margin above 0 and a tolerance of 0 or more",
            hint="The margin is the least difference that matters, in percentage points; the tolerance is a share.",
        )
    rows = read_runs(runs)
    is_study = "phase" in runs.columns
    confirmed = [run for run in rows if run.phase == "confirm"]
    compared = [run for run in rows if not run.is_finalist]
    names = {run.arm for run in compared}
    # A study may be asked before its arms are there.
    started = len(names) > 1 or not is_study or any(run.phase == "confirm" for run in compared)
    question = ask(names, claimant) if started else None
    sample, notes = gather(compared, question) if question else (Sample((), (), True), [])
    scale = scale_of([run for run in confirmed if not run.is_finalist], sample)
    reasons = unfair(compared, question, tolerance, is_study=is_study)
    finalists = finalist_results(confirmed)
    if question is None:
        return Verdict("invalid", None, claimant, margin, tuple(reasons), (), scale, finalists=finalists)
    comparisons, trend = compare(sample, question, np.random.default_rng(derive_seed(seed, "verdict")))
    verdict = Verdict(
        "invalid",
        question.kind,
        question.claimant,
        margin,
        tuple(reasons),
        (*_notes_on_fairness(rows, question, tolerance), *notes),
        scale,
        tuple(arm_result(confirmed, sample, arm) for arm in question.arms),
        tuple(comparisons),
        trend,
        None,
        finalists,
        tuple(compare_costs(confirmed, question, tolerance)),
    )
    return verdict if reasons else _answered(verdict, sample, question)


def _answered(verdict: Verdict, sample: Sample, question: Question) -> Verdict:
    """The verdict on a fair comparison."""
    fewest = min(map(len, sample.errors))
    if fewest < FEWEST_SEEDS:
        pilot = fewest >= FEWEST_OF_A_PILOT
        needed, why_not = _settling(verdict, sample, question) if pilot else (FEWEST_SEEDS, "")
        runs = [len(errors) for errors in sample.errors]
        reasons = why.too_few(question, verdict.scale, runs, verdict.margin, needed, why_not)
        return replace(verdict, verdict="inconclusive", reasons=tuple(reasons), seeds_needed=needed)
    scale, comparisons, trend, margin = verdict.scale, verdict.comparisons, verdict.trend, verdict.margin
    word = choose_word([one.finding() for one in comparisons], None if trend is None else trend.finding(), margin)
    if word != "inconclusive":
        reasons = why.answer(word, question, scale, comparisons, trend, margin)
        return replace(verdict, verdict=word, reasons=tuple(reasons))
    needed, why_not = _settling(verdict, sample, question)
    reasons = why.unsettled(question, scale, comparisons, trend, margin, needed, why_not)
    return replace(verdict, verdict=word, reasons=tuple(reasons), seeds_needed=needed)


def _settling(verdict: Verdict, sample: Sample, question: Question) -> tuple[int | None, str]:
    """Seeds an arm that would settle it; or None, and why more seeds would not."""
    primary = [verdict.trend] if verdict.trend else verdict.comparisons
    example_errors = tuple(0.0 if math.isnan(one.example_error) else one.example_error for one in primary)
    spread = Spread(tuple(sample.deviation_of(arm) for arm in question.arms), example_errors)
    needed = seeds_needed(question, spread, margin=verdict.margin)
    images = any(one.example_error**2 > one.standard_error**2 / 2 for one in primary)
    if needed is None:
        # Whether the images alone, without any spread between seeds, would hide the gain.
        alone = Spread((0.0,) * len(question.arms), example_errors)
        images = power(question, alone, FEWEST_SEEDS, margin=verdict.margin) < 0.8
        return None, "few images" if images else "wide spread"
    if needed <= min(map(len, sample.errors)):
        return None, "images dominate" if images else "near the margin"
    return needed, ""


def _notes_on_fairness(runs: Sequence[Run], question: Question, tolerance: float) -> list[str]:
    notes = []
    confirmed = [run for run in runs if run.phase == "confirm"]
    costs = {arm: cost_of(confirmed, arm, "multiply_adds") for arm in question.arms}
    unknown = [arm for arm, cost in costs.items() if cost is None]
    if unknown:
        whose = f" for {', '.join(unknown)}" if len(unknown) < len(costs) else ""
        notes.append(f"The match of FLOPs was not shown: no multiply-adds were given{whose}.")
    own = costs[question.claimant]
    for rival, cost in costs.items():
        if own is not None and cost is not None and cost < own <= cost * (1 + tolerance):
            excess = 100 * (own / cost - 1)
            notes.append(f"{question.claimant} costs {excess:.2f} % more FLOPs than {rival}, which favours it.")
    if not any(run.phase == "tune" for run in runs):
        notes.append("Whether every arm had an equally good learning rate was not shown: no tuning trials were given.")
    return notes


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        plain = [_plain(inner) for inner in value]
        return None if plain and all(inner is None for inner in plain) else plain
    if isinstance(value, float):
        return round(value, 6) + 0.0 if math.isfinite(value) else None  # adding 0 makes 0 of -0
    return value
