"""Everything that is written of a study as files: tables, the arms for a paper, pictures, the report.

What follows from the journal is made once for all of them. The tables are there before the search is asked for its
summary: its model takes seconds, and may fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas as pd
from resnext_search.results.figures.chart import Chart
from resnext_search.results.figures.claim import claim_charts, tuning_chart
from resnext_search.results.figures.curve import curve_charts
from resnext_search.results.figures.populations import population_charts
from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.journal import Journal
from resnext_search.results.report.facts import Facts, StudyResults, charts_of, read_facts
from resnext_search.results.report.page import page
from resnext_search.results.runs.table import read_runs
from resnext_search.results.search_summary import SearchSummary
from resnext_search.results.tables.files import write_effects, write_parquet, write_tables
from resnext_search.results.tables.paper import PaperTable, arms_table, budgets_table
from resnext_search.results.tables.trials import pareto_table, trials_table
from resnext_search.results.verdict.outcome import Verdict
from resnext_search.results.verdict.sources import judge_study
from resnext_search.spaces.whole_file import write_whole, writing


def write_outputs(folder: StudyFolder, journal: Journal, summarize: Callable[[], SearchSummary]) -> StudyResults:
    """Write what lies in every study folder: the tables and the report; returns what was made of the journal for it.

    Raises:
        UsageError: The folder cannot be written.
    """
    trials = trials_table(journal)
    front = pareto_table(journal, trials=trials)
    write_tables(folder, trials, front)
    search = summarize()
    write_effects(folder, search.effects, trials)
    results = StudyResults(trials, front, judge_study(journal, trials))
    write_report(folder.report, read_facts(folder, journal, results, search))
    return results


def export_study(
    folder: StudyFolder,
    journal: Journal,
    summarize: Callable[[], SearchSummary],
    objectives: Sequence[str] | None = None,
    *,
    figures: bool = False,
) -> list[Path]:
    """Write every table of a study, and with `figures` its pictures.

    Args:
        folder: Of the study.
        journal: Of the study.
        summarize: Says what only the search knows.
        objectives: Of the front in the tables; the study's own without it.
        figures: Whether to draw every figure of the report as PNG and SVG, with the front of the study's own.

    Returns:
        The files written; those of the arms only for a study that makes a claim.

    Raises:
        UsageError: An objective is unknown, or the folder cannot be written.
    """
    trials = trials_table(journal)
    front = pareto_table(journal, objectives, trials)
    files = write_tables(folder, trials, front)
    search = summarize()
    files += [write_effects(folder, search.effects, trials), *write_parquet(folder, trials, front)]
    verdict = judge_study(journal, trials)
    if verdict is not None:
        judged = verdict.to_json()
        for path, table in ((folder.arms, arms_table(judged)), (folder.budgets, budgets_table(judged))):
            files += _write_for_paper(path, table) if table else []
    if figures:
        own = pareto_table(journal, trials=trials) if objectives else front
        facts = read_facts(folder, journal, StudyResults(trials, own, verdict), search)
        files += _draw(charts_of(facts).values(), folder.figures)
    return files


def _write_for_paper(path: Path, table: PaperTable) -> list[Path]:
    """Write a table in LaTeX and in Markdown; returns both files."""
    texts = {path: table.latex(), path.with_suffix(".md"): table.markdown()}
    for file, text in texts.items():
        with writing(file):
            write_whole(file, text)
    return list(texts)


def draw_runs(runs: pd.DataFrame, verdict: Verdict, folder: Path) -> list[Path]:
    """Draw the arms of a study, or of anyone's runs, as PNG and SVG; returns the files."""
    rows = [vars(run) for run in read_runs(runs)]
    judged = verdict.to_json()
    charts = [
        *curve_charts(rows, judged),
        *population_charts(rows, judged),
        *claim_charts(rows, judged),
        tuning_chart(rows),
    ]
    return _draw([chart for chart in charts if chart is not None], folder)


def _draw(charts: Iterable[Chart], folder: Path) -> list[Path]:
    from resnext_search.results.figures.draw_matplotlib import draw  # matplotlib takes a second to import

    with writing(folder):
        return draw(charts, folder)


def write_report(path: Path, facts: Facts) -> None:
    """Write the report as one file; a reader never sees half of it.

    Raises:
        UsageError: It cannot be written.
    """
    with writing(path, hint="Name another file with --out."):
        write_whole(path, page(facts))
