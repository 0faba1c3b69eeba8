"""The paper's tables as text for people: what `paper` prints without `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, permutations

from resnext_search.spaces.architecture.paper import PaperRow

# Arms further apart than this were not meant to cost the same.
EQUAL_WITHIN_PERCENT = 10.0

_HEADER = ("error %", "parameters", "counted", "FLOPs", "counted", "mismatch", "activations")
# To fit: without the parameters and FLOPs as published.
_NARROW = (0, 1, 3, 5, 6, 7)
_NARROW_HEADER = ("error %", "params", "FLOPs", "mismatch", "activations")
_NARROW_LEGEND = (
    "error %: as published; the other columns are our exact counts for one image (--wide shows both).\n"
    "mismatch: multiply-adds against the table's first arm. A dash: not published, or a network of another family."
)
_LEGEND = (
    "error %, parameters, FLOPs: as published; after them, and under activations, our exact counts for one image.\n"
    "mismatch: multiply-adds against the table's first arm. A dash: not published, or a network of another family."
)


def paper_words(rows: Sequence[PaperRow], width: int | None = None) -> str:
    """One table for each comparison of `paper_rows`, with what its numbers say, and what all of them say together.

    Where their lines would be longer than `width`, the tables leave out what was published beside what was counted.
    """
    comparisons = [list(arms) for _, arms in groupby(rows, key=lambda row: row.table)]
    tables = [[(arms[0].table, *_HEADER), *map(_cells, arms)] for arms in comparisons]
    widths, legend = _widths(tables), _LEGEND
    if width is not None and sum(widths) + 2 * len(widths) - 2 > width:
        shown = [[tuple(cells[place] for place in _NARROW) for cells in table[1:]] for table in tables]
        tables = [[(arms[0].table, *_NARROW_HEADER), *of] for arms, of in zip(comparisons, shown, strict=True)]
        widths, legend = _widths(tables), _NARROW_LEGEND
    parts = [
        "\n".join([*(_aligned(line, widths) for line in table), f"  {_conclusion(arms)}"])
        for table, arms in zip(tables, comparisons, strict=True)
    ]
    return "\n\n".join([legend, *parts, _summary(comparisons)])


def _widths(tables: Sequence[Sequence[Sequence[str]]]) -> list[int]:
    """Of the columns of all tables: they stand under each other."""
    return [max(map(len, column)) for column in zip(*(line for table in tables for line in table), strict=True)]


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    numbers = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
    return "  ".join([line[0].ljust(widths[0]), *numbers])


def _cells(row: PaperRow) -> tuple[str, ...]:
    return (
        f"  {row.arm}",
        "-" if row.published_error is None else f"{row.published_error:.2f}".removesuffix("0"),
        row.published_parameters or "-",
        _short(row.parameters),
        row.published_multiply_adds or "-",
        _short(row.multiply_adds),
        "-" if row.mismatch_percent is None else f"{row.mismatch_percent:+.1f} %",
        _short(row.activations),
    )


def _short(count: int | None) -> str:
    """A count with four digits or so.

    >>> _short(4_230_480_872), _short(25_028_904), _short(69_632), _short(None)
    ('4.230 G', '25.03 M', '69.6 k', '-')
    """
    if count is None:
        return "-"
    if count >= 10**9:
        return f"{count / 10**9:.3f} G"
    return f"{count / 10**6:.2f} M" if count >= 10**6 else f"{count / 10**3:.1f} k"


def _conclusion(arms: Sequence[PaperRow]) -> str:
    """What one table says: what its best arm costs, or, without errors, how far its arms are apart."""
    reference, best = arms[0], _best(arms)
    if best is None:
        furthest = max(arms, key=lambda row: abs(row.mismatch_percent or 0))
        return f"Furthest from {reference.arm}: {furthest.arm}, with {_costs(furthest, reference)}."
    if best is reference:
        return f"Lowest error: {best.arm}, the reference itself."
    return f"Lowest error: {best.arm}, with {_costs(best, reference)} against {reference.arm}."


def _best(arms: Sequence[PaperRow]) -> PaperRow | None:
    """The arm with the lowest published error; None where no error is printed."""
    with_errors = [row for row in arms if row.published_error is not None]
    return min(with_errors, key=lambda row: row.published_error or 0.0, default=None)


def _costs(row: PaperRow, reference: PaperRow) -> str:
    if row.mismatch_percent is None or row.activations is None or reference.activations is None:
        return "unknown cost"
    activations = 100 * (row.activations / reference.activations - 1)
    return f"{row.mismatch_percent:+.1f} % multiply-adds and {activations:+.1f} % activations"


def _summary(comparisons: Sequence[Sequence[PaperRow]]) -> str:
    """How often, at equal complexity, arms that err less have more multiply-adds.

    Asked of every comparison's best arm and reference, and, since Table 4 has two rivals, of all pairs of arms.
    """
    equal = [
        arms for arms in comparisons if all(abs(row.mismatch_percent or 0) <= EQUAL_WITHIN_PERCENT for row in arms)
    ]
    pairs = [(best, arms[0]) for arms in equal if (best := _best(arms)) is not None]
    # Table 4 repeats two arms of Table 3: the same networks count once
    mismatches = {(best.multiply_adds, other.multiply_adds): best.mismatch_percent or 0.0 for best, other in pairs}
    more = [mismatch for mismatch in mismatches.values() if mismatch > 0]
    span = f", by {min(more):.1f} to {max(more):.1f} %" if more else ""
    return (
        f"In {len(more)} of {len(mismatches)} comparisons at equal complexity (the same networks counted once), the "
        f"arm with the lowest error\nhas more multiply-adds than its reference{span}.\n{_pairs(equal)}"
    )


def _pairs(equal: Sequence[Sequence[PaperRow]]) -> str:
    """Of all pairs of arms that were meant to cost the same, in how many the one that errs less costs more."""
    pairs = {
        (better.multiply_adds, worse.multiply_adds)
        for arms in equal
        for better, worse in permutations(arms, 2)
        if better.published_error is not None and worse.published_error is not None
        if better.published_error < worse.published_error
        if better.multiply_adds is not None and worse.multiply_adds is not None
    }
    dearer = sum((better or 0) > (worse or 0) for better, worse in pairs)
    return f"Of all pairs of arms there, the one that errs less has more multiply-adds in {dearer} of {len(pairs)}."
