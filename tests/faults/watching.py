"""How far is a study that another process runs?"""

from __future__ import annotations

from pathlib import Path

from resnext_search.results import Journal
from resnext_search.spaces.errors import ResnextSearchError


def reached(journal: Path, epochs: int) -> bool:
    """Whether so many epochs stand in the journal, over all trials."""
    try:
        with Journal(journal, read_only=True) as opened:
            return sum(trial.epochs for trial in opened.trials()) >= epochs
    except ResnextSearchError:  # the file is not there yet, or its tables are not
        return False
