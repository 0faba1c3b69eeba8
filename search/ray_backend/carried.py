"""How does the state of a trial travel between a worker and the driver? As an object of Ray.

What goes with an order or a report is a reference, and not the bytes: Tune keeps the last report and the order of every
trial that was ever run. A worker owns what it reports, the driver what it hands out. Workers import this file, so it
imports no torch.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from resnext_search.results.journal.folder import checkpoint_name
from resnext_search.search.execution.run_trial import Report
from resnext_search.search.machines.settings import ray
from resnext_search.search.storage.checkpoints import SharedStates

_log = logging.getLogger(__name__)

# Under which the reference stands in an order and in a report.
STATE = "state"
# In which a state that exists is at hand, whatever the network.
TIMEOUT_SECONDS = 60.0


class Carried(str):
    """A reference to a state, which Tune may copy as it likes and which is let go in all of its copies at once.

    It is a text to Tune, which writes all that it is given into JSON files of its own, and pickles what JSON does not
    know: a reference that was pickled so would keep its object for ever. And it is sent once: a worker tells Tune what
    order it has, and Tune keeps that answer too.

    Args:
        ref: To a flat array of bytes.
        epoch: After which it is the state of its trial; None where that is not known.
        is_sent: Whether it came from another process.
    """

    def __new__(cls, *_: object) -> Carried:
        """A text of one word."""
        return super().__new__(cls, STATE)

    def __init__(self, ref: Any, epoch: int | None = None, is_sent: bool = False) -> None:
        self.ref, self.epoch, self.is_sent = ref, epoch, is_sent

    def __reduce__(self) -> tuple[object, ...]:
        return Carried, (None if self.is_sent else self.ref, self.epoch, True)

    def __deepcopy__(self, memo: dict[int, Any]) -> Carried:
        return self

    def take(self) -> Any:
        """The reference, which this holds no longer; None if it was taken before."""
        ref, self.ref = self.ref, None
        return ref


def put(content: bytes | memoryview, epoch: int | None = None) -> Carried | None:
    """Make an object of these bytes; None, with a warning in the log, if Ray has no room for it."""
    try:
        return Carried(ray.put(np.frombuffer(content, dtype=np.uint8)), epoch)
    except Exception as error:  # the trial goes on without
        _log.warning("the state of a trial cannot be sent: %s: %s", type(error).__name__, error)
        return None


class TrialCarrier:
    """Carries the state of one trial, on its worker: a `Carrier` for who takes one, a file for other trainers.

    Args:
        order: Of the trial; its state is taken out.
        folder: An empty one of this worker. What the trial goes on from is written into it, and what a trainer writes
            there is sent with its next report.
        epochs: Of a trial: nothing is sent with the last of them, after which there is nothing left to do.
        tell: Reports to the driver.
        states: Where this worker reads and writes states itself; without it they travel over Ray.
    """

    def __init__(
        self, order: dict[str, Any], folder: Path, epochs: int, tell: Report, states: SharedStates | None = None
    ) -> None:
        self._file, self._epochs, self._tell = folder / checkpoint_name(order["trial_id"]), epochs, tell
        self._number, self._states = int(order["trial_id"]), states
        self._start = _brought(order.pop(STATE, None)) if states is None else states.read(self._number)
        self._kept: tuple[memoryview, int] | None = None
        if self._start is not None:
            self._fill(self._start)
        self._seen = self._stamp()

    def begin(self) -> memoryview | None:
        """As of `Carrier`."""
        start, self._start = self._start, None
        return start

    def keep(self, content: memoryview, epoch: int) -> None:
        """As of `Carrier`."""
        self._kept = content, epoch

    def report(self, fact: dict[str, Any]) -> None:
        """Report, and with an epoch that is not the last the state, if there is another one."""
        carried = self._next() if 0 < fact.get("epoch", 0) < self._epochs else None
        try:
            self._tell(fact if carried is None else {**fact, STATE: carried})
        finally:
            if carried is not None:  # the driver has the report when Ray asks for the next one
                carried.take()

    def _next(self) -> Carried | None:
        if self._kept is not None:
            (content, epoch), self._kept = self._kept, None
            return self._sent(content, epoch)
        stamp = self._stamp()
        if stamp is None or stamp == self._seen:
            return None
        self._seen = stamp
        try:
            return self._sent(self._file.read_bytes())
        except OSError as error:
            _log.warning("checkpoint %s cannot be read: %s; it is not sent", self._file, error.strerror)
            return None

    def _sent(self, content: bytes | memoryview, epoch: int | None = None) -> Carried | None:
        if self._states is None:
            return put(content, epoch)
        self._states.write(self._number, content)  # before its epoch is reported
        return None

    def _fill(self, start: memoryview) -> None:
        try:
            self._file.write_bytes(start)
        except OSError as error:
            self._file.unlink(missing_ok=True)
            _log.warning("checkpoint %s cannot be written: %s; who reads it starts over", self._file, error.strerror)

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def _brought(carried: Carried | None) -> memoryview | None:
    """What the driver sent along; None, with a warning in the log, if it is lost on the way."""
    ref = None if carried is None else carried.take()
    if ref is None:
        return None
    try:
        # a copy: an object that is looked at stays in Ray's memory
        return memoryview(bytes(ray.get(ref, timeout=TIMEOUT_SECONDS)))
    except Exception as error:
        _log.warning("the state of a trial did not arrive: %s; the trial starts over", type(error).__name__)
        return None
