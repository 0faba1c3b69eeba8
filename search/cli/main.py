"""`resnext-search`: the command line. Thin: it knows the words, turns errors into messages, and calls `commands.py`."""

from __future__ import annotations

import argparse
import errno
import logging
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

from resnext_search.search.cli import commands
from resnext_search.search.cli.commands import Arguments
from resnext_search.spaces.errors import Interrupted, ResnextSearchError

EPILOG = """exit codes: 0 done, 1 unexpected, 2 bad usage or study file, 3 no architecture inside the FLOP band,
4 too many trials failed, 5 budget ended too early, 6 folder locked by a live run,
7 verdict inconclusive or invalid (with verdict --strict), 130 interrupted (state saved)"""

# Says on every import that it found SQLAlchemy, which is not used here.
AX_STORAGE = "ax.storage.sqa_store.with_db_settings_base"

# What the operating system says where a file cannot grow: no space, a quota, a limit, a disk that has become read-only.
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code.

    Errors of this package become one message on standard error; anything unexpected leaves a traceback in a file and
    one line on standard error.
    """
    # what libraries warn of while they are imported concerns their developers, and ours in the tests
    warnings.filterwarnings("ignore", category=FutureWarning)
    logging.getLogger(AX_STORAGE).disabled = True
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
    except OSError as error:
        if error.errno not in DISK_FULL:
            return _unexpected(error)
        return _complain(
            ResnextSearchError(
                f"{error.filename or 'a file'}: cannot be written: {error.strerror}",
                hint="Make room on the disk, then give the same command again: what has finished is saved.",
            )
        )
    except Exception as error:
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    """Leave a traceback in a file, and one line on standard error."""
    report = _report(traceback.format_exc())
    print(f"resnext-search: unexpected {type(error).__name__}: {error} (details: {report})", file=sys.stderr)
    return 1


def _parsed(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> Arguments:
    """Parse, with `key=value` in any place: argparse takes none behind an option, or takes it for its value."""
    words = list(sys.argv[1:] if argv is None else argv)
    for place, (word, following) in enumerate(pairwise([*words, ""])):
        if word == "--serve" and not following.isdigit():  # its port may be left out, and is not what follows then
            words[place] = "--serve=0"
    arguments, rest = parser.parse_known_args(words, namespace=Arguments())
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
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, command: Callable[[Arguments], int], text: str) -> argparse.ArgumentParser:
        added = subparsers.add_parser(name, help=text, description=text)
        added.set_defaults(command=command)
        return added

    run = add("run", commands.run, "Run a study, or continue it: search, tune and confirm the claim, tables, verdict.")
    _study_arguments(run)
    run.add_argument("--out", type=Path, help="study folder (default: runs/<name>)")
    _serve_argument(run)

    resume = add("resume", commands.resume, "Continue the study of a folder.")
    _folder_argument(resume)
    resume.add_argument("overrides", nargs="*", metavar="key=value", help="such as search.trials=80")
    _serve_argument(resume)

    plan = add("plan", commands.plan, "Show the feasible set of a study; forecast its time, memory and training FLOPs.")
    _study_arguments(plan)
    plan.add_argument(
        "--no-calibrate", dest="calibrate", action="store_false", help="measure nothing, forecast FLOPs only"
    )
    _json_argument(plan)

    status = add("status", commands.status, "Show how far a study is, also while it runs.")
    _folder_argument(status)
    status.add_argument("--watch", action="store_true", help="follow it until its run ends; with --json a line a look")
    _json_argument(status)

    stop = add("stop", commands.stop, "Let the run of a folder end its running trials and stop; with --now at once.")
    _folder_argument(stop)
    stop.add_argument("--now", action="store_true", help="interrupt the trials; they go on from their last epoch later")
    _json_argument(stop)

    retry = add("retry", commands.retry, "Queue the failed trials of a folder again, for the next resume.")
    _folder_argument(retry)
    retry.add_argument("--failed", action="store_true", required=True, help="all that have failed")
    _json_argument(retry)

    export = add("export", commands.export, "Write the tables of a study anew from its journal: CSV, parquet, LaTeX.")
    _folder_argument(export)
    export.add_argument("--figures", action="store_true", help="draw the report's figures too, as PNG and SVG")
    export.add_argument("--objectives", metavar="A,B", help="columns to minimise (default: the study's objectives)")
    _json_argument(export)

    report = add("report", commands.report, "Write the study as one HTML page, also while it runs.")
    _folder_argument(report)
    report.add_argument("--out", type=Path, metavar="FILE", help="file to write (default: DIR/report.html)")
    _serve_argument(report)
    report.add_argument("--open", action="store_true", help="show it in the browser")
    _json_argument(report)

    best = add("best", commands.best, "Print the completed trial that the model expects to err least, and its refit.")
    _folder_argument(best)
    _json_argument(best)

    refit = add("refit", commands.refit, "Train the best configuration on all but the test images, and save it.")
    _folder_argument(refit)
    refit.add_argument("--trial", type=int, metavar="N", help="refit this trial (default: the best of the search)")
    _json_argument(refit)

    model = add("export-model", commands.export_model, "Write the network that refit saved for programs without torch.")
    _folder_argument(model)
    model.add_argument("--format", default="onnx", choices=["onnx", "safetensors"], help="default: onnx")
    model.add_argument("--out", type=Path, metavar="FILE", help="file to write (default: DIR/model.onnx)")
    _json_argument(model)

    verdict = add("verdict", commands.verdict, "Judge the claim of a study, or anyone's runs in a CSV file.")
    verdict.add_argument("source", type=Path, metavar="DIR|CSV", help="study folder, or runs: arm, seed, test_error")
    verdict.add_argument("--claimant", metavar="ARM", help="the arm that is claimed to be better (CSV)")
    verdict.add_argument("--margin", type=float, help="points below which nobody cares (CSV; default: 0.3)")
    verdict.add_argument("--tolerance", type=float, help="largest mismatch of multiply-adds (CSV; default: 0.02)")
    verdict.add_argument("--strict", action="store_true", help="exit with 7 if it is inconclusive or invalid")
    verdict.add_argument("--plots", type=Path, metavar="DIR", help="draw the runs too, as PNG and SVG")
    _json_argument(verdict)

    complexity = add(
        "complexity", commands.complexity, "Count an architecture's parameters, multiply-adds and activations."
    )
    complexity.add_argument("name", help="such as 32x4d-50")
    complexity.add_argument("--template", default="imagenet", choices=["imagenet", "cifar10", "cifar100"])
    complexity.add_argument("--blocks", metavar="N,N,...", help="blocks per stage, where the depth does not say them")
    complexity.add_argument("--classes", type=int, help="classes (default: those of the template's data set)")
    _json_argument(complexity)

    paper = add("paper", commands.paper, "Count the networks of the paper's tables, beside the figures that it prints.")
    _json_argument(paper)

    add("schema", commands.schema, "Print the JSON schema of a study file.")
    init = add("init", commands.init, "Write a commented study file to start from.")
    init.add_argument(
        "study", type=Path, nargs="?", default=Path("study.yaml"), help="file to write (default: study.yaml)"
    )
    doctor = add(
        "doctor",
        commands.doctor,
        "Check this machine (versions, GPUs, memory, disk, data sets, plug-ins), and a study.",
    )
    doctor.add_argument(
        "study", type=Path, nargs="?", metavar="STUDY.yaml|DIR", help="look at all its images, or at the folder"
    )
    doctor.add_argument("overrides", nargs="*", metavar="key=value", help="such as data.unreadable=skip")
    _json_argument(doctor)
    return parser


def _study_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", type=Path, metavar="STUDY.yaml", help="study file")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="such as search.trials=80")


def _folder_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="study folder")


def _serve_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--serve", nargs="?", type=_port, const=0, metavar="PORT", help="show the page live, on this machine alone"
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; 0 to 65535, 0 for one that is free")
    return int(text)


def _json_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


if __name__ == "__main__":
    sys.exit(main())
