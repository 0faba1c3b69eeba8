"""What did a study cost, and where did it go? Training FLOPs and time of every phase, from the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resnext_search.results.charts import COLOURS, FAINT, Axis, Bars, Chart, Points
from resnext_search.results.journal import ENDED, Phase, Trial
from resnext_search.results.step_time import train_images
from resnext_search.spaces import Architecture, Study
from resnext_search.spaces.complexity import complexity

# Training costs about three forward passes, and a multiply-add is two floating-point operations.
FORWARD_PASSES = 3
OPERATIONS = 2


@dataclass(frozen=True)
class PhaseCost:
    """What a phase has taken.

    Args:
        phase: `search`, `tune` or `confirm`.
        ended: Trials that have ended.
        planned: Trials that there will be.
        flops: Floating-point operations of the epochs trained; None where the number of images is not known.
        planned_flops: Of the whole phase, if none is stopped; None like that.
        training_seconds: Of all epochs, with their validation, added up over trials.
        other_seconds: From the start of trials to their end beyond that: loading, measuring, waiting, interruptions.
        span_seconds: From the first start to the last sign of life.
    """

    phase: str
    ended: int
    planned: int
    flops: float | None
    planned_flops: float | None
    training_seconds: float
    other_seconds: float
    span_seconds: float


def phase_costs(
    study: Study,
    trials: Sequence[Trial],
    planned_trials: Mapping[Phase, int],
    planned_flops: Mapping[Phase, float] | None,
) -> list[PhaseCost]:
    """The costs of every phase that is planned, in their order."""
    costs, multiply_adds = [], _multiply_adds(study, trials)
    for phase, planned in planned_trials.items():
        own = [trial for trial in trials if trial.phase == phase]
        images = train_images(study, confirm=phase == "confirm")
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
                None
                if images is None
                else OPERATIONS
                * FORWARD_PASSES
                * images
                * sum(trial.epochs * multiply_adds[trial.trial_id] for trial in own),
                None if planned_flops is None else planned_flops.get(phase),
                sum(trial.seconds for trial in own),
                whole,
                max(last) - min(begun) if begun and last else 0.0,
            )
        )
    return costs


def _multiply_adds(study: Study, trials: Sequence[Trial]) -> dict[int, float]:
    """Of every trial by its number; each architecture is counted once."""
    template, known = study.network_template(), dict[Architecture, float]()
    found = {}
    for trial in trials:
        architecture = trial.configuration.architecture
        if architecture not in known:
            known[architecture] = float(complexity(template, architecture).multiply_adds)
        found[trial.trial_id] = known[architecture]
    return found


def cost_charts(costs: Sequence[PhaseCost]) -> list[Chart]:
    """Training FLOPs against their forecast, and where the time went; those of which something is known."""
    charts = []
    known = [cost for cost in costs if cost.flops is not None and cost.planned_flops]
    if known:
        charts.append(_flops_chart(known))
    if any(cost.training_seconds for cost in costs):
        charts.append(_time_chart(costs))
    return charts


def _flops_chart(costs: Sequence[PhaseCost]) -> Chart:
    places = range(len(costs))
    done = [(cost.flops or 0) / 1e12 for cost in costs]
    planned = [(cost.planned_flops or 0) / 1e12 for cost in costs]
    return Chart(
        "flops",
        "Training FLOPs against the forecast",
        "Teraflops trained, of those forecast: "
        + "; ".join(
            f"{cost.phase} {have:.3g} of {want:.3g}" for cost, have, want in zip(costs, done, planned, strict=True)
        )
        + ".",
        "Floating-point operations of the training, three forward passes an image, a multiply-add counted as two. The "
        "mark is the forecast of the plan, if no trial is stopped or fails.",
        Axis("10¹² floating-point operations", zero=True),
        Axis("", ticks=[(place, cost.phase) for place, cost in zip(places, costs, strict=True)], down=True),
        [
            Bars(places, [0] * len(costs), done, "trained", hover=[f"trained: {value:.3g} · 10¹²" for value in done]),
            Points(
                planned,
                places,
                "forecast",
                COLOURS[1],
                "diamond",
                sizes=9,
                hover=[f"forecast: {value:.3g} · 10¹²" for value in planned],
            ),
        ],
        ("phase", "trained, 10¹² FLOPs", "forecast, 10¹² FLOPs"),
        [(cost.phase, have, want) for cost, have, want in zip(costs, done, planned, strict=True)],
        lines=2 * len(costs) + 3,
    )


def _time_chart(costs: Sequence[PhaseCost]) -> Chart:
    places = range(len(costs))
    training = [cost.training_seconds / 60 for cost in costs]
    together = [(cost.training_seconds + cost.other_seconds) / 60 for cost in costs]
    return Chart(
        "time",
        "Where the time went",
        "Minutes of all trials together: "
        + "; ".join(
            f"{cost.phase} {cost.training_seconds / 60:.1f} in training and {cost.other_seconds / 60:.1f} beside it"
            for cost in costs
        )
        + ".",
        "Time of trials, added up: training with validation, and what lies between their start and their end beside it "
        "(start-up, data, latencies, waiting, interruptions). Trials run side by side, so the clock shows less.",
        Axis("minutes of all trials together", zero=True),
        Axis("", ticks=[(place, cost.phase) for place, cost in zip(places, costs, strict=True)], down=True),
        [
            Bars(places, [0] * len(costs), training, "training", hover=[f"training: {v:.1f} min" for v in training]),
            Bars(
                places,
                training,
                together,
                "beside it",
                FAINT,
                hover=[f"beside it: {cost.other_seconds / 60:.1f} min" for cost in costs],
            ),
        ],
        ("phase", "trials ended", "planned", "training, min", "beside it, min", "on the clock, min"),
        [
            (
                cost.phase,
                cost.ended,
                cost.planned,
                cost.training_seconds / 60,
                cost.other_seconds / 60,
                cost.span_seconds / 60,
            )
            for cost in costs
        ],
        lines=2 * len(costs) + 3,
    )
