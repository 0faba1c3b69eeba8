"""What several budgets say together, on runs whose numbers can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from resnext_search.results.inference.curve import over_budgets
from resnext_search.results.inference.decision import Decision, decide
from resnext_search.results.inference.question import ask
from resnext_search.results.inference.sample import Sample

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
    assert (decision.word, decision.direction) == ("partly supported", "null")
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


def test_with_one_budget_there_is_nothing_over_all() -> None:
    question = ask(["cardinality", "width", "base"])
    one = Sample(question.arms, (WAVES + 7, WAVES + 8, WAVES + 9), True)
    assert over_budgets(one, question, []) == ()
    assert decide(one, question, 0.3).budgets == ()
