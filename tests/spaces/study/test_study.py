"""A study as a value: frozen, hashable, the same after a trip through JSON, and described by a schema."""

from __future__ import annotations

import json
import pickle
from typing import Any, get_args

import jsonschema
import pytest
from pydantic import BaseModel, ValidationError
from resnext_search.spaces import Architecture, Band, Study, Template
from resnext_search.spaces.datasets import DatasetFacts
from resnext_search.spaces.search_space.knobs import KNOBS, Knob
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study.axes import AxesConfig, IntegerRange, KnobAxis
from resnext_search.spaces.study.sections import Recipe
from resnext_search.spaces.study.study import Phase

SMALLEST: dict[str, Any] = {
    "name": "smallest",
    "data": {"name": "digits"},
    "budget": {"multiply_adds": "8.0M"},
    "axes": {"cardinality": 1, "width": 16, "blocks": 1},
}
SPEND = {"kind": "spend", "base": {"cardinality": 1, "width": 16, "blocks": [1, 1, 1]}}


def study(**sections: object) -> Study:
    return Study.model_validate({**SMALLEST, **sections})


def axes(**given: object) -> dict[str, Any]:
    return {"axes": {**SMALLEST["axes"], **given}}


# ------------------------------------------------------------------ forms


@pytest.mark.parametrize(
    ("written", "values"),
    [(4, (4,)), ([8, 2, 2], (8, 2, 2)), ({"min": 1, "max": 4}, (1, 2, 3, 4)), ({"min": 7, "max": 7}, (7,))],
)
def test_cardinality_and_width_are_a_number_a_list_or_a_range(written: object, values: tuple[int, ...]) -> None:
    assert study(**axes(cardinality=written)).axes.cardinality == values
    assert study(**axes(width=written)).axes.width == values


@pytest.mark.parametrize(
    ("written", "spreads"),
    [
        (2, [(2, 2, 2)]),
        ([2, [2, 3, 2], [1, 1, 1], 2], [(1, 1, 1), (2, 2, 2), (2, 3, 2)]),
        ({"min": 1, "max": 2, "uniform": True}, [(1, 1, 1), (2, 2, 2)]),
        ({"min": 1, "max": 2}, [(a, b, c) for a in (1, 2) for b in (1, 2) for c in (1, 2)]),
    ],
)
def test_blocks_are_a_number_spreads_or_a_range(written: object, spreads: list[tuple[int, ...]]) -> None:
    assert list(study(**axes(blocks=written)).architecture_axes().blocks) == spreads


def test_the_axes_of_the_feasible_set_are_sorted_and_each_value_counts_once() -> None:
    found = study(**axes(cardinality=[8, 2, 2], width=[3, 1])).architecture_axes()
    assert (found.cardinality, found.width, found.width_rule) == ((2, 8), (1, 3), "matched")


def test_knobs_are_a_range_or_a_list_in_a_fixed_order() -> None:
    given = {"weight_decay": {"min": 0, "max": 0.01}, "batch_size": [64, 32]}
    given["learning_rate"] = {"min": 0.01, "max": 1, "scale": "log"}
    assert study(**axes(**given)).knobs() == (
        Knob("learning_rate", 0.01, 1.0, log=True),
        Knob("batch_size", 32.0, 64.0, log=True, values=(32.0, 64.0), integer=True),
        Knob("weight_decay", 0.0, 0.01),
    )


def test_a_list_that_holds_zero_is_spaced_linearly() -> None:
    assert study(**axes(label_smoothing=[0.0, 0.1])).knobs() == (Knob("label_smoothing", 0.0, 0.1, values=(0.0, 0.1)),)


def test_every_knob_is_an_axis_and_a_field_of_the_recipe() -> None:
    assert set(KNOBS) == {name for name in AxesConfig.model_fields if name in Recipe.model_fields}
    assert set(AxesConfig.model_fields) - set(KNOBS) == {"cardinality", "width", "blocks"}


# ------------------------------------------------------------------ what follows from a study


def test_the_budget_is_a_number_or_the_cost_of_an_architecture() -> None:
    assert study().band() == Band(8_000_000, 0.02)
    like = {"like": {"cardinality": 1, "width": 64, "blocks": [3, 3, 3]}, "tolerance": "1%"}
    cifar = study(data={"name": "cifar10"}, budget=like)
    assert cifar.band() == Band(748_365_834, 0.01)


def test_the_template_has_the_shape_of_the_images() -> None:
    given = {"stem": "cifar", "stride": 2, "planes": 16, "stages": 2, "shortcut": "identity"}
    found = study(data={"name": "fashion_mnist"}, template=given, **axes(blocks=[[1, 2]])).network_template()
    assert found == Template("cifar", 2, 16, 2, "identity", resolution=28, channels=1, classes=10)


def test_an_image_folder_says_its_shape_itself() -> None:
    folder = study(data={"name": "image_folder", "resolution": 64, "classes": 200})
    assert folder.facts() == DatasetFacts(64, 3, 200, 0, 0, True)
    assert (folder.network_template().resolution, folder.network_template().classes) == (64, 200)


def test_a_feasible_set_follows() -> None:
    found = study(**axes(width={"min": 1, "max": 64})).feasible_set()
    assert found[0] in found
    assert all(isinstance(each, Architecture) and each.cardinality == 1 for each in found)


@pytest.mark.parametrize(
    ("data", "sizes"),
    [
        ({"name": "cifar10"}, (45_000, 5_000)),
        ({"name": "cifar10", "train_images": 20_000}, (20_000, 5_000)),
        ({"name": "cifar10", "validation_images": 1}, (49_999, 1)),
        ({"name": "digits", "train_images": 1000, "validation_images": 400}, (1000, 400)),
    ],
)
def test_validation_takes_a_tenth_and_training_the_rest(data: dict[str, Any], sizes: tuple[int, int]) -> None:
    found = study(data=data, trainer={"batch_size": 2})
    assert found.data.split_sizes(found.facts().train_images) == sizes


def test_studies_of_two_names_share_no_seed_but_those_of_the_first_rules() -> None:
    assert study().root_seed == study(rules=2).root_seed == derive_seed(0, "study", "smallest")
    seeds = {study(name=name, seed=seed).root_seed for name in ("one", "two") for seed in (0, 1)}
    assert len(seeds) == 4
    assert study(name="one", seed=7, rules=1).root_seed == study(name="two", seed=7, rules=1).root_seed == 7


def test_a_claim_on_data_without_a_test_split_is_tested_in_folds() -> None:
    tuned = axes(learning_rate={"min": 0.01, "max": 1.0})
    assert study(claim=SPEND, **tuned).has_folds
    assert not study(claim=SPEND, rules=1, **tuned).has_folds
    assert not study(claim=SPEND, data={"name": "cifar10"}, **tuned).has_folds
    assert not study(**tuned).has_folds


@pytest.mark.parametrize("phase", ["search", "tune", "confirm"])
def test_with_folds_every_trial_trains_on_what_its_fold_leaves(phase: Phase) -> None:
    tuned = axes(learning_rate={"min": 0.01, "max": 1.0})
    assert study(claim=SPEND, **tuned).images_per_epoch(phase) == 1_437
    few = {"name": "digits", "train_images": 200, "validation_images": 300}
    assert study(claim=SPEND, data=few, **tuned).images_per_epoch(phase) == 200


def test_a_batch_may_have_as_many_images_as_a_fold_leaves() -> None:
    tuned = axes(learning_rate={"min": 0.01, "max": 1.0})
    assert study(claim=SPEND, trainer={"batch_size": 1_437}, **tuned).trainer.batch_size == 1_437
    for more in ({"claim": SPEND, "trainer": {"batch_size": 1_438}}, {"trainer": {"batch_size": 1_261}}):
        with pytest.raises(ValidationError, match=r"at most the 1,(437|260) images to train on"):
            study(**more, **tuned)


def test_a_trial_has_the_fold_of_its_seed_where_there_are_folds() -> None:
    tuned = axes(learning_rate={"min": 0.01, "max": 1.0})
    assert study(claim=SPEND, **tuned).fold_of(12) == 2
    assert study(**tuned).fold_of(12) is None


def test_a_claim_has_defaults_and_survives_json() -> None:
    one = study(claim=SPEND, **axes(learning_rate={"min": 0.01, "max": 1.0}))
    assert one.claim is not None
    assert (one.claim.tolerance, one.claim.tuning_trials, one.claim.seeds, one.claim.margin, one.claim.finalists) == (
        0.02,
        7,
        10,
        0.3,
        1,
    )
    assert Study.model_validate_json(one.model_dump_json()) == one
    assert study().claim is None


def test_the_seeds_of_a_claim_with_looks_are_those_of_the_last() -> None:
    one = study(claim={**SPEND, "looks": [10, 20, 40]}, **axes(learning_rate={"min": 0.01, "max": 1.0}))
    assert one.claim is not None
    assert (one.claim.looks, one.claim.seeds) == ((10, 20, 40), 40)
    assert Study.model_validate_json(one.model_dump_json()) == one


def test_what_was_left_to_a_default_of_the_first_rules_keeps_it() -> None:
    tuned = axes(learning_rate={"min": 0.01, "max": 1.0})
    old = study(claim=SPEND, rules=1, **tuned).claim
    written = study(claim={**SPEND, "tuning_trials": 5}, rules=1, **tuned).claim
    assert old is not None
    assert written is not None
    assert (old.tuning_trials, written.tuning_trials) == (8, 5)


@pytest.mark.parametrize("rules", [1, 2])
def test_only_the_second_rules_ask_for_seeds_that_the_folds_divide(rules: int) -> None:
    claim, tuned = {**SPEND, "seeds": 12}, axes(learning_rate={"min": 0.01, "max": 1.0})
    study(claim=claim, rules=rules, data={"name": "cifar10"}, **tuned)
    if rules == 1:
        study(claim=claim, rules=rules, **tuned)
    else:
        with pytest.raises(ValidationError, match="a multiple of 5"):
            study(claim=claim, rules=rules, **tuned)


def test_a_claim_of_more_multiples_than_anybody_compares_is_refused() -> None:
    many = {**SPEND, "cardinality": [2 * multiple for multiple in range(1, 31)]}
    with pytest.raises(ValidationError, match="found 30 values; allowed: at most 29"):
        study(claim=many, **axes(learning_rate={"min": 0.01, "max": 1.0}))


# ------------------------------------------------------------------ values


def test_a_study_is_frozen_hashable_and_survives_a_process_border() -> None:
    one = study(**axes(learning_rate=[0.1, 0.2]))
    with pytest.raises(ValidationError):
        one.seed = 3  # type: ignore[misc]
    assert hash(one) == hash(study(**axes(learning_rate=[0.1, 0.2])))
    assert pickle.loads(pickle.dumps(one)) == one


def test_json_gives_back_an_equal_study() -> None:
    given = axes(cardinality={"min": 1, "max": 3}, blocks=[1, [1, 2, 3]], momentum=[0.0, 0.9], batch_size=[32, 64])
    one = study(resources={"gpu": 0.25}, search={"parallel": 3}, objectives=["validation_error", "parameters"], **given)
    assert Study.model_validate_json(one.model_dump_json()) == one
    assert Study.model_validate(one.model_dump()) == one
    assert Study.model_validate_json(study().model_dump_json()) == study()


def test_problems_between_sections_are_found_without_a_file_too() -> None:
    """A study that a program makes, or that a worker reads from JSON, is checked as a file is."""
    with pytest.raises(ValidationError) as caught:
        study(trainer={"epochs": 2, "warmup_epochs": 2.0, "batch_size": 5000}, **axes(blocks=[[1, 1]]))
    errors = caught.value.errors(include_url=False)
    assert [(error["loc"], error["msg"]) for error in errors] == [
        (("axes", "blocks", "listed", 0), "found [1, 1]; allowed: one number for each of 3 stages."),
        (
            ("trainer", "batch_size"),
            "found 5000; allowed: at most the 1,260 images to train on. Lower it, or raise data.train_images.",
        ),
        (
            ("trainer", "warmup_epochs"),
            "found 2; allowed: below trainer.epochs (2). Set trainer.warmup_epochs to a smaller number, such as 0.",
        ),
    ]


# ------------------------------------------------------------------ the schema


def models_below(model: type[BaseModel]) -> set[type[BaseModel]]:
    found = {model}
    for field in model.model_fields.values():
        for choice in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(choice, type) and issubclass(choice, BaseModel):
                found |= models_below(choice)
    return found


def test_every_key_of_the_schema_has_a_text() -> None:
    models = models_below(Study)
    assert len(models) == 13
    silent = [
        f"{model.__name__}.{key}" for model in models for key, f in model.model_fields.items() if not f.description
    ]
    assert silent == []
    properties = Study.model_json_schema()["properties"]
    assert all(keys["description"] for keys in properties.values())
    assert properties["seed"]["description"] == "Seed of everything random in the study"


def test_the_schema_is_one() -> None:
    schema = Study.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize(
    "given",
    [
        {},
        axes(cardinality=[1, 2], width={"min": 1, "max": 9}, blocks=[2, [1, 2, 3]]),
        axes(blocks={"min": 1, "max": 6}, learning_rate={"min": 0.1, "max": 1, "scale": "log"}, batch_size=[32, 64]),
        {"budget": {"multiply_adds": 8_000_000, "tolerance": 0.02}},
        {"search": {"parallel": 4}, "resources": {"gpu": 0.5, "cluster": "10.0.0.1:6379", "checkpoints": "driver"}},
        {"trainer": {"recipe": "paper-imagenet", "epochs": 9}},
        {"trainer": {"recipe": None, "schedule": "step-thirds"}},
        {"claim": None},
        {"claim": SPEND, **axes(learning_rate={"min": 0.01, "max": 1})},
        {
            "claim": {**SPEND, "kind": "trade", "cardinality": [1, 2], "tolerance": 0.01},
            **axes(learning_rate=[1, 2, 3]),
        },
    ],
)
def test_the_schema_takes_what_a_study_takes(given: dict[str, Any]) -> None:
    raw = {**SMALLEST, **given}
    Study.model_validate(raw)
    jsonschema.validate(raw, Study.model_json_schema())
    jsonschema.validate(json.loads(Study.model_validate(raw).model_dump_json()), Study.model_json_schema())


@pytest.mark.parametrize(
    "given",
    [
        {"sed": 3},
        axes(cardinality=[]),
        axes(cardinality=0),
        axes(cardinality={"min": 1}),
        axes(blocks="many"),
        axes(learning_rate={"mean": 0.1}),
        {"budget": {"tolerance": "2"}},
        {"search": {"parallel": 0}},
        {"template": {"stride": 3}},
        {"trainer": {"recipe": "long"}},
        {"trainer": {"schedule": "thirds"}},
        {"objectives": ["speed"]},
        {"claim": {"kind": "spend"}},
        {"claim": {**SPEND, "kind": "buy"}},
        {"claim": {**SPEND, "seeds": 1}},
    ],
)
def test_the_schema_refuses_what_a_study_refuses(given: dict[str, Any]) -> None:
    raw = {**SMALLEST, **given}
    with pytest.raises(ValidationError):
        Study.model_validate(raw)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(raw, Study.model_json_schema())


def test_a_range_of_whole_numbers_has_both_ends() -> None:
    assert IntegerRange(min=1, max=1).max == 1
    with pytest.raises(ValidationError):
        KnobAxis.model_validate({"min": 1.0})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"name": "digits"}, [1_260, 1_260, 1_400]),
        ({"name": "digits", "train_images": 256, "validation_images": 200}, [256, 256, 456]),
        ({"name": "image_folder", "resolution": 32, "classes": 10}, [None, None, None]),
        ({"name": "image_folder", "resolution": 32, "classes": 10, "train_images": 640}, [640, 640, None]),
    ],
)
def test_a_trial_that_confirms_trains_on_the_images_of_validation_too(data: Any, expected: list[int | None]) -> None:
    found = study(data=data)
    assert [found.images_per_epoch(phase) for phase in get_args(Phase)] == expected
