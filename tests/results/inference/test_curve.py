"""What several budgets say together, in numbers that can be checked by hand, and in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from resnext_search.results.inference.curve import over_budgets
from resnext_search.results.inference.decision import Decision, decide
from resnext_search.results.inference.question import ask
from resnext_search.results.inference.sample import Sample
from resnext_search.results.verdict.verdict import judge

from tests.support.tables import study_table, tuned_twice

ARMS = ["cardinality@2", "width@2", "cardinality@4", "width@4", "cardinality@8", "width@8", "base"]
# Of ten runs: mean 0, standard deviation 0.1.
WAVES = np.array([-1, 1] * 5) * 0.1 * np.sqrt(0.9)


def sample(gains: dict[int, float], base: float = 9.0) -> Sample:
    """Ten runs an arm; the rival of every budget errs so much more, and its waves are its own."""
    question = ask(ARMS)
    errors = []
    for place, arm in enumerate(question.arms):
        way, _, times = arm.rpartition("@")
        mean = base if not way else 8.0 - np.log2(int(times)) + (gains[int(times)] if way == "width" else 0.0)
        errors.append(mean + np.roll(WAVES, place % 2) * (1 + place % 3))
    return Sample(question.arms, tuple(errors), True)


def judged(gains: dict[int, float], margin: float = 0.3) -> Decision:
    return decide(sample(gains), ask(ARMS), margin)


def test_what_is_won_at_every_budget_is_supported_at_each_and_over_all() -> None:
    decision = judged({2: 1.0, 4: 1.0, 8: 1.0})
    assert (decision.word, decision.direction) == ("supported", "better")
    assert [(at.times, at.word, at.direction) for at in decision.budgets] == [
        (2, "supported", "better"),
        (4, "supported", "better"),
        (8, "supported", "better"),
    ]


def test_what_is_won_at_one_budget_is_partly_supported_over_all() -> None:
    decision = judged({2: 0.0, 4: 0.0, 8: 1.5})
    assert (decision.word, decision.direction) == ("partly supported", None)
    nothing = "no practical difference"
    assert [at.word for at in decision.budgets] == [nothing, nothing, "supported"]


def test_what_is_lost_at_one_budget_is_contradicted_over_all() -> None:
    decision = judged({2: 0.0, 4: 0.0, 8: -1.5})
    assert decision.word == "contradicted"
    assert [at.word for at in decision.budgets][-1] == "contradicted"


def test_nothing_that_matters_at_any_budget_is_no_practical_difference() -> None:
    decision = judged({2: 0.0, 4: 0.0, 8: 0.0}, margin=2.0)
    assert decision.word == "no practical difference"
    assert {at.word for at in decision.budgets} == {"no practical difference"}


def test_a_rival_that_is_not_better_than_the_base_makes_no_support() -> None:
    decision = decide(sample({2: 1.0, 4: 1.0, 8: 1.0}, base=7.8), ask(ARMS), 0.3)
    assert decision.unsound == ("width@2",)
    assert decision.word == "partly supported"
    assert [at.word for at in decision.budgets] == ["inconclusive", "supported", "supported"]


def test_the_gain_over_all_budgets_is_the_mean_and_the_slope_that_of_the_line_over_the_doublings() -> None:
    (width,) = over_budgets(sample({2: 0.2, 4: 0.5, 8: 0.8}), ask(ARMS), [2, 4, 8])
    assert width.rival == "width"
    assert width.gain == pytest.approx(0.5)
    assert width.slope == pytest.approx(0.3)
    assert width.gain_interval[0] < 0.5 < width.gain_interval[1]
    # the middle budget has no part in the slope, and each of the others half
    (other,) = over_budgets(sample({2: 0.2, 4: 5.0, 8: 0.8}), ask(ARMS), [2, 4, 8])
    assert other.slope == pytest.approx(0.3)
    (steeper,) = over_budgets(sample({2: 0.2, 4: 0.5, 8: 0.8}), ask(ARMS), [1.0, 1.5, 2.25])
    assert steeper.slope == pytest.approx(0.3 / np.log2(1.5))


def test_budgets_that_cost_the_same_have_a_mean_and_no_slope() -> None:
    (width,) = over_budgets(sample({2: 0.2, 4: 0.5, 8: 0.8}), ask(ARMS), [1.9e6] * 3)
    assert width.gain == pytest.approx(0.5)
    assert np.isnan([width.slope, *width.slope_interval]).all()
    verdict = judge(at_two_budgets(1.0).assign(multiply_adds=2000))
    assert verdict.reasons[4].startswith(
        "Over all budgets cardinality errs 1.00 points less than width (95 % interval "
    )
    assert "doubles" not in verdict.reasons[4]


def test_with_too_few_runs_of_an_arm_the_word_of_every_budget_is_inconclusive() -> None:
    table = at_two_budgets(1.0)
    verdict = judge(table[(table.arm != "width@4") | (table.phase != "confirm") | (table.seed < 9)])
    assert verdict.verdict == "inconclusive"
    assert [(at.times, at.word, at.direction) for at in verdict.budgets] == [
        (2, "inconclusive", None),
        (4, "inconclusive", None),
    ]


def test_with_one_budget_there_is_nothing_over_all() -> None:
    question = ask(["cardinality", "width", "base"])
    one = Sample(question.arms, (WAVES + 7, WAVES + 8, WAVES + 9), True)
    assert over_budgets(one, question, []) == ()
    assert decide(one, question, 0.3).budgets == ()


def at_two_budgets(gain_at_four: float) -> pd.DataFrame:
    """A study at two budgets, tuned twice: width errs 1 point more at the first, so much more at the second."""
    errors = {"base": 9.0, "cardinality@2": 7.0, "width@2": 8.0, "cardinality@4": 6.0, "width@4": 6.0 + gain_at_four}
    costs = {"base": 1000, "cardinality@2": 2000, "width@2": 2000, "cardinality@4": 4000, "width@4": 4000}
    waves = 0.1 * np.array([-1.1, 0.9, -1.05, 1.0, -0.95, 1.1, -1.0, 1.05, -0.9, 0.95])
    rows = [
        {"arm": arm, "seed": seed, "test_error": error + waves[seed - place % 2], "multiply_adds": costs[arm]}
        for place, (arm, error) in enumerate(errors.items())
        for seed in range(10)
    ]
    return tuned_twice(study_table(pd.DataFrame(rows)))


def test_over_several_budgets_a_claim_is_supported_where_it_wins_at_each() -> None:
    verdict = judge(at_two_budgets(1.0))
    assert verdict.verdict == "supported"
    assert "cardinality beats width at every budget: surely, by at least" in verdict.reasons[0]
    twice, four = "at 2 times the base's groups `supported`", "at 4 times the base's groups `supported`"
    assert verdict.reasons[3] == (
        f"By budget, corrected for their number: {twice}, surely better; {four}, surely better."
    )
    assert verdict.reasons[4].startswith(
        "Over all budgets cardinality errs 1.00 points less than width (95 % interval "
    )
    assert [(at["times"], at["word"]) for at in verdict.to_json()["budgets"]] == [(2, "supported"), (4, "supported")]


def test_over_several_budgets_what_holds_at_one_is_said_of_that_one() -> None:
    verdict = judge(at_two_budgets(0.0))
    assert (verdict.verdict, verdict.direction) == ("partly supported", None)
    assert "cardinality beats width@2 by at least" in verdict.reasons[0]
    assert "but not width at every budget" in verdict.reasons[0]
    (width,) = verdict.over_budgets
    assert (round(width.gain, 6), round(width.slope, 6)) == (0.5, -1.0)
    assert "that shrinks by 1.00 points as the budget doubles" in verdict.reasons[4]


def test_arms_are_to_cost_the_same_at_their_own_budget_alone() -> None:
    table = at_two_budgets(1.0)
    table.loc[table.arm == "width@4", "multiply_adds"] = 3500
    verdict = judge(table)
    assert verdict.verdict == "invalid"
    assert verdict.reasons == (
        "FLOPs do not match: cardinality@4 costs +14.3 % against width@4 (4,000 and 3,500 multiply-adds); "
        "allowed: 2 % either way.",
    )
    assert [(at.word, at.direction) for at in verdict.budgets] == [("invalid", None), ("invalid", None)]
