"""What do the parts of a run have in common? One sitting at a study, from a command to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from resnext_search.results import Journal, StudyFolder
from resnext_search.search.budget import Budget
from resnext_search.search.stops import Stops
from resnext_search.spaces import Study
from rich.console import Console

if TYPE_CHECKING:
    from resnext_search.search.worker import Train


@dataclass
class Sitting:
    """One sitting.

    Args:
        study: What to do.
        folder: Where.
        journal: What was done, open for writing.
        console: Where to tell the user.
        train: Trains one trial, as `run_study` says.
        budget: What is left of the study's limits.
        stops: Whether somebody wants it to end.
    """

    study: Study
    folder: StudyFolder
    journal: Journal
    console: Console
    train: Train
    budget: Budget
    stops: Stops

    @property
    def how_to_continue(self) -> str:
        """The command for it."""
        return f"Continue with: resnext-search resume {self.folder.path}"
