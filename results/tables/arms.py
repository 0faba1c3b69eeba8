"""The arms as a table for a paper: in LaTeX and in Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

HEADINGS = (
    "arm",
    "architecture",
    "multiply-adds",
    "parameters",
    "activations",
    "runs",
    "test error, %",
    "95 % interval",
)
# Those that are words; the others are numbers, and stand to the right.
WORDS = 2


def arm_rows(verdict: Mapping[str, Any]) -> list[list[str]]:
    """A row for every arm and every finalist of `Verdict.to_json()`; empty while there are none."""
    return [
        [
            row["arm"],
            row["architecture"] or "",
            *("" if row[name] is None else f"{row[name]:,}" for name in ("multiply_adds", "parameters", "activations")),
            str(row["runs"]),
            "" if row["test_error"] is None else f"{row['test_error']:.2f}",
            "" if not row["interval"] or None in row["interval"] else "{:.2f} to {:.2f}".format(*row["interval"]),
        ]
        for row in (*verdict["arms"], *verdict["finalists"])
    ]


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """The table in Markdown."""
    rules = ["---"] * WORDS + ["---:"] * (len(HEADINGS) - WORDS)
    lines = [HEADINGS, rules, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def latex(rows: Sequence[Sequence[str]]) -> str:
    r"""The table in LaTeX, a `tabular` that needs no package.

    >>> print(latex([["a_b", "1x18d-11", "1,238", "126", "18", "10", "2.09", "0.96 to 3.22"]]), end="")
    \begin{tabular}{llrrrrrr}
    \hline
    arm & architecture & multiply-adds & parameters & activations & runs & test error, \% & 95 \% interval \\
    \hline
    a\_b & 1x18d-11 & 1,238 & 126 & 18 & 10 & 2.09 & 0.96 to 3.22 \\
    \hline
    \end{tabular}
    """
    columns = "l" * WORDS + "r" * (len(HEADINGS) - WORDS)
    head, *body = (" & ".join(map(_escaped, line)) + r" \\" for line in (HEADINGS, *rows))
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\hline", head, r"\hline", *body, r"\hline", r"\end{tabular}"]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return re.sub(r"([&%$#_{}])", r"\\\1", text)
