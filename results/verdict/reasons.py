"""Why does a verdict say what it says? Its sentences, each with data, FLOPs, epochs and seeds for which it holds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from resnext_search.results.inference.comparisons import Comparison
from resnext_search.results.inference.decision import Decision
from resnext_search.results.inference.power import Advice, Need
from resnext_search.results.inference.question import Question
from resnext_search.results.inference.rules import ALPHA_DIRECTION, is_gain
from resnext_search.results.statistics.distributions import SHARES, Distributions
from resnext_search.results.verdict.arms import Scale
from resnext_search.spaces.study.sections import FEWEST_SEEDS

TUNING_NOT_COVERED = (
    "The tuning of the arms is not covered: without tuning trials (rows of phase tune, with learning_rate and "
    "validation_error) the intervals take every arm's learning rate for its best"
)


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
    (fewest, most), (run, arm) = scale.seeds, _units(scale)
    seeds = f"{fewest} {run}{'s' * (fewest != 1)}" if fewest == most else f"{fewest} to {most} {run}s"
    return f"On {scale.data or 'data not named'}, at {costs}, {epochs} and {seeds} {arm}"


def _units(scale: Scale) -> tuple[str, str]:
    """What there are many of, and of what: of a space every seed is another network."""
    return ("network", "a space") if scale.of_spaces else ("seed", "an arm")


def answer(decision: Decision, question: Question, scale: Scale, margin: float, spent: float) -> list[str]:
    """The reasons of a verdict on a fair comparison: the word in a sentence, then every difference."""
    sentence = _SENTENCES[decision.word](decision, question, margin, spent)
    return [f"{scale_words(scale)}, {sentence}.", *_differences(decision, scale, spent)]


def too_few(question: Question, scale: Scale, runs: Sequence[int]) -> str:
    """The first reason where an arm has not seeds enough for any word; `runs` are those of every arm."""
    short = [
        f"{arm} has {count or 'no'} run{'s' * (count != 1)} and lacks {FEWEST_SEEDS - count}"
        for arm, count in zip(question.arms, runs, strict=True)
        if count < FEWEST_SEEDS
    ]
    run, arm = _units(scale)
    found = f"{scale_words(scale)}, there are too few runs for a verdict, which takes {FEWEST_SEEDS} {run}s {arm}: "
    return f"{found}{'; '.join(short)}."


def settling(advice: Advice, decision: Decision, scale: Scale, margin: float, why_not: str) -> list[str]:
    """What would settle it: for a gain, and for no difference."""
    gain = f"a true gain of {2 * margin:g} points, two margins, to be found in 80 % of studies"
    run, arm = _units(scale)
    of_tuning = f"{run}s of tuning (claim.tuning_seeds) would be: the {'spaces' if scale.of_spaces else 'arms'}'"
    sentences = []
    if decision.base_is_missing:
        sentences.append("For `supported` no number of seeds is enough: it takes an arm `base`.")
    elif advice.gain.seeds is not None:
        gate = f", if {listed(decision.unsound)} turn out better than the base" if decision.unsound else ""
        sentences.append(f"For {gain}: about {_needed(advice.gain, run)} {arm}{gate}.")
    elif advice.tuning_times is not None:
        sentences.append(
            f"For {gain} no number of {run}s is enough, but {advice.tuning_times} times as many {of_tuning} learning "
            "rates are too uncertain."
        )
    else:
        sentences.append(f"For {gain} no number of {run}s is enough: {why_not}.")
    nothing = "`no practical difference` to be found in 80 % of studies where nothing differs"
    enough = f"no number of {run}s is enough"
    if advice.no_difference.seeds is not None:
        enough = f"about {_needed(advice.no_difference, run)} {arm}"
    return [f"{scale_words(scale)}: {one}" for one in (*sentences, f"For {nothing}: {enough}.")]


def _needed(need: Need, run: str) -> str:
    """A number of seeds, or of networks, with its range, as these runs leave it."""
    high = "any number" if need.high is None else f"{need.high}"
    return f"{need.seeds} {run}s ({need.low} to {high}, as uncertain as the spread of these runs)"


def _supported(_: Decision, question: Question, margin: float, __: float) -> str:
    rivals = listed(question.rivals())
    found = "more groups err less" if question.kind == "trade" else f"{question.claimant} beats {rivals}"
    return f"{found}: surely, by at least {_margin(margin)}"


def _partly(decision: Decision, question: Question, margin: float, spent: float) -> str:
    beaten = [one for one in decision.comparisons.plain if is_gain(one.p_holm, one.p_gain_holm, spent)]
    won = [one for one in beaten if one.rival not in decision.unsound]
    if question.kind == "trade":
        winners, rest = listed([one.claimant for one in won]), _why_no_trend(decision, spent)
        beat = "beats" if len(won) == 1 else "beat"
        return f"{winners} {beat} {won[0].rival} by at least {_margin(margin)}, surely, but {rest}"
    found = f"{question.claimant} beats {listed([one.rival for one in won])} by at least {_margin(margin)}, surely"
    if len(beaten) < len(question.rivals()):
        return f"{found}, but not all of {listed(question.rivals())}{_phrase(decision, question)}"
    if decision.base_is_missing:
        return f"{found}, but no arm `base` shows that {listed(question.rivals())} err less than what they came from"
    return f"{found}, and {listed(decision.unsound)} too, which is not surely better than the base"


def _why_no_trend(decision: Decision, spent: float) -> str:
    """Why a `trade` whose middle gains is not supported."""
    trend, bend = decision.comparisons.trend, decision.bend
    if trend is not None and trend.p_worse_holm <= ALPHA_DIRECTION * spent:
        return "along the line over all cardinalities more groups err more"
    if bend is not None and bend.last_loses_to:
        return f"the largest C surely errs more than {listed(bend.last_loses_to)}"
    return "the trend over all cardinalities is not shown"


def _no_difference(_: Decision, question: Question, margin: float, __: float) -> str:
    rivals = listed(question.rivals())
    found = "more groups change the error" if question.kind == "trade" else f"{question.claimant} differs from {rivals}"
    return f"{found} by less than {_margin(margin)}, surely"


def _contradicted(decision: Decision, question: Question, margin: float, spent: float) -> str:
    if question.kind == "trade":
        return f"more groups err more: surely, by at least {_margin(margin)}"
    lost = [one.rival for one in decision.comparisons.plain if is_gain(one.p_worse_holm, one.p_loss_holm, spent)]
    return f"{question.claimant} loses to {listed(lost)}: surely, by at least {_margin(margin)}"


def _inconclusive(decision: Decision, question: Question, margin: float, spent: float) -> str:
    rivals = listed(question.rivals())
    won = [one.rival for one in decision.comparisons.plain if is_gain(one.p_holm, one.p_gain_holm, spent)]
    if decision.unsound and won == question.rivals():
        weak = listed(decision.unsound)
        return (
            f"{question.claimant} beats {rivals} by at least {_margin(margin)}, surely, but that is no word: {weak} "
            "would have to be surely better than the base first"
        )
    asked = "more groups err less" if question.kind == "trade" else f"{question.claimant} errs less than {rivals}"
    phrase = _phrase(decision, question)
    return f"the runs do not settle whether {asked} by at least {_margin(margin)}{phrase}"


def _phrase(decision: Decision, question: Question) -> str:
    """What is sure beside the word."""
    rivals = listed(question.rivals())
    if question.kind == "trade":
        better, worse = "the error surely falls with more groups", "the error surely rises with more groups"
    else:
        better, worse = f"{question.claimant} surely errs less than {rivals}", f"{question.claimant} surely errs more"
        worse += f" than {'one of ' * (len(question.rivals()) > 1)}{rivals}"
    phrases = {"better": f"; {better}, by how much is open", "worse": f"; {worse}, by how much is open", "null": ""}
    return phrases[decision.direction]


_SENTENCES = {
    "supported": _supported,
    "partly supported": _partly,
    "no practical difference": _no_difference,
    "contradicted": _contradicted,
    "inconclusive": _inconclusive,
}


def _margin(margin: float) -> str:
    return f"the margin of {margin:g} points"


def _differences(decision: Decision, scale: Scale, spent: float) -> list[str]:
    """One sentence a comparison, the trend first, and the best C of a trade."""
    where = scale_words(scale)
    comparisons, trend = decision.comparisons.plain, decision.comparisons.trend
    sentences = []
    if trend is not None and len(comparisons) > 1:
        change, more = amount(trend, "falls", "rises")
        sentences.append(
            f"{where}, the test error {more} by {change} points from {trend.rival} to "
            f"{trend.claimant}, along the line over log2 C {_certainty(trend, spent)}."
        )
    sure = [one for one in decision.comparisons.bought if one.p <= ALPHA_DIRECTION * spent]
    bought = {one.claimant: one.difference for one in sure}
    for one in comparisons:
        change, more = amount(one, "less", "more")
        sentence = f"{where}, {one.claimant} errs {change} points {more} than {one.rival} {_certainty(one, spent)}"
        if one.difference > 0 and one.claimant in bought:
            sentence += f", {100 * one.difference / bought[one.claimant]:.0f} % of what it gains on the base"
        sentences.append(f"{sentence}.")
    if decision.bend is not None and decision.bend.best == comparisons[0].rival:
        sentences.append(f"{where}, {decision.bend.best}, the smallest C, errs least.")
    elif decision.bend is not None:
        low, high = decision.bend.best_interval
        sentences.append(
            f"{where}, {decision.bend.best} errs least: {low:.2f} to {high:.2f} points less than "
            f"{comparisons[0].rival} (95 %, together with all other C)."
        )
    return sentences


def of_distributions(found: Distributions, scale: Scale) -> str:
    """How the distributions of two spaces differ; no word rests on it."""
    p = "p < 0.001" if found.p < 0.001 else f"p = {found.p:.3f}"
    medians = [f"{one.name} {one.quantiles[len(SHARES) // 2].error:.2f} %" for one in (found.first, found.second)]
    return (
        f"{scale_words(scale)}, the distributions of the test error differ by at most {100 * found.distance:.0f} % of "
        f"the networks (Kolmogorov and Smirnov, {p}); medians: {listed(medians)}."
    )


def amount(one: Comparison, positive: str, negative: str) -> tuple[str, str]:
    """A difference without its sign, and the word for it."""
    return f"{abs(one.difference):.2f}", negative if round(one.difference, 2) < 0 else positive


def _certainty(one: Comparison, spent: float) -> str:
    low, high = sorted(one.interval if one.difference >= 0 else (-end for end in one.interval))
    sure = ""
    if one.p_holm <= ALPHA_DIRECTION * spent:
        sure = "; surely better"
    elif one.p_worse_holm <= ALPHA_DIRECTION * spent:
        sure = "; surely worse"
    if math.isnan(low):
        return "(no interval: too few runs or images)"
    return f"(95 % interval {low:.2f} to {high:.2f}{sure})"


def listed(names: Sequence[str]) -> str:
    """Names, with commas and an `and`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
