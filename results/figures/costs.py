"""What did a study cost, and where did it go? Training FLOPs and time of every phase, from the journal."""

from __future__ import annotations

from collections.abc import Sequence

from resnext_search.results.figures.chart import COLOURS, FAINT, Axis, Bars, Chart, Points
from resnext_search.results.tables.costs import PhaseCost


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
