"""What did a study hold when its driver or a worker was killed, and has anything of it changed since?

Rows are read as they lie in the file, past the package's own classes: what is compared is every cell, wall times too.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ENDED = ("completed", "stopped", "failed")

Row = dict[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """The rows of a journal: trials by number, epochs by trial and number. Empty where there is no journal yet."""

    trials: dict[int, Row] = field(default_factory=dict)
    epochs: dict[tuple[int, int], Row] = field(default_factory=dict)

    @property
    def ended(self) -> dict[int, Row]:
        """Trials that will not be trained again."""
        return {number: row for number, row in self.trials.items() if row["state"] in ENDED}

    @property
    def starts(self) -> int:
        """How often a trial was handed to a worker."""
        return sum(row["attempts"] for row in self.trials.values())


def read(journal: Path) -> Snapshot:
    """Read a journal, also one that a killed driver left behind or a live one writes."""
    try:
        with closing(sqlite3.connect(f"{journal.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN")  # both tables as of one moment
            trials = [dict(row) for row in connection.execute("SELECT * FROM trials")]
            epochs = [dict(row) for row in connection.execute("SELECT * FROM epochs")]
    except sqlite3.OperationalError:
        if journal.exists():
            raise
        return Snapshot()
    return Snapshot({row["trial_id"]: row for row in trials}, {(row["trial_id"], row["epoch"]): row for row in epochs})


def lost(before: Snapshot, after: Snapshot) -> set[int]:
    """Trials that had ended before and differ in any cell now, and those of which an epoch is gone or differs."""
    trials = {number for number, row in before.ended.items() if after.trials.get(number) != row}
    return trials | {
        number for (number, epoch), row in before.epochs.items() if after.epochs.get((number, epoch)) != row
    }


def twice(before: Snapshot, after: Snapshot, checkpoints: Path) -> set[int]:
    """Trials that had ended before and were worked on since: started again, longer, or with a newer checkpoint."""
    again = set()
    for number, row in before.ended.items():
        checkpoint = checkpoints / f"trial-{number:05d}.pt"
        newer = checkpoint.exists() and checkpoint.stat().st_mtime > row["ended_at"]
        longer = {key for key in after.epochs if key[0] == number} - set(before.epochs)
        if newer or longer or after.trials[number]["attempts"] > row["attempts"]:
            again.add(number)
    return again


def proposed_twice(snapshot: Snapshot) -> int:
    """How many search trials have the configuration of another one."""
    searched = [row["configuration"] for row in snapshot.trials.values() if row["phase"] == "search"]
    return len(searched) - len(set(searched))
