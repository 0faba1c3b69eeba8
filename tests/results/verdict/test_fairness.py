"""Every reason for an invalid comparison, sentence by sentence."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from resnext_search.results.inference.question import ask
from resnext_search.results.runs.table import read_runs
from resnext_search.results.verdict.fairness import unfair
from resnext_search.results.verdict.verdict import judge
from resnext_search.spaces.errors import UsageError

from tests.support.tables import CURVE, RATES, SECOND_RATES, runs_table, spend_table, study_table, tuned_twice

NOT_CONFIRMED = "No run of an arm confirms anything yet: there are no test errors to compare."


def reasons(table: pd.DataFrame, tolerance: float = 0.02) -> list[str]:
    runs = [run for run in read_runs(table) if not run.is_finalist]
    names = {run.arm for run in runs}
    question = ask(names) if len(names) > 1 else None
    return unfair(runs, question, tolerance, is_study="phase" in table.columns)


def change(table: pd.DataFrame, arm: str, phase: str, seeds: int, **values: Any) -> pd.DataFrame:
    """Change the first rows of an arm in a phase."""
    rows = table.index[(table.arm == arm) & (table.phase == phase)][:seeds]
    for column, value in values.items():
        table.loc[rows, column] = value
    return table


def test_a_fair_comparison_has_no_reasons() -> None:
    assert reasons(spend_table()) == []
    assert reasons(study_table(spend_table(multiply_adds=[2_000_000, 2_010_000, 2_039_000]))) == []


def test_flops_that_do_not_match_say_by_how_much() -> None:
    table = spend_table(multiply_adds=[4_230_480_872, 4_089_185_256, 4_230_480_871])
    assert reasons(table) == [
        "FLOPs do not match: cardinality costs +3.5 % against depth (4,230,480,872 and 4,089,185,256 multiply-adds); "
        "allowed: 2 % either way."
    ]
    assert reasons(table, tolerance=0.035) == []


def test_a_claimant_that_costs_too_little_does_not_match_either() -> None:
    [reason] = reasons(spend_table(multiply_adds=[97, 100, 97]))
    assert reason.startswith("FLOPs do not match: cardinality costs -3.0 % against depth")


def test_exactly_the_tolerance_is_allowed() -> None:
    assert reasons(spend_table(multiply_adds=[102, 100, 100])) == []


def test_costs_of_some_arms_alone_are_compared_with_nothing() -> None:
    assert reasons(spend_table(multiply_adds=[None, 100, 200])) == []
    assert reasons(spend_table(multiply_adds=[100, None, 101])) == []


def test_other_epochs_or_data_are_no_comparison() -> None:
    table = spend_table(epochs=[16, 16, 100], data=["cifar10", "cifar10", "cifar100"])
    assert reasons(table) == [
        "The runs have different numbers of epochs: 16, 100.",
        "The runs have different data sets: cifar10, cifar100.",
    ]


def test_epochs_of_a_run_that_failed_do_not_count() -> None:
    table = runs_table({"1x8d": [8.0] * 10, "2x5d": [7.0] * 9 + [None]}).assign(epochs=[16] * 19 + [3])
    assert reasons(table) == []


def test_unequal_numbers_of_tuning_trials() -> None:
    table = study_table(spend_table())
    one = table.index[(table.phase == "tune") & (table.arm == "width")][0]
    assert reasons(table.drop(one)) == ["Unequal tuning: cardinality 5, depth 5, width 4 trials."]


def test_other_learning_rates_or_seeds() -> None:
    sentence = "Unequal tuning: the arms were tried with different learning rates or seeds."
    assert reasons(change(study_table(spend_table()), "width", "tune", 1, learning_rate=0.02)) == [sentence]
    assert reasons(change(study_table(spend_table()), "width", "tune", 1, seed=4)) == [sentence]


@pytest.mark.parametrize(
    ("curve", "edge"),
    [
        ((6.0, 7.0, 8.0, 9.0, 9.5), "0.01, is the lowest"),
        ((9.5, 9.0, 8.0, 7.0, 6.0), "1, is the highest"),
        ((9.5, None, None, None, None), "0.01, is the lowest"),  # a failed trial is worse than any
    ],
)
def test_a_best_learning_rate_at_the_edge(curve: tuple[float | None, ...], edge: str) -> None:
    table = study_table(spend_table(), curves={"depth": curve})
    assert reasons(table) == [
        f"The best learning rate of depth, {edge} of 5 tried: a better one may lie outside.",
    ]


def test_of_equal_rates_the_one_nearest_the_middle_is_best() -> None:
    assert reasons(study_table(spend_table(), curves={"depth": (7.0, 9.0, 7.0, 9.0, 7.0)})) == []


def test_a_rate_is_as_good_as_the_mean_over_its_seeds() -> None:
    table = study_table(spend_table())
    again = table[table.phase == "tune"].assign(seed=4, validation_error=[*CURVE, *CURVE, 5.0, 9.0, 6.0, 9.0, 9.0])
    assert reasons(pd.concat([table, again])) == []  # of width 0.01 has 7.0, 0.1 has 6.5


def test_an_arm_of_which_no_tuning_trial_ended_well() -> None:
    table = study_table(spend_table(), curves={"depth": (None,) * len(RATES)})
    assert reasons(table) == ["No learning rate tried for depth was trained to its end."]


def test_tuning_that_goes_on() -> None:
    table = change(study_table(spend_table()), "depth", "tune", 2, state="running", validation_error=None)
    assert reasons(table) == ["Tuning of depth is not complete: 2 of 5 trials have not ended."]


def test_a_study_that_has_confirmed_nothing_yet() -> None:
    table = study_table(spend_table())
    assert reasons(table[table.phase != "confirm"]) == [NOT_CONFIRMED]
    assert reasons(table[table.phase == "search"]) == [NOT_CONFIRMED]
    assert reasons(table.iloc[:0]) == [NOT_CONFIRMED]


def test_runs_that_have_not_ended() -> None:
    table = change(study_table(spend_table()), "width", "confirm", 3, state="queued", test_error=None)
    table = change(table, "width", "confirm", 1, state="running")
    assert reasons(table) == ["3 of 10 runs of width have not ended (queued 2, running 1)."]


def test_a_study_whose_arms_have_other_seeds() -> None:
    table = study_table(spend_table())
    some = table.index[(table.phase == "confirm") & (table.arm == "width")][:2]
    assert reasons(table.drop(some)) == ["Unequal seeds: width has no run with 2 of the 10 seeds."]


def test_anyones_arms_may_have_other_seeds() -> None:
    assert reasons(runs_table({"1x8d": [8.0] * 6, "2x5d": [7.0] * 5})) == []


@pytest.mark.parametrize(("failed", "count"), [(1, 0), (2, 1)])
def test_more_than_a_tenth_of_failed_runs(failed: int, count: int) -> None:
    table = change(study_table(spend_table()), "width", "confirm", failed, state="failed", test_error=None)
    sentence = "2 of 10 runs of width failed; allowed: 10 %. The mean of those that did not would flatter it."
    assert reasons(table) == [sentence] * count


def test_all_reasons_are_given_at_once() -> None:
    table = study_table(
        spend_table(multiply_adds=[103, 100, 100]), curves={"cardinality": (1, 2, 3, 4, 5), "depth": (5, 4, 3, 2, 1)}
    )
    table = change(table, "width", "confirm", 2, state="failed", test_error=None)
    table = change(table, "depth", "confirm", 1, state="stopped", test_error=None)
    costs = "(103 and 100 multiply-adds); allowed: 2 % either way."
    assert reasons(table) == [
        f"FLOPs do not match: cardinality costs +3.0 % against depth {costs}",
        f"FLOPs do not match: cardinality costs +3.0 % against width {costs}",
        "The best learning rate of cardinality, 0.01, is the lowest of 5 tried: a better one may lie outside.",
        "The best learning rate of depth, 1, is the highest of 5 tried: a better one may lie outside.",
        "1 of 10 runs of depth have not ended (stopped 1).",
        "2 of 10 runs of width failed; allowed: 10 %. The mean of those that did not would flatter it.",
    ]


OWN_RATES = {"depth": tuple(1.5 * rate for rate in SECOND_RATES), "base": tuple(0.5 * rate for rate in SECOND_RATES)}


def second_round() -> pd.DataFrame:
    """Every arm at five rates of its own, which are no inequality."""
    return tuned_twice(study_table(spend_table(base=11.0)), OWN_RATES)


def test_a_second_round_at_rates_of_the_arms_own_is_equal_tuning() -> None:
    assert reasons(second_round()) == []


def test_a_second_round_of_fewer_trials_or_on_other_seeds_is_not() -> None:
    table = second_round()
    last = table.index[table.seed.eq(5) & table.arm.eq("width") & table.phase.eq("tune")]
    assert reasons(table.drop(last[:1])) == ["Unequal tuning: cardinality 15, base 15, depth 15, width 14 trials."]
    table.loc[last, "seed"] = 6
    assert reasons(table) == ["Unequal tuning: the arms were tried with different learning rates or seeds."]


def test_a_first_round_at_other_rates_is_no_equal_tuning_whatever_the_second_does() -> None:
    assert reasons(change(second_round(), "width", "tune", 1, learning_rate=0.02)) == [
        "Unequal tuning: the arms were tried with different learning rates or seeds."
    ]


def test_whether_the_best_is_at_the_edge_is_the_first_rounds_to_say() -> None:
    """The best of the second is the highest of its own, and it found the lowest of the first very good."""
    table = second_round()
    second = table.seed.gt(3) & table.phase.eq("tune")
    table.loc[second & table.arm.eq("depth") & table.learning_rate.gt(0.29), "validation_error"] = 5.0
    table.loc[second & table.arm.eq("base") & table.learning_rate.lt(0.03), ["learning_rate", "validation_error"]] = [
        0.01,
        1.0,
    ]
    assert reasons(table) == []


def test_tuning_that_goes_on_in_its_second_round() -> None:
    table = second_round()
    some = table.index[table.seed.eq(5) & table.arm.eq("base") & table.phase.eq("tune")][:2]
    table.loc[some, ["state", "validation_error"]] = ["queued", None]
    assert reasons(table) == ["Tuning of base is not complete: 2 of 15 trials have not ended."]


def test_the_base_is_asked_for_no_match_and_a_multiple_is() -> None:
    assert reasons(spend_table(base=11.0, multiply_adds=[2000, 2000, 2000, 1000])) == []
    table = runs_table(
        {"cardinality": [8.0] * 10, "cardinality-x4": [8.0] * 10, "width": [9.0] * 10, "base": [11.0] * 10},
        multiply_adds=[2000, 1900, 2000, 1000],
    )
    assert reasons(table) == [
        "FLOPs do not match: cardinality costs +5.3 % against cardinality-x4 (2,000 and 1,900 multiply-adds); "
        "allowed: 2 % either way."
    ]


def test_the_base_has_to_be_tuned_and_confirmed_as_the_others_are() -> None:
    table = second_round()
    of_base = table.phase.eq("confirm") & table.arm.eq("base")
    assert reasons(table.drop(table.index[of_base][:1])) == ["Unequal seeds: base has no run with 1 of the 10 seeds."]


def test_what_an_arm_does_not_say_is_noted_and_no_fact() -> None:
    table = spend_table(epochs=[90, 90, None], data=["cifar10", "cifar10", None])
    verdict = judge(table)
    assert (verdict.scale.epochs, verdict.scale.data) == (None, None)
    assert "Equal epochs were not shown: the column epochs is empty for width." in verdict.notes
    assert "That all arms had the same data was not shown: the column data is empty for width." in verdict.notes
    full = judge(spend_table(epochs=[90] * 3, data=["cifar10", "CIFAR10", "cifar10"]))
    assert (full.scale.epochs, full.scale.data) == (90, "cifar10")
    assert not any("was not shown: the column" in note or "were not shown: the column" in note for note in full.notes)


def test_a_table_without_a_run_that_confirms_says_so() -> None:
    for phase in ("search", "tune"):
        with pytest.raises(UsageError, match="phase: no row is of phase confirm; allowed: runs that confirm"):
            judge(spend_table().assign(phase=phase))
