"""A point of the space: into a recipe, and through JSON without losing a bit."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from resnext_search.spaces import Architecture, Configuration
from resnext_search.spaces.study.sections import Recipe

POINT = Configuration(
    Architecture(2, (16, 31, 66), (1, 2, 1)), (("learning_rate", 0.1 + 0.2), ("batch_size", 64.0), ("momentum", 0.0))
)


def test_knobs_override_the_recipe_and_nothing_else_does() -> None:
    base = Recipe(epochs=7, learning_rate=0.5, weight_decay=1e-3)
    recipe = POINT.recipe(base)
    assert recipe == Recipe(epochs=7, learning_rate=0.1 + 0.2, weight_decay=1e-3, batch_size=64, momentum=0.0)
    assert isinstance(recipe.batch_size, int)


def test_without_knobs_the_recipe_stays() -> None:
    assert Configuration(POINT.architecture).recipe(Recipe(epochs=3)) == Recipe(epochs=3)


def test_a_knob_that_no_recipe_takes_is_refused() -> None:
    with pytest.raises(ValidationError):
        Configuration(POINT.architecture, (("momentum", 1.0),)).recipe(Recipe())


def test_json_is_one_line_with_the_numbers_by_name() -> None:
    text = POINT.to_json()
    assert "\n" not in text
    assert json.loads(text) == {
        "cardinality": 2,
        "group_widths": [16, 31, 66],
        "blocks": [1, 2, 1],
        "knobs": {"learning_rate": 0.30000000000000004, "batch_size": 64.0, "momentum": 0.0},
    }


@given(rate=st.floats(min_value=1e-12, max_value=1e12))
def test_json_gives_back_an_equal_point(rate: float) -> None:
    point = Configuration(POINT.architecture, (("learning_rate", rate),))
    assert Configuration.from_json(point.to_json()) == point
    assert hash(Configuration.from_json(point.to_json())) == hash(point)
