"""Reading tables of runs: what is understood, and what is complained of, all at once."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pandas as pd
import pytest
from resnext_search.results.inference.sample import Run
from resnext_search.results.runs.table import read_runs
from resnext_search.spaces.errors import UsageError

from tests.support.tables import answers_table, runs_table, spend_table, study_table

HINT = "One row is one run: arm, seed and test_error in percent; docs/how-to/read-the-verdict.md lists the others."


OF_DATA = (
    *("args.dataset", "args/dataset", "hparams/dataset", "cfg.dataset", "param_dataset", "user_attrs_dataset"),
    *("Dataset (test)", "dataset_used", "data_dir", "data_path", "image_set", "imageset", "trainDataset", "valset"),
)


def problems(table: pd.DataFrame) -> list[str]:
    with pytest.raises(UsageError) as error:
        read_runs(table)
    first, *others = str(error.value).splitlines()
    assert first == "these runs cannot be judged:"
    assert error.value.hint == HINT
    return [line.strip() for line in others]


def test_a_row_is_a_run_and_what_is_not_said_is_none() -> None:
    [run] = read_runs(pd.DataFrame({"arm": ["a"], "seed": [3], "test_error": [8.5]}))
    assert run == Run("a", 3, "confirm", "completed", 8.5)


def test_every_optional_column_is_read() -> None:
    row = {
        "arm": "a",
        "seed": 3,
        "test_error": 100 / 3,
        "multiply_adds": 4e6,
        "parameters": 1000,
        "activations": 200,
        "seconds": 1.5,
        "cardinality": 2,
        "epochs": 16,
        "data": "cifar10",
        "architecture": "2x4d-11",
        "correct": "3:oA==",
    }
    [run] = read_runs(pd.DataFrame([row]))
    assert run.correct is not None
    assert run.correct.tolist() == [True, False, True]
    assert (run.multiply_adds, run.parameters, run.activations) == (4e6, 1000, 200)
    assert (run.seconds, run.epochs, run.data, run.architecture) == (1.5, 16, "cifar10", "2x4d-11")


def test_the_order_of_the_rows_does_not_matter() -> None:
    table = spend_table()
    assert read_runs(table) == read_runs(table.sample(frac=1, random_state=1))


def test_names_and_seeds_may_be_numbers_or_text() -> None:
    table = pd.read_csv(StringIO("arm,seed,test_error\n10,1,8.5\n9,9007199254740993,7.5\n"))
    assert [(run.arm, run.seed) for run in read_runs(table)] == [("10", 1), ("9", 9007199254740993)]
    texts = pd.DataFrame({"arm": ["a"], "seed": ["4"], "test_error": ["8.5"]})
    assert read_runs(texts) == [Run("a", 4, "confirm", "completed", 8.5)]


@pytest.mark.parametrize("missing", [None, float("nan"), "", pd.NA])
def test_a_run_without_a_test_error_failed(missing: object) -> None:
    [run] = read_runs(pd.DataFrame({"arm": ["a"], "seed": [0], "test_error": pd.Series([missing], dtype=object)}))
    assert (run.state, run.test_error) == ("failed", None)


def test_a_study_has_no_evidence_in_its_search() -> None:
    runs = read_runs(study_table(spend_table(runs=2)))
    assert {(run.phase, run.arm) for run in runs} == {
        (phase, arm) for phase in ("tune", "confirm") for arm in ("cardinality", "depth", "width")
    }
    assert all(run.state == "completed" for run in runs)


def test_a_study_that_has_not_begun_has_no_runs() -> None:
    assert read_runs(study_table(spend_table(runs=2)).iloc[:0]) == []


def test_missing_columns_are_all_named() -> None:
    assert problems(pd.DataFrame({"arm": ["a"]})) == [
        "seed: no such column",
        "test_error: no such column",
        "columns: 'arm'; allowed: arm, seed, test_error, and others",
    ]


def test_a_table_without_rows() -> None:
    assert problems(pd.DataFrame({"arm": [], "seed": [], "test_error": []})) == ["rows: none; allowed: one a run"]


def test_every_problem_is_named_with_its_row() -> None:
    table = pd.DataFrame(
        {
            "arm": ["a", "a", None, "b", "b"],
            "seed": [0, 0.5, 1, None, 0],
            "test_error": ["8.1", "low", 8.0, 101, float("inf")],
            "multiply_adds": [None, None, 1, 0, "8 apples"],
            "correct": [None, "x", None, None, None],
            "state": ["completed", "over", "failed", "failed", "failed"],
        }
    )
    assert problems(table) == [
        "test_error: 'low' in row 2, '101' in row 4, 'inf' in row 5; allowed: a number, 0 to 100; empty, with the word "
        "failed in the column state, for a run that failed",
        "state: 'over' in row 2; allowed: queued, running, stopped, interrupted, completed, failed",
        "seed: '0.5' in row 2, empty in row 4; allowed: a whole number",
        "correct: 'x' in row 2; allowed: <images>:<packed bits in base 64>",
        "arm: empty in row 3; allowed: a name",
        "multiply_adds: '0' in row 4, '8 apples' in row 5; allowed: single multiply-adds of one image, such as "
        "748000000, 748M or 0.748G",
    ]


def test_an_unknown_phase() -> None:
    table = runs_table({"a": [8.0]}).assign(phase="final")
    assert problems(table) == ["phase: 'final' in row 1; allowed: search, tune, confirm"]


def test_two_runs_with_one_seed() -> None:
    table = pd.concat([runs_table({"a": [8.0], "b": [8.1]}), runs_table({"a": [8.2]})])
    assert problems(table) == ["seed: 2 runs of arm a have seed 0; allowed: one each"]


def test_an_arm_is_one_network() -> None:
    table = runs_table({"a": [8.0, 8.1]}).assign(multiply_adds=[4_000_000, 4_100_000], architecture=["2x4d", "2x5d"])
    assert problems(table) == [
        "multiply_adds: 4,000,000, 4,100,000 in arm a; allowed: one value an arm, which is one network",
        "architecture: 2x4d, 2x5d in arm a; allowed: one value an arm, which is one network",
    ]


def test_recognised_images_must_agree_with_each_other_and_with_the_error() -> None:
    table = answers_table({"a": np.zeros((1, 10), bool), "b": np.zeros((1, 11), bool)})
    assert problems(table) == ["correct: 10, 11 images; allowed: the same for all runs"]
    wrong = answers_table({"a": np.eye(2, 10, dtype=bool)}).assign(test_error=[10.0, 10.2])
    assert problems(wrong) == [
        "correct: 10.00 % wrong in the run of arm a with seed 1, whose test_error is 10.2",
    ]


def test_a_fold_is_read_and_may_be_left_out() -> None:
    table = runs_table({"a": [8.0, 8.1]})
    assert [run.fold for run in read_runs(table)] == [None, None]
    assert [run.fold for run in read_runs(table.assign(fold=["1", 0.0]))] == [1, 0]
    assert problems(table.assign(fold=["-1", "0.5"])) == [
        "fold: '-1' in row 1, '0.5' in row 2; allowed: a whole number, 0 or more",
    ]


def test_only_runs_of_one_fold_have_the_same_images() -> None:
    table = pd.concat([answers_table({"a": np.zeros((1, size), bool)}) for size in (10, 11, 11)])
    table = table.assign(seed=[0, 1, 2])
    assert [run.fold for run in read_runs(table.assign(fold=[0, 1, 1]))] == [0, 1, 1]
    assert problems(table.assign(fold=[1, 1, 0])) == [
        "correct: 10, 11 images; allowed: the same for all runs of fold 1",
    ]


def test_a_seed_has_one_fold_and_every_run_that_confirms_has_one() -> None:
    table = runs_table({"a": [8.0, 8.1], "b": [8.2, 8.3]})
    assert problems(table.assign(fold=[0, 1, 0, 2])) == ["fold: 1, 2 for seed 1; allowed: one fold a seed, in all arms"]
    assert problems(table.assign(fold=[0, 1, 0, None])) == [
        "fold: empty in 1 of 4 runs; allowed: a fold for every run that confirms, or for none"
    ]


@pytest.mark.parametrize(
    ("words", "state"),
    [
        (
            (
                "finished",
                "TERMINATED",
                "done",
                "ok",
                "success",
                "succeeded",
                "COMPLETE",
                "TrialState.COMPLETE",
                " completed ",
                "",
                None,
            ),
            "completed",
        ),
        (("crashed", "FAIL", "Failed", "ERROR"), "failed"),
        (("PRUNED",), "stopped"),
        (("killed",), "interrupted"),
        (("WAITING", "pending"), "queued"),
        (("running", "RUNNING"), "running"),
    ],
)
def test_states_of_other_trackers_are_understood(words: tuple[str | None, ...], state: str) -> None:
    table = runs_table({"a": [8.0] * len(words)}).assign(state=words)
    assert {run.state for run in read_runs(table)} == {state}


def test_names_of_arms_lose_the_spaces_around_them() -> None:
    assert {run.arm for run in read_runs(runs_table({"a": [8.0], " b ": [8.1]}))} == {"a", "b"}


@pytest.mark.parametrize("other", ["Wide net", "wide  net", "widenet", "wide\u200b net", "wide\u00a0net"])
def test_names_that_differ_by_case_or_inner_spaces_alone_are_refused(other: str) -> None:
    [said] = problems(pd.concat([runs_table({"wide net": [8.0, 8.1], "b": [9.0, 9.1]}), runs_table({other: [8.2]})]))
    assert said.startswith("arm: ")
    assert "'wide net' (2 rows)" in said
    assert ascii(other) in said or repr(other) in said
    assert said.endswith("; allowed: names that differ by more than case and spaces")


@pytest.mark.parametrize(
    "name", ["dataset", "Dataset", "data_set", "task", "benchmark", "split", "config.dataset", *OF_DATA]
)
def test_rows_of_several_data_sets_are_refused(name: str) -> None:
    table = runs_table({"a": [8.0, 8.1], "b": [8.2, 8.3]}).assign(**{name: ["cifar10", "cifar100"] * 2})
    assert problems(table) == [f"{name}: 'cifar10', 'cifar100'; allowed: one data set: judge the rows of each alone"]
    assert len(read_runs(table.assign(**{name: ["cifar10", "CIFAR10", "", None]}))) == 4


@pytest.mark.parametrize("name", ["data_loading_seconds", "dataset_size", "data_parallel", "settings", "test_user"])
def test_other_columns_are_of_no_data_set(name: str) -> None:
    assert len(read_runs(runs_table({"a": [8.0, 8.1]}).assign(**{name: ["x", "y"]}))) == 2


def test_folders_of_one_name_hold_one_data_set() -> None:
    table = runs_table({"a": [8.0, 8.1], "b": [8.2, 8.3]})
    assert len(read_runs(table.assign(data_dir=[f"/scratch/{n}/cifar10/" for n in range(4)]))) == 4
    [said] = problems(table.assign(data_dir=["/data/cifar10", "/data/svhn"] * 2))
    assert said.startswith("data_dir: 'cifar10', 'svhn'")


def test_data_sets_that_differ_by_case_are_one() -> None:
    assert {run.data for run in read_runs(runs_table({"a": [8.0, 8.1]}).assign(data=["cifar10", "CIFAR10"]))} == {
        "cifar10"
    }


@pytest.mark.parametrize(
    ("name", "shown"), [("a\x1b[31m", "'a\\x1b[31m'"), ("a\n2", "'a\\n2'"), ("a\u2028b", "'a\\u2028b'")]
)
def test_control_characters_in_names_are_refused_and_spelt_out(name: str, shown: str) -> None:
    assert problems(runs_table({name: [8.0]})) == [
        f"arm: {shown} in row 1; allowed: a name without control characters and line ends"
    ]


def test_names_of_which_letters_look_the_same_are_spelt_out() -> None:
    [said] = problems(runs_table({"w\u00e9": [8.0], "we\u0301": [8.1]}))
    assert said.startswith(r"arm: 'we\u0301' (1 rows) and 'w\xe9' (1 rows)")


def test_tasks_that_a_scheduler_counts_are_no_data_sets() -> None:
    table = runs_table({"a": [8.0, 8.1], "b": [8.2, 8.3]})
    assert len(read_runs(table.assign(task=[0, 1, 2, 3]))) == 4
    assert len(read_runs(table.assign(task=["0", "1", "0", "1"]))) == 4
    assert problems(table.assign(task=["3573", "3573", "167124", "167124"])) == [
        "task: '167124', '3573'; allowed: one data set: judge the rows of each alone"
    ]


@pytest.mark.parametrize("count", ["4.2G", "4200M", "4,200,000,000", " 4200000000 ", "4.2e9", 4.2e9])
def test_multiply_adds_are_written_as_in_a_study_file(count: object) -> None:
    [run] = read_runs(runs_table({"a": [8.0]}).assign(multiply_adds=[count]))
    assert run.multiply_adds == 4_200_000_000


@pytest.mark.parametrize("count", ["0.748", "4.2", 748.5, "4.2 GFLOPs", "0", "-1", "inf"])
def test_multiply_adds_in_millions_or_billions_are_refused(count: object) -> None:
    [said] = problems(runs_table({"a": [8.0]}).assign(multiply_adds=[count]))
    assert said.endswith("allowed: single multiply-adds of one image, such as 748000000, 748M or 0.748G")


def test_a_table_with_decimal_commas_has_them_throughout() -> None:
    table = runs_table({"a": [8.0]}).assign(test_error="3,193", seconds="12,345", seed="3,0", multiply_adds="4,2G")
    [run] = read_runs(table)
    assert (run.test_error, run.seconds, run.seed, run.multiply_adds) == (3.193, 12.345, 3, 4_200_000_000)
    [said] = problems(table.assign(seconds="12.345"))
    assert said == "seconds: '12.345' in row 1; allowed: a number with a decimal comma, as others here have, 0 or more"


def test_a_phase_stands_in_every_row_or_in_none() -> None:
    table = runs_table({"a": [8.0, 8.1], "b": [8.2, 8.3]})
    assert len(read_runs(table.assign(phase=["", None, " ", float("nan")]))) == 4
    assert problems(table.assign(phase=["confirm", "", "", "Search"])) == [
        "phase: empty in 2 of 4 rows; allowed: a phase for every row, or for none"
    ]


def test_thousands_of_arms_are_names_of_runs() -> None:
    table = pd.DataFrame({"arm": [f"run {n}" for n in range(9_000)], "seed": 0, "test_error": 8.0})
    assert problems(table) == ["arm: 9,000 names; allowed: up to 32 arms, each with several runs"]
