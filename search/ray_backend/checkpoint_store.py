"""How do states that workers send come into the study folder? One thread of the driver fetches and writes them.

Of each trial the newest: one that was not fetched when the next came is left out, so that at most two states of a trial
are on their way, however slow disk and network are. The driver's loop never waits for either. What a worker sends is
bytes to the driver, of a size that the trial's network can have; whose they are and where they go is the driver's word.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.rows import Trial
from resnext_search.search.machines.settings import ray
from resnext_search.search.ray_backend.carried import TIMEOUT_SECONDS, Carried, put
from resnext_search.spaces.whole_file import write_whole

_log = logging.getLogger(__name__)

# How long the end of a phase, and a trial that is to be begun again, wait for what is still on its way.
PATIENCE_SECONDS = 10.0


class NoCheckpoint(Exception):
    """What a worker sent cannot be the state of its trial."""


class CheckpointStore:
    """The `Checkpoints` of trials whose workers do not see the study folder.

    Args:
        folder: Of the study.
        most_bytes: What the state of a trial has at most.
    """

    def __init__(self, folder: StudyFolder, most_bytes: Callable[[Trial], int]) -> None:
        self.folder, self.most_bytes = folder, most_bytes
        self.kept = self.overtaken = self.lost = 0  # how many states were written, left out, or did not arrive
        self._new: dict[int, tuple[Trial, Carried]] = {}  # the newest of each trial that was not fetched
        self._ended: deque[int] = deque()  # trials whose files are to go
        self._epochs: dict[int, int | None] = {}  # what this sitting wrote, by trial
        self._at_work: int | None = None  # the trial whose state is fetched and written
        self._over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="checkpoints", daemon=True)
        self._thread.start()

    def arrived(self, trial: Trial, carried: Carried) -> None:
        """A trial that goes on has reported its state; the reference is taken out of the report."""
        moved = Carried(carried.take(), carried.epoch)
        if moved.ref is None:
            return
        with self._changed:
            self.overtaken += trial.trial_id in self._new
            self._new[trial.trial_id] = trial, moved
            self._changed.notify_all()

    def forget(self, trial_id: int) -> None:
        """As of `Checkpoints`: the thread that writes deletes too, after what it writes at this moment."""
        with self._changed:
            self._new.pop(trial_id, None)
            self._epochs.pop(trial_id, None)
            if self._thread.is_alive():
                self._ended.append(trial_id)
                self._changed.notify_all()
            else:  # what waited for the copy of a journal, after the end of the driver's loop
                self._delete(trial_id)

    def last_epoch(self, trial: Trial) -> int | None:
        """As of `Checkpoints`; waits for what the trial has sent. Of what an earlier sitting wrote it is not known."""
        self._settle(trial.trial_id)
        if not self.folder.checkpoint(trial.trial_id).exists():
            return 0
        return self._epochs.get(trial.trial_id)

    def handed_out(self, trial_id: int) -> Carried | None:
        """What a trial that is begun goes on from; None if there is nothing, or, as the log says, it cannot be sent."""
        path = self.folder.checkpoint(trial_id)
        try:
            return put(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.warning("checkpoint %s cannot be read: %s; the trial starts over", path, error.strerror)
            return None

    def close(self) -> None:
        """Write what is still on its way, and say in the log what was not kept."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._thread.join(PATIENCE_SECONDS)  # a Ray that is gone may never answer
        if self.overtaken or self.lost:
            _log.warning(
                "checkpoints: %d written, %d left out for newer ones, %d lost", self.kept, self.overtaken, self.lost
            )

    def _settle(self, trial_id: int) -> None:
        with self._changed:
            self._changed.wait_for(
                lambda: trial_id not in self._new and self._at_work != trial_id and trial_id not in self._ended,
                timeout=PATIENCE_SECONDS,
            )

    def _work(self) -> None:
        while True:
            with self._changed:
                self._at_work = None
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._ended or self._new or self._over)
                if self._ended:
                    self._delete(self._ended.popleft())
                    continue
                if not self._new:
                    return
                trial, carried = self._new.pop(next(iter(self._new)))
                self._at_work = trial.trial_id
            self._keep(trial, carried)

    def _delete(self, trial_id: int) -> None:
        try:
            self.folder.checkpoint(trial_id).unlink(missing_ok=True)
        except OSError as error:  # it is of no more use, and does no harm
            _log.warning("checkpoint of trial %d cannot be deleted: %s", trial_id, error.strerror)

    def _keep(self, trial: Trial, carried: Carried) -> None:
        """Fetch a state and put it into the place of the one before, which stays if anything goes wrong."""
        number = trial.trial_id
        try:
            write_whole(self.folder.checkpoint(number), _fetched(carried, self.most_bytes(trial)))
        except Exception as error:  # its worker is gone, the disk is full, it is no state
            self.lost += 1
            what = error if isinstance(error, (OSError, NoCheckpoint)) else type(error).__name__
            _log.warning("checkpoint of trial %d was not kept: %s; the one before stays, if any", number, what)
            return
        with self._changed:
            self.kept += 1
            self._epochs[number] = carried.epoch


def _fetched(carried: Carried, most_bytes: int) -> memoryview:
    content: Any = ray.get(carried.take(), timeout=TIMEOUT_SECONDS)
    if not (isinstance(content, np.ndarray) and content.dtype == np.uint8 and content.ndim == 1):
        raise NoCheckpoint(f"found {type(content).__name__}; allowed: bytes in a row")
    if content.nbytes > most_bytes:
        raise NoCheckpoint(f"found {content.nbytes:,} bytes; allowed: at most {most_bytes:,}")
    return content.data
