"""One study under fire on machines that share nothing: its driver is killed, and so are the nodes that train it."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

from resnext_search.results import Journal, StudyFolder
from resnext_search.search.execution.checkpoints import CheckpointFiles
from resnext_search.spaces import Study

from benchmarks.reliability.killing.machines import MachinesApart
from benchmarks.reliability.killing.snapshot import read
from benchmarks.reliability.killing.study import START_UP_SECONDS, UnderFire


class OnNodes(UnderFire):
    """As `UnderFire`, with a driver in the head of `machines`, whose node takes the place of the worker.

    `again` has, by a trial and the attempt that was lost, how many of its epochs stood in the journal while their state
    was not on the driver's disk: they were trained again.
    """

    def __init__(
        self, machines: MachinesApart, study: Study, arguments: list[str], folder: Path, generator: random.Random
    ) -> None:
        trials, epochs = study.search.trials, study.trainer.epochs
        super().__init__(arguments, folder, expected=trials, epochs=epochs, generator=generator)
        self.machines, self.study = machines, study
        self.again: dict[tuple[int, int], int] = {}

    def _command(self) -> list[str]:
        return self.machines.head.command(*super()._command(), folder=self.folder)

    def _moment_of_a_worker(self, driver: subprocess.Popen[bytes], left: int) -> None:
        if self.generator.random() < 0.25:  # while a driver, a node or a worker starts, as it happens
            self._wait(driver, time.monotonic() + self.generator.uniform(0, START_UP_SECONDS))
        else:
            super()._moment_of_a_worker(driver, left)

    def _kill_worker(self, driver: subprocess.Popen[bytes]) -> None:
        """A node is lost, another one joins, and a trial has begun there, if the driver lives and there is one left."""
        if driver.poll() is not None:
            return
        self.machines.lose_node()
        self.losses.workers += 1
        starts = read(self.journal).starts
        self._until(driver, lambda now: now.starts > starts or len(now.ended) >= self.expected)
        self._count_again(begun=1)

    def _account(self) -> None:
        super()._account()
        self._count_again(begun=0)

    def _count_again(self, *, begun: int) -> None:
        """Look at what the trials that were lost go on from; `begun`: how many attempts they have had since."""
        if not read(self.journal).starts:
            return
        with Journal(self.journal, read_only=True) as journal:
            files = CheckpointFiles(self.study, StudyFolder(self.path), journal)
            for trial in journal.trials(states=["running"]):
                kept = files.last_epoch(trial) or 0
                self.again.setdefault((trial.trial_id, trial.attempts - begun), max(0, trial.epochs - kept))
