"""How does a running study look in a terminal? A table that redraws itself, with sparklines; elsewhere lines."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from resnext_search.results.journal.rows import last_line
from resnext_search.search.planning.forecast import ENDS_LOOKED_AT, rest_of
from resnext_search.spaces.study.configuration import Configuration, describe
from resnext_search.spaces.study.units import duration, span
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text


@dataclass
class _Running:
    configuration: Configuration
    attempt_from: float
    epoch: int = 0
    curve: list[float] = field(default_factory=list)
    error: float | None = None


@dataclass
class Progress:
    """Follows a phase of a study."""

    console: Console
    total: int  # trials of the phase
    epochs: int  # of a trial
    done: int = 0  # trials that have ended, also before this sitting
    best: float | None = None  # lowest error so far, in percent
    metric: str = "validation error"  # which error it is
    notice: Callable[[], str] = str  # what else is to be said below the table, as long as there is something
    _running: dict[int, _Running] = field(default_factory=dict)
    _failed: int = 0
    _stopped: int = 0
    _most_at_once: int = 1
    _seconds: list[float] = field(default_factory=list)  # of the trials that have ended in this sitting
    _live: Live | None = None

    def __enter__(self) -> Progress:
        if self.console.is_terminal:
            self._live = Live(self._draw(), console=self.console, refresh_per_second=4, get_renderable=self._draw)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._running.clear()  # what stays on the screen is how far the phase has come
            self._live.stop()

    def say(self, text: str) -> None:
        """Say something once, above the table."""
        self.console.print(text, markup=False)

    def started(self, trial_id: int, configuration: Configuration) -> None:
        """A trial was handed to a worker."""
        self._running[trial_id] = _Running(configuration, time.monotonic())
        self._most_at_once = max(self._most_at_once, len(self._running))

    def epoch(self, trial_id: int, epoch: int, error: float | None, loss: float) -> None:
        """A trial has finished an epoch: its validation error, if it looked, and the loss of training."""
        if trial_id in self._running:
            running = self._running[trial_id]
            running.epoch, running.error = epoch, error
            running.curve.append(loss if error is None else error)

    def completed(self, trial_id: int, error: float) -> None:
        """A trial has ended with this error, in percent."""
        running = self._end(trial_id)
        self.best = error if self.best is None else min(self.best, error)
        if running is not None:
            # test errors choose nothing
            best = f"  best {self.best:.2f} %" if self.metric == "validation error" else ""
            self._event(f"{describe(trial_id, running.configuration)}  {self.metric} {error:.2f} %{best}")

    def stopped(self, trial_id: int, epoch: int, error: float) -> None:
        """A trial was stopped early, with this error in percent: not one to be compared with those of full length."""
        running = self._end(trial_id)
        self._stopped += 1
        if running is not None:
            self._event(f"{describe(trial_id, running.configuration)}  stopped after epoch {epoch} at {error:.2f} %")

    def put_back(self, trial_id: int, reason: str) -> None:
        """A trial has not ended, and waits for another attempt."""
        running = self._running.pop(trial_id, None)
        if running is not None:
            self.say(f"{self._count()} {describe(trial_id, running.configuration)}  {reason}")

    def failed(self, trial_id: int, failure_class: str, message: str) -> None:
        """A trial has failed."""
        running = self._end(trial_id)
        self._failed += 1
        name = describe(trial_id, running.configuration) if running else f"trial {trial_id:04d}"
        words = f"{self._count()} {name}  failed ({failure_class}): {last_line(message)}"
        self.console.print(words, style="red", markup=False)

    def _end(self, trial_id: int) -> _Running | None:
        self.done += 1
        running = self._running.pop(trial_id, None)
        if running is not None:
            self._seconds.append(time.monotonic() - running.attempt_from)
        return running

    def _count(self) -> str:
        return f"[{self.done}/{self.total}]"

    def _event(self, text: str) -> None:
        if self._live is None:
            self.console.print(f"{self._count()} {text}{self._eta()}", markup=False)

    def _eta(self) -> str:
        left = self.total - self.done
        if not self._seconds or left <= 0:
            return ""
        begun = sum(running.epoch for running in self._running.values()) / self.epochs
        rest = rest_of(self._seconds[-ENDS_LOOKED_AT:], max(left - begun, 0.0), left, self._most_at_once)
        interval = "" if rest.low is None or rest.high is None else f" ({span(rest.low, rest.high)})"
        return f"  about {duration(rest.seconds)}{interval} left"

    def _draw(self) -> Group:
        chosen = self.metric == "validation error" and self.best is not None  # test errors choose nothing
        best = f", best validation error {self.best:.2f} %" if chosen else ""
        stopped = f", {self._stopped} stopped" if self._stopped else ""
        failed = f", {self._failed} failed" if self._failed else ""
        now = time.monotonic()
        rows = []
        for trial_id, one in self._running.items():
            name, seconds = describe(trial_id, one.configuration), now - one.attempt_from
            rows.append(RunningTrial(name, one.epoch, self.epochs, seconds, one.curve, one.error))
        words = f"{self.done} of {self.total} trials{best}{stopped}{failed}{self._eta().replace('  ', ', ')}"
        parts: list[RenderableType] = [Text(words)]
        if rows:
            parts.append(running_table(rows, self.console))
        if notice := self.notice():
            parts.append(Text(notice, style="yellow"))
        return Group(*parts)


BARS = "▁▂▃▄▅▆▇█"
BARS_ASCII = ".:-=+*#@"  # for terminals that know no more
MOST_BARS = 16
# Lines of a screen that the table of running trials leaves to the rest.
LINES_KEPT = 14


@dataclass
class RunningTrial:
    """A row of the table. Its curve has validation errors in percent, or losses where nobody looks at errors."""

    name: str
    epoch: int  # the last that it has trained
    epochs: int
    seconds: float  # that it has been running
    curve: Sequence[float] = field(default_factory=list)
    error: float | None = None  # the last validation error in percent


def running_table(trials: Sequence[RunningTrial], console: Console) -> Table:
    """The trials that run, a line each; those that do not fit on the screen are counted."""
    shown = trials[: max(1, console.height - LINES_KEPT)]
    table = Table(box=None, header_style="dim", pad_edge=False)
    curve = max([len("curve"), *(min(MOST_BARS, len(trial.curve)) for trial in shown)])
    numbers = 7 + len("error %") + 11 + 4 * 2  # with two spaces before each
    is_ascii = console.options.ascii_only
    room = max(10, console.width - curve - numbers)
    table.add_column("trial", no_wrap=True, overflow="crop" if is_ascii else "ellipsis", max_width=room)
    table.add_column("epoch", justify="right", no_wrap=True)
    table.add_column("curve", style="cyan", no_wrap=True)
    table.add_column("error %", justify="right", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    bars = BARS_ASCII if is_ascii else BARS
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
