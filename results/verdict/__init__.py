"""The verdict: from runs to one of six words. Its names are imported when they are first used: they need pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resnext_search.results.verdict.outcome import Verdict
    from resnext_search.results.verdict.verdict import judge

__all__ = ["Verdict", "judge"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from resnext_search.results.verdict import verdict

        return getattr(verdict, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
