"""A trial that a claim wants: whose, what and with which seed; and how such trials get into the journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import Trial
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Phase


class Wanted(NamedTuple):
    """A trial of a claim."""

    arm: str
    configuration: Configuration
    seed: int


def lacking(wanted: Iterable[Wanted], there: Iterable[Trial]) -> list[Wanted]:
    """What is wanted and not there yet, in the order given."""
    known = {Wanted(str(trial.arm), trial.configuration, trial.seed) for trial in there}
    return [one for one in wanted if one not in known]


def enqueue(journal: Journal, phase: Phase, wanted: Sequence[Wanted]) -> int:
    """Queue trials, all of them or, if that is broken off, none: what a half of them says would be mistaken for all.

    Returns how many.
    """
    with journal.together():
        for one in wanted:
            journal.enqueue(phase, one.configuration, one.seed, "plan", arm=one.arm)
    return len(wanted)
