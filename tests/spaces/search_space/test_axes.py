"""What bounds a feasible set: exact edges of the band, and axes that are sets of values."""

from __future__ import annotations

import pytest
from resnext_search.spaces import Band
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.search_space.axes import Axes


@pytest.mark.parametrize(
    ("target", "tolerance", "low", "high"),
    [
        (8_000_000, 0.02, 7_840_000, 8_160_000),
        (110, 0.1, 99, 121),
        (100, 0.15, 85, 115),  # as floats 100 * 1.15 is 114.99999999999999
        (1001, 0.001, 1000, 1002),  # 999.999 to 1002.001
        (7, 0.0, 7, 7),
        (10**15 + 1, 0.0, 10**15 + 1, 10**15 + 1),
        (10, 0.05, 10, 10),
    ],
)
def test_band_edges_are_exact_and_rounded_inwards(target: int, tolerance: float, low: int, high: int) -> None:
    band = Band(target, tolerance)
    assert (band.low, band.high) == (low, high)


@pytest.mark.parametrize(("target", "tolerance"), [(0, 0.1), (-5, 0.1), (100, -0.1), (100, 1.0), (100, float("nan"))])
def test_a_band_that_is_none_is_refused(target: int, tolerance: float) -> None:
    with pytest.raises(UsageError) as caught:
        Band(target, tolerance)
    assert str(caught.value) == (
        f"band: Band(target={target}, tolerance={tolerance}) is none; the target starts at 1 and the tolerance lies "
        "in [0, 1)"
    )


def test_axes_are_sorted_and_hold_each_value_once() -> None:
    axes = Axes((8, 1, 8), (3, 2), ((2, 1), (1, 2), (1, 2)))
    assert (axes.cardinality, axes.width, axes.blocks) == ((1, 8), (2, 3), ((1, 2), (2, 1)))
    assert axes.combinations == 8


@pytest.mark.parametrize(
    ("cardinality", "width", "blocks"),
    [((), (1,), ((1,),)), ((1,), (), ((1,),)), ((1,), (1,), ()), ((1,), (1,), ((),)), ((1,), (1,), ((1,), (1, 1)))],
)
def test_axes_without_values_are_refused(
    cardinality: tuple[int, ...], width: tuple[int, ...], blocks: tuple[tuple[int, ...], ...]
) -> None:
    with pytest.raises(UsageError, match="lack values, or have spreads of blocks for unlike numbers of stages"):
        Axes(cardinality, width, blocks)


@pytest.mark.parametrize(
    ("cardinality", "width", "blocks"), [((0,), (1,), (1,)), ((1,), (0,), (1,)), ((1,), (1,), (0,))]
)
def test_axes_with_numbers_below_one_are_refused(
    cardinality: tuple[int, ...], width: tuple[int, ...], blocks: tuple[int, ...]
) -> None:
    with pytest.raises(UsageError, match="have a number below 1; cardinality, width and blocks start at 1"):
        Axes(cardinality, width, (blocks,))
