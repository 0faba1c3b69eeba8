"""What does `status --watch` show? The facts of `status`, drawn anew on a terminal; elsewhere a line when they change.

Only reads the journal, as often as it can without taking more than a fifth of a core from the trials.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.journal import Journal
from resnext_search.search.monitor.status import idle_seconds, read_status
from resnext_search.search.monitor.terminal import RunningTrial, running_table
from resnext_search.search.monitor.text import audit_words, remaining_words, status_words
from resnext_search.search.planning.forecast import Remaining
from resnext_search.spaces.study.units import duration
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

SECONDS_BETWEEN_LOOKS = 1.0
MOST_OF_A_CORE = 0.2


def follow(folder: StudyFolder) -> Iterator[dict[str, Any]]:
    """The facts of the study now, and again until its run has ended."""
    with Journal(folder.journal, read_only=True) as journal:
        while True:
            begin = time.monotonic()
            facts = read_status(folder, journal)
            cost = time.monotonic() - begin
            yield facts
            if not facts["live"]:
                return
            time.sleep(max(SECONDS_BETWEEN_LOOKS, idle_seconds(cost, MOST_OF_A_CORE)))


def watch(folder: StudyFolder, console: Console) -> None:
    """Show the study until its run ends; then say its state once more, as `status` does."""
    looks = follow(folder)
    facts = next(looks)
    if facts["live"] and console.is_terminal:
        with Live(drawn(facts, console), console=console, auto_refresh=False, transient=True) as live:
            for facts in looks:
                live.update(drawn(facts, console), refresh=True)
    elif facts["live"]:
        _say(console, status_words(facts))
        said = _ended(facts)
        for facts in looks:
            if facts["live"] and _ended(facts) != said:
                said = _ended(facts)
                _say(console, line(facts))
    _say(console, status_words(facts))


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    console.file.flush()


def _ended(facts: dict[str, Any]) -> str:
    return f"[{facts['budget']['trials']['used']}/{facts['budget']['trials']['of']}]"


def line(facts: dict[str, Any]) -> str:
    """A running study in one line."""
    left, best, failures = facts["remaining"], facts["best"], _failures(facts)
    parts = [
        *([f"{remaining_words(Remaining(**left))} left"] if left else []),
        *([f"best validation error {best['validation_error']:.2f} % (trial {best['trial']:04d})"] if best else []),
        *([f"failed: {failures}"] if failures else []),
    ]
    return f"{_ended(facts)} {'; '.join(parts)}".rstrip()


def drawn(facts: dict[str, Any], console: Console) -> RenderableType:
    """A running study for a terminal of any width."""
    about = Table.grid(padding=(0, 2))
    about.add_column(style="dim", no_wrap=True)
    about.add_column()
    for phase, of_phase in facts["phases"].items():
        about.add_row(phase, f"{_count(of_phase['states'])} of {of_phase['trials']}")
    about.add_row("budget", _budget(facts["budget"]))
    left, best, failures = facts["remaining"], facts["best"], _failures(facts)
    about.add_row("time left", remaining_words(Remaining(**left)) if left else "not known yet")
    found = "nothing yet"
    if best:
        found = f"trial {best['trial']:04d} {best['architecture']}, validation error {best['validation_error']:.2f} %"
    about.add_row("best so far", found)
    about.add_row("failures", Text(failures, style="red") if failures else "none")
    running = [
        RunningTrial(one["name"], one["epoch"], one["epochs"], one["seconds"], one["curve"], one["validation_error"])
        for one in facts["running"]
    ]
    audit = facts["early_stopping"]
    return Group(
        Text(f"{facts['name']}: {'running' if facts['live'] else 'not running'}", style="bold"),
        about,
        *([Text(audit_words(audit))] if audit else []),
        Text(""),
        running_table(running, console) if running else Text("no trial is running", style="dim"),
    )


def _count(states: dict[str, int]) -> str:
    """Those that have ended, and of them what did not complete."""
    ended = sum(states.get(state, 0) for state in ("completed", "stopped", "failed"))
    less = [f"{states[state]} {state}" for state in ("stopped", "failed") if state in states]
    return f"{ended} ({', '.join(less)})" if less else str(ended)


def _budget(budget: dict[str, Any]) -> str:
    trials, flops = budget["trials"], budget["training_flops"]
    words = f"{trials['of'] - trials['used']} of {trials['of']} trials left"
    if flops["used"] is not None and flops["of"]:
        words += f", {max(0.0, 1 - flops['used'] / flops['of']):.0%} of {flops['of']:.3g} training FLOPs"
    limit = budget["seconds"]
    if limit["of"] is not None:
        words += f", {duration(max(0.0, limit['of'] - limit['used']))} of {duration(limit['of'])}"
    return words


def _failures(facts: dict[str, Any]) -> str:
    """How many by class, and the trial that failed last, of every class."""
    counted = Counter(failure["class"] for failure in facts["failures"])
    last = {failure["class"]: failure["trial"] for failure in facts["failures"]}
    return ", ".join(f"{count} {name} (last: trial {last[name]:04d})" for name, count in counted.most_common())
