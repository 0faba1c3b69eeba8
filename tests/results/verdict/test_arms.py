"""What each arm scored and cost, and the scale of it all."""

from __future__ import annotations

import math

import pytest
from resnext_search.results.inference.question import ask
from resnext_search.results.inference.sample import gather
from resnext_search.results.runs.table import read_runs
from resnext_search.results.verdict.arms import Scale, arm_result, finalist_results, scale_of

from tests.support.tables import runs_table


def test_an_arm_has_its_mean_interval_and_costs() -> None:
    table = runs_table({"1x8d": [8.0, 9.0, 8.5], "2x5d": [7.0, 7.5, 8.0]}, parameters=[1000, 1001], seconds=[2.0, None])
    runs = read_runs(table.assign(architecture=["1x8d-11"] * 3 + ["2x5d-11"] * 3))
    sample, _ = gather(runs, ask(["1x8d", "2x5d"]))
    result = arm_result(runs, sample, "1x8d")
    assert (result.architecture, result.runs, result.test_error, result.deviation) == ("1x8d-11", 3, 8.5, 0.5)
    assert result.interval == pytest.approx((8.5 - 1.2421, 8.5 + 1.2421), abs=1e-4)  # t(2, 0.975) = 4.3027
    assert (result.multiply_adds, result.parameters, result.activations, result.seconds) == (None, 1000, None, 2.0)
    assert arm_result(runs, sample, "2x5d").seconds is None


def test_seconds_of_a_run_that_failed_do_not_count() -> None:
    table = runs_table({"1x8d": [8.0, None], "2x5d": [7.0, 7.5]}).assign(seconds=[2.0, 0.1, 3.0, 5.0])
    runs = read_runs(table)
    sample, _ = gather(runs, ask(["1x8d", "2x5d"]))
    assert [arm_result(runs, sample, arm).seconds for arm in sample.arms] == [2.0, 4.0]


def test_finalists_stand_each_by_themselves() -> None:
    table = runs_table({"1x8d": [8.0, 8.1], "finalist-0003": [7.0, 7.2], "finalist-0001": [6.0, None]})
    first, second = finalist_results(read_runs(table))
    assert (first.arm, first.runs, first.test_error) == ("finalist-0001", 1, 6.0)
    assert math.isnan(first.interval[0])
    assert (second.arm, second.runs, second.test_error) == ("finalist-0003", 2, 7.1)


def test_the_scale_is_what_the_runs_say() -> None:
    errors = {"1x8d": [8.0, 8.1], "2x5d": [7.0]}
    runs = read_runs(runs_table(errors, multiply_adds=[100, 98], epochs=[12, 12], data=["digits", "digits"]))
    sample, _ = gather(runs, ask(errors))
    assert scale_of(runs, sample) == Scale("digits", 12, (98, 100), (1, 2), None)
    assert scale_of([], sample) == Scale(None, None, None, (1, 2), None)
