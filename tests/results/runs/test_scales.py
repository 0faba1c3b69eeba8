"""Shares among percentages are refused; errors that may be shares or accuracies are noted; small errors are errors."""

from __future__ import annotations

import pandas as pd
import pytest
from resnext_search.results.runs.scales import on_margin, on_scales, refuse_mixed_scales
from resnext_search.results.runs.table import read_runs
from resnext_search.results.verdict.verdict import judge
from resnext_search.spaces.errors import UsageError

from tests.support.tables import errors_with, runs_table, spend_table, study_table


def notes(table: pd.DataFrame) -> list[str]:
    runs = read_runs(table)
    refuse_mixed_scales(runs)
    return list(on_scales(runs))


def scaled(table: pd.DataFrame, rows: pd.Series, column: str = "test_error") -> pd.DataFrame:
    return table.assign(**{column: table[column].where(~rows, table[column] / 100)})


def refusal(table: pd.DataFrame) -> str:
    with pytest.raises(UsageError) as error:
        judge(table)
    return str(error.value)


def test_an_arm_in_shares_is_refused() -> None:
    table = spend_table()
    said = refusal(scaled(table, table.arm == "width"))
    assert "test_error: 0.0839 to 0.0876 in width, and 7.83 to 8.7 in cardinality, depth; allowed: percent" in said


@pytest.mark.parametrize("rows", [1, 4, 9])
def test_runs_in_shares_are_refused(rows: int) -> None:
    table = spend_table()
    assert "in the runs of arm width" in refusal(scaled(table, (table.arm == "width") & (table.seed < rows)))


def test_tuning_in_shares_is_refused() -> None:
    table = study_table(spend_table(base=11.0))
    assert "errors: 0.07 to 0.09 in validation_error, and" in refusal(
        scaled(table, table.phase == "tune", "validation_error")
    )


def test_shares_throughout_are_noted() -> None:
    table = spend_table()
    [note] = notes(scaled(table, table.seed >= 0))
    assert note.startswith("No test error is above 1. They are taken as percent, as they stand: if they are shares")
    assert judge(scaled(table, table.seed >= 0)).notes[0] == note


def test_real_errors_around_one_percent_are_judged_without_a_word() -> None:
    means = {"1x8d": 1.2, "2x5d": 0.9, "4x3d": 0.3}
    assert notes(runs_table({arm: errors_with(mean, 0.05, 10) for arm, mean in means.items()})) == []
    assert notes(runs_table({"a": [0.0, 0.5, 0.7], "b": [1.5, 1.6, 1.4]})) == []


def test_a_run_that_diverged_beside_small_errors_is_noted_and_not_refused() -> None:
    """100 times 0.9 is 90: it could be a share."""
    assert notes(runs_table({"a": [0.9, 0.8, 90.2], "b": [1.1, 1.2, 1.3]})) == [
        "The test errors of a lie far apart, up to 0.9 and from 90.2: runs that diverged are `failed`, and shares are "
        "no percent."
    ]


def test_accuracies_are_noted() -> None:
    table = spend_table()
    [all_of_them] = notes(table.assign(test_error=100 - table.test_error))
    assert all_of_them == "Every test error is above 50 %: if these are accuracies, the word is about the wrong side."
    table.loc[table.arm == "width", "test_error"] = 100 - table.test_error
    assert notes(table) == ["Every test error of width is above 50 %, of others it is not: is it an accuracy?"]


def test_errors_of_hard_data_are_no_accuracies() -> None:
    assert notes(runs_table({"a": [51.0, 52.0, 50.5], "b": [49.0, 48.0, 49.5]})) == []


def test_counts_in_millions_are_noted_where_they_are_whole() -> None:
    assert notes(spend_table(multiply_adds=[4089, 4089, 4100])) == [
        "At most 4,100 multiply-adds an image: if that is in G or M, write 4.2G or 748M."
    ]
    assert notes(spend_table(multiply_adds=[10_000, 10_000, 10_000])) == []


def test_errors_of_exactly_0_among_others_far_above_are_noted() -> None:
    others = [3.1, 3.2, 3.0]
    assert notes(runs_table({"a": [0.0, 4.2, 4.0], "b": others})) == [
        "1 run of a has an error of exactly 0, beside others from 4 on: failed, or an empty cell?"
    ]
    assert notes(runs_table({"a": [0.0] * 3, "b": others})) == [
        "3 runs of a have an error of exactly 0, beside others from 3 on: failed, or an empty cell?"
    ]
    assert notes(runs_table({"a": [0.0] * 3})) == ["3 runs of a have an error of exactly 0: failed, or an empty cell?"]
    assert notes(runs_table({"a": [0.0, 0.3, 0.6], "b": others})) == [
        "a err less than others by a factor of 7: are their errors shares?"
    ]


@pytest.mark.parametrize(("mean", "times"), [(0.155, 19), (0.958, 3)])
def test_an_arm_at_or_below_1_beside_others_three_times_as_high_is_noted(mean: float, times: int) -> None:
    """0.155 would be 15.5 %, far from the others; 0.958 an accuracy."""
    table = runs_table({"a": [3.0, 3.0, 3.1], "b": [mean] * 3, "c": [5.0, 5.1, 5.2]})
    assert notes(table) == [f"b err less than others by a factor of {times}: are their errors shares?"]


def test_a_margin_as_large_as_the_errors_is_noted() -> None:
    assert list(on_margin(2.5, [5.0, float("nan"), 3.0])) == []
    table = spend_table()
    note = (
        "The margin of 50 points is more than half of the largest error, 8.6 %: hardly any difference between such "
        "arms can be as large."
    )
    assert list(on_margin(50, [8.0, 8.6])) == [note]
    assert judge(table, margin=50).notes[0] == note
    assert not any("The margin of" in said for said in judge(table).notes)
