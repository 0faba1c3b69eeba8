"""What does the search's model hold of the space? The surface of equal FLOPs, and the effects along it, as charts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from resnext_search.results.figures.chart import COLOURS, FAINT, SCALE, Axis, Chart, Intervals, Line, Points, wide
from resnext_search.results.figures.search import MOST_TICKS, Row, _completed, _count
from resnext_search.results.search_summary import Level, Place

# Of what has effects.
AXES = {
    "cardinality": "cardinality C",
    "depth": "depth, weighted layers",
    "width": "width d of a group in the first stage",
}


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
