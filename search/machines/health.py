"""Is Ray still there? Looked at from a thread, since a call to a Ray that is gone may never return.

The machine's own raylet is a process, the head of the cluster an address: on this machine or on another one. When
either is gone, the main thread is interrupted; if nothing comes of that, the process ends. Imports no Ray.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn, Self

import psutil

LOOK_EVERY_SECONDS = 1.0
# The head may be too busy to answer for a while.
HEAD_PATIENCE_SECONDS = 10.0
# In which a run whose Ray is gone must have ended by itself.
GRACE_SECONDS = 20.0


class HealthCheck:
    """Interrupts the main thread when Ray is gone; `lost` then says what is.

    The raylet is a process, or None if it cannot be seen; `last_words` are called before an end by force.
    """

    def __init__(self, raylet: int | None, head: tuple[str, int], last_words: Callable[[str], None]) -> None:
        self.lost = ""
        self._raylet, self._head, self._last_words = raylet, head, last_words
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="health check", daemon=True)

    def __enter__(self) -> Self:
        self._in_main = threading.current_thread() is threading.main_thread()
        if self._in_main:  # elsewhere Python does not allow it, and there is only the end by force
            self._handler = signal.signal(signal.SIGUSR2, _interrupt)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._in_main:
            signal.signal(signal.SIGUSR2, self._handler or signal.SIG_DFL)

    def _watch(self) -> None:
        seen = time.monotonic()
        while not self._over.wait(LOOK_EVERY_SECONDS):
            if self._raylet is not None and not is_alive(self._raylet):
                self.lost = "Ray's own process on this machine (raylet) is gone"
            elif answers(*self._head):
                seen = time.monotonic()
            elif time.monotonic() - seen >= HEAD_PATIENCE_SECONDS:
                self.lost = f"the head of Ray at {self._head[0]}:{self._head[1]} does not answer any more"
            if self.lost:
                self._end()
                return

    def _end(self) -> None:
        if self._in_main:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR2)
        if not self._over.wait(GRACE_SECONDS):
            self._last_words(self.lost)
            os._exit(1)


def is_alive(process: int) -> bool:
    """Whether there is such a process; one that has ended and was not waited for is none."""
    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def answers(host: str, port: int, timeout: float = 1.0) -> bool:
    """Whether somebody accepts a connection there."""
    try:
        socket.create_connection((host, port), timeout=timeout).close()
    except OSError:
        return False
    return True


def raylet_of(socket_name: str) -> int | None:
    """The process that listens at a socket of Ray; None if none is seen."""
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "raylet" and any(socket_name in word for word in process.info["cmdline"] or ()):
            return int(process.pid)
    return None


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
