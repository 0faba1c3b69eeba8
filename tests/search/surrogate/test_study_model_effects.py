"""`effects.csv`, from journals written by hand."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from resnext_search.results import Journal
from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.search_summary import Effect
from resnext_search.results.tables.columns import EFFECTS
from resnext_search.results.tables.files import write_effects
from resnext_search.results.tables.trials import trials_table
from resnext_search.search.monitor.summary import summarize_search
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.spaces import Configuration

from tests.support.helpers import tiny_study
from tests.support.journals import completed, epoch_row, new_folder, started

STUDY = tiny_study("search.trials=60")


def truth(configuration: Configuration) -> float:
    """A percent less for every doubling of the groups, and lowest at a learning rate of 0.1."""
    rate = dict(configuration.knobs)["learning_rate"]
    return 9 - math.log2(configuration.architecture.cardinality) + 4 * math.log10(rate / 0.1) ** 2


def effects_of_study(folder: StudyFolder, journal: Journal) -> Sequence[Effect]:
    return summarize_search(folder, journal).effects


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as table:
        return list(csv.DictReader(table))


@pytest.fixture
def searched(tmp_path: Path) -> tuple[StudyFolder, Journal]:
    """A search of some 60 trials spread over its space, without noise."""
    folder, journal = new_folder(tmp_path, STUDY)
    pool = Candidates(STUDY.feasible_set(), STUDY.knobs())
    for number in range(0, len(pool), math.ceil(len(pool) / 60)):
        completed(journal, pool.configuration(number), truth(pool.configuration(number)))
    return folder, journal


def test_every_cardinality_depth_and_width_has_a_row_with_what_it_could_reach(
    searched: tuple[StudyFolder, Journal],
) -> None:
    folder, journal = searched
    with journal:
        path, trials = (
            write_effects(folder, effects_of_study(folder, journal), trials_table(journal)),
            len(journal.trials()),
        )
    rows = rows_of(path)
    assert list(rows[0]) == [column.name for column in EFFECTS]
    feasible = STUDY.feasible_set()
    depths, widths = (sorted({getattr(each, axis) for each in feasible}) for axis in ("depth", "width"))
    assert [(row["axis"], int(row["value"])) for row in rows] == [
        *(("cardinality", value) for value in (1, 2, 4)),
        *(("depth", value) for value in depths),
        *(("width", value) for value in widths),
    ]
    for row, lowest in zip(rows, (9, 8, 7), strict=False):
        assert float(row["low"]) <= float(row["validation_error"]) <= float(row["high"])
        assert float(row["validation_error"]) == pytest.approx(lowest, abs=0.3)
        assert float(row["learning_rate"]) == pytest.approx(0.1, rel=0.4)
        assert row["architecture"].startswith(f"{row['value']}x")
    assert sum(int(row["trials"]) for row in rows if row["axis"] == "cardinality") == trials


def test_the_same_journal_gives_the_same_file(searched: tuple[StudyFolder, Journal]) -> None:
    folder, journal = searched
    with journal:
        once = write_effects(folder, effects_of_study(folder, journal), trials_table(journal)).read_text()
        assert write_effects(folder, effects_of_study(folder, journal), trials_table(journal)).read_text() == once


def test_a_search_from_which_nothing_can_be_learned_has_no_rows(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path, STUDY)
    with journal:
        assert effects_of_study(folder, journal) == []
        pool = Candidates(STUDY.feasible_set(), STUDY.knobs())
        completed(journal, pool.configuration(0), 9.0)
        completed(journal, pool.configuration(50), 9.0)  # no error differs
        journal.fail(started(journal, pool.configuration(100)), "TrainingDiverged", "the loss is nan")
        assert rows_of(write_effects(folder, effects_of_study(folder, journal), trials_table(journal))) == []


def test_stopped_trials_count_with_what_they_would_have_reached(tmp_path: Path) -> None:
    """Half of the trials, spread over the space, end after their first epoch: the table is nearly that without."""
    study = tiny_study("search={trials: 60, early_stopping: asha}")
    folder, journal = new_folder(tmp_path, study)
    pool = Candidates(study.feasible_set(), study.knobs())
    with journal:
        for place, candidate in enumerate(range(0, len(pool), math.ceil(len(pool) / 60))):
            configuration = pool.configuration(candidate)
            error, number = truth(configuration), started(journal, configuration)
            stop = "stopped" if place % 2 else None
            begun = epoch_row(1, error + 40)
            journal.record_epoch(number, begun, device="cpu", host="here", final=False, stop=stop)
            if stop is None:
                journal.record_epoch(number, epoch_row(2, error), device="cpu", host="here", final=True)
        effects = effects_of_study(folder, journal)
        rows = rows_of(write_effects(folder, effects_of_study(folder, journal), trials_table(journal)))
        total = len(journal.trials())
    for effect, lowest in zip(effects, (9, 8, 7), strict=False):
        assert effect.median == pytest.approx(lowest, abs=0.4)
    assert sum(int(row["trials"]) for row in rows[:3]) == math.ceil(total / 2)  # the completed ones
