"""What did a study find, as files: every chart as PNG and SVG, for papers.

The only file that imports matplotlib. What the pictures show is decided in the modules that make the charts.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, assert_never

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from resnext_search.results.figures.chart import (
    FAINT,
    INK,
    LOG_TICKS,
    SCALE,
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
from resnext_search.spaces.whole_file import whole_file

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "resnext-search",  # the same picture is the same file
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "font.size": 9,
}
# Asked, in this order, for what the usual font lacks: names may be Chinese, Japanese or Korean.
OTHER_FONTS = (
    *("Noto Sans CJK JP", "Noto Sans CJK SC", "Source Han Sans", "WenQuanYi Zen Hei", "IPAGothic", "NanumGothic"),
    *("Hiragino Sans", "PingFang SC", "Yu Gothic", "Microsoft YaHei", "Malgun Gothic"),
)
GROUND = {FAINT: "0.55", INK: "0.1"}
SYMBOLS = {"circle": "o", "circle-open": "o", "diamond": "D"}
WIDTH, INCHES_PER_LINE, INCHES_OF_AXES = 6.4, 0.19, 0.9


def draw(charts: Iterable[Chart], folder: Path) -> list[Path]:
    """Draw charts as PNG and SVG.

    Args:
        charts: Their names become those of the files.
        folder: Where the files go; made if there is none.

    Returns:
        The files written.

    Raises:
        OSError: They cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    installed = set(font_manager.get_font_names())
    fonts = [*mpl.rcParams["font.family"], *(font for font in OTHER_FONTS if font in installed)]
    with mpl.rc_context({**STYLE, "font.family": fonts}), warnings.catch_warnings():
        # of a name in a script that no font has: its signs are boxes
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .*missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        for chart in charts:
            figure = _figure(chart)
            for suffix in ("png", "svg"):
                path = folder / f"{chart.name}.{suffix}"
                metadata = {"Date": None} if suffix == "svg" else {"Software": None}
                with whole_file(path) as draft:
                    figure.savefig(draft, format=suffix, dpi=150, bbox_inches="tight", metadata=metadata)
                written.append(path)
    return written


def _figure(chart: Chart) -> Figure:
    figure = Figure(figsize=(WIDTH, INCHES_OF_AXES + INCHES_PER_LINE * chart.lines), layout="constrained")
    axes = figure.subplots()
    _scale(axes, chart.x, "x")
    _scale(axes, chart.y, "y")
    for layer in chart.layers:
        _draw(figure, axes, layer)
    if len(axes.get_legend_handles_labels()[1]) > 1 or any(isinstance(layer, Span) for layer in chart.layers):
        figure.legend(loc="outside upper left", ncols=3, frameon=False, fontsize=8)
    return figure


def _scale(axes: Axes, axis: Axis, which: str) -> None:
    axes.set(**{f"{which}label": axis.label})
    mine = axes.xaxis if which == "x" else axes.yaxis
    if axis.log:
        axes.set(**{f"{which}scale": "log"})
        mine.set_major_locator(FixedLocator(LOG_TICKS))
        mine.set_minor_locator(NullLocator())
        mine.set_major_formatter("{x:g}")
    if axis.ticks:
        places, words = zip(*axis.ticks, strict=True)
        mine.set_ticks(places, words)
    if axis.ticks and not axis.log:
        axes.set(**{f"{which}lim": (places[0] - 0.6, places[-1] + 0.6)})
    if axis.down:
        mine.set_inverted(True)


def _draw(figure: Figure, axes: Axes, layer: Layer) -> None:
    match layer:
        case Points():
            _points(figure, axes, layer)
        case Line():
            axes.plot(
                layer.x,
                layer.y,
                color=_colour(layer.colour),
                drawstyle="steps-post" if layer.steps else "default",
                linestyle="--" if layer.dashed else "-",
                marker="o" if layer.marks else "",
                markersize=4,
                linewidth=1.4,
                label=layer.name,
            )
        case Intervals():
            lines = axes.hlines if layer.along == "x" else axes.vlines
            lines(layer.places, layer.low, layer.high, color=_colour(layer.colour), linewidth=layer.width)
        case Area():
            colour = _colour(layer.colour)
            axes.fill_between(layer.x, layer.low, layer.high, color=colour, alpha=0.25, linewidth=0, label=layer.name)
        case Span():
            axes.axvspan(layer.low, layer.high, color="0.92", label=layer.name)
        case Bars():
            lengths = [end - start for start, end in zip(layer.starts, layer.ends, strict=True)]
            axes.barh(layer.places, lengths, 0.5, left=layer.starts, color=_colour(layer.colour), label=layer.name)
        case _:
            assert_never(layer)


def _points(figure: Figure, axes: Axes, layer: Points) -> None:
    if not len(layer.x):
        return
    sizes = [layer.sizes] * len(layer.x) if isinstance(layer.sizes, float | int) else layer.sizes
    areas = [(0.7 * size) ** 2 for size in sizes]
    if layer.values is not None:
        marks = axes.scatter(
            layer.x, layer.y, areas, c=layer.values, cmap=SCALE, norm=LogNorm(), edgecolors="0.8", linewidths=0.5
        )
        bar = figure.colorbar(marks, label=layer.unit, pad=0.02)
        bar.ax.yaxis.set_major_locator(FixedLocator(ticks_between(layer.values)))
        bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.ax.yaxis.set_major_formatter("{x:.4g}")
        return
    colour = _colour(layer.colour)
    is_open = layer.symbol == "circle-open"
    axes.scatter(
        layer.x,
        layer.y,
        areas,
        marker=SYMBOLS[layer.symbol],
        facecolors="white" if is_open else colour,
        edgecolors=colour if is_open else "white",
        linewidths=1.2 if is_open else 0.4,
        alpha=layer.opacity,
        label=layer.name,
        zorder=3,
    )


def _colour(colour: str) -> str:
    return GROUND.get(colour, colour)
