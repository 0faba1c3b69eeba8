"""From samples to words by the second rules: which rivals count, what hangs on a seed, what if arms had erred more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from resnext_search.results.inference.decision import Decision, decide, word_at, words_without_a_seed
from resnext_search.results.inference.question import Word, ask
from resnext_search.results.inference.sample import Sample

from tests.support.tables import errors_with

MARGIN = 0.3
MEANS = {"cardinality": 8.0, "depth": 8.6, "width": 8.6, "base": 11.0}


def sample(means: Mapping[str, float], deviation: float = 0.1, runs: int = 10) -> Sample:
    """Arms with exactly these means and this standard deviation, each over seeds of its own draw."""
    question = ask(means)
    drawn = {
        arm: np.array(errors_with(mean, deviation, runs, place)) for place, (arm, mean) in enumerate(means.items())
    }
    return Sample(question.arms, tuple(drawn[arm] for arm in question.arms), True)


def decided(means: Mapping[str, float], deviation: float = 0.1, runs: int = 10, spent: float = 1.0) -> Decision:
    return decide(sample(means, deviation, runs), ask(means), MARGIN, spent=spent)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "supported"),
        ({"depth": 8.0, "width": 8.0}, "no practical difference"),
        ({"depth": 7.4}, "contradicted"),
        ({"width": 8.0}, "partly supported"),
        ({"width": 8.3}, "partly supported"),  # as large as the margin, not surely so
    ],
)
def test_words_of_a_spend(changes: dict[str, float], word: Word) -> None:
    decision = decided(MEANS | changes)
    assert decision.word == word
    assert (decision.unsound, decision.base_is_missing) == ((), False)


def test_a_gain_that_is_sure_and_may_be_small_has_a_direction_and_no_word() -> None:
    decision = decided(MEANS | {"depth": 8.3, "width": 8.3})
    assert (decision.word, decision.direction) == ("inconclusive", "better")
    assert decided(MEANS | {"depth": 7.7}).direction == "worse"
    assert decided(MEANS | {"depth": 8.0}).direction is None


def test_a_rival_that_hardly_beats_its_base_was_not_trained_well_enough() -> None:
    decision = decided(MEANS | {"width": 10.98})
    assert (decision.word, decision.direction, decision.unsound) == ("partly supported", "better", ("width",))
    assert decided(MEANS | {"depth": 10.98, "width": 11.2}).word == "inconclusive"
    assert decided(MEANS | {"depth": 10.98, "width": 11.2}).unsound == ("depth", "width")


def test_without_a_base_nothing_is_supported() -> None:
    without = {arm: mean for arm, mean in MEANS.items() if arm != "base"}
    decision = decided(without)
    assert (decision.word, decision.direction, decision.base_is_missing) == ("partly supported", "better", True)
    assert decided(without | {"width": 8.0, "depth": 8.0}).word == "no practical difference"


def test_multiples_are_reported_and_no_part_of_the_word() -> None:
    """Eight times the base's groups lose to everything, and the claim stays what it is."""
    with_multiples = MEANS | {"cardinality-x4": 7.5, "cardinality-x8": 10.0}
    decision = decided(with_multiples)
    assert decision.word == "supported"
    further = {(one.claimant, one.rival): round(one.difference, 6) for one in decision.comparisons.further}
    assert further == {
        ("cardinality-x4", "depth"): 1.1,
        ("cardinality-x4", "width"): 1.1,
        ("cardinality-x8", "depth"): -1.4,
        ("cardinality-x8", "width"): -1.4,
    }
    assert [one.p_holm for one in decision.comparisons.plain] == [
        one.p_holm for one in decided(MEANS).comparisons.plain
    ]


def test_a_word_takes_ten_runs_of_every_arm() -> None:
    nine = decided(MEANS, runs=9)
    assert (nine.word, nine.direction) == ("inconclusive", None)
    assert nine.comparisons.plain[0].p_holm < 0.0001
    question = ask(MEANS)
    assert decide(sample(MEANS, runs=9), question, MARGIN, fewest=9).word == "supported"


def test_a_look_that_may_spend_little_takes_more() -> None:
    means = MEANS | {"depth": 8.45, "width": 8.45}
    assert decided(means, deviation=0.15).word == "supported"
    assert decided(means, deviation=0.15, spent=0.1).word == "inconclusive"


def test_a_look_that_may_spend_little_wants_rivals_that_are_surely_any() -> None:
    """The rival beats the base by 0.13, 2.3 standard errors or so: sure at 2.5 %, and not at a fiftieth of it."""
    means = MEANS | {"base": 8.73}
    assert decided(means).unsound == ()
    assert decided(means, spent=0.02).unsound == ("depth", "width")


def test_the_word_of_a_trade() -> None:
    assert decided({"1x64d": 9.0, "4x24d": 8.5, "32x4d": 8.0}).word == "supported"
    assert decided({"1x64d": 8.0, "4x24d": 8.5, "32x4d": 9.0}).word == "contradicted"
    assert decided({"1x64d": 8.0, "4x24d": 8.0, "32x4d": 8.0}).word == "no practical difference"
    assert decided({"1x64d": 9.0, "32x4d": 8.0}).word == "supported"
    assert decided({"1x64d": 8.0, "32x4d": 9.0}).word == "contradicted"


def test_a_trade_whose_middle_is_best_is_not_supported_by_its_trend() -> None:
    decision = decided({"1x64d": 9.5, "4x24d": 8.0, "32x4d": 8.4})
    assert decision.comparisons.trend is not None
    assert decision.comparisons.trend.p_gain < 0.001
    assert decision.bend is not None
    assert decision.bend.last_loses_to == ("4x24d",)
    assert (decision.word, decision.direction) == ("partly supported", None)


def test_a_trade_in_which_some_c_is_better_is_not_contradicted_by_its_trend() -> None:
    decision = decided({"1x64d": 8.0, "4x24d": 7.5, "32x4d": 9.0})
    assert decision.comparisons.trend is not None
    assert decision.comparisons.trend.p_loss < 0.001
    assert (decision.word, decision.direction) == ("partly supported", None)
    # 0.05 better, and not surely so: nothing speaks for more groups
    assert decided({"1x64d": 8.0, "4x24d": 7.98, "32x4d": 9.0}).word == "contradicted"


def test_the_word_without_any_one_seed() -> None:
    """Ten runs, of which one alone keeps the difference from being sure."""
    errors = {arm: np.array(errors_with(mean, 0.1, 10, place)) for place, (arm, mean) in enumerate(MEANS.items())}
    errors["width"][3] -= 3.0
    question = ask(MEANS)
    of = Sample(question.arms, tuple(errors[arm] for arm in question.arms), True)
    assert decide(of, question, MARGIN).word == "partly supported"
    words = words_without_a_seed(of, question, MARGIN)
    assert words == ["supported" if seed == 3 else "partly supported" for seed in range(10)]


def test_there_is_no_word_without_a_seed_where_seeds_are_few_or_not_shared() -> None:
    question = ask(MEANS)
    assert words_without_a_seed(sample(MEANS, runs=9), question, MARGIN) == []
    assert words_without_a_seed(replace(sample(MEANS), blocked=False), question, MARGIN) == []


def test_the_word_if_arms_had_erred_so_much_more() -> None:
    of, question = sample(MEANS), ask(MEANS)
    assert word_at(of, question, MARGIN, {}) == "supported"
    assert word_at(of, question, MARGIN, dict.fromkeys(MEANS, 1.0)) == "supported"  # all alike
    assert word_at(of, question, MARGIN, {"cardinality": 0.6}) == "no practical difference"
    assert word_at(of, question, MARGIN, {"cardinality": 0.6, "width": 1.0}) == "partly supported"
    assert word_at(of, question, MARGIN, {"cardinality": 1.5}) == "contradicted"
