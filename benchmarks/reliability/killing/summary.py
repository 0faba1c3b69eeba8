"""What do the tables of killed studies say in all? Counts, and how rare a loss must be if so many kills showed none."""

from __future__ import annotations

from typing import Any

import pandas as pd
from scipy.stats import binomtest

from benchmarks.reliability.killing.rows import DRIVERS, WRONG

COUNTED = ["trials", *DRIVERS, "worker_kills", *WRONG, "differ"]


def at_most(harmful: int, kills: int) -> float:
    """The largest share of kills that do harm, in percent, which so few harmful ones leave possible at 95 %.

    Clopper and Pearson's limit, of one side. With no harmful one it is about 3 / kills; 100 without any kill.

    >>> [round(at_most(0, kills), 1) for kills in (30, 60, 300)]
    [9.5, 4.9, 1.0]
    """
    if not kills:
        return 100.0
    return 100 * float(binomtest(min(harmful, kills), kills, alternative="less").proportion_ci(0.95).high)


def of_workers(rows: pd.DataFrame) -> str:
    """One line for each number of workers, and one for all; then what so many kills show."""
    by = rows.groupby("workers")
    table = pd.concat([by.size().rename("studies"), by[COUNTED].sum()], axis=1)
    compared = rows[rows.tables.notna()]
    table["equal tables"] = compared[compared.tables == "equal"].groupby("workers").size()
    table.loc["all"] = table.sum()
    table = table.fillna(0).astype(int)
    return f"{table.reset_index().to_string(index=False)}\n{_shown(table.loc['all'], 'driver_kills', 'worker_kills')}"


def of_nodes(rows: pd.DataFrame) -> str:
    """All studies on machines that share nothing, in one line; then what so many kills show."""
    counts = rows[["trials", "epochs", *DRIVERS, "node_kills", "again", *WRONG, "differ"]].sum()
    table = pd.DataFrame({"studies": [len(rows)], **{name: [counts[name]] for name in counts.index}})
    table["most_again"] = max(rows.most_again, default=0)
    table["equal tables"] = (rows.tables == "equal").sum()
    return f"{table.to_string(index=False)}\n{_shown(counts, 'driver_kills', 'node_kills')}"


def _shown(counts: Any, *kinds: str) -> str:
    """What so many kills of each kind show; harm cannot be told from which kill it came, and is held against each."""
    harmful = int(counts[["lost", "twice", "stuck", "differ"]].sum())
    return "\n".join(
        f"{kind.replace('_', ' ')}: {counts[kind]}; at 95 % at most {at_most(harmful, int(counts[kind])):.1f} % of "
        "such kills lose, repeat or change a trial, or stop the study"
        for kind in kinds
    )
