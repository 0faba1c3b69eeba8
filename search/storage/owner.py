"""Who works on the study whose copy lies in a place? One driver; another one is refused, or takes over from the dead.

An object names the driver, and it changes with every beat of its heart. Whether it does is seen by looking twice: the
clocks of two machines are never compared. The stores know no lock that both of two drivers could ask for; of two that
begin in the same moment one sees the other's name when it looks again, and of two that have missed each other the one
whose name does not stand there notices it before it writes the next copy.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable

from resnext_search.search.storage.place import Place, reason
from resnext_search.spaces.errors import FolderLocked

_log = logging.getLogger(__name__)

OWNER = "owner.json"
BEAT_SECONDS = 15.0
# After which nobody is taken to live whose name does not change.
SILENCE_SECONDS = 60.0
# In which two that began in the same moment see each other.
SETTLE_SECONDS = 2.0
_LOOK_SECONDS = 1.0


class Owner:
    """This driver, as the owner of a place.

    Args:
        place: Where the copy is.
        clock: Seconds since some moment.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        place: Place,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.place = place
        self._clock, self._sleep = clock, sleep
        self._nonce, self._beats = secrets.token_hex(8), 0
        self._writing = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="owner", daemon=True)

    def take(self, say: Callable[[str], None]) -> None:
        """Become the owner, and stay it until `release`.

        Args:
            say: Is told that it is waited for a driver that may be dead.

        Raises:
            FolderLocked: Another driver lives.
            UsageError: The place cannot be used.
        """
        with self.place.expected():
            self._wait_for_the_one_before(say)
            self._write()
            self._sleep(SETTLE_SECONDS)
            self.expect_ours()
        self._thread.start()

    def expect_ours(self) -> None:
        """Raise `FolderLocked` if another driver has taken over, `OSError` if nobody can tell."""
        found = self.place.read(OWNER)
        if found is None or _facts(found).get("nonce") != self._nonce:
            raise FolderLocked(
                f"{self.place.uri}: {_words(found)} has taken over this study; this run has stopped",
                hint="Nothing is lost: what this run had finished and the copy lacks is trained again there.",
            )

    def beat(self) -> None:
        """Show that this driver lives; raises as `expect_ours`."""
        with self._writing:
            if not self._over.is_set():
                self.expect_ours()
                self._write()

    def release(self) -> None:
        """Own it no longer, so that the next driver need not wait."""
        self._over.set()
        with self._writing:  # a beat that comes after it would leave the name behind
            try:
                self.expect_ours()
                self.place.delete(OWNER)
            except (OSError, FolderLocked) as error:
                _log.warning("%s/%s stays: %s", self.place.uri, OWNER, reason(error))

    def _wait_for_the_one_before(self, say: Callable[[str], None]) -> None:
        first = self.place.read(OWNER)
        if first is None:
            return
        say(f"{self.place.uri}: {_words(first)} has this study; up to {SILENCE_SECONDS:g} s to see whether it lives")
        begun = self._clock()
        while self._clock() - begun < SILENCE_SECONDS:
            self._sleep(_LOOK_SECONDS)
            found = self.place.read(OWNER)
            if found is None:
                return
            if found != first:
                raise FolderLocked(
                    f"{self.place.uri}: another run works on this study ({_words(found)})",
                    hint=f"It is taken over when nothing was heard of it for {SILENCE_SECONDS:g} s.",
                )

    def _write(self) -> None:
        self._beats += 1
        facts = {"host": socket.gethostname(), "process": os.getpid(), "nonce": self._nonce, "beat": self._beats}
        self.place.write(OWNER, json.dumps(facts).encode())

    def _beat_on(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            try:
                self.beat()
            except FolderLocked:  # said by whoever writes the next copy
                return
            except Exception as error:
                _log.warning("%s: %s", self.place.uri, reason(error))


def _facts(found: bytes) -> dict[str, object]:
    try:
        facts = json.loads(found)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _words(found: bytes | None) -> str:
    facts = {} if found is None else _facts(found)
    if not {"process", "host"} <= facts.keys():
        return "another run"
    return f"process {str(facts['process'])[:20]} on {str(facts['host'])[:100]}"
