"""What do the parts of a run have in common? A sitting at a study, and where words go until its end.

Ours go to the user, those of Ray, Ax and torch to `log.txt`.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.journal import Journal
from resnext_search.search.execution.run_trial import Train
from resnext_search.search.execution.stopping import StopRequests
from resnext_search.search.planning.limits import Budget
from resnext_search.search.storage.mirror import Mirror
from resnext_search.spaces.errors import typed
from resnext_search.spaces.study.study import Study
from rich.console import Console


@dataclass
class RunContext:
    """One sitting."""

    study: Study
    folder: StudyFolder
    journal: Journal  # open for writing
    console: Console  # where to tell the user
    train: Train  # trains one trial, as `run_study` says
    budget: Budget
    stops: StopRequests
    images: str  # digits made of them, by which they are known again on other machines
    mirror: Mirror | None = None  # the copy that another machine could go on from

    def when_kept(self, then: Callable[[], None]) -> None:
        """Do something when what the journal knows is kept everywhere where it is to be; by `tell`, or at once."""
        if self.mirror is None:
            then()
        else:
            self.mirror.when_kept(then)

    def tell(self) -> None:
        """Do what waited for that, in the driver's main thread."""
        if self.mirror is not None:
            self.mirror.tell()

    @property
    def how_to_continue(self) -> str:
        """The command for it."""
        copy = "" if self.mirror is None else f" --mirror {typed(self.mirror.place.uri)}"
        return f"Continue with: resnext-search resume {typed(self.folder.path)}{copy}"


@contextmanager
def words_apart(log: Path) -> Iterator[Console]:
    """Within the block everything written to standard output and error goes to `log`, but for the given console.

    The file descriptors themselves are redirected: Ray's C++ parts and child processes write to them directly.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    terminal, errors = os.dup(1), os.dup(2)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"  # what it has not, is escaped
    handler = logging.StreamHandler()  # standard error, which is the log file by then
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    with (
        log.open("a", encoding="utf-8") as sink,
        os.fdopen(os.dup(terminal), "w", encoding=encoding, errors="backslashreplace") as screen,
    ):
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        logging.getLogger().addHandler(handler)
        with warnings.catch_warnings():
            try:
                yield Console(file=screen, highlight=False, soft_wrap=not screen.isatty())
            finally:
                logging.getLogger().removeHandler(handler)
                with suppress(OSError):  # the log's disk is full, which is no reason to lose what is said next
                    sys.stdout.flush()
                    sys.stderr.flush()
                os.dup2(terminal, 1)
                os.dup2(errors, 2)
                os.close(terminal)
                os.close(errors)
