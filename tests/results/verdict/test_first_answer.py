"""Whole verdicts by the first rules, as studies have them that were begun under those."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd
import pytest
from resnext_search.results.verdict.text import verdict_text
from resnext_search.results.verdict.verdict import Verdict
from resnext_search.results.verdict.verdict import judge as judge_by
from resnext_search.spaces.errors import UsageError

from tests.support.tables import answers_table, errors_with, runs_table, spend_table, study_table

# RegNet's Table 3 (Radosavovic et al. 2020, arXiv:2003.13678), 50 layers, five runs each: mean and SD.
REGNET_50 = {"1x64d-50": errors_with(23.2, 0.09, 5, 1), "32x4d-50": errors_with(21.9, 0.10, 5, 2)}
RESNET_50, RESNEXT_50 = 4_089_185_256, 4_230_480_872


def judge(table: pd.DataFrame, **options: Any) -> Verdict:
    """By the first rules."""
    return judge_by(table, rules=1, **options)


def answers(errors: dict[str, float], seeds: int = 6, examples: int = 800) -> pd.DataFrame:
    """Runs whose answers agree on most images: an image is wrong where its difficulty exceeds a run's skill."""
    generator = np.random.default_rng(3)
    difficulty = generator.random(examples)
    wrong = {
        arm: difficulty + generator.normal(0, 0.02, (seeds, examples)) > 1 - error / 100
        for arm, error in errors.items()
    }
    return answers_table(wrong)


def test_regnets_runs_support_a_trade_whose_match_was_not_shown() -> None:
    verdict = judge(runs_table(REGNET_50))
    assert (verdict.verdict, verdict.kind, verdict.claimant) == ("supported", "trade", "32x4d-50")
    [one] = verdict.comparisons
    assert one.difference == pytest.approx(1.3)
    assert verdict.trend is not None
    assert verdict.trend.difference == pytest.approx(1.3)
    assert "The match of FLOPs was not shown: no multiply-adds were given." in verdict.notes
    assert "at FLOPs not given" in verdict_text(verdict)
    assert [(arm.runs, round(arm.test_error, 6), round(arm.deviation, 6)) for arm in verdict.arms] == [
        (5, 23.2, 0.09),
        (5, 21.9, 0.1),
    ]


def test_regnets_runs_are_invalid_with_their_flops() -> None:
    verdict = judge(runs_table(REGNET_50, multiply_adds=[RESNET_50, RESNEXT_50]))
    assert verdict.verdict == "invalid"
    assert verdict.reasons == (
        "FLOPs do not match: 32x4d-50 costs +3.5 % against 1x64d-50 (4,230,480,872 and 4,089,185,256 multiply-adds); "
        "allowed: 2 % either way.",
    )


def test_three_runs_against_one_are_too_few() -> None:
    """As hysts/pytorch_image_classification has them: 4x64d 3.89, the median of three, and 8x64d 3.97, one run."""
    verdict = judge(runs_table({"4x64d": [3.85, 3.89, 3.95], "8x64d": [3.97]}))
    assert verdict.verdict == "inconclusive"
    assert verdict.seeds_needed == 5
    assert verdict.reasons == (
        "On data not named, at FLOPs not given, epochs not given and 1 to 3 seeds an arm, there are too few runs for a "
        "verdict, which takes 5 seeds an arm: 4x64d has 3 runs and lacks 2; 8x64d has 1 run and lacks 4.",
    )
    assert verdict.to_json()["comparisons"][0]["interval"] is None


def test_a_pilot_says_how_many_seeds_more() -> None:
    wide = spend_table(gain=0.5, deviation=0.4, runs=4)
    verdict = judge(wide)
    assert verdict.verdict == "inconclusive"
    assert verdict.seeds_needed is not None
    assert verdict.seeds_needed > 5
    assert verdict.reasons[1].endswith(
        f"about {verdict.seeds_needed} seeds an arm would settle it: a true gain of 0.6 points, two margins, is then "
        "found in 80 % of studies."
    )


@pytest.mark.parametrize(
    ("gain", "word"), [(0.6, "supported"), (0.0, "no practical difference"), (-0.6, "contradicted")]
)
def test_gains_of_a_spend(gain: float, word: str) -> None:
    verdict = judge(spend_table(gain))
    assert (verdict.verdict, verdict.kind, verdict.claimant) == (word, "spend", "cardinality")
    assert [one.rival for one in verdict.comparisons] == ["depth", "width"]
    assert verdict.trend is None
    assert verdict.seeds_needed is None


def test_a_spend_that_beats_one_rival_is_partly_supported() -> None:
    table = spend_table(0.6)
    table.loc[table.arm == "width", "test_error"] -= 0.5
    verdict = judge(table)
    assert verdict.verdict == "partly supported"
    assert verdict.reasons[0].endswith("cardinality beats depth, but not all of depth and width.")


def test_a_wide_spread_is_inconclusive_and_says_what_would_settle_it() -> None:
    verdict = judge(spend_table(0.2, deviation=0.4))
    assert verdict.verdict == "inconclusive"
    assert verdict.seeds_needed is not None
    assert verdict.seeds_needed > 10
    assert f"about {verdict.seeds_needed} seeds an arm would settle it" in verdict.reasons[-1]


@pytest.mark.parametrize(
    ("gain", "deviation", "why"),
    [
        (0.3, 2.0, "runs of one arm differ so much"),
        (0.29, 0.15, "the difference, if there is one, probably lies near the margin or below it"),
    ],
)
def test_where_more_seeds_would_not_settle_it_the_reason_is_given(gain: float, deviation: float, why: str) -> None:
    verdict = judge(spend_table(gain, deviation))
    assert verdict.verdict == "inconclusive"
    assert verdict.seeds_needed is None
    assert why in verdict.reasons[-1]


@pytest.mark.parametrize(
    ("examples", "why"), [(100, "the test images are too few"), (800, "most of what is uncertain are the test images")]
)
def test_too_few_test_images_are_named(examples: int, why: str) -> None:
    """Two arms with hardly any spread between seeds that disagree on 36 images, 18 each way."""
    wrong = np.zeros((2, 5, examples), bool)
    wrong[0, :, :18] = wrong[1, :, 18:36] = True
    for seed in range(5):  # each fails on another one of the last images
        wrong[:, seed, -seed - 1] = True
    verdict = judge(answers_table({"a": wrong[0], "b": wrong[1]}), claimant="a", margin=1.0)
    assert verdict.verdict == "inconclusive"
    assert verdict.seeds_needed is None
    assert why in verdict.reasons[-1]


def test_three_cardinalities_are_a_trend() -> None:
    drawn = {
        "1x64d": errors_with(9.0, 0.1, 8, 1),
        "4x24d": errors_with(8.4, 0.1, 8, 2),
        "16x8d": errors_with(8.0, 0.1, 8, 3),
    }
    verdict = judge(runs_table(drawn))
    assert verdict.verdict == "supported"
    assert [one.claimant for one in verdict.comparisons] == ["4x24d", "16x8d"]
    assert verdict.trend is not None
    assert verdict.trend.difference == pytest.approx(1.0)
    assert [arm.arm for arm in verdict.arms] == ["1x64d", "4x24d", "16x8d"]


def test_a_claimant_of_choice_is_compared_with_all_others() -> None:
    verdict = judge(spend_table(0.6), claimant="width")
    assert (verdict.verdict, verdict.kind, verdict.claimant) == ("contradicted", "pair", "width")


def test_identical_runs_have_no_practical_difference() -> None:
    verdict = judge(runs_table(dict.fromkeys(("1x8d", "2x5d"), errors_with(8.0, 0.1, 5))))
    assert verdict.verdict == "no practical difference"
    assert verdict.comparisons[0].interval == (0.0, 0.0)
    table = answers({"1x8d": 8.0})
    same = judge(pd.concat([table, table.assign(arm="2x5d")]))
    assert same.verdict == "no practical difference"
    assert same.comparisons[0].bootstrap_interval == (0.0, 0.0)
    assert same.comparisons[0].probability == 0.5


def test_recognised_images_widen_the_intervals() -> None:
    table = answers({"1x8d": 9.0, "2x5d": 8.0})
    with_images, without = judge(table), judge(table.drop(columns="correct"))
    assert with_images.comparisons[0].difference == pytest.approx(without.comparisons[0].difference)
    assert with_images.comparisons[0].example_error > 0
    assert with_images.scale.test_examples == 800
    assert without.to_json()["comparisons"][0]["example_error"] is None


def test_the_same_seed_gives_the_same_verdict_and_another_only_another_bootstrap() -> None:
    table = answers({"1x8d": 9.0, "2x5d": 8.0})
    assert judge(table, seed=1).to_json() == judge(table, seed=1).to_json()
    other, first = (judge(table, seed=seed).comparisons[0] for seed in (2, 1))
    assert other.bootstrap_interval != first.bootstrap_interval
    assert other.interval == first.interval


@pytest.mark.parametrize("table", [answers({"1x8d": 9.0, "2x5d": 8.0}), study_table(spend_table(0.2, 0.4))])
def test_the_order_of_the_rows_does_not_matter(table: pd.DataFrame) -> None:
    shuffled = table.sample(frac=1, random_state=4)
    assert judge(shuffled).to_json() == judge(table).to_json()


@pytest.mark.parametrize(
    "table",
    [
        answers({"1x8d": 9.0, "2x5d": 8.0}),
        spend_table(0.2, 0.4, multiply_adds=[100, 101, 99], seconds=[1 / 3, 2 / 3, 0.7]),
        study_table(
            runs_table({"1x8d": errors_with(9, 0.2, 6), "2x5d": [8.0] * 5 + [None], "finalist-0001": [7.0] * 6})
        ),
    ],
)
def test_a_table_read_from_csv_gives_the_same_json(table: pd.DataFrame) -> None:
    again = pd.read_csv(StringIO(table.to_csv(index=False)))
    assert json.dumps(judge(again).to_json()) == json.dumps(judge(table).to_json())


def test_the_json_has_plain_values_and_no_nan() -> None:
    verdict = judge(runs_table({"4x64d": [3.89], "8x64d": []} | {"8x64d": [3.97]}))
    text = json.dumps(verdict.to_json(), allow_nan=False)
    plain: dict[str, Any] = json.loads(text)
    assert list(plain)[:4] == ["verdict", "kind", "claimant", "margin"]
    assert plain == verdict.to_json()
    assert plain["arms"][0] == {
        "arm": "4x64d",
        "architecture": None,
        "runs": 1,
        "test_error": 3.89,
        "interval": None,
        "deviation": None,
        "multiply_adds": None,
        "parameters": None,
        "activations": None,
        "seconds": None,
    }


def test_a_whole_study_is_judged_by_what_it_confirmed() -> None:
    confirmed = spend_table(0.6, multiply_adds=[100, 101, 100], data=["digits"] * 3, epochs=[12] * 3)
    finalist = runs_table({"finalist-0012": errors_with(7.0, 0.1, 10, 9)})
    verdict = judge(study_table(pd.concat([confirmed, finalist])))
    assert verdict.verdict == "supported"
    assert [arm.arm for arm in verdict.arms] == ["cardinality", "depth", "width"]
    [best] = verdict.finalists
    assert (best.arm, best.runs, round(best.test_error, 6)) == ("finalist-0012", 10, 7.0)
    assert best.interval[0] < 7 < best.interval[1]
    assert not any("finalist" in one.rival for one in verdict.comparisons)
    assert (verdict.scale.data, verdict.scale.epochs, verdict.scale.multiply_adds) == ("digits", 12, (100, 101))
    assert "Whether every arm had an equally good learning rate" not in verdict_text(verdict)


def test_a_study_that_has_confirmed_nothing_is_invalid_for_every_reason_at_once() -> None:
    table = study_table(spend_table(), curves={"depth": (1, 2, 3, 4, 5)})
    verdict = judge(table[table.phase != "confirm"])
    assert verdict.verdict == "invalid"
    assert verdict.kind == "spend"
    assert verdict.reasons == (
        "The best learning rate of depth, 0.01, is the lowest of 5 tried: a better one may lie outside.",
        "No run of an arm confirms anything yet: there are no test errors to compare.",
    )
    assert verdict.scale.seeds == (0, 0)
    json.dumps(verdict.to_json(), allow_nan=False)


@pytest.mark.parametrize("rows", [0, 2])
def test_a_study_without_arms_yet_is_invalid(rows: int) -> None:
    verdict = judge(study_table(spend_table()).iloc[:rows])
    assert (verdict.verdict, verdict.kind, verdict.claimant, verdict.arms) == ("invalid", None, None, ())
    assert verdict_text(verdict).startswith(
        "verdict: invalid\n\nOn data not named, at FLOPs not given, epochs not given and 0"
    )
    json.dumps(verdict.to_json(), allow_nan=False)


def test_a_failed_run_leaves_out_its_seed_and_a_note_says_so() -> None:
    table = study_table(spend_table(0.6))
    row = table.index[(table.phase == "confirm") & (table.arm == "width")][0]
    table.loc[row, ["state", "test_error"]] = ["failed", None]
    verdict = judge(table)
    assert verdict.verdict == "supported"
    assert [arm.runs for arm in verdict.arms] == [9, 9, 9]
    assert "1 of 10 seeds left out for all arms: a run failed on them." in verdict.notes


def test_a_claimant_that_costs_more_within_the_tolerance_is_noted() -> None:
    verdict = judge(spend_table(0.6, multiply_adds=[1015, 1000, 1020]))
    assert verdict.verdict == "supported"
    assert verdict.notes[1] == "cardinality costs 1.50 % more FLOPs than depth, which favours it."


@pytest.mark.parametrize("options", [{"margin": 0.0}, {"margin": float("nan")}, {"tolerance": -0.01}])
def test_a_margin_or_tolerance_that_makes_no_sense(options: dict[str, float]) -> None:
    with pytest.raises(
        UsageError, match=r"allowed: a margin above 0, up to 100, and a tolerance from 0 to 2%, such as 2% or 0\.02"
    ):
        judge(spend_table(), **options)


def test_a_finalist_cannot_be_the_claimant() -> None:
    table = study_table(pd.concat([spend_table(), runs_table({"finalist-0012": [7.0] * 10})]))
    with pytest.raises(
        UsageError, match="claimant 'finalist-0012' is no arm of these runs; allowed: cardinality, depth"
    ):
        judge(table, claimant="finalist-0012")
