"""Knobs: from values to [0, 1], and the values to choose from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from resnext_search.spaces.search_space.knobs import Knob


def test_a_log_knob_takes_equal_ratios_for_equal_steps() -> None:
    knob = Knob("learning_rate", 0.001, 1.0, log=True)
    assert knob.to_unit(np.array([0.001, 0.01, 0.1, 1.0])).tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_a_linear_knob_takes_equal_differences_for_equal_steps() -> None:
    assert Knob("momentum", 0.8, 1.0).to_unit(np.array([0.8, 0.9, 1.0])).tolist() == pytest.approx([0, 0.5, 1])


def test_a_listed_knob_offers_its_values_alone() -> None:
    assert Knob("batch_size", 32, 128, log=True, values=(32, 64, 128)).grid(31).tolist() == [32, 64, 128]


def test_a_whole_number_knob_offers_each_whole_number_once() -> None:
    assert Knob("batch_size", 2, 5, integer=True).grid(31).tolist() == [2, 3, 4, 5]


def test_a_grid_has_both_ends_and_round_numbers_between() -> None:
    assert Knob("learning_rate", 0.003, 1.0, log=True).grid(5).tolist() == [0.003, 0.01282, 0.05477, 0.234, 1.0]


@given(
    low=st.floats(1e-6, 10, allow_subnormal=False),
    ratio=st.floats(1.0001, 1e5),
    log=st.booleans(),
    points=st.integers(2, 40),
)
def test_a_grid_is_ascending_within_its_ends_and_maps_into_the_unit(
    low: float, ratio: float, log: bool, points: int
) -> None:
    knob = Knob("learning_rate", low, low * ratio, log=log)
    grid = knob.grid(points)
    assert 1 <= len(grid) <= points
    assert knob.low <= grid[0]
    assert grid[-1] <= knob.high
    assert (np.diff(grid) > 0).all()
    units = knob.to_unit(grid)
    assert units.min() >= -1e-9
    assert units.max() <= 1 + 1e-9
