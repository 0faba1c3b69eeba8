"""Where else are trials logged? TensorBoard, MLflow and Weights & Biases, each told by a thread what the journal says.

Not through Ray's callbacks: Tune's loop calls these, so that a slow server would hold up the trials and an error would
end the study; and they know Tune's trials, which begin anew when a study is resumed. A thread of ours reads the journal
as any other reader does. What a tracker was told is kept beside the journal: a later sitting goes on there, and tells
it what it missed while it could not be reached.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import ENDED, Trial
from resnext_search.search.monitor.status import idle_seconds
from resnext_search.search.monitor.tracker_backends import Tracker
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.study.study import Study
from resnext_search.spaces.whole_file import write_whole

MODULES = {"tensorboard": "tensorboardX", "mlflow": "mlflow", "wandb": "wandb"}
SECONDS_BETWEEN_LOOKS = 1.0
MOST_OF_A_CORE = 0.1
# How long the end of a sitting waits for a tracker that has not heard everything.
PATIENCE_SECONDS = 30.0


@dataclass
class Told:
    """What a tracker has been told of a trial, and the name that the tracker gave it."""

    run: str | None = None
    epochs: int = 0
    ended: bool = False


def expect_installed(names: tuple[str, ...]) -> None:
    """Raise `UsageError` if the package of a tracker is missing; the hint says how to install it."""
    missing = [name for name in names if find_spec(MODULES[name]) is None]
    if missing:
        packages = ", ".join(MODULES[name] for name in missing)
        raise UsageError(
            f"trackers: {', '.join(missing)} cannot be used: not installed: {packages}",
            hint="Install the extra: pip install 'resnext-search[trackers]'. Or leave it out of trackers.",
        )


@contextmanager
def tracked(study: Study, folder: StudyFolder, say: Callable[[str], None]) -> Iterator[None]:
    """Tell the study's trackers, for the time of the block, what happens. Whatever goes wrong there ends no study."""
    ended = threading.Event()
    threads = [
        threading.Thread(target=_follow, args=(name, study, folder, ended, say), name=f"tracker {name}", daemon=True)
        for name in study.trackers
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        patience = time.monotonic() + PATIENCE_SECONDS
        for name, thread in zip(study.trackers, threads, strict=True):
            thread.join(max(0.0, patience - time.monotonic()))
            if thread.is_alive():
                say(f"{name}: has not heard everything after {PATIENCE_SECONDS:g} s; `resume` tells it the rest")


def _follow(name: str, study: Study, folder: StudyFolder, ended: threading.Event, say: Callable[[str], None]) -> None:
    """One tracker's thread."""
    from resnext_search.search.monitor.tracker_backends import open_tracker

    try:
        folder.trackers.mkdir(exist_ok=True)
        tracker = open_tracker(name, study, folder, say)
        listener = Listener(tracker, folder.trackers / f"{name}.json")
        with Journal(folder.journal, read_only=True) as journal:
            while True:
                last = ended.is_set()  # asked before the look, so that the last look sees everything
                begin = time.monotonic()
                listener.tell(journal)
                if last:
                    break
                cost = time.monotonic() - begin
                ended.wait(max(SECONDS_BETWEEN_LOOKS, idle_seconds(cost, MOST_OF_A_CORE)))
        tracker.close()
    except Exception as error:
        with suppress(Exception):
            say(
                f"{name}: {type(error).__name__}: {error}\n{name} is told nothing more in this sitting. "
                f"The study goes on without it; `resume {folder.path}` tells it the rest."
            )


class Listener:
    """A tracker, with what it was told in this sitting and in those before it.

    Of those a file says it, `memory`; one that cannot be read says nothing, so the tracker is told all again.
    """

    def __init__(self, tracker: Tracker, memory: Path) -> None:
        self.tracker, self.memory = tracker, memory
        self._told = _read(memory)
        self._begun: set[int] = set()  # in this sitting

    def tell(self, journal: Journal) -> None:
        """Tell the tracker what the journal says that it has not been told."""
        try:
            told = [self._tell(journal, trial) for trial in journal.trials()]
        except Exception:
            self._remember()  # it was told some of it
            raise
        if any(told):
            self._remember()

    def _tell(self, journal: Journal, trial: Trial) -> bool:
        """Tell it of one trial; returns whether there was anything to tell."""
        told = self._told.setdefault(trial.trial_id, Told())
        if trial.state == "queued" or told.ended:
            return False
        news = trial.trial_id not in self._begun
        if news:
            told.run = self.tracker.begin(trial, told.run)
            self._begun.add(trial.trial_id)
        if trial.epochs > told.epochs:
            for row in journal.epochs(trial.trial_id)[told.epochs :]:
                self.tracker.epoch(str(told.run), row)
                told.epochs = row.epoch
            news = True
        if trial.state in ENDED:
            self.tracker.end(str(told.run), trial)
            told.ended = news = True
        return news

    def _remember(self) -> None:
        write_whole(self.memory, json.dumps({number: asdict(told) for number, told in self._told.items()}))


def _read(memory: Path) -> dict[int, Told]:
    try:
        found: dict[str, dict[str, Any]] = json.loads(memory.read_text(encoding="utf-8"))
        return {int(number): Told(**told) for number, told in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
