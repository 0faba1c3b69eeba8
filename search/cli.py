"""`resnext-search`: the command line. Thin: every command calls the library and turns its errors into words.

Commands import what they need when they run, so that `--help`, `plan --no-calibrate`, `status` and `export` start
without torch, Ax and Ray.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from resnext_search.spaces.errors import Interrupted, ResnextSearchError, UsageError

EPILOG = """exit codes: 0 done, 1 unexpected, 2 bad usage or study file, 3 no architecture inside the FLOP band,
4 too many trials failed, 5 budget ended too early, 6 folder locked by a live run,
7 verdict inconclusive or invalid (with verdict --strict), 130 interrupted (state saved)"""


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


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code.

    Errors of this package become one message on standard error; anything unexpected leaves a traceback in a file and
    one line on standard error.
    """
    # what libraries warn of while they are imported concerns their developers, and ours in the tests
    warnings.filterwarnings("ignore", category=FutureWarning)
    parser = make_parser()
    arguments = _parsed(parser, argv)
    if not hasattr(arguments, "command"):
        parser.print_help()
        return 0
    try:
        code = arguments.command(arguments)
        sys.stdout.flush()  # here, so that a reader who has gone is noticed here
        return code
    except ResnextSearchError as error:
        return _complain(error)
    except KeyboardInterrupt:
        return _complain(Interrupted("interrupted", hint="Give the same command again to continue."))
    except BrokenPipeError:  # `resnext-search ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        report = _report(traceback.format_exc())
        print(f"resnext-search: unexpected {type(error).__name__}: {error} (details: {report})", file=sys.stderr)
        return 1


def _parsed(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> Arguments:
    """Parse, with `key=value` in any place: argparse by itself takes none that stands behind an option."""
    arguments, rest = parser.parse_known_args(argv, namespace=Arguments())
    late = [word for word in rest if "=" in word and not word.startswith("-")]
    if len(late) < len(rest) or (late and not hasattr(arguments, "overrides")):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if late:
        arguments.overrides = [*arguments.overrides, *late]
    return arguments


def _report(text: str) -> Path:
    """Leave a traceback in a file: here, or where the system keeps such things if this folder cannot be written."""
    path = Path("resnext-search-error.txt")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError:
        path = Path(tempfile.mkdtemp(prefix="resnext-search-")) / path
        path.write_text(text, encoding="utf-8")
    return path


def _complain(error: ResnextSearchError) -> int:
    print(f"resnext-search: {error}", file=sys.stderr)
    if error.hint:
        print(error.hint, file=sys.stderr)
    return error.exit_code


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="resnext-search",
        description="Search ResNeXt architectures and learning rates at a fixed FLOP budget.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=version("resnext-search"))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, command: Callable[[Arguments], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=command)
        return added

    run = add("run", _run, "Run a study, or continue it: plan, search, tune and confirm the claim, tables, verdict.")
    _study_arguments(run)
    run.add_argument("--out", type=Path, help="study folder (default: runs/<name>)")

    resume = add("resume", _resume, "Continue the study of a folder.")
    _folder_argument(resume)
    resume.add_argument("overrides", nargs="*", metavar="key=value", help="such as search.trials=80")

    plan = add("plan", _plan, "Show the feasible set of a study and forecast its time, memory and training FLOPs.")
    _study_arguments(plan)
    plan.add_argument(
        "--no-calibrate", dest="calibrate", action="store_false", help="measure nothing, forecast FLOPs only"
    )
    _json_argument(plan)

    status = add("status", _status, "Show how far a study is, also while it runs.")
    _folder_argument(status)
    status.add_argument("--watch", action="store_true", help="show it again every two seconds until it ends")
    _json_argument(status)

    export = add("export", _export, "Write trials.csv and pareto.csv anew from the journal.")
    _folder_argument(export)
    export.add_argument("--objectives", metavar="A,B", help="columns to minimise (default: the study's objectives)")
    _json_argument(export)

    best = add("best", _best, "Print the completed trial with the lowest validation error, and its refit.")
    _folder_argument(best)
    _json_argument(best)

    refit = add("refit", _refit, "Train the best configuration on all but the test images, and save its weights.")
    _folder_argument(refit)
    refit.add_argument("--trial", type=int, metavar="N", help="refit this trial (default: the best of the search)")
    _json_argument(refit)

    verdict = add("verdict", _verdict, "Judge the claim of a study, or anyone's runs in a CSV file.")
    verdict.add_argument("source", type=Path, metavar="DIR|CSV", help="study folder, or runs: arm, seed, test_error")
    verdict.add_argument("--claimant", metavar="ARM", help="the arm that is claimed to be better (CSV)")
    verdict.add_argument("--margin", type=float, help="points below which nobody cares (CSV; default: 0.3)")
    verdict.add_argument("--tolerance", type=float, help="largest mismatch of multiply-adds (CSV; default: 0.02)")
    verdict.add_argument("--strict", action="store_true", help="exit with 7 if it is inconclusive or invalid")
    verdict.add_argument("--plots", type=Path, metavar="DIR", help="draw the runs too, as PNG and SVG")
    _json_argument(verdict)

    complexity = add("complexity", _complexity, "Count parameters, multiply-adds and activations of an architecture.")
    complexity.add_argument("name", help="such as 32x4d-50")
    complexity.add_argument("--template", default="imagenet", choices=["imagenet", "cifar10", "cifar100"])
    complexity.add_argument("--blocks", metavar="N,N,...", help="blocks per stage, where the depth does not say them")
    complexity.add_argument("--classes", type=int, help="classes (default: those of the template's data set)")
    _json_argument(complexity)

    paper = add("paper", _paper, "Count the networks of the paper's tables, beside the figures that it prints.")
    _json_argument(paper)

    add("schema", _schema, "Print the JSON schema of a study file.")
    init = add("init", _init, "Write a commented study file to start from.")
    init.add_argument(
        "study", type=Path, nargs="?", default=Path("study.yaml"), help="file to write (default: study.yaml)"
    )
    doctor = add("doctor", _doctor, "Check this machine: versions, cores, GPUs, memory, disk, data sets.")
    _json_argument(doctor)
    return parser


def _study_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", type=Path, metavar="STUDY.yaml")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="such as search.trials=80")


def _folder_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="study folder")


def _json_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _show(arguments: Arguments, facts: Any, words: Callable[[], str]) -> int:
    print(json.dumps(facts, indent=2) if arguments.json else words())
    return 0


# ------------------------------------------------------------------ commands


def _run(arguments: Arguments) -> int:
    from resnext_search.spaces import load_study

    study = load_study(arguments.study, arguments.overrides)
    study.feasible_set()  # before torch, Ax and Ray are imported: an empty band is said at once
    from resnext_search.search.phases import run_study

    run_study(study, arguments.out or Path("runs") / study.name, text=arguments.study.read_text(encoding="utf-8"))
    return 0


def _resume(arguments: Arguments) -> int:
    from resnext_search.results import Journal, StudyFolder
    from resnext_search.spaces.study_file import parse_study

    folder = StudyFolder(arguments.folder)
    with Journal(folder.journal, read_only=True) as journal:
        study = parse_study(journal.study().model_dump_json(), str(folder.journal), arguments.overrides)
    from resnext_search.search.phases import run_study

    run_study(study, folder.path, text=folder.study.read_text(encoding="utf-8") if folder.study.exists() else None)
    return 0


def _plan(arguments: Arguments) -> int:
    from resnext_search.search.forecast import calibrate, training_flops
    from resnext_search.search.plan import summarize
    from resnext_search.search.words import plan_words
    from resnext_search.spaces import load_study

    study = load_study(arguments.study, arguments.overrides)
    feasible = study.feasible_set()
    facts = {**summarize(study, feasible), "training_flops": training_flops(study), "forecast": None}
    if arguments.calibrate:
        facts["forecast"] = calibrate(study, feasible)
    return _show(arguments, facts, lambda: plan_words(facts))


def _status(arguments: Arguments) -> int:
    import time

    from resnext_search.results import Journal, StudyFolder
    from resnext_search.search.status import read_status
    from resnext_search.search.words import status_words

    folder = StudyFolder(arguments.folder)
    while True:
        with Journal(folder.journal, read_only=True) as journal:
            facts = read_status(folder, journal)
        _show(arguments, facts, lambda facts=facts: status_words(facts))  # type: ignore[misc]
        if not arguments.watch or not facts["live"]:
            return 0
        time.sleep(2)


def _export(arguments: Arguments) -> int:
    from resnext_search.results import Journal, StudyFolder
    from resnext_search.results.export import write_tables

    folder = StudyFolder(arguments.folder)
    with Journal(folder.journal, read_only=True) as journal:
        objectives = [name.strip() for name in arguments.objectives.split(",")] if arguments.objectives else None
        files = [str(path) for path in write_tables(folder, journal, objectives)]
    return _show(arguments, {"files": files}, lambda: "\n".join(files))


def _best(arguments: Arguments) -> int:
    from resnext_search.results import Journal, StudyFolder
    from resnext_search.search.status import expect_best, read_refit
    from resnext_search.search.words import best_words

    folder = StudyFolder(arguments.folder)
    with Journal(folder.journal, read_only=True) as journal:
        facts = expect_best(folder, journal)
    facts["refit"] = read_refit(folder)
    return _show(arguments, facts, lambda: best_words(facts))


def _refit(arguments: Arguments) -> int:
    from resnext_search.search.refitting import refit_study
    from resnext_search.search.words import refit_words

    facts = refit_study(arguments.folder, arguments.trial, quiet=arguments.json)
    return _show(arguments, facts, lambda: refit_words(facts))


def _verdict(arguments: Arguments) -> int:
    from resnext_search.search.verdicts import judge_csv, judge_folder

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
        from resnext_search.results.plots import draw

        draw(runs, verdict.to_json(), arguments.plots)
    _show(arguments, verdict.to_json(), verdict.words)
    return 7 if arguments.strict and verdict.verdict in ("inconclusive", "invalid") else 0


def _complexity(arguments: Arguments) -> int:
    from dataclasses import replace

    from resnext_search.spaces.architecture import Template, parse_name
    from resnext_search.spaces.complexity import complexity

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
    counts = complexity(template, architecture)
    facts = {
        "architecture": architecture.name,
        "template": arguments.template,
        "blocks": list(architecture.blocks),
        "group_widths": list(architecture.group_widths),
        **{name: int(value) for name, value in counts._asdict().items()},
    }
    return _show(arguments, facts, lambda: "\n".join(f"{name:14}{_grouped(value)}" for name, value in facts.items()))


def _paper(arguments: Arguments) -> int:
    from resnext_search.search.paper_words import paper_words
    from resnext_search.spaces.paper import paper_rows

    rows = paper_rows()
    return _show(arguments, [row._asdict() for row in rows], lambda: paper_words(rows))


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


def _schema(arguments: Arguments) -> int:
    from resnext_search.spaces import Study

    print(json.dumps(Study.model_json_schema(), indent=2))
    return 0


def _init(arguments: Arguments) -> int:
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


def _doctor(arguments: Arguments) -> int:
    from resnext_search.search.doctor import examine

    findings = examine()
    _show(
        arguments,
        [finding._asdict() for finding in findings],
        lambda: "\n".join(
            f"{'ok  ' if f.ok else 'NOTE'} {f.what}: {f.found}{f'  ({f.advice})' if f.advice else ''}" for f in findings
        ),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
