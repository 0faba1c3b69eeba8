"""A dispatcher and a searcher for somebody who plays workers, or Tune: no process is started."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from resnext_search.search.execution.context import RunContext
from resnext_search.search.execution.dispatcher import Dispatcher
from resnext_search.search.execution.stopping import StopRequests
from resnext_search.search.monitor.terminal import Progress
from resnext_search.search.optimizer.study_optimizer import Proposals
from resnext_search.search.planning.limits import Budget
from rich.console import Console

from tests.support.helpers import tiny_study
from tests.support.journals import new_folder

if TYPE_CHECKING:
    from resnext_search.search.machines.inspection import Inspection


class Desk:
    """A study with two workers, and what its parts have in common."""

    def __init__(self, path: Path, *overrides: str) -> None:
        self.study = tiny_study("search.parallel=2", *overrides)
        self.folder, self.journal = new_folder(path, self.study)
        self.words = io.StringIO()
        self.console = Console(file=self.words, width=200)

    def begin(self, clock: Callable[[], float] = time.monotonic) -> RunContext:
        """Begin a sitting, which trains nothing."""
        self.context = RunContext(
            self.study,
            self.folder,
            self.journal,
            self.console,
            train=iter,  # type: ignore[arg-type]
            budget=Budget(self.study, self.journal, clock),
            stops=StopRequests(self.folder, os.open(os.devnull, os.O_WRONLY)),
            images="",
        )
        return self.context

    def inspection(self) -> Inspection:
        """Of two machines, which are not asked."""
        from resnext_search.search.machines.inspection import Inspection  # Ray, which a dispatcher does without
        from resnext_search.search.machines.room import Node

        return Inspection(
            lambda: [Node(4, 0, "1", "machine a"), Node(4, 0, "2", "machine b")], None, self.console.print
        )

    def dispatcher(
        self, clock: Callable[[], float] = time.monotonic, *, room: Callable[[], int] | None = None
    ) -> Dispatcher:
        """Of a new sitting, with two workers and new proposals; or with room on a cluster, which may grow."""
        context = self.begin(clock)
        proposals = Proposals(self.study, self.study.feasible_set(), self.journal)
        at_once = 2 if self.study.search.parallel == "auto" else self.study.search.parallel
        is_there = room or (lambda: at_once)
        progress = Progress(self.console, 4, 2)
        return Dispatcher("search", context, progress, proposals, at_once=is_there, gpu=0, ahead=room is not None)
