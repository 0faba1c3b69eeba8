"""Names of columns as people and trackers write them, and what is said of those that are missing, twice or near."""

from __future__ import annotations

import pytest
from resnext_search.results.runs.table import read_runs
from resnext_search.spaces.errors import UsageError

from tests.support.tables import runs_table

TABLE = runs_table({"a": [8.0, 8.1], "b": [8.2, 8.3]})


def problems(**columns: object) -> list[str]:
    with pytest.raises(UsageError) as error:
        read_runs(TABLE.assign(**columns))
    return [line.strip() for line in str(error.value).splitlines()[1:]]


@pytest.mark.parametrize("name", ["status", "Status", "run_state", "trial_state", "Run State"])
def test_a_column_of_another_name_for_the_state_is_read_as_it(name: str) -> None:
    words = ["FINISHED", "FAILED", "TERMINATED", "ERROR"]
    assert [run.state for run in read_runs(TABLE.assign(**{name: words}))] == ["completed", "failed"] * 2
    assert problems(**{name: ["ok", "LOCAL", "done", "success"]}) == [
        f"{name}: 'LOCAL' in row 2; allowed: queued, running, stopped, interrupted, completed, failed"
    ]


def test_two_columns_of_states_are_refused() -> None:
    assert problems(state="completed", Status="ok") == ["state: columns 'state' and 'Status'; allowed: one of them"]
    assert problems(run_state="completed", Status="ok")[0].startswith("state: columns 'run_state' and 'Status'")


@pytest.mark.parametrize(
    ("name", "yes"),
    [("diverged", True), ("failed", "1"), ("Failed", 1.0), ("crashed", "yes"), ("diverged", "diverged")],
)
def test_a_run_that_failed_says_so_in_its_state(name: str, yes: object) -> None:
    said = [None, None, yes, None] if yes is not True else [False, False, True, False]
    [found] = problems(**{name: said})
    assert found == (
        f"{name}: {yes} in row 3, a run that is completed; allowed: a run that failed has the word failed in the "
        "column state, or no test_error"
    )
    states = ["completed", "completed", "failed", "completed"]
    assert [run.state for run in read_runs(TABLE.assign(**{name: said}, state=states))] == states


def test_a_column_that_counts_failures_says_nothing_of_a_run() -> None:
    assert len(read_runs(TABLE.assign(failed=[0, 1, 2, 0]))) == 4


def test_a_column_that_pandas_found_twice_is_refused() -> None:
    assert problems(**{"Test Error.1": 9.0}) == [
        "test_error: another column 'Test Error.1', as pandas names one that is there twice; allowed: one"
    ]
    assert len(read_runs(TABLE.assign(**{"notes.1": "a", "notes": "b", "epochs.1": 3}))) == 4


@pytest.mark.parametrize(
    ("missing", "name", "said"),
    [
        ("test_error", "error", "is it 'error'? Then rename that test_error"),
        ("test_error", "test_err", "is it 'test_err'? Then rename that test_error"),
        ("test_error", "top1_error", "is it 'top1_error'? Then rename that test_error"),
        ("test_error", "testError", "is it 'testError'? Then rename that test_error"),
        ("test_error", "metrics.test_error", "is it 'metrics.test_error'? Then rename that test_error"),
        *(
            ("test_error", name, f"is {name!r} an accuracy? Then write 100 - accuracy, in percent, as test_error")
            for name in ("accuracy", "acc", "test_acc", "top1", "Test Accuracy")
        ),
        ("arm", "model", "is it 'model'? Then rename that arm"),
        ("arm", "params.arm", "is it 'params.arm'? Then rename that arm"),
        ("seed", "random_seed", "is it 'random_seed'? Then rename that seed"),
    ],
)
def test_a_missing_column_names_the_one_that_is_near(missing: str, name: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        read_runs(TABLE.rename(columns={missing: name}))
    assert f"{missing}: no such column; {said}" in str(error.value)


@pytest.mark.parametrize("name", ["error_message", "train_error", "val_acc", "width - test_error", "notes"])
def test_what_is_no_test_error_is_not_taken_for_one(name: str) -> None:
    with pytest.raises(UsageError, match="test_error: no such column\n"):
        read_runs(TABLE.rename(columns={"test_error": name}))
