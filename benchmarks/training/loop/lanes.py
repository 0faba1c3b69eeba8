"""How well were the workers used? Read from the epochs that a journal holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import NamedTuple


class Use(NamedTuple):
    """How a phase used its workers.

    Args:
        workers: Trials at once, at most.
        trials: Trials that ended.
        share: Of the workers' wall time, from the first epoch's start to the last one's end, spent in epochs.
        gap_seconds: Median time between the last epoch of a trial and the first of the next one in its worker.
    """

    workers: int
    trials: int
    share: float
    gap_seconds: float


def use_of(journal: Path, phase: str, workers: int) -> Use:
    """Reckon from the table `epochs`: an epoch lasts its seconds, and is recorded at its end.

    Which worker trained a trial is not recorded; a trial is taken to follow the one that ended last before it began.
    """
    with closing(sqlite3.connect(journal)) as connection:
        spans = connection.execute(
            "SELECT MIN(recorded_at - e.seconds) AS began, MAX(recorded_at), SUM(e.seconds) FROM epochs AS e "
            "JOIN trials USING (trial_id) WHERE phase = ? GROUP BY trial_id ORDER BY began",
            (phase,),
        ).fetchall()
    free, gaps = [-float("inf")] * workers, []
    for began, ended, _ in spans:
        before = max((end for end in free if end <= began), default=min(free))
        free.remove(before)
        free.append(ended)
        if before > -float("inf"):
            gaps.append(max(began - before, 0.0))
    wall = max(ended for _, ended, _ in spans) - spans[0][0]
    return Use(workers, len(spans), sum(seconds for *_, seconds in spans) / (workers * wall), median(gaps))
