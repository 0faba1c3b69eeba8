"""What does the search's model hold of the space? The surface of equal FLOPs, and the effects along it, as charts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from resnext_search.results.figures.chart import COLOURS, FAINT, SCALE, Axis, Chart, Intervals, Line, Points, Row, wide
from resnext_search.results.figures.search import MOST_TICKS, completed, counted
from resnext_search.results.search_summary import Effect, SurfacePoint
from resnext_search.spaces.architecture.architecture import dashed
from resnext_search.spaces.study.configuration import Configuration

# Of what has effects.
AXES = {
    "cardinality": "cardinality C",
    "depth": "depth, weighted layers",
    "width": "width d of a group in the first stage",
}


def surface_charts(trials: Sequence[Row], points: Sequence[SurfacePoint]) -> list[Chart]:
    """The surface of equal FLOPs twice: the predicted error, and how uncertain it is; empty without a model."""
    if not points:
        return []
    tried = Counter((row["cardinality"], row["depth"]) for row in completed(trials))
    lowest = min(points, key=lambda point: point.error)
    unsure = max(points, key=_half)
    hover = [_point_words(point, tried[_pair(point)]) for point in points]
    error = _surface(
        "surface",
        "Predicted error at equal FLOPs",
        f"Predicted validation error for {len(points)} pairs of cardinality and depth. The lowest is "
        f"{lowest.error:.2f} % ({lowest.low:.2f} to {lowest.high:.2f}) at C = {lowest.best.architecture.cardinality}, "
        f"depth {lowest.best.architecture.depth}, d = {lowest.best.architecture.width}.",
        "Colour is the predicted validation error, without the noise of a single training.",
        points,
        [point.error for point in points],
        "predicted error, %",
        hover,
        tried,
    )
    uncertainty = _surface(
        "uncertainty",
        "How sure the model is",
        f"Half of the 95 % interval of every prediction: from {min(map(_half, points)):.2f} to {_half(unsure):.2f} "
        f"points, the most at C = {unsure.best.architecture.cardinality}, depth {unsure.best.architecture.depth}.",
        "Colour is half of the 95 % interval of that prediction, in points: bright means not known yet.",
        points,
        [_half(point) for point in points],
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
    points: Sequence[SurfacePoint],
    values: Sequence[float],
    unit: str,
    hover: Sequence[str],
    tried: Mapping[tuple[int, int], int],
) -> Chart:
    architectures = [point.best.architecture for point in points]
    widest = max(architecture.width for architecture in architectures)
    cardinalities = sorted({architecture.cardinality for architecture in architectures})
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
                [at[architecture.cardinality] for architecture in architectures],
                [architecture.depth for architecture in architectures],
                sizes=[7 + 19 * math.sqrt(architecture.width / widest) for architecture in architectures],
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
                hover=[f"C = {pair[0]}, depth {pair[1]}: {counted(tried[pair], 'trial')}" for pair in trained],
            ),
        ],
        ("C", "depth", "d", "architecture", "blocks", "learning rate", "predicted error, %", "low", "high", "trials"),
        [
            (
                *_pair(point),
                point.best.architecture.width,
                *_cells(point.best),
                point.error,
                point.low,
                point.high,
                tried[_pair(point)],
            )
            for point in points
        ],
        lines=18,
    )


def _pair(point: SurfacePoint) -> tuple[int, int]:
    return point.best.architecture.cardinality, point.best.architecture.depth


def _half(point: SurfacePoint) -> float:
    return (point.high - point.low) / 2


def _cells(best: Configuration) -> tuple[str, str, float | None]:
    """Architecture, blocks and learning rate."""
    return best.architecture.name, dashed(best.architecture.blocks), dict(best.knobs).get("learning_rate")


def _point_words(point: SurfacePoint, trials: int) -> str:
    architecture = point.best.architecture
    name, blocks, rate = _cells(point.best)
    at = "" if rate is None else f", learning rate {rate:.3g}"
    return (
        f"{name}, blocks {blocks}\n"
        f"C = {architecture.cardinality}, d = {architecture.width}, depth {architecture.depth}{at}\n"
        f"predicted error {point.error:.2f} % ({point.low:.2f} to {point.high:.2f})\n{counted(trials, 'trial')} here"
    )


def effect_charts(trials: Sequence[Row], effects: Sequence[Effect]) -> list[Chart]:
    """The best error to be expected at every value of an axis, along the surface; empty without a model."""
    charts = []
    for axis in dict.fromkeys(effect.axis for effect in effects):
        mine = [effect for effect in effects if effect.axis == axis]
        tried = Counter(row[axis] for row in completed(trials))
        places = range(len(mine))
        best = min(mine, key=lambda effect: effect.median)
        every = -(-len(mine) // MOST_TICKS)
        charts.append(
            Chart(
                f"effect_{axis}",
                f"Effect of {axis}",
                f"Lowest validation error to be expected at every {axis}, with 95 % intervals. It is lowest at "
                f"{best.value}: {best.median:.2f} % ({best.low:.2f} to {best.high:.2f}).",
                f"The lowest validation error to be expected with each {axis} while the FLOPs stay the same and "
                "everything else is at its best. Bars are 95 % intervals of the model; hollow marks had no trial yet.",
                Axis(AXES[axis], ticks=[(place, str(mine[place].value)) for place in places[::every]]),
                Axis("validation error, %", log=wide(end for one in mine for end in (one.low, one.high))),
                [
                    Intervals(places, [one.low for one in mine], [one.high for one in mine], along="y"),
                    Line(places, [one.median for one in mine], colour=FAINT),
                    *_effect_marks(mine, tried),
                ],
                (axis, "error, %", "low", "high", "best architecture", "blocks", "learning rate", "trials"),
                [(one.value, one.median, one.low, one.high, *_cells(one.best), tried[one.value]) for one in mine],
            )
        )
    return charts


def _effect_marks(effects: Sequence[Effect], tried: Mapping[int, int]) -> list[Points]:
    marks = []
    for is_tried, name in ((True, "tried"), (False, "not tried yet")):
        mine = [(place, one) for place, one in enumerate(effects) if (tried[one.value] > 0) == is_tried]
        if mine:
            hover = [
                f"{one.axis} {one.value}: {one.median:.2f} % ({one.low:.2f} to {one.high:.2f})\n"
                f"with {one.best.architecture.name}\n{counted(tried[one.value], 'trial')}"
                for _, one in mine
            ]
            symbol: Literal["circle", "circle-open"] = "circle" if is_tried else "circle-open"
            places, errors = [place for place, _ in mine], [one.median for _, one in mine]
            marks.append(Points(places, errors, name, symbol=symbol, sizes=9, hover=hover))
    return marks
