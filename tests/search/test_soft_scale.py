"""The scale on which errors are learned: nothing is cut off, and nothing far off rules."""

from __future__ import annotations

import math

import numpy as np
import pytest
from resnext_search.search.soft_scale import UNIT, SoftScale


def test_the_scale_is_right_by_hand() -> None:
    """Quartiles 2 and 4 around 3: the unit is four times 2; 3 + 8 log(1 + 8 / 8) = 3 + 8 log 2."""
    scale = SoftScale.of(np.array([1.0, 2.0, 3.0, 4.0, 90.0]))
    assert (scale.middle, scale.unit) == (3.0, UNIT * 2.0) == (3.0, 8.0)
    softened = scale.soften(np.array([1.0, 3.0, 11.0, 90.0]))
    assert softened.tolist() == pytest.approx([1, 3, 3 + 8 * math.log(2), 3 + 8 * math.log(1 + 87 / 8)])


def test_an_error_comes_back_from_the_scale_and_none_becomes_another() -> None:
    errors = np.linspace(0, 100, 1_001)
    scale = SoftScale.of(np.array([5.0, 5.2, 5.3, 5.5, 20.0]))
    softened = scale.soften(errors)
    np.testing.assert_allclose(scale.harden(softened), errors, rtol=1e-12)
    assert (np.diff(softened) > 0).all()


def test_the_scale_is_smooth_at_the_middle() -> None:
    scale = SoftScale(5.0, 0.8)
    below, above = np.diff(scale.soften(np.array([5 - 1e-6, 5.0, 5 + 1e-6])))
    assert above == pytest.approx(below, rel=1e-5)


@pytest.mark.parametrize(("errors", "unit"), [([7.0], 4.0), ([7.0, 7.0], 4.0), ([7.0] * 9 + [9.0], 8.0)])
def test_equal_errors_have_a_scale_too(errors: list[float], unit: float) -> None:
    assert SoftScale.of(np.array(errors)) == SoftScale(7.0, unit)
