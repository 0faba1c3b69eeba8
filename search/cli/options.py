"""What do the commands share? Words and options that several of them take, and how they show what they found."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from resnext_search.results.tables.layout import wrapped
from resnext_search.spaces.uris import is_uri

if TYPE_CHECKING:
    from resnext_search.results.journal.folder import StudyFolder
    from resnext_search.results.journal.journal import Journal


class Command(click.Command):
    """One that stands in the list of commands with all of its help, and whose `--serve` may go without a port."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; click itself would take any word behind `--serve` for the port, as the study file or `key=value`."""
        for place, (word, following) in enumerate(pairwise([*args, ""])):
            if word == "--serve" and not following.isdigit():
                args[place] = "--serve=0"
        return super().parse_args(ctx, args)

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """Return both, whoever asks first: click keeps the option that it makes of them for the next time."""
        return ["-h", "--help"]

    def get_short_help_str(self, limit: int = 0) -> str:
        """Return the help whole: click would end it with dots where a line of the terminal ends."""
        return self.help or ""


class Group(click.Group):
    """Commands in the order in which they stand in their file."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names unsorted."""
        return list(self.commands)


class PathType(click.Path):
    """A path that the shell completes. What has to lie there, the command knows, and says in its own words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Take anything but a forgotten value: in `--out --json` click would take the option for the path."""
        if str(value).startswith("--"):
            self.fail(f"{str(value)!r} is an option, and a path is needed here", param, ctx)
        return Path(value)


class FolderOrUri(PathType):
    """A folder, or a URI as it was typed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Tell them apart by the colon and slashes that a URI has: a path, or a text."""
        return str(value) if is_uri(str(value)) else super().convert(value, param, ctx)


FILE, FOLDER, FOLDER_OR_URI = PathType(), PathType(file_okay=False), FolderOrUri(file_okay=False)

study_argument = click.argument("study", type=FILE, metavar="STUDY.yaml", help="study file")
folder_argument = click.argument("folder", type=FOLDER, metavar="DIR", help="study folder")
overrides_argument = click.argument("overrides", nargs=-1, metavar="[key=value ...]", help="such as search.trials=80")
serve_option = click.option(
    "--serve", type=click.IntRange(0, 65535), metavar="[PORT]", help="show the page live, on this machine alone"
)
mirror_option = click.option("--mirror", metavar="URI", help="keep a copy there: s3://..., gs://... or file:///...")
trust_option = click.option("--trust", is_flag=True, help="let the study file name a cluster, or a URI for checkpoints")
wide_option = click.option("--wide", is_flag=True, help="all columns, however narrow the terminal")
json_option = click.option("--json", "as_json", is_flag=True, help="print JSON")


def columns() -> int:
    """How wide tables may be: as wide as the terminal, and 80 where there is none."""
    return shutil.get_terminal_size().columns


def show(as_json: bool, facts: Any, words: Callable[[], str], *, wide: bool = False) -> None:
    """Print facts for programs or for people: on a terminal, unless `wide`, no word is torn by the end of a line."""
    if as_json:
        print(json.dumps(facts, indent=2))
    else:
        print(words() if wide or not sys.stdout.isatty() else wrapped(words(), columns()))


@contextmanager
def reading(path: Path) -> Iterator[tuple[StudyFolder, Journal]]:
    """Open the journal of a study folder, to be read."""
    from resnext_search.results.journal.folder import StudyFolder
    from resnext_search.results.journal.journal import Journal

    folder = StudyFolder(path)
    with Journal(folder.journal, read_only=True) as journal:
        yield folder, journal
