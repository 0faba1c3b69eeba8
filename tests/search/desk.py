"""A searcher at the desk of somebody who plays Tune: no process is started."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from pathlib import Path

from resnext_search.search.budget import Budget
from resnext_search.search.journal_searcher import JournalSearcher
from resnext_search.search.machine import Machine, Node
from resnext_search.search.progress import Progress
from resnext_search.search.proposals import Proposals
from resnext_search.search.sitting import Sitting
from resnext_search.search.stops import Stops
from rich.console import Console

from tests.helpers import tiny_study
from tests.journals import new_folder


class Desk:
    """A study with two workers, and what its parts have in common."""

    def __init__(self, path: Path, *overrides: str) -> None:
        self.study = tiny_study("search.parallel=2", *overrides)
        self.folder, self.journal = new_folder(path, self.study)
        self.words = io.StringIO()
        self.console = Console(file=self.words, width=200)

    def sit(self, clock: Callable[[], float] = time.monotonic) -> Sitting:
        """Begin a sitting, which trains nothing."""
        self.sitting = Sitting(
            self.study,
            self.folder,
            self.journal,
            self.console,
            train=iter,  # type: ignore[arg-type]
            budget=Budget(self.study, self.journal, clock),
            stops=Stops(self.folder, os.open(os.devnull, os.O_WRONLY)),
        )
        return self.sitting

    def searcher(self, clock: Callable[[], float] = time.monotonic) -> JournalSearcher:
        """Of a new sitting, with two workers and new proposals."""
        sitting = self.sit(clock)
        proposals = Proposals(self.study, self.study.feasible_set(), self.journal)
        machine = Machine((Node(4, 0),), None)
        return JournalSearcher("search", sitting, machine, Progress(self.console, 4, 2), proposals)
