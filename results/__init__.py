"""What was learned: the journal, and the tables made from it.

Imports `spaces`; knows neither of torch nor of Ray or Ax.
"""

from resnext_search.results.folder import StudyFolder
from resnext_search.results.journal import EpochRow, Journal, Trial
from resnext_search.results.pareto import pareto_front

__all__ = ["EpochRow", "Journal", "StudyFolder", "Trial", "pareto_front"]
