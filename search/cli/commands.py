"""What each command of `resnext-search` does: calls the library, and shows what comes back as words or JSON.

Commands import what they need when they run, so that `--help`, `plan --no-calibrate`, `status` and `export` start
without torch, Ax and Ray.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnext_search.spaces.errors import UsageError

if TYPE_CHECKING:
    from resnext_search.search.lifecycle.refit import Format


class Arguments(argparse.Namespace):
    """What the parser produces, typed for the rest of the module."""

    command: Callable[[Arguments], int]
    study: Path
    overrides: list[str]
    folder: Path
    out: Path | None
    calibrate: bool
    json: bool
    watch: bool
    now: bool
    failed: bool
    objectives: str | None
    name: str
    template: str
    blocks: str | None
    classes: int | None
    source: Path
    claimant: str | None
    margin: float | None
    tolerance: float | None
    strict: bool
    plots: Path | None
    trial: int | None
    format: Format
    open: bool
    figures: bool
    serve: int | None


def run(arguments: Arguments) -> int:
    """Run a study, or continue it."""
    from resnext_search.spaces.study.file import load_study

    study = load_study(arguments.study, arguments.overrides)
    study.feasible_set()  # before torch, Ax and Ray are imported: an empty band is said at once
    from resnext_search.search.lifecycle.run import run_study

    text = arguments.study.read_text(encoding="utf-8")
    run_study(study, arguments.out or Path("runs") / study.name, text=text, serve=arguments.serve)
    return 0


def resume(arguments: Arguments) -> int:
    """Continue the study of a folder, by what its journal says."""
    from resnext_search.results.journal.folder import StudyFolder
    from resnext_search.results.journal.journal import Journal
    from resnext_search.spaces.study.file import parse_study

    folder = StudyFolder(arguments.folder)
    with Journal(folder.journal, read_only=True) as journal:
        study = parse_study(journal.study().model_dump_json(), str(folder.journal), arguments.overrides)
    from resnext_search.search.lifecycle.run import run_study

    text = folder.study.read_text(encoding="utf-8") if folder.study.exists() else None
    run_study(study, folder.path, text=text, serve=arguments.serve)
    return 0


def plan(arguments: Arguments) -> int:
    """Summarize a study, and forecast what it takes."""
    from resnext_search.search.cli.text import plan_words
    from resnext_search.search.planning.forecast import calibrate, gpu_bytes
    from resnext_search.search.planning.limits import check_limits
    from resnext_search.search.planning.plan import summarize
    from resnext_search.search.planning.workload import training_flops
    from resnext_search.spaces.study.file import load_study

    study = load_study(arguments.study, arguments.overrides)
    feasible = study.feasible_set()
    check_limits(study)
    facts = {
        **summarize(study, feasible),
        "training_flops": training_flops(study),
        "gpu_bytes": None,
        "forecast": None,
    }
    if study.trainer.plugin is None:  # what another trainer takes is not known
        facts["gpu_bytes"] = gpu_bytes(study, feasible)
        facts["forecast"] = calibrate(study, feasible) if arguments.calibrate else None
    return _show(arguments, facts, lambda: plan_words(facts))


def status(arguments: Arguments) -> int:
    """Say how far a study is; with `--watch` until its run ends."""
    from resnext_search.results.journal.folder import StudyFolder
    from resnext_search.search.monitor.text import status_words
    from resnext_search.search.monitor.watch import follow, watch
    from rich.console import Console

    folder = StudyFolder(arguments.folder)
    if not arguments.watch:
        facts = next(follow(folder))
        return _show(arguments, facts, lambda: status_words(facts))
    if arguments.json:
        for facts in follow(folder):
            print(json.dumps(facts), flush=True)  # one document a line, for programs that follow a study
    else:
        watch(folder, Console())
    return 0


def stop(arguments: Arguments) -> int:
    """Ask the run of a folder to stop."""
    from resnext_search.search.cli.text import stop_words
    from resnext_search.search.lifecycle.control import stop_study

    facts = stop_study(arguments.folder, now=arguments.now)
    return _show(arguments, facts, lambda: stop_words(facts))


def retry(arguments: Arguments) -> int:
    """Queue the failed trials of a folder again."""
    from resnext_search.search.cli.text import retry_words
    from resnext_search.search.lifecycle.control import retry_failed

    facts = retry_failed(arguments.folder)
    return _show(arguments, facts, lambda: retry_words(facts))


def export(arguments: Arguments) -> int:
    """Write the tables anew, and the pictures if they are wanted."""
    from resnext_search.results.journal.folder import StudyFolder
    from resnext_search.results.journal.journal import Journal
    from resnext_search.results.report.outputs import export_study
    from resnext_search.search.monitor.summary import summarize_search

    folder = StudyFolder(arguments.folder)
    objectives = [name.strip() for name in arguments.objectives.split(",")] if arguments.objectives else None
    with Journal(folder.journal, read_only=True) as journal:
        summarize = partial(summarize_search, folder, journal)
        written = export_study(folder, journal, summarize, objectives, figures=arguments.figures)
    files = [str(path) for path in written]
    return _show(arguments, {"files": files}, lambda: "\n".join(files))


def report(arguments: Arguments) -> int:
    """Write the page, or serve it."""
    from resnext_search.results.journal.folder import StudyFolder
    from resnext_search.results.journal.journal import Journal

    folder = StudyFolder(arguments.folder)
    if arguments.serve is not None:
        from resnext_search.search.monitor.live_page import serve

        try:
            serve(folder, arguments.serve, lambda url: print(f"{url} (Ctrl-C ends it)", flush=True))
        except OSError as error:
            raise UsageError(
                f"port {arguments.serve}: no page can be served there: {error.strerror}",
                hint="Leave the number out: --serve takes a port that is free.",
            ) from error
    from resnext_search.results.report.facts import read_facts, read_results
    from resnext_search.results.report.outputs import write_report
    from resnext_search.search.monitor.summary import summarize_search

    path = arguments.out or folder.report
    with Journal(folder.journal, read_only=True) as journal:
        write_report(path, read_facts(folder, journal, read_results(journal), summarize_search(folder, journal)))
    if arguments.open:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
    return _show(arguments, {"file": str(path)}, lambda: str(path))


def best(arguments: Arguments) -> int:
    """Print the best trial, and its refit."""
    from resnext_search.results.journal.folder import StudyFolder
    from resnext_search.results.journal.journal import Journal
    from resnext_search.search.monitor.status import read_chosen, read_refit
    from resnext_search.search.monitor.text import best_words

    folder = StudyFolder(arguments.folder)
    with Journal(folder.journal, read_only=True) as journal:
        facts = read_chosen(folder, journal)
    facts["refit"] = read_refit(folder)
    return _show(arguments, facts, lambda: best_words(facts))


def refit(arguments: Arguments) -> int:
    """Train the best configuration once more, and save it."""
    from resnext_search.search.lifecycle.refit import refit_study
    from resnext_search.search.monitor.text import refit_words

    facts = refit_study(arguments.folder, arguments.trial, quiet=arguments.json)
    return _show(arguments, facts, lambda: refit_words(facts))


def export_model(arguments: Arguments) -> int:
    """Write the network that `refit` saved for other programs."""
    from resnext_search.search.cli.text import model_export_words
    from resnext_search.search.lifecycle import refit as model_export

    facts = model_export.export_model(arguments.folder, arguments.format, arguments.out)
    return _show(arguments, facts, lambda: model_export_words(facts))


def verdict(arguments: Arguments) -> int:
    """Judge the claim of a study folder, or the runs of a CSV file."""
    from resnext_search.results.verdict.sources import judge_csv, judge_folder
    from resnext_search.results.verdict.text import verdict_text

    options = {name: getattr(arguments, name) for name in ("claimant", "margin", "tolerance")}
    if arguments.source.is_dir():
        given = [f"--{name}" for name, value in options.items() if value is not None]
        if given:
            raise UsageError(
                f"{', '.join(given)}: only for a CSV file; a study has said its own before it ran",
                hint=f"To judge the runs in another way: resnext-search verdict {arguments.source}/trials.csv ...",
            )
        runs, verdict = judge_folder(arguments.source)
    else:
        runs, verdict = judge_csv(arguments.source, **options)
    if arguments.plots is not None:
        from resnext_search.results.report.outputs import draw_runs

        draw_runs(runs, verdict, arguments.plots)
    _show(arguments, verdict.to_json(), lambda: verdict_text(verdict))
    return 7 if arguments.strict and verdict.verdict in ("inconclusive", "invalid") else 0


def complexity(arguments: Arguments) -> int:
    """Count what an architecture costs."""
    from dataclasses import replace

    from resnext_search.spaces.architecture.architecture import Template, parse_name
    from resnext_search.spaces.architecture.complexity import complexity as count

    templates = {
        "imagenet": Template(stem="imagenet", stages=4, resolution=224, classes=1000),
        "cifar10": Template(),
        "cifar100": Template(classes=100),
    }
    template = templates[arguments.template]
    if arguments.classes is not None:
        if arguments.classes < 1:
            raise UsageError(f"--classes {arguments.classes}: a network tells at least 1 class apart")
        template = replace(template, classes=arguments.classes)
    architecture = parse_name(arguments.name, template, _numbers(arguments.blocks))
    counts = count(template, architecture)
    facts = {
        "architecture": architecture.name,
        "template": arguments.template,
        "blocks": list(architecture.blocks),
        "group_widths": list(architecture.group_widths),
        **{name: int(value) for name, value in counts._asdict().items()},
    }
    return _show(arguments, facts, lambda: "\n".join(f"{name:14}{_grouped(value)}" for name, value in facts.items()))


def paper(arguments: Arguments) -> int:
    """Count the networks of the paper's tables."""
    from resnext_search.search.cli.paper_table import paper_words
    from resnext_search.spaces.architecture.paper import paper_rows

    rows = paper_rows()
    return _show(arguments, [row._asdict() for row in rows], lambda: paper_words(rows))


def schema(arguments: Arguments) -> int:
    """Print the JSON schema of a study file."""
    from resnext_search.spaces.study.study import Study

    print(json.dumps(Study.model_json_schema(), indent=2))
    return 0


def init(arguments: Arguments) -> int:
    """Write a study file to start from."""
    from importlib.resources import files

    if arguments.study.exists():
        raise UsageError(f"{arguments.study}: exists already; it is left as it is", hint="Name another file.")
    text = files("resnext_search.spaces").joinpath("fixed_flops.yaml").read_text(encoding="utf-8")
    try:
        arguments.study.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{arguments.study}: cannot be written: {error}") from error
    print(f"{arguments.study}\nNext: resnext-search plan {arguments.study}")
    return 0


def doctor(arguments: Arguments) -> int:
    """Print what is right and wrong with this machine, and with a study file or folder."""
    from resnext_search.search.cli.doctor import examine

    if arguments.study is None:
        findings = examine()
    elif arguments.study.is_dir():
        from resnext_search.results.journal.folder import StudyFolder
        from resnext_search.search.cli.doctor import examine_folder

        if arguments.overrides:
            raise UsageError(f"{arguments.overrides[0]}: only for a study file; {arguments.study} is a folder")
        findings = [*examine(), *examine_folder(StudyFolder(arguments.study))]
    else:
        from resnext_search.spaces.study.file import load_study

        findings = examine(load_study(arguments.study, arguments.overrides))
    _show(
        arguments,
        [finding._asdict() for finding in findings],
        lambda: "\n".join(
            f"{'ok  ' if f.ok else 'NOTE'} {f.what}: {f.found}{f'  ({f.advice})' if f.advice else ''}" for f in findings
        ),
    )
    return 0


def _show(arguments: Arguments, facts: Any, words: Callable[[], str]) -> int:
    print(json.dumps(facts, indent=2) if arguments.json else words())
    return 0


def _numbers(text: str | None) -> list[int] | None:
    if text is None:
        return None
    if not all(re.fullmatch(r"[0-9]{1,9}", part.strip(), re.ASCII) for part in text.split(",")):
        raise UsageError(
            f"--blocks {text!r}: not whole numbers with commas between", hint="For example --blocks 2,3,2."
        )
    return [int(part) for part in text.split(",")]


def _grouped(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
