"""What may be tried: study files, architectures, their exact complexity, and the feasible set.

Imports no other room, and nothing heavy: numpy, pydantic and a YAML reader. Names are imported when they are first
used: the list of commands, and completing them in a shell, need none of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resnext_search.spaces.architecture.architecture import Architecture, Template
    from resnext_search.spaces.search_space.axes import Band
    from resnext_search.spaces.search_space.feasible import FeasibleSet, enumerate_feasible
    from resnext_search.spaces.study.configuration import Configuration
    from resnext_search.spaces.study.file import load_study
    from resnext_search.spaces.study.study import Study

__all__ = [
    "Architecture",
    "Band",
    "Configuration",
    "FeasibleSet",
    "Study",
    "Template",
    "enumerate_feasible",
    "load_study",
]

_HOMES = {
    "architecture.architecture": {"Architecture", "Template"},
    "search_space.axes": {"Band"},
    "search_space.feasible": {"FeasibleSet", "enumerate_feasible"},
    "study.configuration": {"Configuration"},
    "study.file": {"load_study"},
    "study.study": {"Study"},
}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
