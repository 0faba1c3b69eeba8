"""Who stops a study that runs, and how? The user by a signal or with `stop DIR`, and its own limit of time.

A signal, `stop --now` and the limit interrupt the trials, which go on from their last epoch another time. `stop` lets
them end, and starts no other. `stop` leaves a file in the study folder, since it may come from another machine; it is
addressed to one process, so that a later run does not heed it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Literal

from resnext_search.results.journal.folder import StudyFolder, this_process
from resnext_search.spaces.errors import typed
from resnext_search.spaces.whole_file import write_whole

How = Literal["drain", "now"]

# How often the folder is looked into.
LOOK_EVERY_SECONDS = 0.5
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequests:
    """Whether a sitting at a study was asked to stop; `screen` is the file descriptor of the user's terminal."""

    def __init__(self, folder: StudyFolder, screen: int) -> None:
        self.wanted: How | None = None
        self.notice = ""  # what a user at a terminal is to be told, where a table redraws itself
        self._folder, self._screen = folder, screen
        self._patient = False
        self._looked_at = 0.0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Heed signals and requests for the time of the block: the first signal saves, the second one kills."""
        self._folder.stop.unlink(missing_ok=True)
        # Tune installs one for SIGUSR1 too, and leaves it behind
        before = {number: signal.getsignal(number) for number in (*SIGNALS, signal.SIGUSR1)}
        try:
            self._install()
            yield
        finally:
            _install(before)
            self._folder.stop.unlink(missing_ok=True)

    @contextmanager
    def patient(self) -> Iterator[None]:
        """Within the block somebody looks at `wanted`; elsewhere a signal is a `KeyboardInterrupt` at once."""
        self._install()  # again: Ray has installed its own in the meantime
        self._patient = True
        try:
            yield
        finally:
            self._patient = False

    def look(self) -> How | None:
        """What is wanted now."""
        if time.monotonic() - self._looked_at >= LOOK_EVERY_SECONDS:
            self._looked_at = time.monotonic()
            if how := read_request(self._folder.stop):
                self.ask(how)
        return self.wanted

    def ask(self, how: How) -> None:
        """Stop; what was wanted at once stays so."""
        if self.wanted != "now":
            self.wanted = how

    def last_words(self, reason: str) -> None:
        """Tell the user why the process ends here and now, from whichever thread."""
        self._say(f"resnext-search: {self._folder.path}: {reason}; everything is saved")
        self._say(f"Continue with: resnext-search resume {typed(self._folder.path)}")

    def _say(self, words: str) -> None:
        cursor = "\x1b[?25h" * os.isatty(self._screen)  # which a table that redraws itself hides
        os.write(self._screen, f"{cursor}\n{words}\n".encode())  # not by `print`, which a signal may have broken off

    def _install(self) -> None:
        if self.wanted is None:
            _install(dict.fromkeys(SIGNALS, self._on_signal))

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        _install(dict.fromkeys(SIGNALS, signal.SIG_DFL))  # the next one ends the process, wherever it hangs
        self.ask("now")
        if not self._patient:
            raise KeyboardInterrupt
        words = (
            "Interrupting the trials. Once more ends at once, and loses nothing that has finished: "
            f"`resnext-search resume {typed(self._folder.path)}` continues."
        )
        if os.isatty(self._screen):
            self.notice = words  # written into the table it would be drawn over
        else:
            self._say(words)


def request_stop(folder: StudyFolder, how: How, owner: str) -> None:
    """Ask the process that holds the lock of a folder to stop; raises `OSError` if the folder cannot be written."""
    write_whole(folder.stop, f"{how} {owner}\n")


def read_request(path: Path) -> How | None:
    """What the file of a request asks this process for; None without one."""
    try:
        how, _, owner = path.read_text(encoding="utf-8").strip().partition(" ")
    except (OSError, ValueError):
        return None
    if owner != this_process():
        return None
    return "now" if how == "now" else "drain"


def _install(handlers: Mapping[signal.Signals, Any]) -> None:
    if threading.current_thread() is threading.main_thread():  # elsewhere Python does not allow it
        for number, handler in handlers.items():
            signal.signal(number, handler or signal.SIG_DFL)
