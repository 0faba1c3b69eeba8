"""What is written at a scale of colours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resnext_search.results.figures.chart import ticks_between


@pytest.mark.parametrize(
    ("least", "most", "written"),
    [
        (0.4, 7.0, [0.5, 1, 2, 5]),
        (9.6, 13.1, [10, 11, 12, 13]),
        (9.97, 10.42, [10, 10.2, 10.4]),
        (0.031, 0.047, [0.035, 0.04, 0.045]),
        (12.5, 12.5, [12.5]),
        (12.5, 12.5 + 1e-9, [12.5, 12.5 + 1e-9]),
    ],
)
def test_a_scale_has_a_few_round_numbers_or_its_ends(least: float, most: float, written: list[float]) -> None:
    assert ticks_between([most, least]) == written


@given(st.floats(0.01, 1e3), st.floats(1.01, 9.0))
def test_there_are_three_to_eight_of_them_on_less_than_a_decade(least: float, factor: float) -> None:
    ticks = ticks_between([least, least * factor])
    assert 3 <= len(ticks) <= 8
    assert least <= ticks[0] < ticks[-1] <= least * factor
