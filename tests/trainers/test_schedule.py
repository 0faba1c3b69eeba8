"""Rates that rise and fall as the recipe says, and the weights that decay."""

from __future__ import annotations

import math

import pytest
from resnext_search.spaces import Configuration, Study
from resnext_search.spaces.study.recipes import RecipeName
from resnext_search.spaces.study.sections import Recipe
from resnext_search.trainers.resnext import build_network
from resnext_search.trainers.schedule import learning_rate_at, parameter_groups


@pytest.mark.parametrize(
    ("done", "rate"),
    # 2 epochs up to 0.8, then half a cosine over 8: a quarter of it is 0.8 * (1 + cos 45°) / 2
    [(0, 0.0), (0.5, 0.2), (1, 0.4), (2, 0.8), (4, 0.4 * (1 + math.sqrt(0.5))), (6, 0.4), (10, 0.0)],
)
def test_the_rate_rises_in_a_line_and_falls_as_half_a_cosine(done: float, rate: float) -> None:
    recipe = Recipe(epochs=10, warmup_epochs=2, learning_rate=0.8)
    assert learning_rate_at(recipe, done) == pytest.approx(rate, abs=1e-12)


@pytest.mark.parametrize(
    ("done", "rate"), [(0.5, 0.4), (1, 0.8), (3.99, 0.8), (4, 0.08), (5.99, 0.08), (6, 0.008), (8, 0.008)]
)
def test_the_step_schedule_divides_by_ten_at_half_and_three_quarters(done: float, rate: float) -> None:
    recipe = Recipe(epochs=8, warmup_epochs=1, learning_rate=0.8, schedule="step")
    assert learning_rate_at(recipe, done) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("recipe", "done", "rate"),
    [
        ("paper-cifar", 0, 0.1),
        ("paper-cifar", 149.99, 0.1),
        ("paper-cifar", 150, 0.01),
        ("paper-cifar", 225, 0.001),
        ("paper-cifar", 300, 0.001),
        ("paper-imagenet", 0, 0.1),
        ("paper-imagenet", 29.99, 0.1),
        ("paper-imagenet", 30, 0.01),
        ("paper-imagenet", 59.99, 0.01),
        ("paper-imagenet", 60, 0.001),
        ("paper-imagenet", 90, 0.001),
    ],
)
def test_the_papers_recipes_divide_where_the_paper_does(recipe: RecipeName, done: float, rate: float) -> None:
    assert learning_rate_at(Recipe(recipe=recipe), done) == pytest.approx(rate)


def test_norms_and_biases_are_decayed_only_if_the_recipe_says_so(study: Study, configuration: Configuration) -> None:
    network = build_network(study.network_template(), configuration.architecture)
    recipe = Recipe(weight_decay=0.25)
    weights, others = parameter_groups(network, recipe)
    assert (weights["weight_decay"], others["weight_decay"]) == (0.25, 0.0)
    assert {p.ndim for p in weights["params"]} == {2, 4}
    assert {p.ndim for p in others["params"]} == {1}
    assert len(weights["params"]) + len(others["params"]) == len(list(network.parameters()))
    _, decayed = parameter_groups(network, recipe.model_copy(update={"decay_norms": True}))
    assert decayed["weight_decay"] == 0.25
