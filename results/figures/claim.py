"""What did the arms do, as pictures? Every run with the means, their differences, the tuning of the learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from resnext_search.results.figures.chart import (
    COLOURS,
    FAINT,
    INK,
    Axis,
    Chart,
    Intervals,
    Layer,
    Line,
    Points,
    Row,
    Span,
    wide,
)
from resnext_search.spaces.claim.populations import space_of, spaces_of


def claim_charts(trials: Sequence[Row], verdict: Row) -> Iterator[Chart]:
    """Every picture of a claim that the data allow.

    Args:
        trials: The rows of the trials table, or anyone's runs (`arm`, `seed`, `test_error`); an empty cell is None.
        verdict: `Verdict.to_json()` of the same runs.
    """
    if any(row["test_error"] is not None for row in verdict["arms"]):
        yield _test_errors(trials, verdict)
    if any(row["difference"] is not None for row in verdict["comparisons"]):
        yield _differences(verdict)


_ONE_ROUND = "Every arm was trained with the same rates on one seed, and keeps that with the lowest validation error."
_TWO_ROUNDS = (
    "All arms had the same rates in a first round, and five of their own on further seeds; lines go through the means "
    "of a rate. An arm keeps the rate at which a parabola through all of this has its minimum."
)
_SPACES = (
    "Some networks of each space were trained with all rates; lines go through the means of a rate. One fit over all "
    "of them says the rate of every network, by its space, C and depth."
)


def tuning_chart(trials: Sequence[Row]) -> Chart | None:
    """Validation error of every arm at every learning rate it was tuned with; None before any trial has ended."""
    tuned = [row for row in trials if row.get("phase") == "tune" and row["validation_error"] is not None]
    spaces = spaces_of(str(row["arm"]) for row in tuned)
    arms = [space_of(str(row["arm"])) if spaces else str(row["arm"]) for row in tuned]
    table = [(arm, row["learning_rate"], row["validation_error"]) for arm, row in zip(arms, tuned, strict=True)]
    if not table:
        return None
    table.sort(key=itemgetter(0, 1))
    layers: list[Layer] = []
    found = []
    for place, (arm, rows) in enumerate(groupby(table, key=itemgetter(0))):
        colour = COLOURS[place % len(COLOURS)]
        by_rate = {rate: [error for *_, error in of] for rate, of in groupby(rows, key=itemgetter(1))}
        rates, means = list(by_rate), [sum(errors) / len(errors) for errors in by_rate.values()]
        hover = [
            f"{arm}\nlearning rate {rate:.3g}\nvalidation error {mean:.2f} %, {len(by_rate[rate])} trial(s)"
            for rate, mean in zip(rates, means, strict=True)
        ]
        layers.append(Line(rates, means, arm, colour, marks=True, hover=hover))
        trials_of = [(rate, error) for rate, errors in by_rate.items() if len(errors) > 1 for error in errors]
        if trials_of:
            x, y = zip(*trials_of, strict=True)
            layers.append(Points(x, y, colour=colour, opacity=0.4, sizes=5))
        least = min(means)
        found.append(f"{arm} errs least, {least:.2f} %, at {rates[means.index(least)]:.3g}")
    rounds = len({row["seed"] for row in tuned}) > 1
    return Chart(
        "learning_rate",
        "Learning rate of every arm",
        f"Validation error against learning rate, one line an arm. {'; '.join(found)}.",
        _SPACES if spaces else _TWO_ROUNDS if rounds else _ONE_ROUND,
        Axis("learning rate", log=True),
        Axis("validation error, %", log=wide(error for _, _, error in table)),
        layers,
        ("arm", "learning rate", "validation error, %"),
        table,
    )


def confirmed(trials: Sequence[Row], arm: str) -> list[Row]:
    """The runs of an arm, or of the networks of a space, that are evidence, and have a test error."""
    return [
        row
        for row in trials
        if arm in (row["arm"], space_of(str(row["arm"])))
        and row.get("phase", "confirm") == "confirm"
        and not _missing(row["test_error"])
    ]


def _missing(value: float | None) -> bool:
    return value is None or math.isnan(value)


def run_points(
    runs: Sequence[Row], x: Sequence[float], y: Sequence[float], colour: str, opacity: float, size: float
) -> Points:
    """Every run a dot that says which it is; a click on one finds its trial."""
    hover = [f"{row['arm']}, seed {row['seed']}\ntest error {row['test_error']:.2f} %" for row in runs]
    numbers = [row["trial"] for row in runs] if all("trial" in row for row in runs) else []
    return Points(x, y, colour=colour, opacity=opacity, sizes=size, hover=hover, trials=numbers)


def _test_errors(trials: Sequence[Row], verdict: Row) -> Chart:
    """Every run a dot, every arm its mean with the 95 % interval."""
    arms = [row for row in (*verdict["arms"], *verdict["finalists"]) if row["test_error"] is not None]
    layers: list[Layer] = []
    table = []
    for place, arm in enumerate(arms):
        colour = COLOURS[place % len(COLOURS)]
        runs = confirmed(trials, arm["arm"])
        layers.append(run_points(runs, [row["test_error"] for row in runs], [place] * len(runs), colour, 0.4, 6))
        layers += _bar(place + 0.22, arm["interval"], colour)
        mean = f"{arm['arm']} {arm['architecture'] or ''}\nmean of {arm['runs']} runs: {arm['test_error']:.2f} %"
        layers.append(Points([arm["test_error"]], [place + 0.22], "", colour, "diamond", 8, hover=[mean]))
        table += [(arm["arm"], str(row["seed"]), row["test_error"]) for row in runs]
    found = "; ".join(f"{arm['arm']} {arm['test_error']:.2f} %{_interval(arm['interval'])}" for arm in arms)
    return Chart(
        "test_error",
        "Test error of every run",
        f"Test errors of the runs on fresh seeds, one row an arm. Means: {found}.",
        "Dots are runs, one a seed; the diamond is their mean, the bar its 95 % interval, which covers other seeds "
        "and, as far as they are known, other test images and another tuning.",
        Axis("test error, %"),
        Axis("", ticks=[(place, _label(arm)) for place, arm in enumerate(arms)], down=True),
        layers,
        ("arm", "seed", "test error, %"),
        table,
        lines=3 * len(arms) + 1,
    )


def _differences(verdict: Row) -> Chart:
    """How much less the claimant errs than each rival, against the margin below which nobody cares; the trend first."""
    trend, margin = verdict["trend"], verdict["margin"]
    rows = [*([trend] if trend else []), *(row for row in verdict["comparisons"] if row["difference"] is not None)]
    layers: list[Layer] = [
        Span(-margin, margin, f"margin of {margin:g} points"),
        Line([0, 0], [-0.5, len(rows) - 0.5], colour=FAINT),
    ]
    for place, row in enumerate(rows):
        layers += _bar(place, row["interval"], COLOURS[0])
    names = [f"{row['claimant']} against {row['rival']}" for row in rows]
    said = [f"{row['difference']:+.2f} points{_interval(row['interval'])}" for row in rows]
    hover = [f"{name}\n{found}" for name, found in zip(names, said, strict=True)]
    values = [row["difference"] for row in rows]
    layers.append(Points(values, range(len(rows)), "", INK, "diamond", 8, hover=hover))
    if trend:
        names[0] += "\n(trend over log₂ C)"
    flat = [name.replace("\n", " ") for name in names]
    listed = "; ".join(f"{name} {found}" for name, found in zip(flat, said, strict=True))
    return Chart(
        "differences",
        "What cardinality saves" if verdict["claimant"] == "cardinality" else "Differences between arms",
        f"Test error saved, with 95 % intervals: {listed}. The margin is {margin:g} points.",
        "To the right of 0 the first arm errs less. Inside the grey margin a difference does not matter. "
        "Bars are 95 % intervals.",
        Axis("test error saved, points"),
        Axis("", ticks=list(enumerate(names)), down=True),
        layers,
        ("comparison", "difference, points", "low", "high"),
        [(name, row["difference"], *(row["interval"] or (None, None))) for name, row in zip(flat, rows, strict=True)],
        lines=2.4 * len(rows) + 2,
    )


def _bar(place: float, interval: Sequence[Any] | None, colour: str) -> list[Layer]:
    if not interval or None in interval:
        return []
    return [Intervals([place], interval[:1], interval[1:], "x", colour)]


def _interval(interval: Sequence[float | None] | None) -> str:
    if not interval or None in interval:
        return ""
    low, high = interval
    return f" ({low:.2f} to {high:.2f})"


def _label(arm: Row) -> str:
    return arm["arm"] if arm.get("architecture") in (None, arm["arm"]) else f"{arm['arm']}\n{arm['architecture']}"
