"""Plug-ins: found by their entry points, imported when they are named, and refused in words if they do not work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from resnext_search.spaces import datasets as plugins
from resnext_search.spaces.datasets import (
    DATASETS,
    DatasetFacts,
    dataset_names,
    dataset_plugin,
    trainer_names,
    trainer_plugin,
)
from resnext_search.spaces.errors import PluginError, StudyError
from resnext_search.spaces.study.file import parse_study
from resnext_search.spaces.study.sections import DataConfig, Recipe
from resnext_search.spaces.study.study import Study

from tests.support.helpers import TINY_STUDY
from tests.support.plugin_packages import install

BUILT_IN = ("digits", "fashion_mnist", "cifar10", "cifar100", "image_folder")
MODULE = """
from resnext_search.spaces.datasets import DatasetFacts
facts = DatasetFacts(16, 3, 5, 900, 100, False)
def read(data):
    raise NotImplementedError
"""

Install = Callable[..., None]


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Entry points are looked for once in a process."""

    def forget() -> None:
        for kept in (plugins._found, plugins.dataset_plugin):
            kept.cache_clear()

    forget()
    yield
    forget()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a package of the given name, with data sets and trainers by name."""
    monkeypatch.syspath_prepend(tmp_path)

    def installed(package: str, code: str, datasets: dict[str, str], trainers: dict[str, str] | None = None) -> None:
        groups = {"resnext_search.datasets": datasets, "resnext_search.trainers": trainers or {}}
        install(tmp_path, package, code, groups)

    return installed


def complaint(*overrides: str) -> str:
    with pytest.raises(StudyError) as caught:
        parse_study(TINY_STUDY, "tiny.yaml", overrides)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_the_facts_of_a_plug_in_are_those_of_its_study(installed: Install) -> None:
    installed("plugin_a", MODULE, {"shapes": "plugin_a"})
    data = DataConfig(name="shapes")
    assert data.facts() == DatasetFacts(16, 3, 5, 900, 100, False)
    assert data.split_sizes(data.facts().train_images) == (810, 90)
    study = parse_study(TINY_STUDY, "tiny.yaml", ["data={name: shapes}"])
    template = study.network_template()
    assert (template.resolution, template.channels, template.classes) == (16, 3, 5)
    assert Study.model_validate_json(study.model_dump_json()) == study


def test_a_study_is_held_to_the_facts_of_a_plug_in(installed: Install) -> None:
    installed("plugin_b", MODULE, {"shapes": "plugin_b"})
    assert complaint("data={name: shapes, train_images: 850, validation_images: 100}") == (
        "command line: data: found 850 images to train on and 100 to validate on; allowed: together at most the 900 of "
        "the training split of shapes."
    )
    assert "data.classes: found 5; allowed: only for image_folder. Remove it: shapes has its own." in (
        complaint("data={name: shapes, classes: 5}")
    )


def test_an_unknown_name_is_answered_with_all_that_are_known(installed: Install) -> None:
    allowed = "digits, fashion_mnist, cifar10, cifar100 or image_folder"
    assert complaint("data.name=shape") == f'command line: data.name: found "shape"; allowed: {allowed}.'
    plugins._found.cache_clear()
    installed("plugin_c", MODULE, {"shapes": "plugin_c", "blobs": "plugin_c"}, {"mine": "plugin_c:read"})
    allowed = "digits, fashion_mnist, cifar10, cifar100, image_folder, blobs or shapes"
    assert complaint("data.name=shape") == f'command line: data.name: found "shape"; allowed: {allowed}.'
    assert complaint("trainer.plugin=her") == 'command line: trainer.plugin: found "her"; allowed: mine.'
    assert dataset_names() == (*BUILT_IN, "blobs", "shapes")
    assert trainer_names() == ("mine",)


def test_without_any_trainer_to_name_that_is_said() -> None:
    assert complaint("trainer.plugin=mine") == (
        'command line: trainer.plugin: found "mine"; allowed: nothing, since no package that is installed brings one.'
    )
    assert Recipe().plugin is None


def test_the_schema_names_what_is_installed(installed: Install) -> None:
    installed("plugin_d", MODULE, {"shapes": "plugin_d"})
    name = DataConfig.model_json_schema()["properties"]["name"]
    assert name["enum"] == [*BUILT_IN, "shapes"]
    assert name["type"] == "string"
    assert name["description"].startswith("digits (no download) | fashion_mnist")


def test_names_that_are_built_in_cannot_be_taken(installed: Install) -> None:
    installed("plugin_e", MODULE, {"digits": "plugin_e", "image_folder": "plugin_e"})
    assert dataset_names() == BUILT_IN
    assert DataConfig(name="digits").facts() == DATASETS["digits"]


@pytest.mark.parametrize(
    ("package", "code", "reason"),
    [
        (
            "broken_a",
            "import no_such_module_as_this",
            "plug-in shapes (broken_a) cannot be imported: ModuleNotFoundError: No module named "
            "'no_such_module_as_this'",
        ),
        ("broken_b", "1 /", "plug-in shapes (broken_b) cannot be imported: SyntaxError: invalid syntax"),
        ("broken_c", "", "plug-in shapes: found facts nothing; allowed: DatasetFacts with numbers above 0"),
        (
            "broken_d",
            "facts = {'resolution': 8}",
            'plug-in shapes: found facts {"resolution": 8}; allowed: DatasetFacts with numbers above 0',
        ),
        (
            "broken_e",
            MODULE.replace("900", "0"),
            "plug-in shapes: found facts [16, 3, 5, 0, 100, false, true]; allowed: DatasetFacts with numbers above 0",
        ),
        ("broken_f", MODULE.replace("def read", "def reed"), "plug-in shapes: it has no function read(data)"),
    ],
)
def test_a_plug_in_that_does_not_work_is_named_in_the_study_file(
    installed: Install, package: str, code: str, reason: str
) -> None:
    installed(package, code, {"shapes": package})
    message = complaint("data={name: shapes}")
    assert message.startswith('command line: data.name: found "shapes"; allowed: a plug-in that works. plug-in shapes')
    assert reason in message
    with pytest.raises(PluginError):
        dataset_plugin("shapes")


def test_two_packages_that_bring_the_same_name_are_refused(installed: Install) -> None:
    installed("twin_a", MODULE, {"shapes": "twin_a"})
    installed("twin_b", MODULE, {"shapes": "twin_b"})
    assert "plug-in shapes: found twin_a and twin_b in the group resnext_search.datasets; allowed: one entry point" in (
        complaint("data={name: shapes}")
    )


def test_a_trainer_is_imported_only_when_it_is_asked_for(installed: Install) -> None:
    code = "raise RuntimeError('too early')"
    installed("late", code, {}, {"late": "late:train"})
    study = parse_study(TINY_STUDY, "tiny.yaml", ["trainer.plugin=late"])
    assert study.trainer.plugin == "late"
    with pytest.raises(PluginError) as caught:
        trainer_plugin("late")
    assert str(caught.value) == "plug-in late (late:train) cannot be imported: RuntimeError: too early"


def test_a_trainer_that_cannot_be_called_is_refused(installed: Install) -> None:
    installed("uncallable", "train = 5", {}, {"five": "uncallable:train"})
    with pytest.raises(PluginError) as caught:
        trainer_plugin("five")
    assert str(caught.value) == "plug-in five: found int; allowed: a function such as trainers.train"
