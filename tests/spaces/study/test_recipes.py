"""Named recipes: their published numbers, that what is written goes first, and that a resolved study keeps them."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, get_args

import pytest
from resnext_search.spaces import Architecture, Configuration, Study
from resnext_search.spaces.study import recipes
from resnext_search.spaces.study.file import parse_study
from resnext_search.spaces.study.recipes import RECIPES, RecipeName, filled
from resnext_search.spaces.study.sections import Recipe

STUDY = """
name: named
data: {name: digits}
budget: {multiply_adds: 8.0M}
axes: {cardinality: 1, width: 16, blocks: 1}
"""


def study(*overrides: str) -> Study:
    return parse_study(STUDY, "s.yaml", overrides)


# Xie et al. 2017, section 4 and appendix A, and the authors' code for what is decayed
@pytest.mark.parametrize(
    ("name", "batch", "weight_decay", "epochs", "schedule"),
    [("paper-cifar", 128, 5e-4, 300, "step"), ("paper-imagenet", 256, 1e-4, 90, "step-thirds")],
)
def test_the_papers_recipes_have_the_papers_numbers(
    name: str, batch: int, weight_decay: float, epochs: int, schedule: str
) -> None:
    assert Recipe.model_validate({"recipe": name}).model_dump() == {
        "recipe": name,
        "epochs": epochs,
        "batch_size": batch,
        "learning_rate": 0.1,
        "momentum": 0.9,
        "weight_decay": weight_decay,
        "decay_norms": True,
        "label_smoothing": 0.0,
        "schedule": schedule,
        "warmup_epochs": 0.0,
        "augment": "standard",
        "plugin": None,
    }


def test_the_short_recipe_has_what_its_sources_add() -> None:
    short = Recipe(recipe="short")
    assert (short.schedule, short.label_smoothing, short.decay_norms) == ("cosine", 0.1, False)
    assert 5 / 120 <= short.warmup_epochs / short.epochs <= 5 / 90  # He et al. 2019 and Goyal et al. 2017


@pytest.mark.parametrize("name", get_args(RecipeName))
def test_a_recipe_gives_every_key_so_that_no_default_is_called_by_its_name(name: RecipeName) -> None:
    assert set(RECIPES[name]) == set(Recipe.model_fields) - {"recipe", "plugin", "deterministic", "graph"}
    assert set(RECIPES) == set(get_args(RecipeName))


def test_what_is_written_goes_before_the_recipe_in_a_file_and_on_the_command_line() -> None:
    found = study("trainer={recipe: paper-cifar, epochs: 30, augment: none}", "trainer.momentum=0.8").trainer
    assert (found.epochs, found.augment, found.momentum) == (30, "none", 0.8)
    assert (found.schedule, found.weight_decay, found.decay_norms) == ("step", 5e-4, True)
    assert study("trainer.recipe=short", "trainer.label_smoothing=0").trainer == Recipe(
        recipe="short", label_smoothing=0.0
    )


def test_a_value_that_is_also_the_default_goes_before_the_recipe_too() -> None:
    assert Recipe(recipe="paper-cifar", epochs=12, decay_norms=False).model_dump(include={"epochs", "decay_norms"}) == {
        "epochs": 12,
        "decay_norms": False,
    }


def test_what_is_asked_of_gpus_is_written_where_it_is_asked_alone() -> None:
    assert not {"deterministic", "graph"} & set(Recipe().model_dump())
    assert Recipe(graph=True).model_dump()["graph"] is True
    assert study("trainer.graph=true").model_dump()["trainer"]["graph"] is True


def test_without_a_recipe_the_defaults_are_what_they_were() -> None:
    assert Recipe() == Recipe(recipe=None)
    assert study("trainer.recipe=").trainer == Recipe()
    assert Recipe().model_dump() == {
        "recipe": None,
        "epochs": 12,
        "batch_size": 128,
        "learning_rate": 0.1,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "decay_norms": False,
        "label_smoothing": 0.0,
        "schedule": "cosine",
        "warmup_epochs": 1.0,
        "augment": "standard",
        "plugin": None,
    }


def test_a_study_of_a_journal_that_knows_no_recipes_is_what_it_was() -> None:
    raw = study("trainer.epochs=5").model_dump(mode="json")
    del raw["trainer"]["recipe"]
    assert Study.model_validate(raw) == study("trainer.epochs=5")


@pytest.mark.parametrize("name", get_args(RecipeName))
def test_a_resolved_study_shows_its_values_and_survives_json(name: str) -> None:
    one = study(f"trainer={{recipe: {name}, epochs: 7}}")
    text = one.model_dump_json()
    values: dict[str, object] = {**RECIPES[name], "epochs": 7}  # type: ignore[index]
    assert one.model_dump(mode="json")["trainer"] == {"recipe": name, **values, "plugin": None}
    again = Study.model_validate_json(text)
    assert again == one
    assert again.model_dump_json() == text
    assert parse_study(text, "journal.sqlite") == one


def test_a_resolved_study_keeps_its_values_when_the_recipe_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    one = study("trainer.recipe=short")
    text = one.model_dump_json()
    monkeypatch.setattr(recipes, "RECIPES", {**RECIPES, "short": {**RECIPES["short"], "epochs": 31}})
    assert Recipe(recipe="short").epochs == 31
    assert Study.model_validate_json(text).trainer == one.trainer
    assert one.trainer.epochs == 30


def test_searched_knobs_go_before_the_recipe() -> None:
    point = Configuration(Architecture.paper(1, 16, (1, 1, 1)), (("learning_rate", 0.4), ("batch_size", 64.0)))
    found = point.recipe(Recipe(recipe="paper-imagenet"))
    assert (found.learning_rate, found.batch_size) == (0.4, 64)
    assert (found.epochs, found.schedule, found.recipe) == (90, "step-thirds", "paper-imagenet")


@pytest.mark.parametrize("name", [None, "Short", "", 3, ["short"], {"short": 1}, float("nan")])
def test_what_names_no_recipe_fills_nothing_in(name: Any) -> None:
    given = {"recipe": name, "epochs": 3}
    assert filled(given) == given


def test_no_recipe_can_be_changed_by_accident() -> None:
    assert all(isinstance(table, MappingProxyType) for table in (RECIPES, *RECIPES.values()))
