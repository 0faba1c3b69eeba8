"""Which configuration is tried next? Names are imported when they are first used: they need Ax and torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resnext_search.search.optimizer.optimizer import Failure, Optimizer, Proposal

__all__ = ["Failure", "Optimizer", "Proposal"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from resnext_search.search.optimizer import optimizer

        return getattr(optimizer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
