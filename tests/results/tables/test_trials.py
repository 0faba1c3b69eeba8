"""The tables: their columns, their cells, and a front that no trial beats."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from resnext_search.results import Journal, LatencyRow, StudyFolder
from resnext_search.results.tables.files import write_tables
from resnext_search.results.tables.trials import pareto_table, trials_table
from resnext_search.spaces.errors import UsageError

from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import (
    completed,
    ended_folder,
    epoch_row,
    large_folder,
    new_folder,
    point,
    started,
    tables_of,
)
from tests.support.rights import without_rights_to

TRIALS_HEADER = (
    "trial,phase,arm,state,seed,fold,architecture,cardinality,width,group_widths,blocks,depth,learning_rate,batch_size,"
    "weight_decay,momentum,label_smoothing,multiply_adds,parameters,activations,validation_images,validation_error,"
    "test_error,epochs,seconds,training_step_ms,latency_ms,latency_ms_spread,proposed_by,attempts,micro_batches,device,"
    "host,processor,failure_class,failure_message,data,correct,hypervolume\n"
)
PARETO_HEADER = (
    "trial,architecture,cardinality,width,blocks,depth,learning_rate,multiply_adds,parameters,activations,"
    "validation_error,validation_error_sem,test_error,latency_ms,latency_ms_spread,training_step_ms,seeds\n"
)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[StudyFolder, Journal]]:
    folder, journal = new_folder(tmp_path, tiny_study("objectives=[validation_error, activations]"))
    with journal:
        yield folder, journal


def test_an_empty_journal_gives_headers_alone(opened: tuple[StudyFolder, Journal]) -> None:
    folder, journal = opened
    assert write_tables(folder, *tables_of(journal)) == [folder.trials, folder.pareto]
    assert folder.trials.read_text() == TRIALS_HEADER
    assert folder.pareto.read_text() == PARETO_HEADER


def test_a_study_with_failures_alone_has_an_empty_front(opened: tuple[StudyFolder, Journal]) -> None:
    folder, journal = opened
    journal.fail(started(journal, point(0)), "ValueError", "no such colour")
    write_tables(folder, *tables_of(journal))
    assert len(pd.read_csv(folder.trials)) == 1
    assert folder.pareto.read_text() == PARETO_HEADER


def test_the_files_of_a_study_are_these_bytes(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with Journal(folder.journal, read_only=True) as journal:
        write_tables(folder, *tables_of(journal))
    # 2x4d-8, layer by layer: multiply-adds 576 + (512 + 4608 + 2048 + 1024) + (4096 + 4608 + 2048 + 2048) + 330,
    # activations 64 + (128 + 128 + 256 + 256) + (256 + 64 + 128 + 128) + 10
    recipe = "64,0.0005,0.9,0.0"
    assert folder.trials.read_text() == TRIALS_HEADER + (
        f"0,search,,completed,7,,1x6d-8,1,6,6-13,1-1,8,0.1,{recipe},22158,3807,1294,,12.5,,2,0.5,62.5,,,sobol,1,1,cpu,here,,,,digits,,\n"
        f"1,search,,completed,7,,2x4d-8,2,4,4-8,1-1,8,0.2,{recipe},21898,3606,1418,,9.0,,2,0.5,62.5,,,sobol,1,1,cpu,here,,,,digits,,\n"
        f"2,search,,completed,7,,4x2d-11,4,2,2-3,2-1,11,0.01,{recipe},21146,2890,1850,,30.0,,2,0.5,62.5,,,sobol,1,1,cpu,here,,,,digits,,\n"
        f"3,search,,failed,7,,1x4d-14,1,4,4-8,2-2,14,1.0,{recipe},21642,3878,1706,,,,0,0.0,,,,sobol,1,1,,,,"
        "TrainingDiverged,the loss is nan,digits,,\n"
    )
    assert folder.pareto.read_text() == PARETO_HEADER + "1,2x4d-8,2,4,1-1,8,0.2,21898,3606,1418,9.0,,,,,62.5,1\n"
    assert not list(tmp_path.glob("*.part"))


def test_the_fold_of_a_trial_is_that_of_its_seed_where_its_study_has_folds(tmp_path: Path) -> None:
    folded = tiny_study(TINY_CLAIM)
    for name, study in {"new": folded, "old": folded.model_copy(update={"rules": 1})}.items():
        _, journal = new_folder(tmp_path / name, study)
        with journal:
            for seed in (12, 2**63 - 1):
                journal.enqueue("confirm", point(4), seed, "plan", arm="width")
            folds = trials_table(journal).fold.tolist()
        assert folds == ([2, 2] if name == "new" else [None, None])


def test_tables_of_many_trials_ask_the_journal_no_more_often_than_those_of_few(tmp_path: Path) -> None:
    asked = []
    for trials in (2, 50):
        folder = large_folder(tmp_path / str(trials), trials, epochs=2)
        with Journal(folder.journal, read_only=True) as journal:
            statements: list[str] = []
            journal._connection.set_trace_callback(statements.append)
            assert len(trials_table(journal)) == trials
            asked.append(len(statements))
    assert asked[0] == asked[1]


def test_writing_again_gives_the_same_bytes_and_replaces_the_files_at_once(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with Journal(folder.journal) as journal:
        write_tables(folder, *tables_of(journal))
        before = folder.trials.read_bytes(), folder.pareto.read_bytes()
        with folder.trials.open() as reader:  # someone reads while a new one is written
            write_tables(folder, *tables_of(journal))
            completed(journal, point(1), 1.0)
            assert (folder.trials.read_bytes(), folder.pareto.read_bytes()) == before
            write_tables(folder, *tables_of(journal))
            assert reader.read().encode() == before[0]
    assert len(pd.read_csv(folder.trials)) == 5


def test_a_message_with_commas_quotes_and_lines_stays_one_cell(opened: tuple[StudyFolder, Journal]) -> None:
    folder, journal = opened
    journal.fail(started(journal, point(0)), "KeyError", 'Traceback\n  "x", line 1\nKeyError: "a, b"\n\n')
    journal.fail(started(journal, point(1)), "SystemError", "  \n ")
    write_tables(folder, *tables_of(journal))
    messages = pd.read_csv(folder.trials).failure_message
    assert messages[0] == 'KeyError: "a, b"'
    assert math.isnan(messages[1])


def test_searched_knobs_of_a_trial_override_the_recipe_s(opened: tuple[StudyFolder, Journal]) -> None:
    _, journal = opened
    completed(journal, point(0, 0.25), 10.0)
    [row] = trials_table(journal).to_dict("records")
    assert (row["learning_rate"], row["momentum"], row["batch_size"]) == (0.25, 0.9, 64)


def test_the_front_holds_what_no_other_beats_in_all_objectives(opened: tuple[StudyFolder, Journal]) -> None:
    _, journal = opened
    activations = [trial["activations"] for trial in _rows(journal, [(index, 50.0) for index in range(4)])]
    assert activations == [1294, 1410, 1598, 1706]
    _rows(journal, [(1, 20.0), (3, 16.0)])  # second trials: their mean errors are 35 and 33
    front = pareto_table(journal)
    assert front[["activations", "validation_error"]].values.tolist() == [[1706, 33.0], [1410, 35.0], [1294, 50.0]]


def test_the_hypervolume_grows_with_the_front(opened: tuple[StudyFolder, Journal]) -> None:
    """By hand: the dearest architecture has 1,850 activations, so that the reference is 2,035 and 100 %."""
    folder, journal = opened
    assert max(tiny_study().feasible_set().counts.activations) == 1850
    completed(journal, point(7), 20.0)  # 1,850 activations: (2,035 - 1,850) x 80
    started(journal, point(2))
    completed(journal, point(0), 1.0, phase="tune")
    completed(journal, point(0), 50.0)  # 1,294 activations: (1,850 - 1,294) x 50 more
    completed(journal, point(3), 60.0)  # 1,706 activations and worse than the one before: nothing more
    completed(journal, point(4), 10.0)  # 1,418 activations: beats the first one
    areas = [
        185 * 80,
        185 * 80 + 556 * 50,
        185 * 80 + 556 * 50,
        617 * 90 + 124 * 50,
    ]
    write_tables(folder, *tables_of(journal))
    trace = pd.read_csv(folder.trials).hypervolume
    assert trace.isna().tolist() == [False, True, True, False, False, False]
    assert trace.dropna().tolist() == [round(area / (2035 * 100), 6) for area in areas]


def test_the_hypervolume_of_three_objectives_is_a_share_of_their_box(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path, tiny_study("objectives=[validation_error, activations, parameters]"))
    with journal:
        completed(journal, point(4), 25.0)
        [share] = trials_table(journal).hypervolume
    # 1,418 of 1.1 x 1,850 activations, 3,606 of 1.1 x 4,551 parameters
    assert share == round(0.75 * (1 - 1418 / 2035) * (1 - 3606 / 5006.1), 6)


def test_a_latency_stands_with_every_trial_of_its_architecture(opened: tuple[StudyFolder, Journal]) -> None:
    folder, journal = opened
    for index, rate in ((0, 0.1), (0, 0.9), (1, 0.1)):
        completed(journal, point(index, rate), 50.0)
    journal.record_latency(point(0).architecture, LatencyRow(1.23456789, 0.25), device="cpu", host="here")
    write_tables(folder, *tables_of(journal))
    trials = pd.read_csv(folder.trials)
    assert trials.latency_ms.dropna().to_dict() == {0: 1.2346, 1: 1.2346}
    assert trials.latency_ms_spread.dropna().to_dict() == {0: 0.25, 1: 0.25}
    assert trials.training_step_ms.tolist() == [62.5] * 3  # 250 ms an epoch of four steps


def latency_journal(tmp_path: Path, *trials: tuple[int, float, float | None]) -> tuple[StudyFolder, Journal]:
    """A study that minimises latency too: architecture, error and latency of its trials."""
    folder, journal = new_folder(tmp_path, tiny_study("objectives=[validation_error, latency_ms]"))
    for index, error, latency in trials:
        completed(journal, point(index), error)
        if latency is not None:
            row = LatencyRow(latency, 0.0)
            journal.record_latency(point(index).architecture, row, device="cpu", host="here")
    return folder, journal


def test_latency_as_an_objective_makes_the_front_and_the_hypervolume(tmp_path: Path) -> None:
    """By hand: the slowest takes 4 ms, so that the reference is 4.4 ms and 100 %."""
    folder, journal = latency_journal(tmp_path, (0, 20.0, 4.0), (1, 50.0, 1.0), (2, 60.0, 2.0), (3, 10.0, None))
    with journal:
        write_tables(folder, *tables_of(journal))
    assert pd.read_csv(folder.pareto)[["trial", "latency_ms"]].values.tolist() == [[0, 4.0], [1, 1.0]]
    areas = [0.4 * 80, 0.4 * 80 + 3.0 * 50, 0.4 * 80 + 3.0 * 50]
    trace = pd.read_csv(folder.trials).hypervolume
    assert trace[:3].tolist() == [round(area / 440, 6) for area in areas]
    assert math.isnan(trace[3])  # its latency was not measured


def test_without_any_latency_the_front_is_empty_and_only_who_asks_for_it_is_refused(tmp_path: Path) -> None:
    _, journal = latency_journal(tmp_path, (0, 20.0, None))
    with journal:
        assert len(pareto_table(journal)) == 0
        assert trials_table(journal).hypervolume.isna().all()
        with pytest.raises(UsageError, match="objectives: latency_ms: not measured in this study"):
            pareto_table(journal, ["validation_error", "latency_ms"])


def test_a_study_that_minimises_latency_has_headers_alone_before_its_first_trial(tmp_path: Path) -> None:
    folder, journal = latency_journal(tmp_path)
    with journal:
        write_tables(folder, *tables_of(journal))
    assert (folder.trials.read_text(), folder.pareto.read_text()) == (TRIALS_HEADER, PARETO_HEADER)


def _rows(journal: Journal, results: list[tuple[int, float]]) -> list[dict[str, float]]:
    for index, error in results:
        completed(journal, point(index), error)
    return trials_table(journal).to_dict("records")  # type: ignore[return-value]


def test_replicates_make_one_row_with_their_mean_its_standard_error_and_their_number(
    opened: tuple[StudyFolder, Journal],
) -> None:
    _, journal = opened
    for seed, error in enumerate((10.0, 12.0, 17.0)):
        completed(journal, point(4), error, seed=seed)
    completed(journal, point(4, 0.3), 12.0)  # another learning rate: another configuration
    front = pareto_table(journal, ["validation_error"])
    [row] = front.to_dict("records")
    assert (row["trial"], row["seeds"], row["learning_rate"]) == (3, 1, 0.3)

    front = pareto_table(journal, ["learning_rate"])
    [row] = front.to_dict("records")
    assert (row["trial"], row["seeds"], row["validation_error"]) == (0, 3, 13.0)
    # deviations -3, -1, 4: the variance is 26 / 2, the standard error sqrt(13 / 3)
    assert row["validation_error_sem"] == pytest.approx(math.sqrt(13 / 3))


def test_one_replicate_has_no_standard_error(opened: tuple[StudyFolder, Journal]) -> None:
    _, journal = opened
    completed(journal, point(4), 10.0)
    [row] = pareto_table(journal).to_dict("records")
    assert row["validation_error_sem"] is None or math.isnan(row["validation_error_sem"])


def test_equal_configurations_on_the_front_are_both_kept_in_their_order(opened: tuple[StudyFolder, Journal]) -> None:
    _, journal = opened
    completed(journal, point(2, 0.5), 10.0)
    completed(journal, point(2, 0.05), 10.0)
    assert pareto_table(journal).trial.tolist() == [0, 1]


def test_unfinished_trials_and_other_phases_are_not_on_the_front(opened: tuple[StudyFolder, Journal]) -> None:
    _, journal = opened
    completed(journal, point(0), 20.0)
    completed(journal, point(0, 0.2), 1.0, phase="tune")
    started(journal, point(0, 0.3))
    assert pareto_table(journal).trial.tolist() == [0]
    assert trials_table(journal).phase.tolist() == ["search", "tune", "search"]


def test_a_stopped_trial_has_its_epochs_and_no_error(opened: tuple[StudyFolder, Journal]) -> None:
    _, journal = opened
    completed(journal, point(0), 12.5)
    number = started(journal, point(1))
    journal.record_epoch(number, epoch_row(1, 0.5), device="cpu", host="here", final=False, stop="stopped")
    row = trials_table(journal).iloc[number]
    assert (row.state, row.epochs) == ("stopped", 1)
    assert pd.isna(row.validation_error)
    assert pareto_table(journal).trial.tolist() == [0]


@pytest.mark.parametrize("objectives", [None, ["validation_error"], ["parameters", "activations", "validation_error"]])
def test_no_trial_beats_a_row_of_the_front(opened: tuple[StudyFolder, Journal], objectives: list[str] | None) -> None:
    folder, journal = opened
    generator = random.Random(3)
    for number in range(40):
        completed(journal, point(number % 8, 0.01 + number / 100), generator.choice([8.0, 9.5, 20.0, 21.0, 60.0]))
    write_tables(folder, *tables_of(journal, objectives))
    names = objectives or ["validation_error", "activations"]
    trials, front = pd.read_csv(folder.trials), pd.read_csv(folder.pareto)
    front_numbers = set(front.trial)
    for number, row in zip(trials.trial, trials[names].values.tolist(), strict=True):
        beaten = any(
            all(b <= a for a, b in zip(row, other, strict=True)) and other != row
            for other in trials[names].values.tolist()
        )
        assert (number in front_numbers) == (not beaten)


@pytest.mark.parametrize("name", ["cardinality", "width", "depth", "learning_rate", "multiply_adds", "parameters"])
def test_every_number_of_a_configuration_can_be_an_objective(opened: tuple[StudyFolder, Journal], name: str) -> None:
    _, journal = opened
    for index in range(8):
        completed(journal, point(index, 0.1 + index / 10), 10.0)
    front = pareto_table(journal, [name])
    values = trials_table(journal)[name]
    assert front.trial.tolist() == [number for number, value in enumerate(values) if value == values.min()]


def test_an_unknown_objective_is_said_with_those_allowed(opened: tuple[StudyFolder, Journal]) -> None:
    folder, journal = opened
    with pytest.raises(UsageError) as caught:
        write_tables(folder, *tables_of(journal, ["validation_error", "accuracy", "blocks"]))
    assert str(caught.value) == (
        "objectives: 'accuracy', 'blocks'; allowed: cardinality, width, depth, learning_rate, multiply_adds, "
        "parameters, activations, validation_error, test_error, latency_ms, training_step_ms"
    )
    assert caught.value.hint == "For example --objectives validation_error,parameters."
    assert not folder.trials.exists()


def test_an_objective_that_was_never_measured_is_said(opened: tuple[StudyFolder, Journal]) -> None:
    _, journal = opened
    completed(journal, point(0), 20.0)
    with pytest.raises(UsageError) as caught:
        pareto_table(journal, ["validation_error", "latency_ms"])
    assert str(caught.value) == "objectives: latency_ms: not measured in this study"


def test_a_folder_that_cannot_be_written_is_said() -> None:
    with without_rights_to(ended_folder) as path, Journal(path / "journal.sqlite", read_only=True) as journal:
        with pytest.raises(UsageError) as caught:
            write_tables(StudyFolder(path), *tables_of(journal))
        assert str(caught.value) == f"{path}/trials.csv: cannot be written: Permission denied"


def test_a_folder_in_the_place_of_a_table_is_said(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    folder.pareto.mkdir()
    with (
        Journal(folder.journal, read_only=True) as journal,
        pytest.raises(UsageError, match=r"pareto\.csv: cannot be written: Is a directory"),
    ):
        write_tables(folder, *tables_of(journal))
