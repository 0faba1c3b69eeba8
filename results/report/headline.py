"""What was asked, what is the answer so far, and what failed? A sentence each, one word for how things stand, and the
failures by their class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from resnext_search.results.journal.rows import ENDED, Trial, last_line
from resnext_search.results.report.facts import Facts
from resnext_search.results.search_summary import Incumbent
from resnext_search.results.verdict.reasons import listed
from resnext_search.spaces.claim.arms import claim_budgets
from resnext_search.spaces.claim.populations import populations

Tone = Literal["good", "bad", "open"]


@dataclass(frozen=True)
class Headline:
    """The top of the page.

    Args:
        question: What the study asks.
        answer: The verdict, or what is to be said instead, in a word or a few.
        sentence: What it rests on, or how far the study is.
        tone: How the word is coloured; it never says more than the word.
        state: `running`, `completed` where every trial has ended, `stopped` where some have not, or `not begun`.
        ended: Trials that have ended.
        planned: Trials that there will be.
        judged: Whether the claim has its verdict; while a study goes on, only one that will not be `invalid` or
            `inconclusive` for what is still missing.
    """

    question: str
    answer: str
    sentence: str
    tone: Tone
    state: str
    ended: int
    planned: int
    judged: bool


def headline(facts: Facts) -> Headline:
    """The top of the page of a study, however far it has come."""
    ended = sum(trial.state in ENDED for trial in facts.journal)
    planned = max(sum(facts.search.planned_trials.values()), ended)
    answer, sentence, tone = _answer(facts, ended, planned)
    judged = facts.verdict is not None and facts.verdict.verdict == answer
    return Headline(question(facts), answer, sentence, tone, _state(facts, ended, planned), ended, planned, judged)


def _state(facts: Facts, ended: int, planned: int) -> str:
    if facts.search.live:
        return "running"
    if not facts.journal:
        return "not begun"
    return "completed" if ended == planned else "stopped"


def question(facts: Facts) -> str:
    """What the study asks, in its own scale."""
    study, band = facts.study, facts.study.band()
    data = study.data.name
    if study.claim is None:
        others = [objective.removesuffix("_ms") for objective in study.objectives[1:]]
        cost = f", and what does it cost in {' and '.join(others)}" if others else ""
        return f"Which ResNeXt of {band.low:,} to {band.high:,} multiply-adds errs least on {data}{cost}?"
    budget = listed([f"{one:,}" for one in claim_budgets(study)])
    if study.claim.kind == "spaces":
        first, second = (of.name for of in populations(study))
        return f"At {budget} multiply-adds on {data}, do networks of the space {second} err less than those of {first}?"
    if study.claim.kind == "trade":
        return f"At {budget} multiply-adds on {data}, does the error fall as cardinality rises?"
    return f"Are {budget} multiply-adds on {data} better spent on cardinality than on width or depth?"


def _answer(facts: Facts, ended: int, planned: int) -> tuple[str, str, Tone]:
    failed = [trial for trial in facts.journal if trial.state == "failed"]
    completed = [trial for trial in facts.journal if trial.state == "completed"]
    progress = f"{ended:,} of {planned:,} trials have ended"
    if not completed:
        if failed:
            return "nothing to show", f"{progress}, and all failed; the reasons are below.", "bad"
        return "no answer yet", f"No trial has ended yet; {planned:,} are planned.", "open"
    if facts.verdict is None:
        return _incumbent(facts, progress, unfinished=ended < planned)
    if ended < planned and facts.verdict.verdict in ("invalid", "inconclusive"):
        at_work = "a run is at work" if facts.search.live else "no run is at work"
        return "not decided yet", f"{progress}, and {at_work}; arms are judged on fresh seeds at the end.", "open"
    tones: dict[str, Tone] = {"supported": "good", "partly supported": "good", "contradicted": "bad", "invalid": "bad"}
    return facts.verdict.verdict, facts.verdict.reasons[0], tones.get(facts.verdict.verdict, "open")


def _incumbent(facts: Facts, progress: str, *, unfinished: bool) -> tuple[str, str, Tone]:
    incumbent = facts.search.incumbent
    if incumbent is None:
        return "no answer yet", f"{progress}, none of the search completed.", "open"
    so_far = f"{progress}. So far the" if unfinished else "The"
    sentence = (
        f"{so_far} trial to take is number {incumbent.trial}, with {_error_of(incumbent)}. No arms were compared: the "
        "study makes no claim."
    )
    return incumbent.architecture, sentence, "open"


def to_take(facts: Facts) -> str:
    """Which configuration is best, wherever it came from; empty before there is any."""
    incumbent = facts.search.incumbent
    if incumbent is None:
        return ""
    return (
        f"Of all that was trained to the end inside the band, {incumbent.architecture} is the one to take: trial "
        f"{incumbent.trial}, from {incumbent.origin}, with {_error_of(incumbent)}."
    )


def _error_of(incumbent: Incumbent) -> str:
    reported = f"{incumbent.error:.2f} %" + (f" (mean of {incumbent.trials} trials)" if incumbent.trials > 1 else "")
    if incumbent.expected_error is None:
        return f"a validation error of {reported}"
    return (
        f"a validation error of {incumbent.expected_error:.2f} % by the model, without its luck; it reported {reported}"
    )


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
        found.append(FailureClass(name, tuple(trial.trial_id for trial in failed), last_line(message), message))
    return found
