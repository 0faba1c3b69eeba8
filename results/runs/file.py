"""A CSV file as people and programs write it: separators, comments, titles, empty rows and cells. Cells stay text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from resnext_search.results.runs.columns import NEEDED, column_name
from resnext_search.results.runs.complaints import Complaint, refuse
from resnext_search.results.runs.numbers import whole
from resnext_search.results.runs.table import LINE
from resnext_search.results.runs.text import LARGEST_BYTES, read_text
from resnext_search.spaces.errors import UsageError

SEPARATORS = (",", ";", "\t", "|", " ")
# A header stands behind at most so many lines of comments and titles.
MOST_LINES_BEFORE = 100
MOST_ROWS = 100_000
# Excel's: sep=;
_SEPARATOR_LINE = re.compile(r'\s*"?sep=([^\w"\n])"?[\s,;|]*', re.IGNORECASE)


class Header(NamedTuple):
    """Where the table begins: the line of its names counted from 1, what separates its cells, and the names."""

    line: int
    separator: str
    names: list[str]

    @property
    def is_whole(self) -> bool:
        """Whether it has all columns that are needed."""
        return {column_name(name) for name in self.names} >= set(NEEDED)


def read_table(path: Path) -> pd.DataFrame:
    """The rows of a CSV file; a cell is text, and the index says in which line a row begins.

    Raises:
        UsageError: It cannot be read, or a row has other cells than the header.
    """
    text = read_text(path)
    try:
        with _long_cells():
            return parse_table(text)
    except csv.Error as error:
        raise UsageError(
            f"{path}: not readable as a table of runs: {error}",
            hint="A quotation mark opens a cell and has to close it; was the file cut off?",
        ) from error


@contextmanager
def _long_cells() -> Iterator[None]:
    """A cell may be as long as a file, such as a log among the notes; the limit of the csv module is one of all."""
    usual = csv.field_size_limit(LARGEST_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(usual)


def parse_table(text: str) -> pd.DataFrame:
    """The same of text; without rows if a needed column is not there.

    Raises:
        UsageError: A row has other cells than the header, or there are more than `MOST_ROWS`.
        csv.Error: A quoted cell does not end.
    """
    header = find_header(list(islice(_lines(text), MOST_LINES_BEFORE)))
    columns = len(header.names)
    rows, places, complaints = [], [], []
    for place, cells, has_mark in _records(text, header) if header.is_whole else ():
        _fit(cells, header.names)
        if cells == header.names or not any(cell.strip() for cell in cells):  # files were joined; a row of commas
            continue
        if len(cells) != columns:
            allowed = f"{columns}, as the header has; {_cause(cells, header)}"
            complaints.append(Complaint("cells", f"{len(cells)} in line {place}", allowed))
        elif has_mark:
            allowed = "a comment, or a name in quotes"
            complaints.append(Complaint("comments", f"line {place} has # before all cells of a run", allowed))
        rows.append(cells)
        places.append(place)
        if len(rows) > MOST_ROWS:
            refuse([Complaint("rows", f"more than {MOST_ROWS:,}", f"up to {MOST_ROWS:,}")])
    refuse(complaints)
    return pd.DataFrame(rows, index=pd.Index(places, name=LINE), columns=pd.Index(header.names), dtype=object)


def _cause(cells: Sequence[str], header: Header) -> str:
    """Why a row may have other cells than the header."""
    if len(cells) < len(header.names):
        return "was it cut off?"
    names = [column_name(name) for name in header.names]
    seed, error = names.index("seed"), names.index("test_error")
    if len(cells) == len(names) + 1 and not _is_whole(cells[seed]) and _is_whole(cells[seed + 1]):
        return "the first cells have no name: R leaves that out for numbers of rows, unless row.names = FALSE"
    if header.separator == "," and all(cell.strip().isdecimal() for cell in cells[error : error + 2]):
        return "a cell that holds a separator is to be in quotes, and a decimal comma is one"
    return "a cell that holds a separator is to be in quotes"


def find_header(lines: Iterable[str]) -> Header:
    """The first line that names all needed columns, also as a comment; else the first that is none."""
    separators: tuple[str, ...] = SEPARATORS
    commented = first = None
    for number, line in enumerate(lines, start=1):
        if stated := _SEPARATOR_LINE.fullmatch(line.rstrip("\n")):
            separators = (stated[1], *SEPARATORS)
            continue
        is_comment = line.lstrip().startswith("#")
        found = _named(number, line.strip().lstrip("#").strip() if is_comment else line, separators)
        if found.is_whole and not is_comment:
            return found
        if found.is_whole:
            commented = found
        elif line.strip() and not is_comment:
            first = first or found
    return commented or first or Header(1, ",", [])


def _named(number: int, line: str, separators: Sequence[str]) -> Header:
    """A line as a header, by the separator that makes most needed columns of it, or else most columns."""
    best, most = Header(number, separators[0], []), (-1, -1)
    for separator in separators:
        try:
            names = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
        except csv.Error:
            continue
        needed = len({column_name(name) for name in names} & set(NEEDED))
        if separator == " " and needed < len(NEEDED) and any(mark in line for mark in SEPARATORS[:-1]):
            continue  # the words of a name
        score = (needed, 0 if needed or separator == " " else len(names))
        if score > most:
            best, most = Header(number, separator, names), score
    return best


def _fit(cells: list[str], names: Sequence[str]) -> None:
    """Drop empty cells behind the last column, and add those that columns without a name lack."""
    while len(cells) > len(names) and not cells[-1].strip():
        cells.pop()
    while len(cells) < len(names) and not names[len(cells)].strip():
        cells.append("")


def _lines(text: str) -> Iterator[str]:
    """Lines by any of the three line ends; `str.splitlines` knows ten, some of which stand in names."""
    return io.StringIO(text, newline=None)


def _records(text: str, header: Header) -> Iterator[tuple[int, list[str], bool]]:
    """The rows behind the header: the line where each begins, its cells, and whether # stands before it."""
    place, begun, has_mark = 0, False, False

    def fed() -> Iterator[str]:
        nonlocal place, begun, has_mark
        for number, line in enumerate(_lines(text), start=1):
            if number <= header.line:
                continue
            if not begun:
                place, has_mark = number, line.lstrip().startswith("#")
                if has_mark and not _may_be_a_run(line, header):
                    continue
            begun = True
            yield line

    for cells in csv.reader(fed(), delimiter=header.separator, skipinitialspace=True, strict=True):
        begun = False
        if cells:
            yield place, cells, has_mark


def _may_be_a_run(line: str, header: Header) -> bool:
    """Whether a line that begins as a comment may be a run: of an arm `#1`, or one that was taken out."""
    cells = next(csv.reader([line], delimiter=header.separator, skipinitialspace=True), [])
    _fit(cells, header.names)
    if len(cells) != len(header.names):
        return False
    return _is_whole(cells[[column_name(name) for name in header.names].index("seed")])


def _is_whole(cell: str) -> bool:
    try:
        whole(cell)
    except (ValueError, OverflowError):
        return False
    return True
