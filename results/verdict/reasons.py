"""Why does a verdict say what it says? Its sentences; the first names the data, FLOPs, epochs and seeds for which they
hold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from resnext_search.results.inference.comparisons import Comparison
from resnext_search.results.inference.curve import AtBudget, OverBudgets
from resnext_search.results.inference.decision import Decision
from resnext_search.results.inference.power import Advice, Need
from resnext_search.results.inference.question import Kind, Question
from resnext_search.results.inference.rules import ALPHA_DIRECTION, is_gain
from resnext_search.results.statistics.distributions import SHARES, Distributions
from resnext_search.results.verdict.arms import Scale
from resnext_search.spaces.study.sections import FEWEST_SEEDS

TUNING_NOT_COVERED = (
    "the tuning of the arms is not covered: without tuning trials (rows of phase tune, with learning_rate and "
    "validation_error) the intervals take every arm's learning rate for its best."
)


def scale_words(scale: Scale, kind: Kind | None = None) -> str:
    """The scale, as the beginning of a sentence on a question of a kind.

    >>> from resnext_search.results.verdict.arms import Scale
    >>> scale_words(Scale("cifar10", 16, (33_500_000, 33_500_000), (10, 10), 10_000), "spend")
    'On cifar10, at 33,500,000 multiply-adds, 16 epochs and 10 seeds an arm'
    >>> scale_words(Scale(None, None, None, (3, 5), None))
    'On data not named, at FLOPs not given, epochs not given and 3 to 5 seeds an arm'
    """
    costs = "FLOPs not given"
    if scale.multiply_adds is not None:
        low, high = scale.multiply_adds
        costs = f"{low:,} multiply-adds" if low == high else f"{low:,} to {high:,} multiply-adds"
    epochs = "epochs not given" if scale.epochs is None else f"{scale.epochs} epoch{'s' * (scale.epochs != 1)}"
    (fewest, most), (run, arm) = scale.seeds, _units(kind)
    seeds = f"{fewest} {run}{'s' * (fewest != 1)}" if fewest == most else f"{fewest} to {most} {run}s"
    return f"On {scale.data or 'data not named'}, at {costs}, {epochs} and {seeds} {arm}"


def _units(kind: Kind | None) -> tuple[str, str]:
    """What there are many of, and of what: of a space every seed is another network."""
    return ("network", "a space") if kind == "spaces" else ("seed", "an arm")


def at_scale(scale: Scale, sentences: Sequence[str], kind: Kind | None = None) -> tuple[str, ...]:
    """The sentences, the first with the scale: whoever quotes the answer quotes for what it holds."""
    first, *others = sentences
    return (f"{scale_words(scale, kind)}, {first}", *others)


def answer(decision: Decision, question: Question, margin: float, spent: float) -> list[str]:
    """The reasons of a verdict on a fair comparison: the word in a sentence, then every difference."""
    sentence = _SENTENCES[decision.word](decision, question, margin, spent)
    return [f"{sentence}.", *_differences(decision, spent)]


def too_few(question: Question, runs: Sequence[int]) -> str:
    """The reason where an arm has not seeds enough for any word; `runs` are those of every arm."""
    short = [
        f"{arm} has {count or 'no'} run{'s' * (count != 1)} and lacks {FEWEST_SEEDS - count}"
        for arm, count in zip(question.arms, runs, strict=True)
        if count < FEWEST_SEEDS
    ]
    run, arm = _units(question.kind)
    return f"there are too few runs for a verdict, which takes {FEWEST_SEEDS} {run}s {arm}: {'; '.join(short)}."


def settling(advice: Advice, decision: Decision, question: Question, margin: float, why_not: str) -> list[str]:
    """What would settle it: for a gain, and for no difference."""
    gain = f"a true gain of {2 * margin:g} points, two margins, to be found in 80 % of studies"
    run, arm = _units(question.kind)
    whose = "spaces'" if question.kind == "spaces" else "arms'"
    sentences = []
    if decision.base_is_missing:
        sentences.append("For `supported` no number of seeds is enough: it takes an arm `base`.")
    elif advice.gain.seeds is not None:
        gate = f", if {listed(decision.unsound)} turn out better than the base" if decision.unsound else ""
        sentences.append(f"For {gain}: about {_needed(advice.gain, run)} {arm}{gate}.")
    elif advice.tuning_times is not None:
        sentences.append(
            f"For {gain} no number of {run}s is enough, but {advice.tuning_times} times as many {run}s of tuning "
            f"(claim.tuning_seeds) would be: the {whose} learning rates are too uncertain."
        )
    else:
        sentences.append(f"For {gain} no number of {run}s is enough: {why_not}.")
    nothing = "`no practical difference` to be found in 80 % of studies where nothing differs"
    enough = f"no number of {run}s is enough"
    if advice.no_difference.seeds is not None:
        enough = f"about {_needed(advice.no_difference, run)} {arm}"
    return [*sentences, f"For {nothing}: {enough}."]


def _needed(need: Need, run: str) -> str:
    """A number of seeds, or of networks, with its range, as these runs leave it."""
    high = "any number" if need.high is None else f"{need.high}"
    return f"{need.seeds} {run}s ({need.low} to {high}, as uncertain as the spread of these runs)"


def _supported(_: Decision, question: Question, margin: float, __: float) -> str:
    found = "more groups err less" if question.kind == "trade" else f"{question.claimant} beats {_rivals(question)}"
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
        all_of_them = _rivals(question) if question.budgets else f"all of {_rivals(question)}"
        return f"{found}, but not {all_of_them}{_phrase(decision, question)}"
    if decision.base_is_missing:
        return f"{found}, but no arm `base` shows that {_rivals(question)} err less than what they came from"
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
    differs = f"{question.claimant} differs from {_rivals(question)}"
    found = "more groups change the error" if question.kind == "trade" else differs
    return f"{found} by less than {_margin(margin)}, surely"


def _contradicted(decision: Decision, question: Question, margin: float, spent: float) -> str:
    if question.kind == "trade":
        return f"more groups err more: surely, by at least {_margin(margin)}"
    lost = [one.rival for one in decision.comparisons.plain if is_gain(one.p_worse_holm, one.p_loss_holm, spent)]
    return f"{question.claimant} loses to {listed(lost)}: surely, by at least {_margin(margin)}"


def _inconclusive(decision: Decision, question: Question, margin: float, spent: float) -> str:
    rivals = _rivals(question)
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
    rivals = _rivals(question)
    if question.kind == "trade":
        better, worse = "the error surely falls with more groups", "the error surely rises with more groups"
    else:
        better, worse = f"{question.claimant} surely errs less than {rivals}", f"{question.claimant} surely errs more"
        several = f"one of {listed(question.ways())}{' at some budget' * bool(question.budgets)}"
        worse += f" than {several if len(question.rivals()) > 1 else rivals}"
    phrases = {"better": f"; {better}, by how much is open", "worse": f"; {worse}, by how much is open", None: ""}
    return phrases[decision.direction]


_SENTENCES = {
    "supported": _supported,
    "partly supported": _partly,
    "no practical difference": _no_difference,
    "contradicted": _contradicted,
    "inconclusive": _inconclusive,
}


def _rivals(question: Question) -> str:
    """Those that are to be beaten; at several budgets by how they spend."""
    return f"{listed(question.ways())}{' at every budget' * bool(question.budgets)}"


def of_budgets(budgets: Sequence[AtBudget], over: Sequence[OverBudgets], claimant: str) -> list[str]:
    """What is said of every budget, and over all; nothing where there is one."""
    sure = {"better": ", surely better", "worse": ", surely worse", None: ""}
    said = [f"at {at.times} times the base's groups `{at.word}`{sure[at.direction]}" for at in budgets]
    sentences = [f"By budget, corrected for their number: {'; '.join(said)}."] if said else []
    for one in over:
        less, grows = "less" if one.gain >= 0 else "more", "grows" if one.slope * one.gain >= 0 else "shrinks"
        gain = f"{abs(one.gain):.2f} points {less} than {one.rival} {_interval(one.gain, one.gain_interval)}"
        slope = f"{abs(one.slope):.2f} points as the budget doubles {_interval(one.slope, one.slope_interval)}"
        growth = "" if math.isnan(one.slope) else f"; that {grows} by {slope}"
        sentences.append(f"Over all budgets {claimant} errs {gain}{growth}.")
    return sentences


def _interval(value: float, interval: tuple[float, float], sure: str = "") -> str:
    """The interval of a difference that is given without its sign."""
    low, high = sorted(interval if value >= 0 else (-end for end in interval))
    if math.isnan(low):
        return "(no interval: too few runs or images)"
    return f"(95 % interval {low:.2f} to {high:.2f}{sure})"


def _margin(margin: float) -> str:
    return f"the margin of {margin:g} points"


def _differences(decision: Decision, spent: float) -> list[str]:
    """One sentence a comparison, the trend first, and the best C of a trade."""
    comparisons, trend = decision.comparisons.plain, decision.comparisons.trend
    sentences = []
    if trend is not None and len(comparisons) > 1:
        change, more = amount(trend, "falls", "rises")
        sentences.append(
            f"the test error {more} by {change} points from {trend.rival} to "
            f"{trend.claimant}, along the line over log2 C {_certainty(trend, spent)}."
        )
    sure = [one for one in decision.comparisons.bought if one.p <= ALPHA_DIRECTION * spent]
    bought = {one.claimant: one.difference for one in sure}
    for one in comparisons:
        change, more = amount(one, "less", "more")
        sentence = f"{one.claimant} errs {change} points {more} than {one.rival} {_certainty(one, spent)}"
        if one.difference > 0 and one.claimant in bought:
            sentence += f", {100 * one.difference / bought[one.claimant]:.0f} % of what it gains on the base"
        sentences.append(f"{sentence}.")
    if decision.bend is not None and decision.bend.best == comparisons[0].rival:
        sentences.append(f"{decision.bend.best}, the smallest C, errs least.")
    elif decision.bend is not None:
        low, high = decision.bend.best_interval
        sentences.append(
            f"{decision.bend.best} errs least: {low:.2f} to {high:.2f} points less than "
            f"{comparisons[0].rival} (95 %, together with all other C)."
        )
    return sentences


def of_distributions(found: Distributions | None) -> list[str]:
    """How the distributions of two spaces differ; no word rests on it. Nothing where spaces are not asked of."""
    if found is None:
        return []
    p = "p < 0.001" if found.p < 0.001 else f"p = {found.p:.3f}"
    halves = [
        f"half of {one.name} err at most {one.quantiles[len(SHARES) // 2].error:.2f} %"
        for one in (found.first, found.second)
    ]
    return [
        f"the distributions of the test error differ by at most {100 * found.distance:.0f} % of the networks "
        f"(Kolmogorov and Smirnov, {p}); {listed(halves)}."
    ]


def amount(one: Comparison, positive: str, negative: str) -> tuple[str, str]:
    """A difference without its sign, and the word for it."""
    return f"{abs(one.difference):.2f}", negative if round(one.difference, 2) < 0 else positive


def _certainty(one: Comparison, spent: float) -> str:
    sure = ""
    if one.p_holm <= ALPHA_DIRECTION * spent:
        sure = "; surely better"
    elif one.p_worse_holm <= ALPHA_DIRECTION * spent:
        sure = "; surely worse"
    return _interval(one.difference, one.interval, sure)


def listed(names: Sequence[str]) -> str:
    """Names, with commas and an `and`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
