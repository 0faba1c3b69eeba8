"""What did a study find, as pictures: test errors of the arms, their differences, and the tuning of the learning rate.

The only file that imports matplotlib. Every picture is drawn from the trials table and the verdict alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

# Okabe & Ito's colours, which people with colour blindness can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "resnext-search",  # the same picture is the same file
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9,
}


def draw(trials: pd.DataFrame, verdict: dict[str, Any], folder: Path) -> list[Path]:
    """Draw every picture that the data allow, as PNG and SVG.

    Args:
        trials: The trials table, or anyone's runs (`arm`, `seed`, `test_error`).
        verdict: `Verdict.to_json()` of the same runs.
        folder: Where the files go; made if there is none.

    Returns:
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with mpl.rc_context(STYLE):
        for name, figure in _pictures(trials, verdict):
            for suffix in ("png", "svg"):
                path = folder / f"{name}.{suffix}"
                metadata = {"Date": None} if suffix == "svg" else {"Software": None}
                figure.savefig(path, dpi=150, bbox_inches="tight", metadata=metadata)
                written.append(path)
    return written


def _pictures(trials: pd.DataFrame, verdict: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    if any(row["test_error"] is not None for row in verdict["arms"]):
        yield "test_error", _test_errors(trials, verdict)
    if any(row["difference"] is not None for row in verdict["comparisons"]):
        yield "differences", _differences(verdict)
    tuned = trials[trials.phase == "tune"] if "phase" in trials else trials[:0]
    if len(tuned):
        yield "learning_rate", _learning_rates(tuned)


def _test_errors(trials: pd.DataFrame, verdict: dict[str, Any]) -> Figure:
    """Every run a dot, every arm its mean with the 95 % interval."""
    rows = [row for row in (*verdict["arms"], *verdict["finalists"]) if row["test_error"] is not None]
    figure = Figure(figsize=(6.4, 0.5 * len(rows) + 1.2), layout="constrained")
    axes = figure.subplots()
    runs = trials[trials.phase == "confirm"] if "phase" in trials else trials
    for place, row in enumerate(rows):
        colour = COLOURS[place % len(COLOURS)]
        errors = runs[runs.arm == row["arm"]].test_error.dropna()
        axes.plot(errors, [place] * len(errors), "o", color=colour, alpha=0.35, markersize=4)
        if None not in row["interval"]:
            axes.plot(row["interval"], [place + 0.22] * 2, color=colour, linewidth=2.5, solid_capstyle="butt")
        axes.plot([row["test_error"]], [place + 0.22], "D", color=colour, markersize=5)
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.5)
    axes.set_xlabel("test error, %   (dots: runs; diamond and bar: mean with 95 % interval)")
    return figure


def _label(row: dict[str, Any]) -> str:
    return row["arm"] if row.get("architecture") in (None, row["arm"]) else f"{row['arm']}\n{row['architecture']}"


def _differences(verdict: dict[str, Any]) -> Figure:
    """How much less the claimant errs than each rival, against the margin below which nobody cares; the trend first."""
    trend = verdict["trend"]
    rows = [*([trend] if trend else []), *verdict["comparisons"]]
    figure = Figure(figsize=(6.4, 0.45 * len(rows) + 1.3), layout="constrained")
    axes = figure.subplots()
    margin = verdict["margin"]
    axes.axvspan(-margin, margin, color="0.92", label=f"margin of {margin:g} points")
    axes.axvline(0, color="0.4", linewidth=0.8)
    for place, row in enumerate(rows):
        if None not in row["interval"]:
            axes.plot(row["interval"], [place] * 2, color=COLOURS[0], linewidth=2)
        axes.plot([row["difference"]], [place], "D", color=COLOURS[0], markersize=5)
    names = [f"{row['claimant']} against {row['rival']}" for row in rows]
    if trend:
        names[0] += "\n(trend over log$_2$ C)"
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("test error saved, points   (bar: 95 % interval)")
    axes.legend(loc="upper right", frameon=False, fontsize=8)
    return figure


def _learning_rates(tuned: pd.DataFrame) -> Figure:
    """Validation error of every arm at every learning rate it was tuned with."""
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.subplots()
    for place, (arm, rows) in enumerate(tuned.groupby("arm", sort=False)):
        curve = rows.sort_values("learning_rate")
        axes.plot(
            curve.learning_rate, curve.validation_error, "o-", color=COLOURS[place % len(COLOURS)], label=str(arm)
        )
    axes.set_xscale("log")
    axes.set_xlabel("learning rate")
    axes.set_ylabel("validation error, %")
    axes.legend(frameon=False, fontsize=8)
    return figure
