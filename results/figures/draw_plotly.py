"""How is a chart drawn in a browser? As data for plotly.js, which takes them as they are.

plotly's Python classes would only check these dictionaries, half a second later; a test does it instead. Text goes
through `html.escape`, since plotly.js reads some tags in it. Colours that depend on the ground, light or dark, are
names that the page replaces.
"""

from __future__ import annotations

import math
from html import escape
from typing import Any, assert_never

from resnext_search.results.figures.chart import (
    LOG_TICKS,
    Area,
    Axis,
    Bars,
    Chart,
    Intervals,
    Layer,
    Line,
    Points,
    Span,
    ticks_between,
)

Json = dict[str, Any]

# A name of `chart.py` that the page replaces by the colour of the ground it is drawn on.
GROUND = "@{}"
BAR_WIDTH = 0.5
PIXELS_PER_LINE, PIXELS_OF_AXES = 20, 110


def plotly_figure(chart: Chart) -> Json:
    """A chart as plotly.js takes it: `data`, `layout`, and the `words` that stand for it."""
    data = [part for layer in chart.layers for part in _layer(layer)]
    return {
        "data": data,
        "layout": {
            "xaxis": _axis(chart.x),
            "yaxis": _axis(chart.y),
            "height": round(PIXELS_OF_AXES + PIXELS_PER_LINE * chart.lines),
            "showlegend": sum(bool(part.get("showlegend")) for part in data) > 1,
            "barmode": "overlay",
            "shapes": [_span(layer) for layer in chart.layers if isinstance(layer, Span)],
        },
        "words": chart.words,
    }


def _axis(axis: Axis) -> Json:
    drawn: Json = {"title": {"text": escape(axis.label)}, "automargin": True}
    if axis.log:
        drawn |= {"type": "log", "tickvals": [*LOG_TICKS], "ticktext": [f"{tick:g}" for tick in LOG_TICKS]}
    if axis.ticks:
        drawn["tickvals"] = [place for place, _ in axis.ticks]
        drawn["ticktext"] = [_lines(words) for _, words in axis.ticks]
    if axis.ticks and not axis.log:
        drawn["range"] = [axis.ticks[0][0] - 0.6, axis.ticks[-1][0] + 0.6]
    if axis.down:
        drawn["range"] = drawn["range"][::-1] if "range" in drawn else None
        drawn["autorange"] = None if axis.ticks else "reversed"
    if axis.zero:
        drawn["rangemode"] = "tozero"
    return {name: value for name, value in drawn.items() if value is not None}


def _layer(layer: Layer) -> list[Json]:
    match layer:
        case Points():
            return [_points(layer)]
        case Line():
            line = {"color": _colour(layer.colour), "width": 2, "shape": "hv" if layer.steps else "linear"}
            if layer.dashed:
                line["dash"] = "dash"
            mode = "lines+markers" if layer.marks else "lines"
            return [_named(layer.name) | {"mode": mode, "x": [*layer.x], "y": [*layer.y], "line": line} | _hover(layer)]
        case Intervals():
            return [_intervals(layer)]
        case Area():
            edge = {"mode": "lines", "line": {"width": 0, "color": _colour(layer.colour)}, "hoverinfo": "skip"}
            upper = {"type": "scatter", "showlegend": False, "x": [*layer.x], "y": [*layer.high]} | edge
            fill = {"fill": "tonexty", "fillcolor": _faint(layer.colour)}
            return [upper, _named(layer.name) | {"x": [*layer.x], "y": [*layer.low]} | edge | fill]
        case Span():  # a shape; here for the legend alone
            square = {"symbol": "square", "size": 12, "color": GROUND.format("band")}
            return [_named(layer.name) | {"mode": "markers", "x": [None], "y": [None], "marker": square}]
        case Bars():
            bars = {
                "type": "bar",
                "orientation": "h",
                "y": [*layer.places],
                "base": [*layer.starts],
                "x": [end - start for start, end in zip(layer.starts, layer.ends, strict=True)],
                "width": BAR_WIDTH,
                "marker": {"color": _colour(layer.colour)},
            }
            return [_named(layer.name) | bars | _hover(layer)]
        case _:
            assert_never(layer)


def _points(layer: Points) -> Json:
    marker: Json = {
        "symbol": layer.symbol,
        "size": layer.sizes if isinstance(layer.sizes, float | int) else [*layer.sizes],
        "opacity": layer.opacity,
        "line": {"width": 2 if layer.symbol.endswith("open") else 1, "color": GROUND.format("ground")},
    }
    if layer.values is None:
        marker["color"] = _colour(layer.colour)
        if layer.symbol.endswith("open"):
            marker["line"]["color"] = _colour(layer.colour)
    else:
        bar = {"title": {"text": escape(layer.unit), "side": "right"}, "thickness": 12, "outlinewidth": 0}
        ticks = ticks_between(layer.values)
        bar |= {"tickvals": [math.log10(tick) for tick in ticks], "ticktext": [f"{tick:.4g}" for tick in ticks]}
        logarithms = [math.log10(value) for value in layer.values]
        marker["line"]["color"] = GROUND.format("rule")
        marker |= {"color": logarithms, "colorscale": "Cividis", "showscale": True, "colorbar": bar}
    drawn = _named(layer.name) | {"mode": "markers", "x": [*layer.x], "y": [*layer.y], "marker": marker} | _hover(layer)
    if layer.trials:
        drawn["customdata"] = [*layer.trials]
    return drawn


def _intervals(layer: Intervals) -> Json:
    """One broken line: a piece for each, and a gap."""
    along: list[float | None] = []
    across: list[float | None] = []
    for place, low, high in zip(layer.places, layer.low, layer.high, strict=True):
        along += [low, high, None]
        across += [place, place, None]
    x, y = (along, across) if layer.along == "x" else (across, along)
    line = {"color": _colour(layer.colour), "width": layer.width}
    # marks that nobody sees keep the ends away from the edge of the drawing
    unseen = {"size": 14, "opacity": 0}
    return _named("") | {"mode": "lines+markers", "x": x, "y": y, "line": line, "marker": unseen, "hoverinfo": "skip"}


def _span(layer: Span) -> Json:
    place = {"x0": layer.low, "x1": layer.high, "y0": 0, "y1": 1, "xref": "x", "yref": "paper"}
    return place | {"type": "rect", "layer": "below", "line": {"width": 0}, "fillcolor": GROUND.format("band")}


def _named(name: str) -> Json:
    return {"type": "scatter", "name": escape(name), "showlegend": bool(name)}


def _hover(layer: Points | Line | Bars) -> Json:
    if not layer.hover:
        return {"hoverinfo": "skip"}
    return {"hovertext": [_lines(words) for words in layer.hover], "hoverinfo": "text"}


def _lines(words: str) -> str:
    return escape(words).replace("\n", "<br>")


def _colour(colour: str) -> str:
    return colour if colour.startswith("#") else GROUND.format(colour)


def _faint(colour: str) -> str:
    return f"{colour}40" if colour.startswith("#") else GROUND.format("band")
