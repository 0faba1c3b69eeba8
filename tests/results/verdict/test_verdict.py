"""Whole verdicts: published runs, studies with every fault, and what must not change them."""

from __future__ import annotations

import json
import math
import re
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd
import pytest
import resnext_search.results
from resnext_search.results.verdict.answer import Looks
from resnext_search.results.verdict.text import verdict_text
from resnext_search.results.verdict.verdict import Verdict, judge
from resnext_search.spaces.errors import UsageError

from tests.support.tables import (
    answers_table,
    errors_with,
    runs_table,
    space_table,
    spend_table,
    study_table,
    tuned_twice,
)

# RegNet's Table 3 (Radosavovic et al. 2020, arXiv:2003.13678), 50 layers, five runs each: mean and SD.
REGNET_50 = {"1x64d-50": errors_with(23.2, 0.09, 5, 1), "32x4d-50": errors_with(21.9, 0.10, 5, 2)}


def answers(errors: dict[str, float], seeds: int = 10, examples: int = 800) -> pd.DataFrame:
    """Runs whose answers agree on most images: an image is wrong where its difficulty exceeds a run's skill."""
    generator = np.random.default_rng(3)
    difficulty = generator.random(examples)
    wrong = {
        arm: difficulty + generator.normal(0, 0.02, (seeds, examples)) > 1 - error / 100
        for arm, error in errors.items()
    }
    return answers_table(wrong)


def study(**options: Any) -> pd.DataFrame:
    return tuned_twice(study_table(spend_table(base=11.0, **options)))


def test_regnets_five_runs_are_a_pilot() -> None:
    verdict = judge(runs_table(REGNET_50))
    assert (verdict.verdict, verdict.kind, verdict.direction) == ("inconclusive", "trade", None)
    assert verdict.comparisons[0].difference == pytest.approx(1.3)
    assert verdict.seeds_needed == 10
    assert judge(runs_table(REGNET_50), rules=1).verdict == "supported"


def test_recognised_images_widen_the_intervals() -> None:
    table = answers({"1x8d": 9.0, "2x5d": 8.0})
    with_images, without = judge(table), judge(table.drop(columns="correct"))
    assert with_images.comparisons[0].difference == pytest.approx(without.comparisons[0].difference)
    assert with_images.comparisons[0].example_error > 0
    assert with_images.scale.test_examples == 800
    assert without.to_json()["comparisons"][0]["example_error"] is None


def test_identical_runs_have_no_practical_difference() -> None:
    errors = errors_with(8.0, 0.1, 10)
    verdict = judge(runs_table({"1x8d": errors, "2x5d": errors}))
    assert (verdict.verdict, verdict.direction) == ("no practical difference", None)
    assert verdict.comparisons[0].interval == (0.0, 0.0)
    assert verdict.comparisons[0].probability == 0.5
    assert "1x8d and 2x5d err the same with every seed: is one a copy of the other?" in verdict.notes


def test_a_seed_that_changes_nothing_is_one_run() -> None:
    """Ten of them would make intervals of width 0."""
    verdict = judge(runs_table({"1x8d": [8.0] * 10, "2x5d": [7.0] * 10}))
    assert (verdict.verdict, verdict.scale.seeds) == ("inconclusive", (1, 1))
    assert verdict.to_json()["comparisons"][0]["interval"] is None
    assert (
        "All 10 runs of 1x8d are the same: a seed that changes nothing is one run, and they count as one."
        in verdict.notes
    )


def test_the_same_seed_gives_the_same_verdict_and_another_only_another_bootstrap() -> None:
    table = answers({"1x8d": 9.0, "2x5d": 8.0})
    assert judge(table, seed=1).to_json() == judge(table, seed=1).to_json()
    other, first = (judge(table, seed=seed).comparisons[0] for seed in (2, 1))
    assert other.bootstrap_interval != first.bootstrap_interval
    assert other.interval == first.interval


@pytest.mark.parametrize("table", [answers({"1x8d": 9.0, "2x5d": 8.0}), study(gain=0.2, deviation=0.4)])
def test_the_order_of_the_rows_does_not_matter(table: pd.DataFrame) -> None:
    shuffled = table.sample(frac=1, random_state=4)
    assert judge(shuffled).to_json() == judge(table).to_json()


@pytest.mark.parametrize(
    "table",
    [
        answers({"1x8d": 9.0, "2x5d": 8.0}),
        spend_table(0.2, 0.4, base=11.0, multiply_adds=[100, 101, 99, 50], seconds=[1 / 3, 2 / 3, 0.7, 0.1]),
        study(),
        study().assign(fold=lambda table: table.seed % 5, validation_images=200),
        study_table(
            runs_table({"1x8d": errors_with(9, 0.2, 12), "2x5d": [8.0] * 11 + [None], "finalist-0001": [7.0] * 12})
        ),
    ],
)
def test_a_table_read_from_csv_gives_the_same_json(table: pd.DataFrame) -> None:
    again = pd.read_csv(StringIO(table.to_csv(index=False)))
    assert json.dumps(judge(again).to_json()) == json.dumps(judge(table).to_json())


@pytest.mark.parametrize(
    "table",
    [
        study(),
        study(gain=0.2, deviation=0.4),
        runs_table({"4x64d": [3.89], "8x64d": [3.97]}),
        runs_table({"1x64d": errors_with(9, 0.1, 10), "4x24d": errors_with(8, 0.1, 10, 1), "32x4d": [8.4] * 10}),
        runs_table({"1x64d": [9.0] * 10, "4x24d": [8.0] * 10, "32x4d": [8.4] * 10}),
    ],
)
def test_the_json_has_plain_values_and_no_nan(table: pd.DataFrame) -> None:
    verdict = judge(table)
    plain: dict[str, Any] = json.loads(json.dumps(verdict.to_json(), allow_nan=False))
    assert list(plain)[:4] == ["verdict", "kind", "claimant", "margin"]
    assert plain == verdict.to_json()


def test_a_whole_study_is_judged_by_what_it_confirmed() -> None:
    finalist = runs_table({"finalist-0012": errors_with(7.0, 0.1, 10, 9)}).assign(phase="confirm", state="completed")
    table = study(multiply_adds=[100, 101, 100, 50], data=["digits"] * 4, epochs=[12] * 4)
    verdict = judge(pd.concat([table, finalist], ignore_index=True))
    assert verdict.verdict == "supported"
    assert [arm.arm for arm in verdict.arms] == ["cardinality", "base", "depth", "width"]
    assert [one.arm for one in verdict.finalists] == ["finalist-0012"]
    assert [(one.claimant, one.rival) for one in verdict.bought] == [
        ("cardinality", "base"),
        ("depth", "base"),
        ("width", "base"),
    ]
    # the base costs half, and the claim is not about it
    assert (verdict.scale.data, verdict.scale.epochs, verdict.scale.multiply_adds) == ("digits", 12, (100, 101))


def test_a_study_that_has_confirmed_nothing_is_invalid_for_every_reason_at_once() -> None:
    table = tuned_twice(study_table(spend_table(base=11.0), curves={"depth": (1, 2, 3, 4, 5)}))
    table = table.assign(trial=range(len(table)))
    verdict = judge(table[table.phase != "confirm"])
    assert (verdict.verdict, verdict.kind, verdict.direction) == ("invalid", "spend", None)
    assert verdict.reasons == (
        "The best learning rate of depth, 0.01, is the lowest of 5 tried: a better one may lie outside.",
        "No run of an arm confirms anything yet: there are no test errors to compare.",
    )
    json.dumps(verdict.to_json(), allow_nan=False)


@pytest.mark.parametrize("arms", [[], ["cardinality"], ["cardinality", "base"], ["cardinality", "cardinality-x4"]])
def test_a_study_whose_arms_are_not_all_there_yet_is_invalid(arms: list[str]) -> None:
    table = study_table(runs_table({arm: [8.0] for arm in ["x", *arms]}))
    table = table[table.arm.isin(arms) & table.phase.eq("tune")].assign(trial=0)
    verdict = judge(table)
    assert (verdict.verdict, verdict.kind, verdict.claimant, verdict.arms) == ("invalid", None, None, ())
    json.dumps(verdict.to_json(), allow_nan=False)


def test_anyones_spend_without_a_rival_is_refused() -> None:
    table = runs_table({"cardinality": errors_with(8.0, 0.1, 10), "base": errors_with(11.0, 0.1, 10)})
    with pytest.raises(UsageError, match="arm: only base, cardinality; cardinality needs a rival that costs the same"):
        judge(table)
    assert judge(table, rules=1).verdict == "supported"  # as it always was


def test_anyones_table_may_have_phases_and_unequal_seeds() -> None:
    """A study's own has a column `trial`, and is refused."""
    table = study()
    fewer = table[~(table.phase.eq("confirm") & table.arm.eq("width") & table.seed.eq(9))]
    verdict = judge(fewer)
    assert verdict.verdict != "invalid"
    assert "The arms do not have the same seeds: they are compared as independent runs." in verdict.notes
    own = judge(fewer.assign(trial=range(len(fewer))))
    assert own.reasons == ("Unequal seeds: width has no run with 1 of the 10 seeds.",)


def test_a_failed_run_leaves_out_its_seed_and_a_note_says_so() -> None:
    table = study(runs=11)
    row = table.index[(table.phase == "confirm") & (table.arm == "width")][0]
    table.loc[row, ["state", "test_error"]] = ["failed", None]
    verdict = judge(table)
    assert verdict.verdict == "supported"
    assert [arm.runs for arm in verdict.arms] == [10] * 4
    assert "1 of 11 seeds left out for all arms: a run failed on them." in verdict.notes


def test_what_the_first_rules_say_is_no_part_of_the_second_and_back() -> None:
    first = judge(study(), rules=1)
    assert (first.rules, first.direction, first.bought, first.further) == (1, None, (), ())
    assert (first.advice, first.runner_up, first.without_a_seed, first.bend) == (None, None, (), None)
    assert judge(study()).verdict == judge(study(), looks=Looks((10,))).verdict


@pytest.mark.parametrize(
    "options",
    [{"margin": 0.0}, {"margin": math.nan}, *({"tolerance": share} for share in (-0.01, 0.03, 2, "3%", "two"))],
)
def test_a_margin_or_tolerance_that_makes_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(
        UsageError, match=r"allowed: a margin above 0, up to 100, and a tolerance from 0 to 2%, such as 2% or 0\.02"
    ):
        judge(spend_table(), **options)


def test_a_tolerance_is_written_as_in_a_study_file() -> None:
    table = spend_table(multiply_adds=[1015, 1000, 1000])
    assert judge(table, tolerance="2%").to_json() == judge(table, tolerance=0.02).to_json() == judge(table).to_json()
    assert judge(table, tolerance="1 %").verdict == "invalid"


@pytest.mark.parametrize("name", ["finalist-0012", "runner-up-width"])
def test_what_is_no_arm_cannot_be_the_claimant(name: str) -> None:
    table = study_table(pd.concat([spend_table(), runs_table({name: [7.0] * 10})]))
    with pytest.raises(UsageError, match=f"claimant '{name}' is no arm of these runs; allowed: cardinality, depth"):
        judge(table, claimant=name)


def test_the_text_has_tables_of_what_the_budget_buys_and_of_multiples() -> None:
    means = {"cardinality": 8.0, "cardinality-x4": 9.5, "depth": 8.6, "width": 8.6, "base": 11.0}
    drawn = {arm: errors_with(mean, 0.1, 10, place) for place, (arm, mean) in enumerate(means.items())}
    text = verdict_text(judge(tuned_twice(study_table(runs_table(drawn)))))
    titles = [line for line in text.splitlines() if line.endswith("):")]
    assert titles == [
        "Arms (test error in percent):",
        "Differences (points; positive: fewer errors):",
        "What the budget buys over the base (points; positive: fewer errors):",
        "Still more groups (points; p corrected for their number; no part of the word):",
    ]
    header = next(line for line in text.splitlines() if "of it tuning" in line)
    assert header.split("  ")[-1] == "bootstrap 95 %"
    assert "median" in header


def test_the_verdict_is_a_name_of_the_room() -> None:
    assert resnext_search.results.judge is judge
    assert resnext_search.results.Verdict is Verdict
    with pytest.raises(AttributeError, match=r"module 'resnext_search\.results' has no attribute 'Opinion'"):
        _ = resnext_search.results.Opinion


def test_of_two_spaces_the_networks_are_the_sample() -> None:
    """Errors of SD 0.5 exactly: the standard error of the difference is 0.5 sqrt(2 / 12), and the rest is tuning."""
    verdict = judge(space_table(gain=2.0), margin=0.5)
    assert (verdict.verdict, verdict.kind, verdict.claimant) == ("supported", "spaces", "more groups")
    [one] = verdict.comparisons
    assert one.rival == "one group"
    assert one.difference == pytest.approx(2.0)
    own = one.standard_error**2 - one.tuning_error**2
    assert own**0.5 == pytest.approx(0.5 * (2 / 12) ** 0.5)
    assert [(arm.arm, arm.runs, arm.multiply_adds, arm.architecture) for arm in verdict.arms] == [
        ("more groups", 12, 996, None),  # 990 to 1,001
        ("one group", 12, 1006, None),
    ]
    assert "12 networks a space, more groups beats one group: surely, by at least the margin" in verdict.reasons[0]
    assert any("other networks of the spaces" in note for note in verdict.notes)
    assert not any("same seeds" in note for note in verdict.notes)


def test_the_distributions_of_two_spaces_stand_beside_the_word() -> None:
    verdict = judge(space_table(gain=5.0), margin=0.5)
    assert verdict.distributions is not None
    assert (verdict.distributions.first.name, verdict.distributions.distance) == ("more groups", 1.0)
    assert "the distributions of the test error differ by at most 100 % of the networks" in " ".join(verdict.reasons)
    text = verdict_text(verdict)
    assert "Distributions (test error in percent that a share of the networks does not exceed):" in text
    assert re.search(r"more groups +50% +8\.\d\d +7\.\d\d to 8\.\d\d", text)
    assert json.loads(json.dumps(verdict.to_json()))["distributions"]["second"]["count"] == 12


def test_the_space_that_a_study_names_last_is_the_claimant_and_the_order_of_rows_changes_nothing() -> None:
    table = space_table(gain=2.0)
    shuffled = table.sample(frac=1, random_state=3)
    assert judge(shuffled, margin=0.5).to_json() == judge(table, margin=0.5).to_json()
    [one] = judge(table, margin=0.5, claimant="one group").comparisons
    assert one.difference == pytest.approx(-2.0)
    assert judge(table, margin=0.5, claimant="one group").verdict == "contradicted"


def test_a_network_that_was_trained_twice_is_no_sample_of_its_space() -> None:
    table = space_table()
    with pytest.raises(UsageError, match="one group/003: 2 runs"):
        judge(pd.concat([table, table[table.arm == "one group/003"].assign(seed=999, trial=99)]))


def test_spaces_whose_networks_cost_differently_on_average_are_no_fair_comparison() -> None:
    table = space_table()
    table.loc[table.arm.str.startswith("more groups/0"), "multiply_adds"] += 60
    verdict = judge(table)
    assert verdict.verdict == "invalid"
    assert "more groups costs +5.0 % against one group (1,056 and 1,006 multiply-adds)" in verdict.reasons[0]


def test_a_space_whose_best_rate_is_at_the_edge_or_that_was_tuned_less_is_no_fair_comparison() -> None:
    table = space_table()
    more = table.arm.str.startswith("more groups/t")
    edge = table.assign(validation_error=table.validation_error.where(~more, 9 - table.learning_rate))
    assert "The best learning rate of more groups, 1, is the highest of 5 tried" in judge(edge).reasons[0]
    assert "Unequal tuning: more groups 10, one group 15 trials." in judge(table[table.arm != "more groups/t2"]).reasons


def test_a_space_without_an_ended_run_is_waited_for() -> None:
    table = space_table()
    table.loc[table.arm.str.startswith("more groups/0"), ["state", "test_error"]] = ["running", None]
    verdict = judge(table)
    assert verdict.verdict == "invalid"
    assert "12 of 12 runs of more groups have not ended (running 12)." in verdict.reasons


def test_a_study_of_spaces_of_which_nothing_has_ended_yet_lacks_its_runs() -> None:
    table = space_table()
    waiting = table[table.phase == "tune"].assign(state="queued", validation_error=None, test_error=None)
    verdict = judge(waiting)
    assert verdict.verdict == "invalid"
    assert verdict.distributions is None
    assert "Tuning of more groups is not complete: 15 of 15 trials have not ended." in verdict.reasons
