"""What does the search's model hold of the space? The surface of equal FLOPs, and the effects along it, as charts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from resnext_search.results.figures.chart import (
    COLOURS,
    FAINT,
    SCALE,
    Axis,
    Chart,
    Intervals,
    Line,
    Points,
    Row,
    wide,
)
from resnext_search.results.figures.search import MOST_TICKS, completed, counted
from resnext_search.results.search_summary import Effect, SurfacePoint
from resnext_search.spaces.architecture.architecture import dashed
from resnext_search.spaces.study.configuration import Configuration

Pair = tuple[int, int]  # of cardinality and depth

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
    lowest, unsure = min(points, key=lambda point: point.error), max(points, key=_half)
    best, least_known = lowest.best.architecture, unsure.best.architecture
    at = {value: place for place, value in enumerate(sorted({pair[0] for pair in map(_pair, points)}))}
    errors, trained = _predictions(points, tried, at), _trained(tried, at)
    error = Chart(
        "surface",
        "Predicted error at equal FLOPs",
        f"Predicted validation error for {len(points)} pairs of cardinality and depth. The lowest is "
        f"{lowest.error:.2f} % ({lowest.low:.2f} to {lowest.high:.2f}) at C = {best.cardinality}, "
        f"depth {best.depth}, d = {best.width}.",
        "Colour is the predicted validation error, without the noise of a single training.",
        Axis("cardinality C", ticks=[(place, str(value)) for value, place in at.items()]),
        Axis("depth, weighted layers"),
        [errors, trained],
        ("C", "depth", "d", "architecture", "blocks", "learning rate", "predicted error, %", "low", "high", "trials"),
        [
            (*pair, point.best.architecture.width, *_cells(point.best), point.error, point.low, point.high, tried[pair])
            for pair, point in zip(map(_pair, points), points, strict=True)
        ],
        lines=18,
    )
    uncertainty = replace(
        error,
        name="uncertainty",
        title="How sure the model is",
        words=f"Half of the 95 % interval of every prediction: from {min(map(_half, points)):.2f} to "
        f"{_half(unsure):.2f} points, the most at C = {least_known.cardinality}, depth {least_known.depth}.",
        caption="Colour is half of the 95 % interval of that prediction, in points: bright means not known yet.",
        layers=[replace(errors, values=list(map(_half, points)), unit="± points"), trained],
    )
    return [error, uncertainty]


def _predictions(points: Sequence[SurfacePoint], tried: Mapping[Pair, int], at: Mapping[int, int]) -> Points:
    widths = [point.best.architecture.width for point in points]
    return Points(
        [at[_pair(point)[0]] for point in points],
        [_pair(point)[1] for point in points],
        sizes=[7 + 19 * math.sqrt(width / max(widths)) for width in widths],
        values=[point.error for point in points],
        unit="predicted error, %",
        hover=[_point_words(point, tried[_pair(point)]) for point in points],
        colour=SCALE,
    )


def _trained(tried: Mapping[Pair, int], at: Mapping[int, int]) -> Points:
    pairs = [pair for pair in sorted(tried) if pair[0] in at]
    hover = [f"C = {pair[0]}, depth {pair[1]}: {counted(tried[pair], 'trial')}" for pair in pairs]
    x, y = [at[pair[0]] for pair in pairs], [pair[1] for pair in pairs]
    return Points(x, y, "trained", COLOURS[1], "diamond", sizes=6, hover=hover)


def _pair(point: SurfacePoint) -> Pair:
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
    axes = dict.fromkeys(effect.axis for effect in effects)
    return [_effect_chart(trials, axis, [effect for effect in effects if effect.axis == axis]) for axis in axes]


def _effect_chart(trials: Sequence[Row], axis: str, effects: Sequence[Effect]) -> Chart:
    tried = Counter(row[axis] for row in completed(trials))
    places = range(len(effects))
    best = min(effects, key=lambda effect: effect.median)
    every = -(-len(effects) // MOST_TICKS)
    return Chart(
        f"effect_{axis}",
        f"Effect of {axis}",
        f"Lowest validation error to be expected at every {axis}, with 95 % intervals. It is lowest at "
        f"{best.value}: {best.median:.2f} % ({best.low:.2f} to {best.high:.2f}).",
        f"The lowest validation error to be expected with each {axis} while the FLOPs stay the same and "
        "everything else is at its best. Bars are 95 % intervals of the model; hollow marks had no trial yet.",
        Axis(AXES[axis], ticks=[(place, str(effects[place].value)) for place in places[::every]]),
        Axis("validation error, %", log=wide(end for one in effects for end in (one.low, one.high))),
        [
            Intervals(places, [one.low for one in effects], [one.high for one in effects], along="y"),
            Line(places, [one.median for one in effects], colour=FAINT),
            *_effect_marks(effects, tried),
        ],
        (axis, "error, %", "low", "high", "best architecture", "blocks", "learning rate", "trials"),
        [(one.value, one.median, one.low, one.high, *_cells(one.best), tried[one.value]) for one in effects],
    )


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
