"""What was learned: the journal, the tables made from it, and the verdict.

Imports `spaces`; knows neither of torch nor of Ray or Ax. The verdict and the front are imported when they are first
used: they need pandas, scipy and moocore, and a journal does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import EpochRow, LatencyRow, Trial

if TYPE_CHECKING:
    from resnext_search.results.statistics.pareto import pareto_front
    from resnext_search.results.verdict.outcome import Verdict
    from resnext_search.results.verdict.verdict import judge

__all__ = ["EpochRow", "Journal", "LatencyRow", "StudyFolder", "Trial", "Verdict", "judge", "pareto_front"]


def __getattr__(name: str) -> Any:
    if name in {"Verdict", "judge"}:
        from resnext_search.results.verdict import verdict

        return getattr(verdict, name)
    if name == "pareto_front":
        from resnext_search.results.statistics.pareto import pareto_front

        return pareto_front
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
