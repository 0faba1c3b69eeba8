"""What is a picture made of? Layers over two axes, with the same content in words and as a table.

A chart is drawn twice: by `draw_matplotlib.py` for papers, and by `draw_plotly.py` for a browser. Neither adds
anything, so that both show the same. Imports nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

# Okabe & Ito's colours, which people with colour blindness can tell apart; none is lost on white or on black.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#999933")
# Of what stands back, and of what stands out: a drawing on dark ground needs others than one on white.
FAINT, INK = "faint", "ink"
# Colours that rise in brightness alone, for values; its name is the same for both who draw.
SCALE = "cividis"

# What is told apart on a log scale: the numbers that are written at it.
LOG_TICKS = tuple(float(f"{digit}e{power}") for power in range(-6, 10) for digit in (1, 2, 5))

Cell = str | int | float | None

# A row of a table that is drawn: cells by the names of their columns.
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Axis:
    """One axis.

    Args:
        label: What and in which unit.
        log: Whether steps are factors.
        ticks: Positions with words of their own, as `(position, words)`; numbers without it. Where steps are no factors
            they are all that is on the axis.
        down: Whether values rise downwards.
        zero: Whether 0 has to be in sight.
    """

    label: str
    log: bool = False
    ticks: Sequence[tuple[float, str]] = ()
    down: bool = False
    zero: bool = False


def ticks_between(values: Iterable[float]) -> list[float]:
    """Numbers to write at a log scale of some positive values: 1, 2, 5, 10 and so on.

    Where fewer than three of these lie between the least value and the greatest, they are three to eight numbers in
    even steps; where all values are equal, or as good as, the ends.

    >>> ticks_between([0.4, 7.0])
    [0.5, 1.0, 2.0, 5.0]
    >>> ticks_between([9.6, 13.1])
    [10.0, 11.0, 12.0, 13.0]
    """
    known = list(values)
    least, most = min(known), max(known)
    inside = [tick for tick in LOG_TICKS if least <= tick <= most]
    for step in reversed(LOG_TICKS):
        if len(inside) >= 3:
            return inside
        steps = range(math.ceil(least / step), math.floor(most / step) + 1)
        inside = [float(f"{count * step:.12g}") for count in steps]
    return sorted({least, most})


def wide(values: Iterable[float]) -> bool:
    """Whether values are so far apart, and all above 0, that a linear axis would flatten most of them.

    >>> wide([2.0, 3.0, 80.0]), wide([2.0, 3.0, 4.0]), wide([0.0, 80.0]), wide([])
    (True, False, False, False)
    """
    ordered = sorted(values)
    return bool(ordered) and 0 < 5 * ordered[0] < ordered[-1]


@dataclass(frozen=True)
class Points:
    """Marks.

    Args:
        x: Positions.
        y: Positions, as many.
        name: In the legend; not there if empty.
        colour: One of `COLOURS`, `FAINT` or `INK`; for values the scale.
        symbol: Their form.
        sizes: Diameter in points: one number, or one a mark.
        values: What their colour says, on a log scale, if it says anything.
        unit: What the values are.
        hover: What is said of each.
        trials: The trial of each, where a mark is one.
        opacity: 1 hides what lies below.
    """

    x: Sequence[float]
    y: Sequence[float]
    name: str = ""
    colour: str = COLOURS[0]
    symbol: Literal["circle", "circle-open", "diamond"] = "circle"
    sizes: float | Sequence[float] = 7.0
    values: Sequence[float] | None = None
    unit: str = ""
    hover: Sequence[str] = ()
    trials: Sequence[int] = ()
    opacity: float = 1.0


@dataclass(frozen=True)
class Line:
    """A line through positions; `steps`: it keeps a value until the next position."""

    x: Sequence[float]
    y: Sequence[float]
    name: str = ""
    colour: str = COLOURS[0]
    steps: bool = False
    dashed: bool = False
    marks: bool = False
    hover: Sequence[str] = ()


@dataclass(frozen=True)
class Intervals:
    """Bars without ends, `along` x (one for each y) or along y (one for each x)."""

    places: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    along: Literal["x", "y"]
    colour: str = COLOURS[0]
    width: float = 2.5


@dataclass(frozen=True)
class Area:
    """What lies between two lines, faintly."""

    x: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    name: str = ""
    colour: str = FAINT


@dataclass(frozen=True)
class Span:
    """Everything between two values of x, faintly."""

    low: float
    high: float
    name: str = ""


@dataclass(frozen=True)
class Bars:
    """Horizontal bars one behind the other: for every place from a start to an end."""

    places: Sequence[float]
    starts: Sequence[float]
    ends: Sequence[float]
    name: str = ""
    colour: str = COLOURS[0]
    hover: Sequence[str] = ()


Layer = Points | Line | Intervals | Area | Span | Bars


@dataclass(frozen=True)
class Chart:
    """One picture.

    Args:
        name: Of its file, and of its place in the page.
        title: What it shows.
        words: The same for those who do not see it: what there is, and what stands out.
        caption: What a reader has to know to read it.
        x: Axis.
        y: Axis.
        layers: From the back to the front.
        columns: Of the table behind it.
        rows: Of that table.
        lines: How many lines of text its height takes, beyond the axes; a default without it.
    """

    name: str
    title: str
    words: str
    caption: str
    x: Axis
    y: Axis
    layers: Sequence[Layer]
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    lines: float = 12
