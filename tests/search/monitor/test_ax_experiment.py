"""A study as an experiment of Ax: opened by Ax, with what its trials have told, and analysed by it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from ax.analysis.plotly.cross_validation import CrossValidationPlot
from ax.analysis.plotly.parallel_coordinates import ParallelCoordinatesPlot
from ax.analysis.plotly.sensitivity import SensitivityAnalysisPlot
from ax.api.client import Client
from resnext_search.results import Journal, StudyFolder
from resnext_search.search.monitor.ax_experiment import experiment_of, export_ax
from resnext_search.spaces import Configuration
from resnext_search.spaces.search_space.objectives import Latency

from tests.support.claims import tune
from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import HERE, completed, ended_folder, epoch_row, new_folder, point, started, tiny_set
from tests.support.shell import Shell

ERROR = "validation_error"


def opened(folder: StudyFolder, journal: Journal) -> tuple[Client, dict[str, Any]]:
    """What Ax makes of the file, and the experiment as the file has it."""
    path = export_ax(folder, journal)
    experiment: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["experiment"]
    return Client.load_from_json_file(str(path)), experiment


def limits(experiment: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """By parameter: its lowest and its highest value, or its only one."""
    parameters = experiment["search_space"]["parameters"]
    return {
        one["name"]: (one["value"],) if one["__type"] == "FixedParameter" else (one["lower"], one["upper"])
        for one in parameters
    }


def test_every_trial_stands_there_with_its_state_its_values_and_what_it_told(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path)
    with journal:
        completed(journal, point(0), 12.5)
        completed(journal, point(4, 0.2), 9.0)
        journal.fail(started(journal, point(3, 1.0)), "TrainingDiverged", "Traceback ...\nthe loss is nan\n")
        stopped = started(journal, point(7, 0.01))
        journal.record_epoch(stopped, epoch_row(1, 88.0), **HERE, final=False, stop="stopped")
        started(journal, point(5))
        client, experiment = opened(folder, journal)
    table = client.summarize().set_index("arm_name")
    assert table.trial_status.to_dict() == {
        "trial-0000": "COMPLETED",
        "trial-0001": "COMPLETED",
        "trial-0002": "FAILED",
        "trial-0003": "EARLY_STOPPED",
        "trial-0004": "RUNNING",
    }
    assert table[ERROR].dropna().to_dict() == {"trial-0000": 12.5, "trial-0001": 9.0, "trial-0003": 88.0}
    assert table.status_reason["trial-0002"] == "TrainingDiverged: the loss is nan"
    second = tiny_set()[4]
    names = ["cardinality", "width", "blocks_1", "blocks_2", "learning_rate"]
    assert table.loc["trial-0001", names].tolist() == [second.cardinality, second.width, *second.blocks, 0.2]
    assert experiment["trials"]["2"]["run_metadata"] == {"trial": 2, "phase": "search", "arm": None, "seed": 7}


def test_the_band_is_a_note_for_people_and_for_programs(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with Journal(folder.journal, read_only=True) as journal:
        _, experiment = opened(folder, journal)
    band = tiny_set().band
    assert f"inside the FLOP band of {band.low:,} to {band.high:,} multiply-adds" in experiment["description"]
    assert experiment["properties"]["resnext_search"] == {
        "target": band.target,
        "tolerance": 0.05,
        "low": band.low,
        "high": band.high,
        "architectures": 8,
    }


def test_ax_computes_its_analyses_of_the_study(tmp_path: Path) -> None:
    """The error depends on the learning rate alone: a point for every doubling away from 0.1."""
    folder, journal = new_folder(tmp_path)
    with journal:
        for number in range(16):
            doublings = number % 7 - 3
            completed(journal, point(number % 8, 0.1 * 2**doublings), 10.0 + abs(doublings))
        client, _ = opened(folder, journal)
    lines, [*folds, _], effects = (
        getattr(card, "children", card)
        for card in client.compute_analyses(
            [
                ParallelCoordinatesPlot(ERROR),
                CrossValidationPlot([ERROR]),
                SensitivityAnalysisPlot(ERROR),
            ],
            display=False,
        )
    )
    assert lines.df[ERROR].tolist() == [10.0 + abs(number % 7 - 3) for number in range(16)]
    assert folds[0].df.arm_name.nunique() == 16
    assert abs(folds[0].df.predicted - folds[0].df.observed).median() < 0.3  # in standard deviations of the errors
    strength = effects.df.set_index("parameter_name").sensitivity.abs()
    assert strength.idxmax() == "learning_rate"
    assert strength["learning_rate"] > 0.8


def test_a_short_training_is_not_taken_for_a_bad_one(tmp_path: Path) -> None:
    """Ax knows after which epoch a trial was stopped, and expects of all what they would have at the last."""
    folder, journal = new_folder(tmp_path)
    with journal:
        for number in range(8):
            completed(journal, point(number), 10.0 + number % 2)
        stopped = started(journal, point(3, 0.11))
        journal.record_epoch(stopped, epoch_row(1, 88.0), **HERE, final=False, stop="stopped")
        client, experiment = opened(folder, journal)
    client.compute_analyses([CrossValidationPlot([ERROR])], display=False)  # which fits the model
    [trial] = [one for one in experiment["trials"].values() if one["run_metadata"]["trial"] == stopped]
    [expected] = client.predict([trial["generator_run"]["arms"][0]["parameters"]])
    assert 10.0 < expected[ERROR][0] < 12.0


def test_the_trials_are_those_that_the_search_learned_from(tmp_path: Path) -> None:
    """Tuning of the arms inside the band, then the search; the base and depth lie in no axis of it."""
    study = tiny_study(TINY_CLAIM)
    folder, journal = new_folder(tmp_path, study)
    with journal:
        tune(study, journal)
        search = completed(journal, point(1), 9.0)
        _, experiment = opened(folder, journal)
    facts = [trial["run_metadata"] for trial in experiment["trials"].values()]
    assert [fact["arm"] for fact in facts] == ["cardinality", "width"] * 3 + [None]
    assert facts[-1]["trial"] == search


def test_a_configuration_that_was_tried_twice_is_one_arm_of_two_trials(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path)
    with journal:
        completed(journal, point(2), 11.0, seed=1)
        completed(journal, point(2), 13.0, seed=2)
        client, _ = opened(folder, journal)
    assert client.summarize()[["arm_name", ERROR]].values.tolist() == [["trial-0000", 11.0], ["trial-0000", 13.0]]


def test_costs_are_objectives_too_and_counted_ones_are_exact(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path, tiny_study("objectives=[validation_error, parameters, latency_ms]"))
    with journal:
        for number in range(4):
            journal.record_latency(tiny_set()[number], Latency(1.5 + number, 0.1), **HERE)
            completed(journal, point(number), 10.0 + number)
        client, experiment = opened(folder, journal)
        data = experiment_of(journal).lookup_data()
    table = client.summarize()
    assert table.parameters.tolist() == tiny_set().counts.parameters[:4].tolist()
    assert table.latency_ms.tolist() == [1.5, 2.5, 3.5, 4.5]
    assert experiment["optimization_config"]["objective"]["expression"] == "-validation_error, -parameters, -latency_ms"
    assert data.df.step.tolist() == [2.0] * 12  # with the last epoch: one observation of three objectives for Ax
    errors = data.df.groupby("metric_name")["sem"].max().to_dict()
    assert errors.pop("parameters") == 0.0
    assert all(math.isnan(error) for error in errors.values())  # for Ax: to be estimated


def test_whole_numbers_listed_values_and_a_single_value_are_parameters(tmp_path: Path) -> None:
    folder, journal = new_folder(
        tmp_path,
        tiny_study("axes.blocks=[[1, 1], [1, 2]]", "axes.batch_size=[32, 64]", "axes.momentum={min: 0.8, max: 0.95}"),
    )
    with journal:
        [architecture, *_] = journal.study().feasible_set()
        knobs = (("learning_rate", 0.1), ("batch_size", 64.0), ("momentum", 0.9))
        completed(journal, Configuration(architecture, knobs), 9.0)
        client, experiment = opened(folder, journal)
    found = limits(experiment)
    assert found["blocks_1"] == (1,)
    assert found["blocks_2"] == (1, 2)
    assert found["batch_size"] == (32, 64)
    assert found["momentum"] == (0.8, 0.95)
    assert client.summarize().batch_size.tolist() == [64]


def test_a_trial_beyond_the_axes_of_today_is_inside_all_the_same(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path)
    with journal:
        completed(journal, point(0, 4.0), 60.0)
        client, experiment = opened(folder, journal)
    assert limits(experiment)["learning_rate"] == (0.01, 4.0)
    assert len(client.summarize()) == 1


@pytest.mark.parametrize("trials", [0, 1])
def test_a_study_of_one_point_and_one_without_trials_are_opened_too(tmp_path: Path, trials: int) -> None:
    folder, journal = new_folder(tmp_path, tiny_study("axes={cardinality: 2, width: 4, blocks: [[1, 1]]}"))
    with journal:
        for _ in range(trials):
            completed(journal, Configuration(journal.study().feasible_set()[0]), 9.0)
        client, experiment = opened(folder, journal)
    assert limits(experiment)["cardinality"] == (2,)
    assert len(client.summarize()) == trials


def test_the_command_writes_it_beside_the_tables_and_says_nothing_else(shell: Shell) -> None:
    ended_folder(shell.folder / "study")
    code, out, complaint = shell.ended("export", "study", "--ax")
    assert (code, complaint) == (0, "")
    assert out.splitlines()[-1] == "study/ax.json"
    assert len(Client.load_from_json_file("study/ax.json").summarize()) == 4
