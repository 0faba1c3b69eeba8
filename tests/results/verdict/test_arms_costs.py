"""What else the arms cost: ratios by hand, and what they allow to say."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from resnext_search.results import judge
from resnext_search.results.inference.question import ask
from resnext_search.results.runs.table import read_runs
from resnext_search.results.verdict.arms import CostRatio, compare_costs

from tests.support.tables import runs_table, space_table

ERRORS = [8.0, 8.1, 8.2]


def compared(table: pd.DataFrame, claimant: str = "a") -> list[CostRatio]:
    runs = read_runs(table)
    return list(compare_costs(runs, ask({run.arm for run in runs}, claimant), 0.02))


@pytest.mark.parametrize(
    ("parameters", "answer"),
    [
        ((1020, 1000), "equal: the comparison holds at equal parameters too"),
        ((900, 1000), "less: where a is ahead, it is so at equal parameters a fortiori"),
        ((1021, 1000), "more: whether a is ahead at equal parameters is not answered by these runs"),
    ],
)
def test_counts_are_exact(parameters: tuple[int, int], answer: str) -> None:
    [found] = compared(runs_table({"a": ERRORS, "b": ERRORS}, parameters=parameters))
    ratio = parameters[0] / parameters[1]
    assert found == CostRatio("a", "b", "parameters", ratio, (ratio, ratio), answer)


def test_seconds_are_compared_seed_by_seed() -> None:
    table = runs_table({"a": ERRORS, "b": ERRORS}).assign(seconds=[2.0, 4.0, 8.0, 1.0, 2.0, 4.0])
    [found] = compared(table)
    assert (found.quantity, found.ratio) == ("seconds", pytest.approx(2))
    assert found.interval == pytest.approx((2, 2))  # the machine grew slow, but for both arms alike
    assert found.answer == "more: whether a is ahead at equal training seconds is not answered by these runs"


def test_seconds_of_other_seeds_are_compared_as_they_are() -> None:
    table = runs_table({"a": ERRORS, "b": ERRORS[:2]}).assign(seconds=[1.0, 1.02, 0.98, 1.01, 0.99])
    [found] = compared(table)
    assert found.ratio == pytest.approx(1, abs=0.01)
    assert found.interval[0] < 1 < found.interval[1]
    assert found.answer == "equal: the comparison holds at equal training seconds too"


def test_counts_of_spaces_have_the_interval_of_the_networks_that_were_drawn() -> None:
    table = space_table(networks=3, tuned=False).assign(parameters=[100.0, 200.0, 400.0, 200.0, 400.0, 800.0])
    [found] = judge(table, claimant="more groups").secondary
    assert (found.quantity, found.ratio) == ("parameters", pytest.approx(2))
    # log2 of either: -1, 0, 1 around its mean, so 1 +- 2.776 x sqrt(2 / 3) with 4 degrees of freedom
    assert [math.log2(end) for end in found.interval] == pytest.approx([1 - 2.267, 1 + 2.267], abs=1e-3)


def test_a_single_pair_of_runs_has_a_ratio_and_no_interval() -> None:
    [found] = compared(runs_table({"a": [8.0], "b": [8.1]}, seconds=[3.0, 2.0]))
    assert found.ratio == pytest.approx(1.5)
    assert math.isnan(found.interval[0])


def test_what_is_not_known_of_both_is_left_out() -> None:
    assert compared(runs_table({"a": ERRORS, "b": ERRORS})) == []
    assert compared(runs_table({"a": ERRORS, "b": ERRORS}, parameters=[1, None], seconds=[None, 2.0])) == []
    assert compared(runs_table({"a": ERRORS, "b": ERRORS}, seconds=[0.0, 2.0])) == []


def test_every_rival_and_every_kind_is_compared() -> None:
    more = {"parameters": [1, 2, 3], "activations": [3, 2, 1], "seconds": [1.0, 2.0, 3.0]}
    found = compared(runs_table({"a": ERRORS, "b": ERRORS, "c": ERRORS}, **more))
    assert [(one.rival, one.quantity) for one in found] == [
        (rival, quantity) for rival in ("b", "c") for quantity in ("parameters", "activations", "seconds")
    ]
