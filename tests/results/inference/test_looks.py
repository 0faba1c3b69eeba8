"""What a look may spend, and what looks without a plan cost."""

from __future__ import annotations

import math

import pytest
from resnext_search.results.inference.looks import cost_of_looking, share_of_look


@pytest.mark.parametrize("looks", [[10, 20], [10, 20, 40], [10, 15, 20, 25, 30], [13, 100]])
def test_the_looks_of_a_plan_spend_all_of_the_error_together(looks: list[int]) -> None:
    shares = [share_of_look(looks, seeds) for seeds in looks]
    assert sum(share or 0.0 for share in shares) == pytest.approx(1)
    assert all(share is not None and share > 0 for share in shares)


def test_a_look_halfway_spends_by_lan_and_demets() -> None:
    assert share_of_look([10, 20], 10) == pytest.approx(math.log(1 + (math.e - 1) / 2))  # 62 %
    assert share_of_look([10, 20], 20) == pytest.approx(1 - math.log(1 + (math.e - 1) / 2))


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
