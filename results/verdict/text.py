"""A verdict as text for people: its sentences, and tables of the arms, their differences and what else they cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from resnext_search.results.inference.comparisons import Comparison
from resnext_search.results.statistics.distributions import Distributions
from resnext_search.results.tables.layout import text_table, wrapped
from resnext_search.results.verdict.arms import ArmResult, CostRatio
from resnext_search.results.verdict.outcome import Verdict
from resnext_search.results.verdict.reasons import listed, scale_words

EQUAL_COST = "at equal cost of this kind"
# Columns of words.
NAMES = ("arm", "space", "against", "architecture", "cost", "it costs", EQUAL_COST)
# Columns that a table can do without, and the first to go where it is too wide.
OF_ARMS = ("seconds", "activations", "parameters", "SD", "multiply-adds", "architecture", "runs")
OF_DIFFERENCES = (
    "bootstrap 95 %",
    "90 % interval",
    "its 95 % interval",
    "of it tuning",
    "median",
    "p",
    "P(improvement)",
    "p (Holm)",
)
ALL_COLUMNS = "Some columns do not fit: resnext-search verdict ... --wide shows all."
OTHER_COSTS = (
    "less: where the arm is ahead, it is so at equal cost of this kind a fortiori; equal: the comparison holds there "
    "too; more: whether it is ahead there is not answered by these runs"
)


def verdict_text(verdict: Verdict, width: int | None = None) -> str:
    """The whole text: the word, its reasons, notes and tables.

    With a `width` no line of a table is longer, and it is said that columns are left out; a sentence stays one line.
    """
    lines = [f"verdict: {verdict.verdict}", ""]
    if verdict.verdict == "invalid":
        lines += [f"{scale_words(verdict.scale, verdict.kind)}, these runs are no fair comparison{_of_whom(verdict)}:"]
        lines += [f"  - {reason}" for reason in verdict.reasons]
    else:
        lines += [verdict.reasons[0], *(f"  - {reason}" for reason in verdict.reasons[1:])]
    if verdict.notes:
        lines += ["", *(f"Note: {note}" for note in verdict.notes)]
    return "\n".join([*lines, *_table_lines(verdict, width)])


def verdict_tables(verdict: Verdict) -> str:
    """The tables alone, with all columns; empty where there are none."""
    return "\n".join(_table_lines(verdict, None)[1:])


def _table_lines(verdict: Verdict, width: int | None) -> list[str]:
    lines: list[str] = []
    for title, rows in tables(verdict, width):
        lines += ["", *wrapped(title, width or len(title)).split("\n"), *rows]
    is_whole = width is None or tables(verdict, width) == tables(verdict)
    return lines if is_whole else [*lines, "", *wrapped(ALL_COLUMNS, width or 0).split("\n")]


def _of_whom(verdict: Verdict) -> str:
    if verdict.claimant is None:
        return ""
    names = [arm.arm for arm in verdict.arms]
    if verdict.claimant not in names:  # at several budgets: arms are told of by how they spend
        names = list(dict.fromkeys(name.partition("@")[0] for name in names))
    rivals = [name for name in names if name != verdict.claimant]
    return f" of {verdict.claimant}" + (f" with {listed(rivals)}" if rivals else "")


def tables(verdict: Verdict, width: int | None = None) -> list[tuple[str, list[str]]]:
    """Title and lines of every table that has rows, with all columns or those that fit."""
    finalists = "Finalists of the search, chosen and so not compared"
    of_arms = (("Arms", verdict.arms), (finalists, verdict.finalists))
    found: list[tuple[str, list[list[str]], Sequence[str]]]
    found = [(f"{title} (test error in percent):", _arm_rows(arms), OF_ARMS) for title, arms in of_arms if arms]
    # Of two arms the trend is the difference.
    trend = [] if verdict.trend is None or len(verdict.comparisons) == 1 else [verdict.trend]
    if verdict.comparisons:
        valid = "" if verdict.verdict != "invalid" else ", no evidence as long as the comparison is not fair"
        rows = _comparison_rows((*trend, *verdict.comparisons), verdict.trend, with_median=verdict.rules > 1)
        found.append((f"Differences (points; positive: fewer errors{valid}):", rows, OF_DIFFERENCES))
    if verdict.bought:
        title = "What the budget buys over the base (points; positive: fewer errors):"
        found.append((title, _comparison_rows(verdict.bought), OF_DIFFERENCES))
    if verdict.further:
        title = "Still more groups (points; p corrected for their number; no part of the word):"
        found.append((title, _comparison_rows(verdict.further), OF_DIFFERENCES))
    if verdict.distributions is not None:
        title = "Distributions (test error in percent that a share of the networks does not exceed):"
        found.append((title, _distribution_rows(verdict.distributions), ()))
    shown = [(title, text_table(rows, names=NAMES, width=width, dispensable=last)) for title, rows, last in found]
    if verdict.secondary:
        shown.append(("Other costs (ratio of arm to rival):", _cost_lines(verdict.secondary, width)))
    return shown


def _cost_lines(ratios: Sequence[CostRatio], width: int | None) -> list[str]:
    """What the arms cost otherwise; to fit, one word stands for a sentence, which is explained below."""

    def lines(heading: str, said: Callable[[CostRatio], str]) -> list[str]:
        rows = [["arm", "against", "cost", "ratio", "95 % interval", heading]]
        rows += [
            [one.claimant, one.rival, one.quantity, f"{one.ratio:.3f}", _span(one.interval, 3), said(one)]
            for one in ratios
        ]
        return text_table(rows, names=NAMES, width=width if heading != EQUAL_COST else None)

    whole = lines(EQUAL_COST, lambda one: one.answer)
    if width is None or max(map(len, whole)) <= width:
        return whole
    words = lines("it costs", lambda one: one.answer.partition(":")[0])
    return [*words, *wrapped(f"  {OTHER_COSTS}", width).split("\n")]


def _arm_rows(arms: Sequence[ArmResult]) -> list[list[str]]:
    header = ["arm", "architecture", "runs", "test error", "95 % interval", "SD"]
    header += ["multiply-adds", "parameters", "activations", "seconds"]
    rows = [
        [
            arm.arm,
            arm.architecture or "",
            str(arm.runs),
            _fixed(arm.test_error),
            _span(arm.interval),
            _fixed(arm.deviation),
            *("" if count is None else f"{count:,}" for count in (arm.multiply_adds, arm.parameters, arm.activations)),
            "" if arm.seconds is None else f"{arm.seconds:.1f}",
        ]
        for arm in arms
    ]
    return [header, *rows]


def _comparison_rows(
    comparisons: Sequence[Comparison], trend: Comparison | None = None, *, with_median: bool = True
) -> list[list[str]]:
    header = [
        "arm",
        "against",
        "difference",
        "95 % interval",
        "90 % interval",
        "of it tuning",
        "median",
        "p",
        "p (Holm)",
    ]
    header += ["P(improvement)", "its 95 % interval", "bootstrap 95 %"]
    rows = [
        [
            one.claimant,
            one.rival + (" (trend)" if one is trend else ""),
            _fixed(one.difference),
            _span(one.interval),
            _span(one.interval_90),
            _share(one),
            _fixed(one.median) if with_median else "",
            _p_value(one.p),
            _p_value(one.p_holm),
            _fixed(one.probability),
            _span(one.probability_interval),
            _span(one.bootstrap_interval),
        ]
        for one in comparisons
    ]
    return [header, *rows]


def _distribution_rows(of: Distributions) -> list[list[str]]:
    """A row for every share and space; the intervals of one space hold all together."""
    rows = [["space", "share", "test error", "95 % band"]]
    for one in (of.first, of.second):
        rows.append([one.name, "lowest", _fixed(one.lowest), ""])
        rows += [[one.name, f"{at.share:.0%}", _fixed(at.error), _open_span(at.interval)] for at in one.quantiles]
        rows.append([one.name, "highest", _fixed(one.highest), ""])
    return rows


def _open_span(ends: tuple[float, float]) -> str:
    """As `_span`, of which an end may not be bounded."""
    low, high = ("" if math.isnan(end) else f"{end:.2f}" for end in ends)
    return f"{low or 'any'} to {high or 'any'}"


def _fixed(value: float, digits: int = 2) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}"


def _share(one: Comparison) -> str:
    """Of the variance, what the choice of the learning rates makes."""
    if math.isnan(one.tuning_error) or not one.standard_error > 0:
        return ""
    return f"{100 * (one.tuning_error / one.standard_error) ** 2:.0f} %"


def _p_value(value: float) -> str:
    return "<0.0001" if value < 0.0001 else _fixed(value, 4)


def _span(ends: tuple[float, float], digits: int = 2) -> str:
    return "" if math.isnan(ends[0]) else f"{ends[0]:.{digits}f} to {ends[1]:.{digits}f}"
