"""Commands that show what a study has found, and write it as files: status, export, report, best, verdict."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import click
from resnext_search.search.cli import options
from resnext_search.spaces.errors import UsageError, typed

commands = options.Group()


@commands.command()
@options.folder_argument
@click.option("--watch", is_flag=True, help="follow it until its run ends; with --json a line a look")
@options.json_option
def status(folder: Path, watch: bool, as_json: bool) -> None:
    """Show how far a study is, also while it runs."""
    if watch:
        _watch(folder, as_json)
        return
    from resnext_search.search.monitor.status import read_status
    from resnext_search.search.monitor.text import status_words

    with options.reading(folder) as (study, journal):
        facts = read_status(study, journal)
    options.show(as_json, facts, lambda: status_words(facts))


def _watch(folder: Path, as_json: bool) -> None:
    from resnext_search.results.journal.folder import StudyFolder
    from resnext_search.search.monitor.watch import follow, watch
    from rich.console import Console  # a tenth of a second that `status` alone does not need

    if as_json:
        for facts in follow(StudyFolder(folder)):
            print(json.dumps(facts), flush=True)  # one document a line, for programs that follow a study
    else:
        watch(StudyFolder(folder), Console())


@commands.command()
@options.folder_argument
@click.option("--figures", is_flag=True, help="draw the report's figures too, as PNG and SVG")
@click.option("--ax", is_flag=True, help="write the search as an experiment of Ax too, for its own analyses")
@click.option("--objectives", metavar="A,B", help="columns to minimise (default: the study's objectives)")
@options.json_option
def export(folder: Path, figures: bool, ax: bool, objectives: str | None, as_json: bool) -> None:
    """Write the tables of a study anew from its journal: CSV, parquet, LaTeX."""
    from resnext_search.results.report.outputs import export_study
    from resnext_search.search.monitor.summary import summarize_search

    names = [name.strip() for name in objectives.split(",")] if objectives else None
    with options.reading(folder) as (study, journal):
        summarize = partial(summarize_search, study, journal)
        paths = export_study(study, journal, summarize, names, figures=figures)
        if ax:
            from resnext_search.search.monitor.ax_experiment import export_ax  # seconds, and Ax

            paths.append(export_ax(study, journal))
    files = [str(path) for path in paths]
    options.show(as_json, {"files": files}, lambda: "\n".join(files))


@commands.command()
@options.folder_argument
@click.option("--out", type=options.FILE, metavar="FILE", help="file to write (default: DIR/report.html)")
@options.serve_option
@click.option("--open", "in_browser", is_flag=True, help="show it in the browser")
@options.json_option
def report(folder: Path, out: Path | None, serve: int | None, in_browser: bool, as_json: bool) -> None:
    """Write the study as one HTML page, also while it runs."""
    if serve is not None:
        _serve(folder, serve)
    from resnext_search.results.report.facts import read_facts, read_results
    from resnext_search.results.report.outputs import write_report
    from resnext_search.search.monitor.summary import summarize_search

    with options.reading(folder) as (study, journal):
        path = out or study.report
        write_report(path, read_facts(study, journal, read_results(journal), summarize_search(study, journal)))
    if in_browser:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
    options.show(as_json, {"file": str(path)}, lambda: str(path))


def _serve(folder: Path, port: int) -> None:
    from resnext_search.results.journal.folder import StudyFolder
    from resnext_search.search.monitor.live_page import serve

    try:
        serve(StudyFolder(folder), port, lambda url: print(f"{url} (Ctrl-C ends it)", flush=True))
    except OSError as error:
        raise UsageError(
            f"port {port}: no page can be served there: {error.strerror}",
            hint="Leave the number out: --serve takes a port that is free.",
        ) from error


@commands.command()
@options.folder_argument
@options.wide_option
@options.json_option
def best(folder: Path, wide: bool, as_json: bool) -> None:
    """Print the configuration that is expected to err least, and its refit."""
    from resnext_search.search.monitor.status import read_chosen, read_refit
    from resnext_search.search.monitor.text import best_words

    with options.reading(folder) as (study, journal):
        facts = read_chosen(study, journal)
    facts["refit"] = read_refit(study)
    options.show(as_json, facts, lambda: best_words(facts, None if wide else options.columns()), wide=wide)


@commands.command()
@click.argument("source", type=options.FILE, metavar="DIR|CSV", help="study folder, or runs: arm, seed, test_error")
@click.option("--claimant", metavar="ARM", help="the arm that is claimed to be better (CSV)")
@click.option("--margin", type=float, metavar="POINTS", help="below which nobody cares (CSV; default: 0.3)")
@click.option("--tolerance", metavar="SHARE", help="largest mismatch of multiply-adds, up to 2% (CSV; default: 2%)")
@click.option(
    "--rules", type=click.IntRange(1, 2), metavar="1|2", help="by which to judge (default: the study's own; CSV: 2)"
)
@click.option("--strict", is_flag=True, help="exit with 7 if it is inconclusive or invalid")
@click.option("--plots", type=options.FOLDER, metavar="DIR", help="draw the runs too, as PNG and SVG")
@options.wide_option
@options.json_option
def verdict(
    source: Path, rules: int | None, strict: bool, plots: Path | None, wide: bool, as_json: bool, **of_csv: Any
) -> None:
    """Judge the claim of a study, or anyone's runs in a CSV file."""
    from resnext_search.results.verdict.sources import judge_csv, judge_folder
    from resnext_search.results.verdict.text import verdict_text

    if not source.is_dir():
        runs, judged = judge_csv(source, rules=rules, **of_csv)
    elif given := [f"--{name}" for name, value in sorted(of_csv.items()) if value is not None]:
        raise UsageError(
            f"{', '.join(given)}: only for a CSV file; a study has said its own before it ran",
            hint=f"To judge the runs in another way: resnext-search verdict {typed(source / 'trials.csv')} ...",
        )
    else:
        runs, judged = judge_folder(source, rules=rules)
    if plots is not None:
        from resnext_search.results.report.outputs import draw_runs

        draw_runs(runs, judged, plots)
    width = None if wide else options.columns()
    options.show(as_json, judged.to_json(), lambda: verdict_text(judged, width), wide=wide)
    if strict and judged.verdict in ("inconclusive", "invalid"):
        raise click.exceptions.Exit(7)
