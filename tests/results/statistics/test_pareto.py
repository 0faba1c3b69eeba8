"""Pareto fronts: by hand, and against a loop over all pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from resnext_search.results import pareto_front
from resnext_search.results.statistics.pareto import hypervolume_trace


@pytest.mark.parametrize(
    ("values", "front"),
    [
        ([[1, 4], [2, 2], [3, 3], [4, 1]], [True, True, False, True]),  # 3, 3 is beaten by 2, 2
        ([[1, 1], [1, 2], [2, 1]], [True, False, False]),  # equal in one, worse in the other
        ([[5], [3], [4]], [False, True, False]),
        ([[1, 2, 3], [3, 2, 1], [2, 2, 2], [3, 3, 3]], [True, True, True, False]),
        ([[0, math.inf], [1, 5]], [True, True]),
    ],
)
def test_hand_checked_fronts(values: list[list[float]], front: list[bool]) -> None:
    assert pareto_front(np.array(values, dtype=float)).tolist() == front


def test_equal_rows_are_kept_together_or_not_at_all() -> None:
    assert pareto_front(np.array([[1.0, 2.0], [1.0, 2.0], [3.0, 3.0], [3.0, 3.0]])).tolist() == [
        True,
        True,
        False,
        False,
    ]


def test_a_row_with_a_nan_is_dominated_and_dominates_nothing() -> None:
    assert pareto_front(np.array([[math.nan, 0.0], [1.0, 1.0]])).tolist() == [False, True]
    assert pareto_front(np.array([[math.nan], [math.nan]])).tolist() == [False, False]


@pytest.mark.parametrize("objectives", [1, 3])
def test_no_trials_have_an_empty_front(objectives: int) -> None:
    front = pareto_front(np.empty((0, objectives)))
    assert front.shape == (0,)
    assert front.dtype == bool


def test_the_values_are_left_as_they_were() -> None:
    values = np.array([[1.0, 2.0], [2.0, 1.0], [math.nan, 0.0]])
    before = values.copy()
    pareto_front(values)
    np.testing.assert_array_equal(values, before)


def dominated(row: list[float], other: list[float]) -> bool:
    return all(b <= a for a, b in zip(row, other, strict=True)) and any(b < a for a, b in zip(row, other, strict=True))


@given(data=st.data(), objectives=st.integers(1, 3))
def test_the_front_equals_brute_force(data: st.DataObject, objectives: int) -> None:
    value = st.integers(0, 4).map(float) | st.just(math.nan)  # few values, so that ties are common
    rows = data.draw(st.lists(st.lists(value, min_size=objectives, max_size=objectives), max_size=12))
    whole = [row for row in rows if not any(map(math.isnan, row))]
    expected = [row in whole and not any(dominated(row, other) for other in whole) for row in rows]
    assert pareto_front(np.array(rows, dtype=float).reshape(len(rows), objectives)).tolist() == expected


@pytest.mark.parametrize(
    ("values", "trace"),
    [
        ([[0.5, 0.5], [0.25, 0.75], [0.5, 0.75]], [0.25, 0.3125, 0.3125]),  # the third is beaten
        ([[0.5, 1.0], [2.0, 0.0], [0.5, 0.5]], [0.0, 0.0, 0.25]),  # on the reference point and beyond it
        ([[0.5, 0.5, 0.5], [0.0, 0.5, 0.75]], [0.125, 0.1875]),
        ([[0.75], [0.5], [0.75]], [0.25, 0.5, 0.5]),
    ],
)
def test_hand_checked_hypervolumes(values: list[list[float]], trace: list[float]) -> None:
    assert hypervolume_trace(np.array(values)).tolist() == trace


def test_no_trials_have_no_hypervolume() -> None:
    assert hypervolume_trace(np.empty((0, 2))).shape == (0,)
