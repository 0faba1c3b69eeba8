"""What did the search find, as pictures: the front, the surface of equal FLOPs, effects along it, the best so far."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from resnext_search.results.chance import best_of_start
from resnext_search.results.charts import COLOURS, FAINT, SCALE, Area, Axis, Chart, Intervals, Layer, Line, Points, wide
from resnext_search.results.learned import Level, Place

Row = Mapping[str, Any]

# Labels of what may be minimised.
LABELS = {
    "validation_error": "validation error, %",
    "parameters": "parameters",
    "activations": "activations of one image",
    "latency_ms": "latency of one image, ms",
}
# Of what has effects.
AXES = {
    "cardinality": "cardinality C",
    "depth": "depth, weighted layers",
    "width": "width d of a group in the first stage",
}
# More numbers below an axis would run into each other.
MOST_TICKS = 16


def front_chart(trials: Sequence[Row], front: Sequence[Row], objectives: Sequence[str]) -> Chart | None:
    """Validation error against the second objective, or against activations where error alone is minimised.

    None before a trial of the search has completed with both.
    """
    cost = objectives[1] if len(objectives) > 1 else "activations"
    shown = [row for row in _completed(trials) if row[cost] is not None]
    if not shown:
        return None
    best = [row for row in front if row[cost] is not None]
    layers: list[Layer] = [
        Points(
            [row[cost] for row in shown],
            [row["validation_error"] for row in shown],
            "trials of the search",
            FAINT,
            hover=[configuration_words(row) for row in shown],
            trials=[row["trial"] for row in shown],
        )
    ]
    ordered = sorted(best, key=lambda row: (row[cost], row["validation_error"]))
    if len(objectives) == 2:
        layers.append(Line([row[cost] for row in ordered], [row["validation_error"] for row in ordered], steps=True))
    layers.append(
        Points(
            [row[cost] for row in ordered],
            [row["validation_error"] for row in ordered],
            "not beaten in all objectives" if len(objectives) > 1 else "the lowest error",
            sizes=10,
            hover=[configuration_words(row) for row in ordered],
            trials=[row["trial"] for row in ordered],
        )
    )
    ends = [f"{row['architecture']} with {row['validation_error']:.2f} % at {row[cost]:,}" for row in ordered]
    named = ends if len(ends) < 4 else [ends[0], f"{len(ends) - 2} more", ends[-1]]
    return Chart(
        "front",
        "The Pareto front" if len(objectives) > 1 else "Error and activations",
        f"Validation error against {LABELS[cost]}, {len(shown)} completed trials. "
        f"{'On the front' if len(objectives) > 1 else 'Lowest'}: {'; '.join(named)}.",
        "Every mark is a trial of the search; single runs on the validation images, so a lead and not a finding.",
        Axis(LABELS[cost]),
        Axis(LABELS["validation_error"], log=wide(row["validation_error"] for row in shown)),
        layers,
        ("trial", "architecture", "blocks", "learning rate", LABELS[cost], "validation error, %", "test error, %"),
        [
            tuple(
                row[name]
                for name in ("trial", "architecture", "blocks", "learning_rate", cost, "validation_error", "test_error")
            )
            for row in best
        ],
        lines=15,
    )


def configuration_words(row: Row) -> str:
    """A trial for people, over several lines."""
    lines = [
        f"trial {row['trial']:04d}: {row['architecture']}",
        f"C = {row['cardinality']}, d = {row['width']}, blocks {row['blocks']}, depth {row['depth']}",
        f"learning rate {row['learning_rate']:.3g}",
        f"validation error {row['validation_error']:.2f} %",
        f"{row['multiply_adds']:,} multiply-adds, {row['parameters']:,} parameters, {row['activations']:,} activations",
    ]
    if row.get("latency_ms") is not None:
        lines.append(f"latency {row['latency_ms']:.3g} ms")
    return "\n".join(lines)


def surface_charts(trials: Sequence[Row], places: Sequence[Place]) -> list[Chart]:
    """The surface of equal FLOPs twice: the predicted error, and how uncertain it is; empty without a model."""
    if not places:
        return []
    tried = Counter((row["cardinality"], row["depth"]) for row in _completed(trials))
    lowest = min(places, key=lambda place: place.best.error)
    unsure = max(places, key=_half)
    hover = [_place_words(place, tried[place.cardinality, place.depth]) for place in places]
    error = _surface(
        "surface",
        "Predicted error at equal FLOPs",
        f"Predicted validation error for {len(places)} pairs of cardinality and depth. The lowest is "
        f"{lowest.best.error:.2f} % ({lowest.best.low:.2f} to {lowest.best.high:.2f}) at C = {lowest.cardinality}, "
        f"depth {lowest.depth}, d = {lowest.width}.",
        "Colour is the predicted validation error, without the noise of a single training.",
        places,
        [place.best.error for place in places],
        "predicted error, %",
        hover,
        tried,
    )
    uncertainty = _surface(
        "uncertainty",
        "How sure the model is",
        f"Half of the 95 % interval of every prediction: from {min(map(_half, places)):.2f} to {_half(unsure):.2f} "
        f"points, the most at C = {unsure.cardinality}, depth {unsure.depth}.",
        "Colour is half of the 95 % interval of that prediction, in points: bright means not known yet.",
        places,
        [_half(place) for place in places],
        "± points",
        hover,
        tried,
    )
    return [error, uncertainty]


def _surface(
    name: str,
    title: str,
    words: str,
    caption: str,
    places: Sequence[Place],
    values: Sequence[float],
    unit: str,
    hover: Sequence[str],
    tried: Mapping[tuple[int, int], int],
) -> Chart:
    widest = max(place.width for place in places)
    cardinalities = sorted({place.cardinality for place in places})
    at = {cardinality: position for position, cardinality in enumerate(cardinalities)}
    trained = [pair for pair in sorted(tried) if pair[0] in at]
    return Chart(
        name,
        title,
        words,
        caption,
        Axis("cardinality C", ticks=[(position, str(value)) for value, position in at.items()]),
        Axis("depth, weighted layers"),
        [
            Points(
                [at[place.cardinality] for place in places],
                [place.depth for place in places],
                sizes=[7 + 19 * math.sqrt(place.width / widest) for place in places],
                values=values,
                unit=unit,
                hover=hover,
                colour=SCALE,
            ),
            Points(
                [at[cardinality] for cardinality, _ in trained],
                [depth for _, depth in trained],
                "trained",
                COLOURS[1],
                "diamond",
                sizes=6,
                hover=[f"C = {pair[0]}, depth {pair[1]}: {_count(tried[pair], 'trial')}" for pair in trained],
            ),
        ],
        ("C", "depth", "d", "architecture", "blocks", "learning rate", "predicted error, %", "low", "high", "trials"),
        [
            (
                place.cardinality,
                place.depth,
                place.width,
                place.best.architecture,
                place.best.blocks,
                place.best.learning_rate,
                place.best.error,
                place.best.low,
                place.best.high,
                tried[place.cardinality, place.depth],
            )
            for place in places
        ],
        lines=18,
    )


def _half(place: Place) -> float:
    return (place.best.high - place.best.low) / 2


def _place_words(place: Place, trials: int) -> str:
    best = place.best
    rate = "" if best.learning_rate is None else f", learning rate {best.learning_rate:.3g}"
    return (
        f"{best.architecture}, blocks {best.blocks}\n"
        f"C = {place.cardinality}, d = {place.width}, depth {place.depth}{rate}\n"
        f"predicted error {best.error:.2f} % ({best.low:.2f} to {best.high:.2f})\n{_count(trials, 'trial')} here"
    )


def effect_charts(levels: Sequence[Level]) -> list[Chart]:
    """The best error to be expected at every value of an axis, along the surface; empty without a model."""
    charts = []
    for axis in dict.fromkeys(level.axis for level in levels):
        mine = [level for level in levels if level.axis == axis]
        places = range(len(mine))
        best = min(mine, key=lambda level: level.best.error)
        every = -(-len(mine) // MOST_TICKS)
        charts.append(
            Chart(
                f"effect_{axis}",
                f"Effect of {axis}",
                f"Lowest validation error to be expected at every {axis}, with 95 % intervals. It is lowest at "
                f"{best.value}: {best.best.error:.2f} % ({best.best.low:.2f} to {best.best.high:.2f}).",
                f"The lowest validation error to be expected with each {axis} while the FLOPs stay the same and "
                "everything else is at its best. Bars are 95 % intervals of the model; hollow marks had no trial yet.",
                Axis(AXES[axis], ticks=[(place, str(mine[place].value)) for place in places[::every]]),
                Axis("validation error, %", log=wide(end for one in mine for end in (one.best.low, one.best.high))),
                [
                    Intervals(places, [one.best.low for one in mine], [one.best.high for one in mine], along="y"),
                    Line(places, [level.best.error for level in mine], colour=FAINT),
                    *_level_marks(mine),
                ],
                (axis, "error, %", "low", "high", "best architecture", "blocks", "learning rate", "trials"),
                [
                    (
                        level.value,
                        level.best.error,
                        level.best.low,
                        level.best.high,
                        level.best.architecture,
                        level.best.blocks,
                        level.best.learning_rate,
                        level.trials,
                    )
                    for level in mine
                ],
            )
        )
    return charts


def _level_marks(levels: Sequence[Level]) -> list[Points]:
    marks = []
    for tried, name in ((True, "tried"), (False, "not tried yet")):
        places = [place for place, level in enumerate(levels) if (level.trials > 0) == tried]
        if places:
            hover = [
                f"{levels[place].axis} {levels[place].value}: {levels[place].best.error:.2f} % "
                f"({levels[place].best.low:.2f} to {levels[place].best.high:.2f})\n"
                f"with {levels[place].best.architecture}\n{_count(levels[place].trials, 'trial')}"
                for place in places
            ]
            errors = [levels[place].best.error for place in places]
            symbol: Literal["circle", "circle-open"] = "circle" if tried else "circle-open"
            marks.append(Points(places, errors, name, symbol=symbol, sizes=9, hover=hover))
    return marks


def progress_chart(trials: Sequence[Row]) -> Chart | None:
    """The lowest error so far, beside what chance would have found with the trials of the start; None before any."""
    ended = _completed(trials)
    if not ended:
        return None
    best, so_far = math.inf, []
    for row in ended:
        best = min(best, row["validation_error"])
        so_far.append(best)
    numbers = list(range(1, len(ended) + 1))
    start = [row["validation_error"] for row in ended if row["proposed_by"] == "sobol"]
    chance = best_of_start(start)
    layers: list[Layer] = []
    if len(chance) > 1:
        drawn = [one.trials for one in chance]
        range_ = "what chance finds, 95 % of draws"
        layers += [
            Area(drawn, [one.low for one in chance], [one.high for one in chance], range_, COLOURS[4]),
            Line(drawn, [one.expected for one in chance], "what chance finds, on average", COLOURS[4], dashed=True),
        ]
    for proposer, name, colour in (
        ("sobol", "space-filling start", COLOURS[4]),
        ("ax", "proposed by the model", FAINT),
    ):
        of = [(number, row) for number, row in zip(numbers, ended, strict=True) if row["proposed_by"] == proposer]
        if of:
            layers.append(
                Points(
                    [number for number, _ in of],
                    [row["validation_error"] for _, row in of],
                    name,
                    colour,
                    sizes=6,
                    hover=[configuration_words(row) for _, row in of],
                    trials=[row["trial"] for _, row in of],
                )
            )
    layers.append(Line(numbers, so_far, "lowest so far", steps=True))
    return Chart(
        "progress",
        "The best so far",
        f"Lowest validation error after every completed trial of the search: {so_far[0]:.2f} % after the first, "
        f"{so_far[-1]:.2f} % after {_count(len(ended), 'trial')}; the start of {len(start)} had reached "
        f"{f'{min(start):.2f} %' if start else 'nothing'}.",
        "Trials in the order of their proposals. The start covers the space evenly, so its trials say what a random "
        "search of the same space finds: the lowest of every n of them, as a mean and a range. Beyond the length of "
        "the start that is not known from one study, and no line is drawn. The lowest of many noisy errors flatters.",
        Axis("completed trials of the search"),
        Axis("validation error, %", log=wide(row["validation_error"] for row in ended)),
        layers,
        ("trial", "proposed by", "validation error, %", "lowest so far, %"),
        [
            (row["trial"], row["proposed_by"], row["validation_error"], lowest)
            for row, lowest in zip(ended, so_far, strict=True)
        ],
        lines=14,
    )


def _completed(trials: Sequence[Row]) -> list[Row]:
    return [row for row in trials if row["phase"] == "search" and row["state"] == "completed"]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
