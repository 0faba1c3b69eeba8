"""One study under fire: the same command again and again, killed at random moments until it may end."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.reliability.killing.snapshot import Snapshot, lost, read, twice

# A sitting that shows no new epoch for so long is stuck.
PATIENCE_SECONDS = 300
# The longest that a driver needs to its first trial on an idle machine of two cores, about.
START_UP_SECONDS = 12.0
POLL_SECONDS = 0.02


@dataclass
class Losses:
    """What went wrong, by the numbers of the trials, and what was done: kills by their moment."""

    lost: set[int] = field(default_factory=set)
    twice: set[int] = field(default_factory=set)
    stuck: int = 0
    drivers: Counter[str] = field(default_factory=Counter)
    workers: int = 0


class UnderFire:
    """A study in `folder / "killed"`, run by a command that is killed.

    Args:
        arguments: Of `resnext-search`, without `--out`.
        folder: Where to work.
        expected: How many trials the study has in the end.
        epochs: And how many epochs each of them.
        generator: Chooses the moments.
    """

    def __init__(
        self, arguments: list[str], folder: Path, *, expected: int, epochs: int, generator: random.Random
    ) -> None:
        self.arguments, self.folder, self.path = arguments, folder, folder / "killed"
        self.expected, self.total, self.generator = expected, expected * epochs, generator
        self.journal = self.path / "journal.sqlite"
        self.losses, self.last = Losses(), Snapshot()

    def kill(self, moment: str, *, workers: int, left: int) -> bool:
        """Start the command, kill workers and then the driver; returns False if the study ended before.

        Args:
            moment: Of the driver's death: `start-up`, `epochs`, `trials` (soon after one has ended) or `tables` (soon
                after the last one has).
            workers: How many workers are killed before.
            left: Kills of drivers that are still to come, this one included: they share the epochs that are left.
        """
        driver = self._start()
        began = time.monotonic()
        try:
            for _ in range(workers):
                self._moment_of_a_worker(driver, left * (workers + 1))
                self._kill_worker(driver)
            if moment == "start-up":
                self._wait(driver, began + self.generator.uniform(0, START_UP_SECONDS))
            elif moment == "epochs":
                self._after_epochs(driver, self._share(left * (workers + 1)), pause=0.3)
            elif moment == "trials":
                ended = len(self.last.ended) + self.generator.randint(1, 2)
                self._until(driver, lambda now: len(now.ended) >= min(ended, self.expected))
                self._wait(driver, time.monotonic() + self.generator.uniform(0, 0.15))
            else:
                self._until(driver, lambda now: len(now.ended) >= self.expected)
                self._wait(driver, time.monotonic() + self.generator.uniform(0, 1.5))
        except TimeoutError:
            self.losses.stuck += 1
        killed = driver.poll() is None
        if killed:
            driver.send_signal(signal.SIGKILL)
        if driver.wait() == -signal.SIGKILL:
            self.losses.drivers[self._where()] += 1
        elif driver.returncode != 0:
            raise SystemExit(f"{self.path}: exit code {driver.returncode}\n{self._words()}")
        self._account()
        return killed

    def finish(self) -> None:
        """Run the command to its end."""
        driver = self._start()
        try:
            self._until(driver, lambda _: False)
        except TimeoutError:
            self.losses.stuck += 1
            driver.kill()
        if driver.wait() not in (0, -signal.SIGKILL):
            raise SystemExit(f"{self.path}: exit code {driver.returncode}\n{self._words()}")
        self._account()

    def _start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "words.txt").open("ab") as words:
            return subprocess.Popen(
                self._command(), stdout=words, stderr=words, cwd=self.folder, start_new_session=True
            )

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "resnext_search.search", *self.arguments, "--out", self.path.name]

    def _words(self) -> str:
        return (self.folder / "words.txt").read_text()[-4000:]

    def _share(self, left: int) -> int:
        """Epochs to wait for: at random, so that on average those that are left last for `left` kills."""
        return self.generator.randint(1, max(1, 2 * (self.total - len(self.last.epochs)) // (left + 1)))

    def _after_epochs(self, driver: subprocess.Popen[bytes], epochs: int, *, pause: float) -> None:
        wanted = len(read(self.journal).epochs) + epochs
        self._until(driver, lambda now: len(now.epochs) >= min(wanted, self.total))
        self._wait(driver, time.monotonic() + self.generator.uniform(0, pause))

    def _until(self, driver: subprocess.Popen[bytes], condition: Callable[[Snapshot], bool]) -> None:
        """Wait until the journal is so, or the driver has ended.

        Raises:
            TimeoutError: Nothing new came for a long time.
        """
        known, since = -1, time.monotonic()
        while driver.poll() is None and not condition(now := read(self.journal)):
            if len(now.epochs) > known:
                known, since = len(now.epochs), time.monotonic()
            if time.monotonic() > since + PATIENCE_SECONDS:
                raise TimeoutError
            time.sleep(POLL_SECONDS)

    def _wait(self, driver: subprocess.Popen[bytes], until: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            driver.wait(max(0.0, until - time.monotonic()))

    def _moment_of_a_worker(self, driver: subprocess.Popen[bytes], left: int) -> None:
        self._after_epochs(driver, self._share(left), pause=0.3)

    def _kill_worker(self, driver: subprocess.Popen[bytes]) -> None:
        """Kill a process that trains, if there is one: of this driver, or of the cluster that was started here."""
        workers = []
        for child in psutil.Process().children(recursive=True) if driver.poll() is None else []:
            with suppress(psutil.NoSuchProcess):
                if "ImplicitFunc" in " ".join(child.cmdline()):
                    workers.append(child)
        if workers:
            with suppress(psutil.NoSuchProcess):
                self.generator.choice(sorted(workers, key=lambda worker: worker.pid)).kill()
                self.losses.workers += 1

    def _where(self) -> str:
        """What the driver was at when it died."""
        now = read(self.journal)
        if len(now.ended) >= self.expected:
            return "ending"
        return "training" if now.starts > self.last.starts else "starting"

    def _account(self) -> None:
        now = read(self.journal)
        self.losses.lost |= lost(self.last, now)
        self.losses.twice |= twice(self.last, now, self.path / "checkpoints")
        self.last = now


def attack(study: UnderFire, kills: int, worker_kills: int) -> None:
    """Kill in every sitting; the last kill comes when all trials have ended."""
    choose = study.generator
    moments = choose.choices(["start-up", "epochs", "trials"], weights=[2, 3, 1], k=kills - 1)
    moments = ["epochs", *moments[1:], "tables"] if kills > 1 else ["epochs"]
    sittings = [number for number, moment in enumerate(moments) if moment in ("epochs", "trials")]
    targets = [choose.choice(sittings) for _ in range(worker_kills)]
    for number, moment in enumerate(moments):
        if not study.kill(moment, workers=targets.count(number), left=kills - number):
            return
