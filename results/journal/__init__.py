"""The journal of a study: one SQLite file, the only truth."""

from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import (
    ENDED,
    FINALIST,
    EpochRow,
    LatencyRow,
    Look,
    Machine,
    Proposer,
    State,
    Stop,
    Trial,
)
from resnext_search.results.journal.schema import SCHEMA_VERSION
from resnext_search.spaces.study.study import Phase

__all__ = ["ENDED", "FINALIST", "SCHEMA_VERSION", "EpochRow", "Journal", "LatencyRow", "Look", "Machine"]
__all__ += ["Phase", "Proposer", "State", "Stop", "Trial"]
