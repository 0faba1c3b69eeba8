"""What failed, and why? The failures of a study by their class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resnext_search.results.journal import Trial


@dataclass(frozen=True)
class FailureClass:
    """Trials that failed alike, with the last line and the whole text of the last one's message."""

    name: str
    trials: tuple[int, ...]
    line: str
    message: str


def failures(trials: Sequence[Trial]) -> list[FailureClass]:
    """The failures by class, the most frequent first."""
    classes: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.state == "failed":
            classes.setdefault(trial.failure_class or "unknown", []).append(trial)
    found = []
    for name, failed in sorted(classes.items(), key=lambda item: -len(item[1])):
        message = (failed[-1].failure_message or "").strip()
        line = "".join(message.splitlines()[-1:])
        found.append(FailureClass(name, tuple(trial.trial_id for trial in failed), line, message))
    return found
