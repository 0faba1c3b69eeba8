"""What was learned: the journal, the tables made from it, and the verdict.

Imports `spaces`; knows neither of torch nor of Ray or Ax. The verdict is imported when it is first used: it
needs pandas and scipy, and a journal does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resnext_search.results.folder import StudyFolder
from resnext_search.results.journal import EpochRow, Journal, Trial
from resnext_search.results.pareto import pareto_front

if TYPE_CHECKING:
    from resnext_search.results.verdict import Verdict, judge

__all__ = ["EpochRow", "Journal", "StudyFolder", "Trial", "Verdict", "judge", "pareto_front"]


def __getattr__(name: str) -> Any:
    if name in {"Verdict", "judge"}:
        from resnext_search.results import verdict

        return getattr(verdict, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
