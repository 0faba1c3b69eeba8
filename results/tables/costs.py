"""What did every phase of a study take? Training FLOPs and time, from its trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resnext_search.results.journal.rows import ENDED, Trial
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.architecture.training_cost import training_flops
from resnext_search.spaces.study.study import Phase, Study


@dataclass(frozen=True)
class PhaseCost:
    """What a phase has taken.

    Args:
        phase: `search`, `tune` or `confirm`.
        ended: Trials that have ended.
        planned: Trials that there will be.
        flops: Floating-point operations of the epochs trained; None where the number of images is not known.
        planned_flops: Of the whole phase, if none is stopped; None like that.
        planned_seconds: The same of the time in training, as it was forecast before the first trial: the median
            architecture's, and the least and the most; None where nothing was measured.
        training_seconds: Of all epochs, with their validation, added up over trials.
        other_seconds: From the start of trials to their end beyond that: loading, measuring, waiting, interruptions.
        span_seconds: From the first start to the last sign of life.
    """

    phase: str
    ended: int
    planned: int
    flops: float | None
    planned_flops: float | None
    planned_seconds: tuple[float, float, float] | None
    training_seconds: float
    other_seconds: float
    span_seconds: float


def phase_costs(
    study: Study,
    trials: Sequence[Trial],
    planned_trials: Mapping[Phase, int],
    planned_flops: Mapping[Phase, float] | None,
    forecast: Mapping[str, Any] | None = None,
) -> list[PhaseCost]:
    """The costs of every phase that is planned, in their order; the forecast is that of the journal."""
    costs, multiply_adds = [], _multiply_adds(study, trials)
    for phase, planned in planned_trials.items():
        own = [trial for trial in trials if trial.phase == phase]
        images = study.images_per_epoch(phase)
        passed = sum(trial.epochs * multiply_adds[trial.trial_id] for trial in own)
        ended = [trial for trial in own if trial.state in ENDED]
        begun = [trial.started_at for trial in own if trial.started_at is not None]
        last = [trial.ended_at for trial in own if trial.ended_at is not None]
        whole = sum(
            max(trial.ended_at - trial.started_at - trial.seconds, 0)
            for trial in ended
            if trial.ended_at is not None and trial.started_at is not None
        )
        costs.append(
            PhaseCost(
                phase,
                len(ended),
                planned,
                None if images is None else float(training_flops(passed, images)),
                None if planned_flops is None else planned_flops.get(phase),
                _planned_seconds(phase, forecast),
                sum(trial.seconds for trial in own),
                whole,
                max(last) - min(begun) if begun and last else 0.0,
            )
        )
    return costs


def _planned_seconds(phase: Phase, forecast: Mapping[str, Any] | None) -> tuple[float, float, float] | None:
    if forecast is None or phase not in forecast["phases"]:
        return None
    seconds = forecast["phases"][phase]["seconds"]
    return seconds["median"], min(seconds.values()), max(seconds.values())


def _multiply_adds(study: Study, trials: Sequence[Trial]) -> dict[int, int]:
    """Of every trial by its number; each architecture is counted once."""
    template, of_trials = study.network_template(), {one.trial_id: one.configuration.architecture for one in trials}
    known = {each: int(complexity(template, each).multiply_adds) for each in set(of_trials.values())}
    return {number: known[architecture] for number, architecture in of_trials.items()}
