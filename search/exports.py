"""Everything that can be made from a journal as files: tables, the arms for a paper, pictures.

Starts without torch, Ax and Ray.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pandas as pd
from resnext_search.results.arm_tables import arm_rows, latex, markdown
from resnext_search.results.claim_charts import claim_charts, tuning_chart
from resnext_search.results.export import write_tables
from resnext_search.results.folder import StudyFolder
from resnext_search.results.journal import Journal
from resnext_search.results.parquet import write_parquet
from resnext_search.results.report.facts import rows_of
from resnext_search.results.verdict import Verdict
from resnext_search.search.effects_table import write_effects
from resnext_search.search.verdicts import judge_study
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
    from resnext_search.results.plots import draw  # matplotlib takes a second to import
    from resnext_search.results.report import read_facts
    from resnext_search.results.report.gallery import gallery
    from resnext_search.search.report import from_search

    charts = gallery(read_facts(folder, journal, from_search(folder, journal)))
    return _written(folder.figures, lambda: draw(charts.values(), folder.figures))


def draw_runs(runs: pd.DataFrame, verdict: Verdict, folder: Path) -> list[Path]:
    """Draw the arms of a study, or of anyone's runs, as PNG and SVG; returns the files."""
    from resnext_search.results.plots import draw

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
