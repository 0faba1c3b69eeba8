"""Journals written by hand: what a run would have written, without anything being trained."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path

import pandas as pd
from resnext_search.results import EpochRow, Journal, StudyFolder
from resnext_search.results.journal import Machine
from resnext_search.results.report.facts import Facts, read_facts, read_results
from resnext_search.results.tables.trials import pareto_table, trials_table
from resnext_search.search.monitor.summary import summarize_search
from resnext_search.spaces import Configuration, FeasibleSet, Study

from tests.support.helpers import tiny_study

# The figures of a study that has ended, in their order.
FIGURES = (
    "front",
    "surface",
    "uncertainty",
    "effect_cardinality",
    "effect_depth",
    "effect_width",
    "progress",
    "flops",
    "time",
)
HERE = {"device": "cpu", "host": "here"}
MACHINE = Machine("AMD EPYC (family 25)", 2, 7.8, None, None, "Debian 12", {"python": "3.11.7", "torch": "2.14.1"})
# Of four trials, two at once: half of their minutes on the clock.
FORECAST = {
    "workers": 2,
    "seconds": {"median": 45.0, "dearest": 60.0, "cheapest": 30.0},
    "phases": {"search": {"trials": 4, "seconds": {"median": 90.0, "dearest": 120.0, "cheapest": 60.0}}},
    "device": "cpu",
    "elsewhere": False,
    "machine": asdict(MACHINE),
}


@cache
def tiny_set() -> FeasibleSet:
    """The tiny study's eight architectures."""
    return tiny_study().feasible_set()


def point(architecture: int, learning_rate: float = 0.1) -> Configuration:
    """An architecture of the tiny study's feasible set, by its position, with a learning rate."""
    return Configuration(tiny_set()[architecture], (("learning_rate", learning_rate),))


def epoch_row(epoch: int, error: float) -> EpochRow:
    """An epoch that took a quarter of a second."""
    return EpochRow(epoch, 0.1, 2.0 / epoch, 2.5 / epoch, error, 0.25)


def started(journal: Journal, configuration: Configuration, *, seed: int = 7, phase: str = "search") -> int:
    """Queue and start a trial; returns its number."""
    number = journal.enqueue(phase, configuration, seed, "sobol")
    journal.start(number, f"checkpoints/trial-{number:05d}.pt")
    return number


def completed(
    journal: Journal,
    configuration: Configuration,
    error: float,
    *,
    seed: int = 7,
    phase: str = "search",
    machine: Machine | None = None,
) -> int:
    """A trial of two epochs: its error begins at 90 % and ends as given; on a machine that is known, or not."""
    number = started(journal, configuration, seed=seed, phase=phase)
    if machine is not None:
        journal.record_machine(number, machine)
    for epoch, value in enumerate((90.0, error), start=1):
        journal.record_epoch(number, epoch_row(epoch, value), device="cpu", host="here", final=epoch == 2)
    return number


def new_folder(path: Path, study: Study | None = None) -> tuple[StudyFolder, Journal]:
    """A study folder with an empty journal, open for writing."""
    path.mkdir(parents=True, exist_ok=True)
    folder = StudyFolder(path)
    return folder, Journal(folder.journal, study=study or tiny_study())


def ended_folder(path: Path) -> StudyFolder:
    """The tiny study's four trials, ended: errors of 12.5, 9.0 and 30.0 percent, and a failure."""
    folder, journal = new_folder(path)
    with journal:
        completed(journal, point(0), 12.5)
        completed(journal, point(4, 0.2), 9.0)
        completed(journal, point(7, 0.01), 30.0)
        journal.fail(started(journal, point(3, 1.0)), "TrainingDiverged", "Traceback ...\nthe loss is nan\n")
    return folder


def lucky_folder(path: Path) -> StudyFolder:
    """Trial 0 reports the lowest error among bad neighbours; trials 3 to 5 are hardly worse, and near each other."""
    folder, journal = new_folder(path)
    with journal:
        for rate, error in [(0.9, 9.0), (0.8, 30.0), (1.0, 31.0), (0.08, 9.4), (0.1, 9.1), (0.12, 9.3)]:
            completed(journal, point(4, rate), error)
    return folder


def large_folder(path: Path, trials: int = 2_000, epochs: int = 12) -> StudyFolder:
    """A search of so many trials; not written durably, which would take minutes."""
    folder, journal = new_folder(path, tiny_study(f"search.trials={trials}", f"trainer.epochs={epochs}"))
    with journal:
        journal._connection.execute("PRAGMA synchronous=OFF")
        for number in range(trials):
            started(journal, point(number % 8, 0.01 * 100 ** (number / trials)), seed=number)
            for epoch in range(1, epochs + 1):
                row = epoch_row(epoch, 90.0 - epoch - number % 7)
                journal.record_epoch(number, row, **HERE, final=epoch == epochs)
    return folder


def tables_of(journal: Journal, objectives: list[str] | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The trials table and the front."""
    trials = trials_table(journal)
    return trials, pareto_table(journal, objectives, trials)


def facts_of(folder: StudyFolder, journal: Journal) -> Facts:
    """What the report of a study shows."""
    return read_facts(folder, journal, read_results(journal), summarize_search(folder, journal))
