"""`resnext-search`: the command line. Gathers the commands, and turns what they raise into words and exit codes."""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click
from resnext_search.search.cli import inspect, reference, run
from resnext_search.search.cli.options import Group
from resnext_search.spaces.errors import Interrupted, ResnextSearchError, UsageError

EXIT_CODES = {
    0: "done",
    1: "unexpected",
    2: "bad usage or study file",
    3: "no architecture inside the FLOP band",
    4: "too many trials failed",
    5: "budget ended too early",
    6: "folder locked by a live run",
    7: "verdict inconclusive or invalid (with verdict --strict)",
    130: "interrupted (state saved)",
}

PROGRAM, COMPLETION = "resnext-search", "_RESNEXT_SEARCH_COMPLETE"

# Says on every import that it found SQLAlchemy, which is not used here.
AX_STORAGE = "ax.storage.sqa_store.with_db_settings_base"

# What the operating system says where a file cannot grow: no space, a quota, a limit, a disk that has become read-only.
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


@click.group(
    cls=Group,
    commands=[one for file in (run, inspect, reference) for one in file.commands.commands.values()],
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExit codes:\n" + "\n".join(f"  {code} {meaning}" for code, meaning in EXIT_CODES.items()),
)
@click.version_option(package_name=PROGRAM, message="%(version)s")
@click.pass_context
def commands(context: click.Context) -> None:
    """Search ResNeXt architectures and learning rates at a fixed FLOP budget."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code.

    Errors of this package and of usage become one message on standard error; anything unexpected leaves a traceback in
    a file and one line on standard error.
    """
    _escape_what_cannot_be_shown()
    # what libraries warn of while they are imported concerns their developers, and ours in the tests
    warnings.filterwarnings("ignore", category=FutureWarning)
    logging.getLogger(AX_STORAGE).disabled = True
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()  # here, so that a reader who has gone is noticed here
        return code
    except ResnextSearchError as error:
        return _complain(error)
    except click.UsageError as error:
        return _complain(_said_here(error))
    except KeyboardInterrupt:
        return _complain(Interrupted("interrupted", hint="Give the same command again to continue."))
    except BrokenPipeError:  # `resnext-search ... | head`
        _print_no_more()
        return 0
    except OSError as error:
        if error.errno not in DISK_FULL:
            return _unexpected(error)
        _print_no_more()  # what could not be printed is not tried again when the process ends
        words = f"{error.filename or 'a file'}: cannot be written: {error.strerror}"
        hint = "Make room on the disk, then give the same command again: what has finished is saved."
        return _complain(ResnextSearchError(words, hint=hint))
    except Exception as error:
        return _unexpected(error)


def _escape_what_cannot_be_shown() -> None:
    """A name that is no UTF-8, or a sign that the terminal has not, is printed as its number: `\\udcff`, `\\xb1`."""
    if sys.stdout is None:  # closed, as by `>&-`
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - for the rest of the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _print_no_more() -> None:
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(words: list[str]) -> int:
    """Run a command, or complete one for a shell. `click.Group.main` would do both, but end in words of its own."""
    if instruction := os.environ.get(COMPLETION):
        from click.shell_completion import shell_complete

        return shell_complete(commands, {}, PROGRAM, COMPLETION, instruction)
    try:
        with commands.make_context(PROGRAM, words) as context:
            commands.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    return 0


def _said_here(error: click.UsageError) -> UsageError:
    """Click's complaint in the form of ours, with the page of help that tells more."""
    said = error.format_message().rstrip(".")
    command = PROGRAM if error.ctx is None else error.ctx.command_path
    return UsageError(said[:1].lower() + said[1:], hint=f"See: {command} --help")


def _unexpected(error: Exception) -> int:
    """Leave a traceback in a file, here or where such things go if this folder cannot be written, and one line."""
    report, text = Path("resnext-search-error.txt"), traceback.format_exc()
    try:
        report.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError:
        report = Path(tempfile.mkdtemp(prefix="resnext-search-")) / report
        report.write_text(text, encoding="utf-8", errors="backslashreplace")
    print(f"{PROGRAM}: unexpected {type(error).__name__}: {error} (details: {report})", file=sys.stderr)
    return 1


def _complain(error: ResnextSearchError) -> int:
    print(f"{PROGRAM}: {error}", file=sys.stderr)
    if error.hint:
        print(error.hint, file=sys.stderr)
    return error.exit_code
