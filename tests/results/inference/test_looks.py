"""What a look may spend, and what looks without a plan cost."""

from __future__ import annotations

import numpy as np
import pytest
from resnext_search.results.inference.looks import cost_of_looking, share_of_look
from scipy.special import ndtri


def test_the_first_look_spends_the_square_of_its_share_of_the_seeds_less_a_twentieth() -> None:
    assert share_of_look([10, 40], 10) == pytest.approx(0.95 / 16)
    assert share_of_look([10, 20], 10) == pytest.approx(0.95 / 4)
    assert share_of_look([7], 7) == 1.0


@pytest.mark.parametrize("looks", [[10, 20], [10, 20, 40], [10, 15, 20, 25, 30], [13, 100]])
def test_the_looks_of_a_plan_err_together_a_twentieth_less_often_than_one(looks: list[int]) -> None:
    """A fifth of a million made-up studies without a difference, each a walk with a step a look."""
    shares = np.array([share_of_look(looks, seeds) for seeds in looks])
    steps = np.random.default_rng(0).standard_normal((200_000, len(looks))) * np.sqrt(np.diff([0, *looks]))
    values = steps.cumsum(axis=1) / np.sqrt(looks)
    assert (values > -ndtri(0.025 * shares)).any(axis=1).mean() == pytest.approx(0.95 * 0.025, abs=0.001)
    assert shares.sum() > 0.95  # looks agree with one another, so that their levels add up to more


def test_a_number_of_seeds_that_is_no_look_has_no_share() -> None:
    assert share_of_look([10, 20], 15) is None
    assert share_of_look([], 15) is None


def test_one_look_costs_what_it_may_and_more_looks_cost_more() -> None:
    """Armitage, McPherson and Rowe 1969, table 2: two looks at 5 % err in 8.3 % of studies, five in 14.2 %."""
    assert cost_of_looking([10], 1) == pytest.approx(0.05, abs=0.005)
    assert cost_of_looking([10, 20], 1) == pytest.approx(0.083, abs=0.006)
    assert cost_of_looking([10, 20, 30, 40, 50], 1) == pytest.approx(0.142, abs=0.008)


def test_looks_are_the_same_in_any_order_and_one_that_is_repeated_is_one() -> None:
    assert cost_of_looking([20, 10, 20], 2) == cost_of_looking([10, 20], 2)


def test_several_rivals_cost_no_more_than_one_since_they_are_corrected_for() -> None:
    assert cost_of_looking([10], 3) <= cost_of_looking([10], 1) + 0.005
