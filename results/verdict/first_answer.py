"""Which word do runs get under the first rules? For studies that were begun under them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from resnext_search.results.inference.comparisons import compare
from resnext_search.results.inference.first_power import Spread, power, seeds_needed
from resnext_search.results.inference.first_rules import FEWEST_SEEDS, choose_word, finding_of
from resnext_search.results.inference.question import Question
from resnext_search.results.inference.sample import Sample
from resnext_search.results.verdict import first_reasons as why
from resnext_search.results.verdict.outcome import Verdict
from resnext_search.results.verdict.reasons import at_scale

# Of the runs of a pilot, before their spread says how many more are needed.
FEWEST_OF_A_PILOT = 3


def answer_by_first_rules(
    verdict: Verdict, sample: Sample, question: Question, generator: np.random.Generator
) -> Verdict:
    """The verdict with its comparisons and, where the comparison is fair, its word."""
    comparisons = compare(sample, question, verdict.margin, generator, rules=1)
    verdict = replace(verdict, comparisons=comparisons.plain, trend=comparisons.trend)
    return verdict if verdict.reasons else _answered(verdict, sample, question)


def _answered(verdict: Verdict, sample: Sample, question: Question) -> Verdict:
    fewest = min(map(len, sample.errors))
    if fewest < FEWEST_SEEDS:
        pilot = fewest >= FEWEST_OF_A_PILOT
        needed, why_not = _settling(verdict, sample, question) if pilot else (FEWEST_SEEDS, "")
        runs = [len(errors) for errors in sample.errors]
        reasons = why.too_few(question, runs, verdict.margin, needed, why_not)
        return replace(verdict, verdict="inconclusive", reasons=at_scale(verdict.scale, reasons), seeds_needed=needed)
    comparisons, trend, margin = verdict.comparisons, verdict.trend, verdict.margin
    word = choose_word([finding_of(one) for one in comparisons], None if trend is None else finding_of(trend), margin)
    if word != "inconclusive":
        reasons = why.answer(word, question, comparisons, trend, margin)
        return replace(verdict, verdict=word, reasons=at_scale(verdict.scale, reasons))
    needed, why_not = _settling(verdict, sample, question)
    reasons = why.unsettled(question, comparisons, trend, margin, needed, why_not)
    return replace(verdict, verdict=word, reasons=at_scale(verdict.scale, reasons), seeds_needed=needed)


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
