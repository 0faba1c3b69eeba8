"""Why does a verdict say what it says? Its sentences, each with data, FLOPs, epochs and seeds for which it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from resnext_search.results.inference.comparisons import Comparison

if TYPE_CHECKING:
    from resnext_search.results.verdict.arms import Scale
    from resnext_search.results.verdict.verdict import Verdict


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


def scale_words(scale: Scale) -> str:
    """The scale, as the beginning of a sentence.

    >>> from resnext_search.results.verdict.arms import Scale
    >>> scale_words(Scale("cifar10", 16, (33_500_000, 33_500_000), (10, 10), 10_000))
    'On cifar10, at 33,500,000 multiply-adds, 16 epochs and 10 seeds an arm'
    >>> scale_words(Scale(None, None, None, (3, 5), None))
    'On data not named, at FLOPs not given, epochs not given and 3 to 5 seeds an arm'
    """
    costs = "FLOPs not given"
    if scale.multiply_adds is not None:
        low, high = scale.multiply_adds
        costs = f"{low:,} multiply-adds" if low == high else f"{low:,} to {high:,} multiply-adds"
    epochs = "epochs not given" if scale.epochs is None else f"{scale.epochs} epoch{'s' * (scale.epochs != 1)}"
    fewest, most = scale.seeds
    seeds = f"{fewest} seed{'s' * (fewest != 1)}" if fewest == most else f"{fewest} to {most} seeds"
    return f"On {scale.data or 'data not named'}, at {costs}, {epochs} and {seeds} an arm"


def answer(verdict: Verdict) -> list[str]:
    """The reasons of a verdict that is neither `invalid` nor `inconclusive`."""
    scale, margin = scale_words(verdict.scale), f"{verdict.margin:g} points"
    rivals = _listed([arm.arm for arm in verdict.arms if arm.arm != verdict.claimant])
    if verdict.verdict == "supported":
        found = f"{verdict.claimant} beats {rivals}" if verdict.kind != "trade" else "more groups err less"
        sentence = f"{found}: surely, by at least the margin of {margin}, and in three of four pairs of runs or more"
    elif verdict.verdict == "no practical difference":
        found = (
            f"{verdict.claimant} differs from {rivals}" if verdict.kind != "trade" else "more groups change the error"
        )
        sentence = f"{found} by less than the margin of {margin}, surely"
    elif verdict.verdict == "contradicted":
        primary = [verdict.trend] if verdict.trend else verdict.comparisons
        lost = _listed([one.rival for one in primary if one.finding().contradicts(verdict.margin)])
        found = f"{verdict.claimant} loses to {lost}" if verdict.kind != "trade" else "more groups err more"
        sentence = f"{found}: surely, by at least the margin of {margin}, and in three of four pairs of runs or more"
    else:
        won = [one for one in verdict.comparisons if one.finding().supports_alone(verdict.margin)]
        beaten = _listed([one.claimant if verdict.kind == "trade" else one.rival for one in won])
        if verdict.kind == "trade":
            sentence = f"{beaten} beats {won[0].rival}, but the trend over all cardinalities is not shown"
        else:
            sentence = f"{verdict.claimant} beats {beaten}, but not all of {rivals}"
    return [f"{scale}, {sentence}.", *_differences(verdict)]


def too_few(verdict: Verdict, fewest: int, needed: int | None, why_not: str) -> list[str]:
    """The reasons where an arm has not seeds enough for any verdict."""
    short = [
        f"{arm.arm} has {arm.runs or 'no'} run{'s' * (arm.runs != 1)} and lacks {fewest - arm.runs}"
        for arm in verdict.arms
        if arm.runs < fewest
    ]
    found = f"{scale_words(verdict.scale)}, there are too few runs for a verdict, which takes {fewest} seeds an arm: "
    reasons = [f"{found}{'; '.join(short)}."]
    if why_not or (needed or 0) > fewest:
        reasons.append(_settled(verdict, needed, why_not))
    return reasons


def unsettled(verdict: Verdict, needed: int | None, why_not: str) -> list[str]:
    """The reasons of a verdict that is `inconclusive` in spite of seeds enough."""
    rivals = _listed([arm.arm for arm in verdict.arms if arm.arm != verdict.claimant])
    found = f"{scale_words(verdict.scale)}, the runs do not settle whether {verdict.claimant} errs less than {rivals}."
    return [found, *_differences(verdict), _settled(verdict, needed, why_not)]


def _settled(verdict: Verdict, needed: int | None, why_not: str) -> str:
    scale = scale_words(verdict.scale)
    if why_not:
        return f"{scale}, {_WHY_MORE_SEEDS_DO_NOT_HELP[why_not]}."
    gain = f"a true gain of {2 * verdict.margin:g} points, two margins,"
    return f"{scale}, about {needed} seeds an arm would settle it: {gain} is then found in 80 % of studies."


def _differences(verdict: Verdict) -> list[str]:
    """One sentence a comparison, the trend first."""
    scale = scale_words(verdict.scale)
    sentences = []
    if verdict.trend is not None and len(verdict.comparisons) > 1:
        change, more = _amount(verdict.trend, "falls", "rises")
        sentences.append(
            f"{scale}, the test error {more} by {change} points from {verdict.trend.rival} to "
            f"{verdict.trend.claimant}, along the line over log2 C {_certainty(verdict.trend)}."
        )
    for one in verdict.comparisons:
        change, more = _amount(one, "less", "more")
        sentences.append(f"{scale}, {one.claimant} errs {change} points {more} than {one.rival} {_certainty(one)}.")
    return sentences


def _amount(one: Comparison, positive: str, negative: str) -> tuple[str, str]:
    return f"{abs(one.difference):.2f}", negative if round(one.difference, 2) < 0 else positive


def _certainty(one: Comparison) -> str:
    low, high = sorted(one.interval if one.difference >= 0 else (-end for end in one.interval))
    return f"(95 % interval {low:.2f} to {high:.2f}; probability of improvement {one.probability:.2f})"


def _of_whom(verdict: Verdict) -> str:
    if verdict.claimant is None:
        return ""
    rivals = [arm.arm for arm in verdict.arms if arm.arm != verdict.claimant]
    return f" of {verdict.claimant}" + (f" with {_listed(rivals)}" if rivals else "")


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
