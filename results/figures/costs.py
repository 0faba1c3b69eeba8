"""What did a study cost, and where did it go? Training FLOPs and time of every phase, from the journal."""

from __future__ import annotations

from collections.abc import Sequence

from resnext_search.results.figures.chart import COLOURS, FAINT, Axis, Bars, Chart, Points
from resnext_search.results.tables.costs import PhaseCost


def cost_charts(costs: Sequence[PhaseCost]) -> list[Chart]:
    """Training FLOPs and time against their forecasts, and where the time went; those of which something is known."""
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
    rows = [(cost.phase, have, want) for cost, have, want in zip(costs, done, planned, strict=True)]
    found = "; ".join(f"{phase} {have:.3g} of {want:.3g}" for phase, have, want in rows)
    hover = [f"forecast: {value:.3g} · 10¹²" for value in planned]
    return Chart(
        "flops",
        "Training FLOPs against the forecast",
        f"Teraflops trained, of those forecast: {found}.",
        "Floating-point operations of the training, three forward passes an image, a multiply-add counted as two. The "
        "mark is the forecast of the plan, if no trial is stopped or fails.",
        Axis("10¹² floating-point operations", zero=True),
        _phase_axis(costs),
        [
            Bars(places, [0] * len(costs), done, "trained", hover=[f"trained: {value:.3g} · 10¹²" for value in done]),
            Points(planned, places, "forecast", COLOURS[1], "diamond", sizes=9, hover=hover),
        ],
        ("phase", "trained, 10¹² FLOPs", "forecast, 10¹² FLOPs"),
        rows,
        lines=2 * len(costs) + 3,
    )


def _time_chart(costs: Sequence[PhaseCost]) -> Chart:
    places = range(len(costs))
    training, beside = [cost.training_seconds / 60 for cost in costs], [cost.other_seconds / 60 for cost in costs]
    together = [(cost.training_seconds + cost.other_seconds) / 60 for cost in costs]
    times = list(zip(costs, training, beside, strict=True))
    planned = [
        (place, [one / 60 for one in cost.planned_seconds])
        for place, cost in enumerate(costs)
        if cost.planned_seconds is not None
    ]
    found = "; ".join(
        f"{cost.phase} {inside:.1f} in training and {other:.1f} beside it" for cost, inside, other in times
    )
    return Chart(
        "time",
        "Where the time went",
        f"Minutes of all trials together: {found}.",
        "Time of trials, added up: training with validation, and what lies between their start and their end beside it "
        "(start-up, data, latencies, waiting, interruptions). Trials run side by side, so the clock shows less."
        + " The mark is the forecast of the training, measured before the first trial."
        * bool(planned),
        Axis("minutes of all trials together", zero=True),
        _phase_axis(costs),
        [
            Bars(places, [0] * len(costs), training, "training", hover=[f"training: {v:.1f} min" for v in training]),
            Bars(places, training, together, "beside it", FAINT, [f"beside it: {v:.1f} min" for v in beside]),
            *([_forecast_marks(planned)] if planned else []),
        ],
        (
            *("phase", "trials ended", "planned", "training, min", "beside it, min", "on the clock, min"),
            "forecast of the training, min",
        ),
        [
            (cost.phase, cost.ended, cost.planned, inside, other, cost.span_seconds / 60, _forecast_minutes(cost))
            for cost, inside, other in times
        ],
        lines=2 * len(costs) + 3,
    )


def _forecast_minutes(cost: PhaseCost) -> float | None:
    return None if cost.planned_seconds is None else cost.planned_seconds[0] / 60


def _forecast_marks(planned: Sequence[tuple[int, Sequence[float]]]) -> Points:
    """The forecast minutes of phases, by their places."""
    return Points(
        [minutes[0] for _, minutes in planned],
        [place for place, _ in planned],
        "forecast",
        COLOURS[1],
        "diamond",
        sizes=9,
        hover=[f"forecast: {middle:.1f} min ({low:.1f} to {high:.1f})" for _, (middle, low, high) in planned],
    )


def _phase_axis(costs: Sequence[PhaseCost]) -> Axis:
    return Axis("", ticks=[(place, cost.phase) for place, cost in enumerate(costs)], down=True)
