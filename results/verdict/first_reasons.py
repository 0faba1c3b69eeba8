"""Why does a verdict by the first rules say what it says? Its sentences, without their scale."""

from __future__ import annotations

from collections.abc import Sequence

from resnext_search.results.inference import first_rules
from resnext_search.results.inference.comparisons import Comparison
from resnext_search.results.inference.first_rules import FEWEST_SEEDS
from resnext_search.results.inference.question import Question, Word
from resnext_search.results.verdict.reasons import amount, listed

_WHY_MORE_SEEDS_DO_NOT_HELP = {
    "few images": "more seeds would not settle it: the test images are too few, and their sampling alone could hide a "
    "gain of two margins",
    "wide spread": "more seeds would not settle it: runs of one arm differ so much that even with a gain of two "
    "margins the better arm would win too few pairs of runs",
    "images dominate": "so many seeds find a true gain of two margins in 80 % of studies, and most of what is "
    "uncertain are the test images: more of them would settle it, more seeds hardly",
    "near the margin": "so many seeds find a true gain of two margins in 80 % of studies: the difference, if there is "
    "one, probably lies near the margin or below it",
}


def answer(
    word: Word,
    question: Question,
    comparisons: Sequence[Comparison],
    trend: Comparison | None,
    margin: float,
) -> list[str]:
    """The reasons of a verdict that is neither `invalid` nor `inconclusive`."""
    claimant, rivals, is_trade = question.claimant, listed(question.rivals()), question.kind == "trade"
    least = f"the margin of {margin:g} points"
    surely = f"surely, by at least {least}, and in three of four pairs of runs or more"
    if word == "supported":
        found = "more groups err less" if is_trade else f"{claimant} beats {rivals}"
        sentence = f"{found}: {surely}"
    elif word == "no practical difference":
        found = "more groups change the error" if is_trade else f"{claimant} differs from {rivals}"
        sentence = f"{found} by less than {least}, surely"
    elif word == "contradicted":
        primary = [trend] if trend else comparisons
        lost = listed([one.rival for one in primary if first_rules.finding_of(one).contradicts(margin)])
        found = "more groups err more" if is_trade else f"{claimant} loses to {lost}"
        sentence = f"{found}: {surely}"
    else:
        won = [one for one in comparisons if first_rules.finding_of(one).supports_alone(margin)]
        beaten = listed([one.claimant if is_trade else one.rival for one in won])
        if is_trade:
            sentence = f"{beaten} beats {won[0].rival}, but the trend over all cardinalities is not shown"
        else:
            sentence = f"{claimant} beats {beaten}, but not all of {rivals}"
    return [f"{sentence}.", *_differences(comparisons, trend)]


def too_few(question: Question, runs: Sequence[int], margin: float, needed: int | None, why_not: str) -> list[str]:
    """The reasons where an arm has not seeds enough for any verdict; `runs` are those of every arm."""
    short = [
        f"{arm} has {count or 'no'} run{'s' * (count != 1)} and lacks {FEWEST_SEEDS - count}"
        for arm, count in zip(question.arms, runs, strict=True)
        if count < FEWEST_SEEDS
    ]
    found = f"there are too few runs for a verdict, which takes {FEWEST_SEEDS} seeds an arm: "
    reasons = [f"{found}{'; '.join(short)}."]
    if why_not or (needed or 0) > FEWEST_SEEDS:
        reasons.append(_settled(margin, needed, why_not))
    return reasons


def unsettled(
    question: Question,
    comparisons: Sequence[Comparison],
    trend: Comparison | None,
    margin: float,
    needed: int | None,
    why_not: str,
) -> list[str]:
    """The reasons of a verdict that is `inconclusive` in spite of seeds enough."""
    rivals = listed(question.rivals())
    found = f"the runs do not settle whether {question.claimant} errs less than {rivals}."
    return [found, *_differences(comparisons, trend), _settled(margin, needed, why_not)]


def _settled(margin: float, needed: int | None, why_not: str) -> str:
    if why_not:
        return f"{_WHY_MORE_SEEDS_DO_NOT_HELP[why_not]}."
    gain = f"a true gain of {2 * margin:g} points, two margins,"
    return f"about {needed} seeds an arm would settle it: {gain} is then found in 80 % of studies."


def _differences(comparisons: Sequence[Comparison], trend: Comparison | None) -> list[str]:
    """One sentence a comparison, the trend first."""
    sentences = []
    if trend is not None and len(comparisons) > 1:
        change, more = amount(trend, "falls", "rises")
        sentences.append(
            f"the test error {more} by {change} points from {trend.rival} to "
            f"{trend.claimant}, along the line over log2 C {_certainty(trend)}."
        )
    for one in comparisons:
        change, more = amount(one, "less", "more")
        sentences.append(f"{one.claimant} errs {change} points {more} than {one.rival} {_certainty(one)}.")
    return sentences


def _certainty(one: Comparison) -> str:
    low, high = sorted(one.interval if one.difference >= 0 else (-end for end in one.interval))
    return f"(95 % interval {low:.2f} to {high:.2f}; probability of improvement {one.probability:.2f})"
