"""What is wrong with a table of runs, in few lines: one a column and kind of problem, with first places and a count."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from resnext_search.spaces.errors import UsageError

# Of one kind of problem; all others are counted.
MOST_PLACES = 3
# A complaint has 20 lines with its head, its hint and the count of what is left out.
MOST_LINES = 17

HINT = "One row is one run: arm, seed and test_error in percent; docs/how-to/read-the-verdict.md lists the others."


class Complaint(NamedTuple):
    """One problem.

    Args:
        column: Where.
        found: What stands there, and in which row.
        allowed: What may stand there; empty where `found` says it.
    """

    column: str
    found: str
    allowed: str = ""


def refuse(complaints: Iterable[Complaint], hint: str = HINT) -> None:
    """Raise all problems together, if there are any.

    Raises:
        UsageError: One line for all problems of a column for which the same is allowed.

    >>> refuse(Complaint("seed", f"{word!r} in row {row}", "a whole number") for row, word in enumerate("abcdef", 1))
    Traceback (most recent call last):
        ...
    resnext_search.spaces.errors.UsageError: these runs cannot be judged:
      seed: 'a' in row 1, 'b' in row 2, 'c' in row 3 and 3 more; allowed: a whole number
    """
    kinds: dict[tuple[str, str], list[str]] = {}
    for one in complaints:
        kinds.setdefault((one.column, one.allowed), []).append(one.found)
    if not kinds:
        return
    lines = [_line(column, found, allowed) for (column, allowed), found in kinds.items()]
    if len(lines) > MOST_LINES:
        lines[MOST_LINES - 1 :] = [f"... and {len(lines) - MOST_LINES + 1:,} more kinds of problems"]
    raise UsageError("\n  ".join(["these runs cannot be judged:", *lines]), hint=hint)


def _line(column: str, found: list[str], allowed: str) -> str:
    more = f" and {len(found) - MOST_PLACES:,} more" if len(found) > MOST_PLACES else ""
    return f"{column}: {', '.join(found[:MOST_PLACES])}{more}" + (f"; allowed: {allowed}" if allowed else "")
