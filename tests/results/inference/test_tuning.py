"""What the choice of a learning rate adds to an arm's uncertainty, from the trials of a table."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from resnext_search.results.inference.question import ask
from resnext_search.results.inference.sample import gather
from resnext_search.results.inference.tuning import tuning_points, tuning_variances
from resnext_search.results.runs.table import read_runs
from resnext_search.spaces.claim.tuning_fit import Point, fit_tuning

from tests.support.tables import CURVE, RATES, SECOND_RATES, runs_table, spend_table, study_table, tuned_twice


def variances(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    runs = read_runs(table)
    compared = [run for run in runs if not run.is_finalist and not run.is_runner_up]
    sample, _ = gather(compared, ask({run.arm for run in compared}))
    return tuning_variances(runs, sample)


def noisy_study(**changes: Any) -> pd.DataFrame:
    """Two rounds, of which the second's seeds differ by 0.4 points."""
    table = tuned_twice(study_table(spend_table(base=11.0)))
    table.loc[table.seed.eq(5) & table.phase.eq("tune"), "validation_error"] += 0.4
    return table.assign(**changes)


def test_trials_that_ended_are_points_and_one_that_failed_is_nan() -> None:
    table = study_table(spend_table(), curves={"depth": (9.0, 8.0, None, 8.0, 9.0)})
    table.loc[table.arm.eq("depth") & table.learning_rate.eq(1.0) & table.phase.eq("tune"), "state"] = "running"
    points = tuning_points(read_runs(table), ("depth", "width"))
    assert sorted(points) == ["depth", "width"]
    assert points["width"] == [Point(rate, error, 3) for rate, error in zip(RATES, CURVE, strict=True)]
    assert [point.rate for point in points["depth"]] == [0.01, 0.03, 0.1, 0.3]
    assert math.isnan(points["depth"][2].error)


def test_the_variance_is_the_fits_times_the_square_of_the_arms_error() -> None:
    """The fit's is that of a logarithm."""
    table = noisy_study()
    arms = ("cardinality", "depth", "width", "base")
    fitted = fit_tuning(tuning_points(read_runs(table), arms), used=dict.fromkeys(arms, 0.1))
    found = variances(table)
    for arm, mean in (("cardinality", 8.0), ("depth", 8.6), ("width", 8.6), ("base", 11.0)):
        assert found[arm] == (pytest.approx(fitted[arm].variance * mean**2), fitted[arm].degrees)
        assert found[arm][0] > 0


def test_an_arm_that_was_confirmed_beside_its_minimum_is_less_certain() -> None:
    table = noisy_study()
    table.loc[table.phase.eq("confirm") & table.arm.eq("width"), "learning_rate"] = 0.17
    assert variances(table)["width"][0] > 2 * variances(noisy_study())["width"][0]


def test_fewer_validation_images_make_a_higher_cap() -> None:
    """A trial far above the minimum counts for more where few images may have made it so."""
    assert variances(noisy_study(validation_images=50)) != variances(noisy_study(validation_images=10_000))
    assert variances(noisy_study(validation_images=1000)) == variances(noisy_study())  # what is assumed


def test_with_folds_every_seed_has_its_level() -> None:
    """The seeds of the second round differ by the same 0.42 points at every rate: their folds do, and noise is none."""
    table = noisy_study()
    with_folds = table.assign(fold=table.seed % 5)
    assert variances(with_folds)["width"][0] < 0.1 * variances(table)["width"][0]


def test_an_arm_of_too_few_rates_or_without_tuning_is_left_out() -> None:
    table = study_table(spend_table())
    few = table[~(table.phase.eq("tune") & table.arm.eq("width") & (table.learning_rate > 0.03))]
    assert sorted(variances(few)) == ["cardinality", "depth"]
    assert variances(spend_table()) == {}


def test_an_arm_without_a_confirming_run_is_left_out() -> None:
    table = study_table(runs_table({"a": [8.0], "b": [7.0]}).rename(columns={}))
    runs = read_runs(table)
    sample, _ = gather([run for run in runs if run.arm == "a" or run.phase == "tune"], ask(["a", "b"], "a"))
    assert sorted(tuning_variances(runs, sample)) == ["a"]


def test_runner_ups_are_no_arms_whose_rates_count() -> None:
    table = noisy_study()
    again = table[table.phase.eq("confirm")].assign(learning_rate=0.2)
    again["arm"] = "runner-up-" + again.arm.astype(str)
    assert variances(pd.concat([table, again])) == variances(table)


def test_second_rates_are_inside_the_first() -> None:
    assert min(RATES) < min(SECOND_RATES) < max(SECOND_RATES) < max(RATES)
