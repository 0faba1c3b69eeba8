"""Which things can go wrong, and with which exit code the command ends.

    ResnextSearchError          1    something unexpected
    ├── UsageError              2    the command line or the study file is wrong
    │   ├── StudyError          2    ... the study file, with every problem in it
    │   ├── DataError           2    ... the data set is missing or is not what the study says
    │   └── PluginError         2    ... a plug-in is missing, broken, or is not what it should be
    ├── MachineLost             1    Ray, or what the trials need of a cluster, is gone
    ├── EmptyFeasibleSet        3    no architecture lies inside the FLOP band
    ├── TooManyFailures         4    trials fail for a reason that more trials will not cure
    ├── BudgetEnded             5    the budget ended before the least that was asked for
    ├── FolderLocked            6    another run works on the same study folder
    └── Interrupted           130    Ctrl-C or SIGTERM; everything finished is in the journal

Library code raises these and never prints or exits; `search/cli/main.py` turns them into words and exit codes.
Imports no other module of the project, so that every room may raise.
"""

from __future__ import annotations

import json
import math
import re
import shlex
from functools import partial
from typing import Any

# Characters of a found value that a message shows.
LONGEST_SHOWN = 60
# Of names: what moves a terminal's cursor, colours it, ends a line, or turns the direction of writing.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class ResnextSearchError(Exception):
    """Root of all errors that this package raises on purpose.

    Args:
        message: Where, what was found and what is allowed, in one or more lines.
        hint: What to do next; shown after the message. Empty when the message says it.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the hint when an error crosses a process border (pickle drops keyword arguments)."""
        return (partial(type(self), hint=self.hint), (str(self),))


class UsageError(ResnextSearchError):
    """The command line asks for something that cannot be done."""

    exit_code = 2


class StudyError(UsageError):
    """A study file is broken; the message lists every problem, one a line."""


class DataError(UsageError):
    """A data set is missing, or is not what the study says."""


class PluginError(UsageError):
    """A plug-in is not installed, cannot be imported, or is not what its group asks for."""


class MachineLost(ResnextSearchError):
    """Ray is gone, or what is left of a cluster holds no trial; everything that had finished is in the journal."""


class EmptyFeasibleSet(ResnextSearchError):
    """No architecture lies inside the FLOP band; the message names the nearest budgets."""

    exit_code = 3


class TooManyFailures(ResnextSearchError):
    """So many trials failed that more of them would only waste the budget."""

    exit_code = 4


class BudgetEnded(ResnextSearchError):
    """The budget ended before the least that was asked for was reached."""

    exit_code = 5


class FolderLocked(ResnextSearchError):
    """Another live run works on this study folder."""

    exit_code = 6


class Interrupted(ResnextSearchError):
    """The user stopped the run; the journal holds everything that had finished."""

    exit_code = 130


def typed(path: object) -> str:
    """A path as it is typed in a shell, for commands that a hint gives.

    >>> print(typed("runs/mine"), typed("my runs"))
    runs/mine 'my runs'
    """
    return shlex.quote(str(path))


def shown(value: Any) -> str:
    """A value as it would be written in a study file, shortened.

    >>> shown(True), shown([1, 2.5]), shown("a"), shown(None), shown(float("nan"))
    ('true', '[1, 2.5]', '"a"', 'nothing', '.nan')
    """
    if value is None:
        return "nothing"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value).replace("inf", ".inf").replace("nan", ".nan")
    return shortened(json.dumps(value, ensure_ascii=False, default=str))


def escaped(text: str) -> str:
    """A line that any file, database, JSON and terminal can take.

    Control characters are spelt out, and what stands for bytes of a name that is no UTF-8.

    >>> print(escaped("caf\\udce9.png"), escaped("a\\nb\\x1b[31m"))
    caf\\udce9.png a\\nb\\x1b[31m
    """
    text = _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return text.encode(errors="backslashreplace").decode()


def visible(text: str) -> str:
    """Text whose characters that nobody sees, or that a terminal would obey, are spelt out.

    >>> print(visible("wide\\u200b net"))
    wide\\u200b net
    """
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def shortened(text: str) -> str:
    """Short, in one line, and printable everywhere."""
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[: LONGEST_SHOWN + 1])
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."
