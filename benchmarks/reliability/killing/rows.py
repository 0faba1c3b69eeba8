"""The cells of a study that was killed, in the table of all that were."""

from __future__ import annotations

import subprocess
from datetime import date

from benchmarks.reliability.killing.snapshot import Snapshot, proposed_twice
from benchmarks.reliability.killing.study import Losses

# When and with what a study was run, and what it is.
ABOUT = ["date", "commit", "trials", "epochs"]
# What was done to its drivers, by what they were at.
DRIVERS = ["driver_kills", "starting", "training", "ending"]
# What went wrong.
WRONG = ["lost", "twice", "stuck", "budget"]


def about(end: Snapshot) -> list[object]:
    """As of `ABOUT`."""
    commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip()
    return [date.today(), commit, len(end.trials), len(end.epochs)]


def drivers(losses: Losses) -> list[int]:
    """As of `DRIVERS`."""
    moments = [losses.drivers[moment] for moment in DRIVERS[1:]]
    return [sum(moments), *moments]


def wrong(losses: Losses, end: Snapshot, *, trials: int, epochs: int) -> list[int]:
    """As of `WRONG`, of a study that has so many trials in the end, and so many epochs each."""
    surplus = abs(len(end.trials) - trials) + proposed_twice(end) + abs(len(end.epochs) - len(end.trials) * epochs)
    not_ended = len(end.trials) - len(end.ended)
    return [len(losses.lost), len(losses.twice), losses.stuck + not_ended, surplus]
