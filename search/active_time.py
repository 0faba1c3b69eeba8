"""How long was a study at work? Time is counted while trials may run, over all its sittings, and kept in its journal.

The clock that is read neither jumps when somebody sets the time of day nor runs on while a machine sleeps. Looks at it
are seconds apart at most; where a minute and more lies between two of them, the process itself stood still (Ctrl-Z, a
virtual machine that was paused), and that time counts for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from resnext_search.results.journal import Journal

# Between two looks lies a tenth of a second, or what the optimizer takes for a proposal.
LONGEST_STEP_SECONDS = 60.0
# How much of the count a `kill -9` may lose.
KEPT_EVERY_SECONDS = 2.0


class ActiveTime:
    """The seconds that a study was at work, as of the last look.

    Args:
        journal: Knows those of earlier sittings.
        clock: Seconds since some moment, never going back.
    """

    def __init__(self, journal: Journal, clock: Callable[[], float] = time.monotonic) -> None:
        self._journal, self._clock = journal, clock
        self.seconds = self._kept = journal.active_seconds()
        self._last: float | None = None

    def look(self) -> float:
        """Count what has passed since the last look; the first one begins. Returns the seconds so far."""
        now = self._clock()
        step = 0.0 if self._last is None else now - self._last
        self._last = now
        if step <= LONGEST_STEP_SECONDS:
            self.seconds += step
        if self.seconds - self._kept >= KEPT_EVERY_SECONDS:
            self._keep()
        return self.seconds

    def rest(self) -> None:
        """What follows is no work: the count stands still until the next look."""
        self.look()
        self._last = None
        self._keep()

    def _keep(self) -> None:
        if self.seconds > self._kept:
            self._journal.keep_active_seconds(self.seconds)
            self._kept = self.seconds
