"""What is wrong with a study, in one shape for everything that checks: place, found, allowed, and what to do.

Checks inside the models of the study file raise problems as pydantic errors, so that pydantic collects them with its
own. Imports pydantic's error types, and no other part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError
from resnext_search.spaces.datasets import DATASETS
from resnext_search.spaces.errors import PluginError, shortened, shown
from resnext_search.spaces.study.yaml_reader import Key


class Problem(NamedTuple):
    """One thing that is wrong.

    Args:
        key: Where, from the root of whatever was checked.
        found: What stands there.
        allowed: What may stand there.
        fix: What to do, as a sentence; empty where `allowed` says it.
    """

    key: Key
    found: str
    allowed: str
    fix: str = ""

    def words(self) -> str:
        """`found 0; allowed: at least 1.`"""
        return f"found {self.found}; allowed: {self.allowed}. {self.fix}".rstrip()


def raise_problems(problems: Iterable[Problem]) -> None:
    """Raise them all together, if there are any.

    Raises:
        ValidationError: Inside a pydantic validator it is merged with what else pydantic finds.
    """
    errors = [InitErrorDetails(type=_error(problem), loc=problem.key, input=None) for problem in problems]
    if errors:
        raise ValidationError.from_exception_data("Study", errors)


def _error(problem: Problem) -> PydanticCustomError:
    context = {"found": problem.found, "allowed": problem.allowed, "fix": problem.fix, "words": problem.words()}
    return PydanticCustomError("problem", "{words}", context)


def dotted(key: Key) -> str:
    """Name of a place.

    >>> dotted(("axes", "cardinality", 3))
    'axes.cardinality[3]'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).removeprefix(".")
    return shortened(text) or "study"


def plugin_problems(name: Any, names: Sequence[str], load: Callable[[str], object] | None = None) -> Iterator[Problem]:
    """What is wrong with a name in a study file, by those that may stand there and, if it is given, what loads one."""
    if name not in names:
        *most, last = names or ("nothing, since no package that is installed brings one",)
        yield Problem((), shown(name), f"{', '.join(most)} or {last}" if most else last)
    elif load is not None and name not in DATASETS:
        try:
            load(name)
        except PluginError as error:
            yield Problem((), shown(name), "a plug-in that works", f"{error}.")
