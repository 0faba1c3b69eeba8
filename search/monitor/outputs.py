"""Everything that is written of a study as files: tables, the arms for a paper, pictures, the report. Starts without
torch, Ax and Ray.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from resnext_search.results.figures.claim import claim_charts, tuning_chart
from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.journal import Journal
from resnext_search.results.report.facts import read_facts, rows_of
from resnext_search.results.report.page import page, parts
from resnext_search.results.search_summary import SearchSummary
from resnext_search.results.tables.arms import arm_rows, latex, markdown
from resnext_search.results.tables.files import write_parquet, write_tables
from resnext_search.results.verdict.sources import judge_study
from resnext_search.results.verdict.verdict import Verdict
from resnext_search.search.monitor.summary import from_search
from resnext_search.search.surrogate.study_model import write_effects
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.whole_file import write_whole


def export_study(
    folder: StudyFolder, journal: Journal, objectives: Sequence[str] | None = None, *, figures: bool = False
) -> list[Path]:
    """Write every table of a study, and with `figures` its pictures.

    Returns:
        The files written; those of the arms only for a study that makes a claim.

    Raises:
        UsageError: An objective is unknown, or the folder cannot be written.
    """
    files = write_tables(folder, journal, objectives)
    files.append(write_effects(folder, journal))
    files += write_parquet(folder, journal, objectives)
    judged = judge_study(journal)
    if judged is not None:
        rows = arm_rows(judged[1].to_json())
        for path, text in ((folder.arms_latex, latex(rows)), (folder.arms_markdown, markdown(rows))):
            _written(path, lambda path=path, text=text: write_whole(path, text))  # type: ignore[misc]
            files.append(path)
    return [*files, *(draw_study(folder, journal) if figures else [])]


def draw_study(folder: StudyFolder, journal: Journal) -> list[Path]:
    """Draw every figure of the report as PNG and SVG; returns the files."""
    from resnext_search.results.figures.draw_matplotlib import draw  # matplotlib takes a second to import
    from resnext_search.results.report.facts import gallery, read_facts
    from resnext_search.search.monitor.summary import from_search

    charts = gallery(read_facts(folder, journal, from_search(folder, journal)))
    return _written(folder.figures, lambda: draw(charts.values(), folder.figures))


def draw_runs(runs: pd.DataFrame, verdict: Verdict, folder: Path) -> list[Path]:
    """Draw the arms of a study, or of anyone's runs, as PNG and SVG; returns the files."""
    from resnext_search.results.figures.draw_matplotlib import draw

    rows = rows_of(runs)
    tuning = tuning_chart(rows)
    charts = [*claim_charts(rows, verdict.to_json()), *([] if tuning is None else [tuning])]
    return _written(folder, lambda: draw(charts, folder))


Written = TypeVar("Written")


def _written(path: Path, write: Callable[[], Written]) -> Written:
    try:
        return write()
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def write_report(folder: StudyFolder, journal: Journal, out: Path | None = None) -> Path:
    """Write the report as one file; a reader never sees half of it.

    Args:
        folder: Of the study.
        journal: Of the study.
        out: Another file than the folder's.

    Returns:
        The file.

    Raises:
        UsageError: It cannot be written.
    """
    path = out or folder.report
    try:
        write_whole(path, report_page(folder, journal))
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {error.strerror}", hint="Name another file with --out."
        ) from error
    return path


def report_page(
    folder: StudyFolder, journal: Journal, search: SearchSummary | None = None, *, live: bool = False
) -> str:
    """The page as HTML.

    Args:
        folder: Of the study.
        journal: Of the study.
        search: As `report_parts` has it.
        live: As served beside a run, to be renewed.
    """
    return page(read_facts(folder, journal, search or from_search(folder, journal)), live=live)


def report_parts(folder: StudyFolder, journal: Journal, search: SearchSummary | None = None) -> dict[str, Any]:
    """The pieces of the page, ready for JSON, for a page that is shown already.

    Args:
        folder: Of the study.
        journal: Of the study.
        search: What `from_search` returned, if that is still true: it takes most of the time.
    """
    return parts(read_facts(folder, journal, search or from_search(folder, journal)))
