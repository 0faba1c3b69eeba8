"""Tables for a paper, in LaTeX and in Markdown: the arms, and what several budgets say together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PaperTable:
    """A table of words and numbers.

    Args:
        headings: Of the columns.
        words: So many columns from the left are words; the others are numbers, and stand to the right.
        rows: The cells of each line.
    """

    headings: tuple[str, ...]
    words: int
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """The table in Markdown."""
        rules = ["---"] * self.words + ["---:"] * (len(self.headings) - self.words)
        lines = [self.headings, rules, *([cell.replace("|", "\\|") for cell in row] for row in self.rows)]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def latex(self) -> str:
        r"""The table in LaTeX, a `tabular` that needs no package.

        >>> print(PaperTable(("arm", "error, %"), 1, [["a_b", "2.09"]]).latex(), end="")
        \begin{tabular}{lr}
        \hline
        arm & error, \% \\
        \hline
        a\_b & 2.09 \\
        \hline
        \end{tabular}
        """
        columns = "l" * self.words + "r" * (len(self.headings) - self.words)
        head, *body = (" & ".join(map(_escaped, line)) + r" \\" for line in (self.headings, *self.rows))
        lines = [rf"\begin{{tabular}}{{{columns}}}", r"\hline", head, r"\hline", *body, r"\hline", r"\end{tabular}"]
        return "\n".join(lines) + "\n"


def arms_table(verdict: Mapping[str, Any]) -> PaperTable:
    """A row for every arm and every finalist of `Verdict.to_json()`, empty while there are none.

    What no arm has, as a space has no architecture, is no column.
    """
    headings = "arm", "architecture", "multiply-adds", "parameters", "activations", "runs", "test error, %"
    rows = [
        [
            row["arm"],
            row["architecture"] or "",
            *("" if row[name] is None else f"{row[name]:,}" for name in ("multiply_adds", "parameters", "activations")),
            str(row["runs"]),
            _number(row["test_error"]),
            _interval(row["interval"]),
        ]
        for row in (*verdict["arms"], *verdict["finalists"])
    ]
    return _filled(PaperTable((*headings, "95 % interval"), 2, rows))


def budgets_table(verdict: Mapping[str, Any]) -> PaperTable | None:
    """What the claimant gains on every rival at each budget, over all, and more as the budget doubles.

    Args:
        verdict: `Verdict.to_json()`.

    Returns:
        A row for each rival at each budget, its mean gain over all budgets, and its slope; the word of a budget stands
        once beside it. None where there is one budget, or nothing confirmed yet. What is not known is an empty cell.
    """
    if all(over["gain"] is None for over in verdict["over_budgets"]):
        return None
    claimant = verdict["claimant"]
    headings = "budget", "rival", "multiply-adds", f"{claimant}, %", "rival, %", "gain, points", "95 % interval"
    rows = [*_at_budgets(verdict), *_over_budgets(verdict)]
    named = [row[0] for row in rows]
    return PaperTable(
        headings,
        2,
        [["" if place and named[place - 1] == row[0] else row[0], *row[1:]] for place, row in enumerate(rows)],
    )


def _filled(table: PaperTable) -> PaperTable:
    """The table without columns in which no row says anything."""
    kept = [place for place in range(len(table.headings)) if any(row[place] for row in table.rows) or not table.rows]
    headings = tuple(table.headings[place] for place in kept)
    words = sum(place < table.words for place in kept)
    return PaperTable(headings, words, [[row[place] for place in kept] for row in table.rows])


def _at_budgets(verdict: Mapping[str, Any]) -> Iterator[list[str]]:
    arms = {arm["arm"]: arm for arm in verdict["arms"]}
    for at in verdict["budgets"]:
        claimant = arms[f"{verdict['claimant']}@{at['times']}"]
        cost = claimant["multiply_adds"]
        for one in verdict["comparisons"]:
            if one["claimant"] == claimant["arm"]:
                rival = arms[one["rival"]]
                errors = [_number(arm["test_error"]) for arm in (claimant, rival)]
                yield [
                    f"{at['times']}x: {at['word']}",
                    rival["arm"].rpartition("@")[0],
                    "" if cost is None else f"{cost:,}",
                    *errors,
                    _number(one["difference"]),
                    _interval(one["interval"]),
                ]


def _over_budgets(verdict: Mapping[str, Any]) -> Iterator[list[str]]:
    for over in verdict["over_budgets"]:
        gain = [_number(over["gain"]), _interval(over["gain_interval"])]
        yield [f"all: {verdict['verdict']}", over["rival"], "", "", "", *gain]
    for over in verdict["over_budgets"]:
        yield ["a doubling", over["rival"], "", "", "", _number(over["slope"]), _interval(over["slope_interval"])]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _interval(ends: Sequence[Any] | None) -> str:
    return "" if not ends or None in ends else "{:.2f} to {:.2f}".format(*ends)


def _escaped(text: str) -> str:
    return re.sub(r"([&%$#_{}])", r"\\\1", text)
