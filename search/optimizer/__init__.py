"""Which configuration is tried next? Names are imported when they are first used: they need Ax and torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resnext_search.search.optimizer.optimizer import Failure, Optimizer, Proposal

__all__ = ["Failure", "Optimizer", "Proposal"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("resnext_search.search.optimizer.optimizer"), name)
