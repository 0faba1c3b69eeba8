"""Which word runs get by the second rules, and every sentence that comes with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from resnext_search.results.verdict.answer import Looks
from resnext_search.results.verdict.outcome import Verdict
from resnext_search.results.verdict.text import verdict_text
from resnext_search.results.verdict.verdict import judge

from tests.support.tables import answers_table, errors_with, runs_table, spend_table, study_table, tuned_twice

FACTS = {"multiply_adds": [2000, 2000, 2000, 1000], "epochs": [12] * 4, "data": ["digits"] * 4}
SCALE = "On digits, at 2,000 multiply-adds, 12 epochs and 10 seeds an arm, "
MARGIN = "the margin of 0.3 points"
NOT_COVERED = "the tuning of the arms is not covered"


def study(gain: float = 0.6, deviation: float = 0.1, base: float | None = 11.0, **means: float) -> pd.DataFrame:
    """A whole study, tuned in two rounds; with other mean errors of some arms."""
    facts = FACTS if base else {name: values[:3] for name, values in FACTS.items()}
    table = spend_table(gain, deviation, base=base, **facts)
    for arm, mean in means.items():
        table.loc[table.arm == arm, "test_error"] += mean - table.test_error[table.arm == arm].mean()
    return tuned_twice(study_table(table))


def first_sentence(verdict: Verdict) -> str:
    return verdict.reasons[0].removeprefix(SCALE)


def test_a_claim_that_is_supported() -> None:
    verdict = judge(study())
    assert (verdict.verdict, verdict.direction, verdict.rules, verdict.look) == ("supported", "better", 2, 1.0)
    assert verdict.reasons == (
        f"{SCALE}cardinality beats depth and width: surely, by at least {MARGIN}.",
        "cardinality errs 0.60 points less than depth (95 % interval 0.49 to 0.71; surely better), 20 % of "
        "what it gains on the base.",
        "cardinality errs 0.60 points less than width (95 % interval 0.50 to 0.70; surely better), 20 % of "
        "what it gains on the base.",
    )
    assert (verdict.advice, verdict.seeds_needed) == (None, None)
    assert verdict.without_a_seed == ("supported",) * 10


@pytest.mark.parametrize(
    ("table", "word", "sentence"),
    [
        (
            study(0.0),
            "no practical difference",
            f"cardinality differs from depth and width by less than {MARGIN}, surely.",
        ),
        (study(-0.6), "contradicted", f"cardinality loses to depth and width: surely, by at least {MARGIN}."),
        (study(0.6, width=7.0), "contradicted", f"cardinality loses to width: surely, by at least {MARGIN}."),
        (
            study(0.6, width=8.0),
            "partly supported",
            f"cardinality beats depth by at least {MARGIN}, surely, but not all of depth and width.",
        ),
        (
            study(0.6, width=8.3),
            "partly supported",
            f"cardinality beats depth by at least {MARGIN}, surely, but not all of depth and width; "
            "cardinality surely errs less than depth and width, by how much is open.",
        ),
        (
            study(0.6, width=11.0),
            "partly supported",
            f"cardinality beats depth by at least {MARGIN}, surely, and width too, which is not surely better than "
            "the base.",
        ),
        (
            study(0.6, base=None),
            "partly supported",
            f"cardinality beats depth and width by at least {MARGIN}, surely, but no arm `base` shows that depth and "
            "width err less than what they came from.",
        ),
        (
            study(0.3),
            "inconclusive",
            f"the runs do not settle whether cardinality errs less than depth and width by at least {MARGIN}; "
            "cardinality surely errs less than depth and width, by how much is open.",
        ),
        (
            study(0.3, width=7.7),
            "inconclusive",
            f"the runs do not settle whether cardinality errs less than depth and width by at least {MARGIN}; "
            "cardinality surely errs more than one of depth and width, by how much is open.",
        ),
        (
            study(0.3, deviation=1.0),
            "inconclusive",
            f"the runs do not settle whether cardinality errs less than depth and width by at least {MARGIN}.",
        ),
    ],
)
def test_the_first_sentence_of_every_answer(table: pd.DataFrame, word: str, sentence: str) -> None:
    verdict = judge(table)
    assert verdict.verdict == word
    assert first_sentence(verdict) == sentence


def test_without_a_base_there_is_no_word_that_its_sentence_could_not_name_a_rival_for() -> None:
    """Each gain is sure at 5 % by itself and not for two, and without a base nothing is supported."""
    for gain in (0.36, 0.365, 0.37, 0.375, 0.38):
        verdict = judge(study(gain, base=None))
        beaten = [one for one in verdict.comparisons if one.p_gain_holm <= 0.05]
        assert verdict.verdict == ("partly supported" if beaten else "inconclusive")
        assert "beats  by" not in verdict.reasons[0]


def test_the_scale_is_said_once_and_with_the_answer() -> None:
    for gain, deviation in ((0.6, 0.1), (0.0, 0.1), (-0.6, 0.1), (0.2, 0.4), (0.3, 2.0)):
        text = verdict_text(judge(study(gain, deviation)))
        assert text.split("\n\n")[1].startswith(SCALE)
        assert text.count("multiply-adds, 12 epochs and") == 1


def trade(*means: float, deviation: float = 0.1) -> pd.DataFrame:
    arms = ("1x64d", "4x24d", "32x4d")
    return runs_table(
        {
            arm: errors_with(mean, deviation, 10, place)
            for place, (arm, mean) in enumerate(zip(arms, means, strict=True))
        }
    )


@pytest.mark.parametrize(
    ("means", "word", "sentence"),
    [
        ((9.0, 8.5, 8.0), "supported", f"more groups err less: surely, by at least {MARGIN}."),
        ((8.0, 8.5, 9.0), "contradicted", f"more groups err more: surely, by at least {MARGIN}."),
        ((8.0, 8.0, 8.0), "no practical difference", f"more groups change the error by less than {MARGIN}, surely."),
        (
            (9.0, 8.0, 8.4),
            "partly supported",
            f"4x24d and 32x4d beat 1x64d by at least {MARGIN}, surely, but the largest C surely errs more than 4x24d.",
        ),
        (
            (8.3, 8.2, 8.0),
            "inconclusive",
            f"the runs do not settle whether more groups err less by at least {MARGIN}; the error surely falls with "
            "more groups, by how much is open.",
        ),
    ],
)
def test_the_first_sentence_of_a_trade(means: tuple[float, ...], word: str, sentence: str) -> None:
    verdict = judge(trade(*means))
    assert verdict.verdict == word
    assert verdict.reasons[0].partition(NOT_COVERED)[1]
    assert verdict.reasons[1] == sentence


def test_a_trade_tells_its_trend_first_and_its_best_c_last() -> None:
    verdict = judge(trade(9.0, 8.0, 8.4))
    _, _, trend, *_, best = verdict.reasons
    assert "the test error falls by 0.5" in trend
    assert "along the line over log2 C (95 % interval" in trend
    assert verdict.bend is not None
    low, high = verdict.bend.best_interval
    assert best.endswith(
        f"4x24d errs least: {low:.2f} to {high:.2f} points less than 1x64d (95 %, together with all other C)."
    )
    assert "The largest C surely errs more than 4x24d: more groups are not always better." in verdict.notes


def test_multiples_of_the_claimants_groups_stand_beside_the_word() -> None:
    means = {"cardinality": 8.0, "cardinality-x4": 9.5, "depth": 8.6, "width": 8.6, "base": 11.0}
    drawn = {arm: errors_with(mean, 0.1, 10, place) for place, (arm, mean) in enumerate(means.items())}
    verdict = judge(runs_table(drawn))
    assert verdict.verdict == "supported"
    assert [(one.claimant, one.rival, round(one.difference, 6)) for one in verdict.further] == [
        ("cardinality-x4", "depth", -0.9),
        ("cardinality-x4", "width", -0.9),
    ]
    assert not any("x4" in reason for reason in verdict.reasons)


def test_fewer_than_ten_seeds_are_too_few_whatever_they_say() -> None:
    verdict = judge(spend_table(0.6, runs=9, base=11.0))
    assert (verdict.verdict, verdict.direction) == ("inconclusive", None)
    assert verdict.reasons[1].startswith(
        "there are too few runs for a verdict, which takes 10 seeds an arm: cardinality has 9 runs and lacks 1; "
        "base has 9 runs and lacks 1; "
    )
    assert verdict.advice is not None
    assert verdict.advice.gain.seeds == 10
    assert judge(spend_table(0.6, runs=2, base=11.0)).advice is None  # no pilot


def test_an_inconclusive_verdict_says_two_numbers_of_seeds() -> None:
    verdict = judge(study(0.2, deviation=0.4))
    assert verdict.advice is not None
    gain, nothing = verdict.advice.gain, verdict.advice.no_difference
    assert verdict.seeds_needed == gain.seeds
    assert verdict.reasons[-2:] == (
        f"For a true gain of 0.6 points, two margins, to be found in 80 % of studies: about {gain.seeds} "
        f"seeds ({gain.low} to {gain.high}, as uncertain as the spread of these runs) an arm.",
        f"For `no practical difference` to be found in 80 % of studies where nothing differs: about "
        f"{nothing.seeds} seeds ({nothing.low} to {nothing.high}, as uncertain as the spread of these runs) an arm.",
    )
    assert gain.low is not None
    assert gain.seeds is not None
    assert gain.high is not None
    assert 10 < gain.low < gain.seeds < gain.high


def test_where_tuning_is_what_is_uncertain_more_of_it_is_the_answer() -> None:
    table = study(0.3)
    noise = np.random.default_rng(0).normal(0, 0.6, len(table))
    table["validation_error"] += np.where(table.phase.eq("tune") & table.seed.gt(3), noise, 0)
    verdict = judge(table)
    assert verdict.verdict == "inconclusive"
    assert verdict.advice is not None
    assert verdict.advice.tuning_times is not None
    assert (
        f"no number of seeds is enough, but {verdict.advice.tuning_times} times as many seeds of tuning "
        "(claim.tuning_seeds) would be: the arms' learning rates are too uncertain."
    ) in verdict.reasons[-2]
    assert any("is the choice of their learning rates" in note for note in verdict.notes)


@pytest.mark.parametrize(
    ("deviation", "examples", "why"),
    [(15.0, 0, "runs of one arm differ too much"), (0.0, 100, "the test images are too few")],
)
def test_where_nothing_would_be_enough_the_reason_is_given(deviation: float, examples: int, why: str) -> None:
    """Of the images: two arms with hardly any spread between seeds that disagree on 36 of them, 18 each way."""
    if examples:
        wrong = np.zeros((2, 10, examples), bool)
        wrong[0, :, :18] = wrong[1, :, 18:36] = True
        for seed in range(10):  # each fails on another one of the last images
            wrong[:, seed, -seed - 1] = True
        table = answers_table({"a": wrong[0], "b": wrong[1]})
    else:
        table = runs_table({"a": errors_with(50, deviation, 10, 1), "b": errors_with(50, deviation, 10, 2)})
    verdict = judge(table, claimant="a", margin=1.0)
    assert verdict.verdict == "inconclusive"
    assert (verdict.seeds_needed, verdict.advice is not None) == (None, True)
    assert verdict.reasons[-2].endswith(f"no number of seeds is enough: {why}.")


def folded(runs: int) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    table = answers_table({arm: generator.random((runs, 40)) < 0.3 for arm in ("a", "b")})
    return table.assign(fold=table.seed % 5)


def test_of_one_run_a_fold_no_spread_is_known_and_so_no_number_of_seeds() -> None:
    assert judge(folded(5), claimant="a").advice is None
    assert judge(folded(10), claimant="a").advice is not None


def with_runner_ups(table: pd.DataFrame, shifts: dict[str, float]) -> pd.DataFrame:
    """Three seeds of every arm at its second best rate, where it errs so much more."""
    rows = table[table.phase.eq("confirm") & table.arm.isin(list(shifts)) & table.seed.lt(3)]
    second = rows.assign(test_error=rows.test_error + rows.arm.map(shifts), learning_rate=0.2)
    return pd.concat([table, second.assign(arm="runner-up-" + rows.arm)], ignore_index=True)


def test_the_word_at_the_second_best_rates() -> None:
    table = with_runner_ups(study(), {"cardinality": 0.5, "depth": -0.1, "width": 0.0})
    verdict = judge(table)
    assert verdict.verdict == "supported"
    assert [arm.arm for arm in verdict.arms] == ["cardinality", "base", "depth", "width"]
    assert verdict.runner_up is not None
    assert verdict.runner_up.seeds == 3
    assert verdict.runner_up.shifts == pytest.approx({"cardinality": 0.5, "depth": -0.1, "width": 0.0})
    assert verdict.runner_up.word == "no practical difference"
    assert any("with that on all seeds the word would be `no practical difference`" in note for note in verdict.notes)
    assert judge(with_runner_ups(study(), {"cardinality": 0.5})).runner_up is None


def test_a_single_seed_that_makes_the_word_is_noted() -> None:
    table = study()
    table.loc[table.phase.eq("confirm") & table.arm.eq("width") & table.seed.eq(3), "test_error"] -= 3.0
    verdict = judge(table)
    assert verdict.verdict == "partly supported"
    assert verdict.without_a_seed.count("supported") == 1
    assert verdict.without_a_seed[3] == "supported"
    assert "Single runs make the word: of 10 seeds, it would be `supported` without any of 1." in verdict.notes


@pytest.mark.parametrize(
    ("looks", "look"),
    [
        (Looks(), 1.0),
        (Looks((10,), (10,)), 1.0),
        (Looks((10, 20, 40)), 0.95 / 16),
        (Looks((5, 10), (5,)), 0.8263),  # as in tests of looks
        (Looks((20, 40)), 0.2375),  # no look of the plan: as the next one
    ],
)
def test_a_look_of_a_plan_may_spend_its_share(looks: Looks, look: float) -> None:
    assert judge(study(), looks=looks).look == pytest.approx(look, abs=1e-4)


def test_a_look_stays_planned_when_a_run_fails() -> None:
    """One of twelve seeds is left out: eleven are no look of the plan, and the whole error was never to be spent."""
    table = tuned_twice(study_table(spend_table(0.6, runs=12, base=11.0)))
    row = table.index[table.phase.eq("confirm") & table.arm.eq("width")][0]
    table.loc[row, ["state", "test_error"]] = ["failed", None]
    verdict = judge(table, looks=Looks((12, 24)))
    assert verdict.scale.seeds == (11, 11)
    assert verdict.look == pytest.approx(0.2375, abs=1e-4)
    assert any(note.startswith("Look 1 of 2, planned at 12 and 24 seeds") for note in verdict.notes)


def test_an_early_look_needs_more_for_the_same_word() -> None:
    table = study(0.5, deviation=0.15)
    assert judge(table).verdict == "supported"
    early = judge(table, looks=Looks((10, 1000)))
    assert early.verdict == "inconclusive"
    assert any(note.startswith("Look 1 of 2, planned at 10 and 1000 seeds") for note in early.notes)


def test_seeds_that_were_added_without_a_plan_are_noted_with_their_cost() -> None:
    verdict = judge(study(), looks=Looks((5,), (5,)))
    assert (verdict.verdict, verdict.look) == ("supported", 1.0)
    [note] = [note for note in verdict.notes if "not planned" in note]
    assert note.startswith(
        "This look was not planned: the runs were judged at 5 and 10 seeds, and where nothing differs "
    )


def test_the_first_sentence_says_whether_the_tuning_is_covered() -> None:
    def first(table: pd.DataFrame, **options: Any) -> str:
        return judge(table, **options).reasons[0]

    assert first(spend_table(0.6, base=11.0)).startswith(
        f"On data not named, at FLOPs not given, epochs not given and 10 seeds an arm, {NOT_COVERED}: without tuning "
    )
    assert NOT_COVERED not in first(study())
    assert NOT_COVERED not in "".join(judge(spend_table(0.6), rules=1).reasons)
