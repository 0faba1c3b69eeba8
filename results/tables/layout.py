"""How do tables and sentences fit a terminal? Aligned, and no wider than asked."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

# Between two columns, and before the first.
GAP = "  "
# Names are never broken into pieces shorter than this.
LEAST_NAME = 8


def text_table(
    rows: Sequence[Sequence[str]],
    *,
    names: Sequence[str],
    width: int | None = None,
    dispensable: Sequence[str] = (),
) -> list[str]:
    """The lines of a table: names stand to the left, numbers to the right, and a column without any cell is left out.

    Args:
        rows: Its headings, then its cells.
        names: Headings of the columns of words.
        width: That a line may have; None for whatever it takes. What is too wide without the columns that can go has
            its longest names broken over several lines.
        dispensable: Headings of the columns that it can do without, in the order in which they go.

    >>> rows = [["arm", "error", "SD"], ["width", "1.25", "0.31"], ["base", "2.50", "0.40"]]
    >>> text_table(rows, names=["arm"])
    ['  arm    error    SD', '  width   1.25  0.31', '  base    2.50  0.40']
    >>> text_table(rows, names=["arm"], width=16, dispensable=["SD"])
    ['  arm    error', '  width   1.25', '  base    2.50']
    """
    columns = [list(column) for column in zip(*rows, strict=True) if any(column[1:])]
    if width is not None:
        for heading in dispensable:
            if _width(columns) > width:
                columns = [column for column in columns if column[0] != heading]
    pieces = [[[cell] for cell in column] for column in columns]
    if width is not None and (excess := _width(columns) - width) > 0:
        pieces = _broken(columns, names, excess)
    lines: list[list[str]] = []
    for cells in zip(*pieces, strict=True):
        for number in range(max(map(len, cells))):
            lines.append([cell[number] if number < len(cell) else "" for cell in cells])
    return [_line(cells) for cells in zip(*_justified(columns, lines, names), strict=True)]


def _width(columns: Sequence[Sequence[str]]) -> int:
    return sum(len(GAP) + max(map(len, column)) for column in columns)


def _broken(columns: Sequence[Sequence[str]], names: Sequence[str], excess: int) -> list[list[list[str]]]:
    """Every cell in pieces: those of names as short as it takes to save the excess, the longest first."""
    limits = [max(map(len, column)) for column in columns]
    of_names = [place for place, column in enumerate(columns) if column[0] in names]
    while excess > 0 and of_names:
        longest = max(of_names, key=lambda place: limits[place])
        if limits[longest] <= LEAST_NAME:
            break
        limits[longest] -= 1
        excess -= 1
    return [
        [textwrap.wrap(cell, limit) or [""] for cell in column] for column, limit in zip(columns, limits, strict=True)
    ]


def _justified(
    columns: Sequence[Sequence[str]], lines: Sequence[Sequence[str]], names: Sequence[str]
) -> list[list[str]]:
    justified = []
    for column, cells in zip(columns, zip(*lines, strict=True), strict=True):
        width = max(map(len, cells))
        justified.append([cell.ljust(width) if column[0] in names else cell.rjust(width) for cell in cells])
    return justified


def _line(cells: Sequence[str]) -> str:
    return f"{GAP}{GAP.join(cells)}".rstrip()


# A space at which no line ends.
NO_BREAK = "\xa0"
# A name of up to 18 characters before what it names, or the mark of a list; what follows stands below it.
_LABEL = re.compile(r" *(?:- |[\w (/),]{1,16}?  +)?")


def wrapped(text: str, width: int) -> str:
    """The text with every line that is too long broken at spaces, and going on where its words began.

    >>> print(wrapped("claim     spend, with a margin\\n  - a reason that is long", 20))
    claim     spend,
              with a
              margin
      - a reason that is
        long
    """
    lines: list[str] = []
    for line in text.replace(" %", f"{NO_BREAK}%").split("\n"):  # a number keeps its unit
        label = _LABEL.match(line)
        start = label.end() if label is not None and label.end() <= width // 2 else 0
        # nothing is broken but at spaces: a path or a number can be copied
        broken = textwrap.wrap(
            line, width, subsequent_indent=" " * start, break_long_words=False, break_on_hyphens=False
        )
        lines += broken if len(line) > width else [line]
    return "\n".join(lines).replace(NO_BREAK, " ")
