"""What does a run say when it has ended? What it found, and where the files lie."""

from __future__ import annotations

from collections.abc import Sequence

from resnext_search.results.figures.chart import Row
from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.journal import Journal
from resnext_search.results.report.facts import StudyResults, rows_of
from resnext_search.results.tables.layout import text_table
from resnext_search.results.verdict.text import verdict_text
from resnext_search.search.monitor.status import read_audit, read_best, read_chosen
from resnext_search.search.monitor.text import audit_words, best_line
from resnext_search.spaces.errors import typed


def result_words(folder: StudyFolder, journal: Journal, results: StudyResults, width: int) -> str:
    """The front of the search, the configuration to take, and the verdict; tables have lines of at most `width`."""
    words = [
        "Pareto front of the search:",
        *front_lines(rows_of(results.front), journal.study().objectives, width),
    ]
    if read_best(journal) is not None:
        words += ["", best_line(read_chosen(folder, journal))]
        words += [f"To train it on all but the test images: resnext-search refit {typed(folder.path)}"]
    if audit := read_audit(journal):
        words += ["", audit_words(audit)]
    if results.verdict is not None:
        words += ["", verdict_text(results.verdict, width), "", f"Verdict: {folder.verdict}"]
    return "\n".join(["", *words, f"Pareto front: {folder.pareto}", f"All trials: {folder.trials}"])


def front_lines(front: Sequence[Row], objectives: Sequence[str], width: int) -> list[str]:
    """The front as a table, best first: its objectives, and what names a configuration."""
    costs = list(dict.fromkeys(["activations", *objectives[1:]]))
    columns = ["trial", "architecture", "blocks", "learning_rate", *costs, "validation_error"]
    rows = [[_cell(row[name]) for name in columns] for row in front]
    dispensable = ["learning_rate", *(["activations"] if "activations" not in objectives else [])]
    return text_table(
        [columns, *rows], names=["architecture", "blocks"], width=width, dispensable=[*dispensable, "blocks"]
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value or "")
