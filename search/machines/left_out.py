"""Which machines get no trials? Those that are not as the driver's, and those on which trials fail and others do not.

Knows machines by their numbers, and no Ray. What is decided holds for a sitting.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# So many trials fail one after the other on a machine, before their first epoch, until it is suspected.
FAILURES_IN_A_ROW = 3


@dataclass
class _Row:
    """Failures on a machine that nothing has interrupted."""

    count: int = 0
    words: str = ""  # of the last one
    is_shared: bool = False  # meanwhile trials failed on a machine that has trained some


class LeftOut:
    """Keeps account of machines.

    One is suspected when `FAILURES_IN_A_ROW` trials failed on it that had gained no epoch there, and meanwhile none did
    on a machine that trains; it then gets no trial unless all are suspected. It is left out for good when an epoch is
    gained elsewhere.
    """

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}  # why a machine is left out for good
        self._rows: dict[str, _Row] = {}
        self._good: set[str] = set()  # on which an epoch was gained

    def refuse(self, machine: str, reason: str) -> bool:
        """A machine cannot be used; whether that is news."""
        is_news = machine not in self.reasons
        self.reasons.setdefault(machine, reason)
        return is_news

    def failed(self, machine: str, words: str) -> None:
        """A trial failed on a machine, and had gained no epoch there."""
        row = self._rows.setdefault(machine, _Row())
        row.count, row.words = row.count + 1, words
        if machine in self._good:
            for other, theirs in self._rows.items():
                theirs.is_shared |= other != machine

    def gained(self, machine: str) -> list[str]:
        """An epoch was gained on a machine; the others that are left out from now on for that."""
        self._good.add(machine)
        self._rows.pop(machine, None)
        found = [other for other in self._suspected() if other not in self.reasons]
        for other in found:
            row = self._rows[other]
            self.reasons[other] = (
                f"{row.count} trials in a row failed on it and none elsewhere, the last by {row.words}"
            )
        return found

    def among(self, machines: Iterable[str]) -> frozenset[str]:
        """Those of these machines that get no trial now."""
        there = set(machines)
        for_good = there & self.reasons.keys()
        out = for_good | (there & self._suspected())
        return frozenset(for_good if out == there else out)

    def _suspected(self) -> set[str]:
        return {machine for machine, row in self._rows.items() if row.count >= FAILURES_IN_A_ROW and not row.is_shared}
