"""How does a running study look in a terminal? Learning curves as sparklines, and the table of the running trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from resnext_search.search.remaining import Remaining
from rich.console import Console
from rich.table import Table

BARS = "▁▂▃▄▅▆▇█"
BARS_ASCII = ".:-=+*#@"  # for terminals that know no more
MOST_BARS = 16
# Lines of a screen that the table of running trials leaves to the rest.
LINES_KEPT = 14


@dataclass
class RunningTrial:
    """A row of the table.

    Args:
        name: Of the trial.
        epoch: Epochs that it has trained.
        epochs: Of all of them.
        seconds: How long it has been running.
        curve: What to draw, epoch by epoch: validation errors in percent, or losses where nobody looks at errors.
        error: The last validation error in percent, if any.
    """

    name: str
    epoch: int
    epochs: int
    seconds: float
    curve: Sequence[float] = field(default_factory=list)
    error: float | None = None


def running_table(trials: Sequence[RunningTrial], console: Console) -> Table:
    """The trials that run, a line each; those that do not fit on the screen are counted."""
    shown = trials[: max(1, console.height - LINES_KEPT)]
    table = Table(box=None, header_style="dim", pad_edge=False)
    curve = max([len("curve"), *(min(MOST_BARS, len(trial.curve)) for trial in shown)])
    numbers = 7 + len("error %") + 11 + 4 * 2  # with two spaces before each
    table.add_column("trial", no_wrap=True, overflow="ellipsis", max_width=max(10, console.width - curve - numbers))
    table.add_column("epoch", justify="right", no_wrap=True)
    table.add_column("curve", style="cyan", no_wrap=True)
    table.add_column("error %", justify="right", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    bars = BARS_ASCII if console.options.ascii_only else BARS
    values = [value for trial in shown for value in trial.curve]
    for trial in shown:
        table.add_row(
            trial.name,
            f"{trial.epoch}/{trial.epochs}",
            sparkline(trial.curve, among=values, bars=bars),
            "" if trial.error is None else f"{trial.error:.2f}",
            duration(trial.seconds),
        )
    if len(shown) < len(trials):
        table.add_row(f"and {len(trials) - len(shown)} more", style="dim")
    return table


def sparkline(curve: Sequence[float], *, among: Sequence[float] = (), bars: str = BARS) -> str:
    """A curve as a row of bars on a logarithmic scale, from the lowest to the highest value among all that are given.

    Of a curve that is longer than the row, every bar is the last of its share of the epochs. What is not above 0, or no
    number, is drawn as the lowest bar.

    >>> sparkline([80.0, 40.0, 20.0, 10.0])
    '█▆▃▁'
    >>> sparkline([10.0, 10.0], among=[10.0, 100.0]), sparkline([])
    ('▁▁', '')
    """
    width = min(len(curve), MOST_BARS)
    shown = [curve[(position + 1) * len(curve) // width - 1] for position in range(width)]
    logs = [math.log(value) for value in (*curve, *among) if value > 0 and math.isfinite(value)]
    low, high = min(logs, default=0.0), max(logs, default=0.0)
    steps = (len(bars) - 1) / (high - low) if high > low else 0.0
    return "".join(
        bars[round((math.log(value) - low) * steps)] if value > 0 and math.isfinite(value) else bars[0]
        for value in shown
    )


def remaining_words(left: Remaining) -> str:
    """How long the rest takes.

    >>> remaining_words(Remaining(300, 250, 350)), remaining_words(Remaining(42, None, None))
    ('about 5 min 0 s (95 % interval 4 min 10 s to 5 min 50 s)', 'about 42 s')
    """
    interval = "" if left.low is None or left.high is None else f" (95 % interval {span(left.low, left.high)})"
    return f"about {duration(left.seconds)}{interval}"


def span(low: float, high: float) -> str:
    """Two times as an interval."""
    return f"{duration(low)} to {duration(high)}"


def duration(seconds: float) -> str:
    """A time for people.

    >>> duration(42), duration(190), duration(7300)
    ('42 s', '3 min 10 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    if whole < 6000:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
