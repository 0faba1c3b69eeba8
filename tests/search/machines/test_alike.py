"""What must be alike on all machines, and what is said of one that differs."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from ray import cloudpickle
from resnext_search.search.machines import alike, inspection
from resnext_search.search.machines.alike import FILES, IMAGES, PROGRAM, differences, images, look, plugins_of, software
from resnext_search.spaces import Study
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers.data.readers import load_dataset

from tests.support.helpers import tiny_study
from tests.support.trees import copy_of, write_digits

TORCH = "torch 2.8.0 (the driver has 2.9.0)"
HERE = {"python": "3.11.2", PROGRAM: "1.0", "torch": "2.9.0", FILES: "12", IMAGES: "ab"}


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ({}, ""),
        ({"python": "3.12.0", "torch": "2.8.0"}, "python 3.12.0 (the driver has 3.11.2); " + TORCH),
        ({PROGRAM: "0.9", FILES: "13"}, "resnext-search 0.9 (the driver has 1.0)"),
        ({FILES: "13"}, "the files of resnext-search are not those of the driver"),
        ({PROGRAM: "1.0 (commit 12ab)"}, ""),  # a checkout of what the driver has installed
        ({IMAGES: "cd"}, "the images are not those of the driver"),
    ],
)  # fmt: skip
def test_what_differs_is_said_in_words(there: dict[str, str], words: str) -> None:
    assert differences(HERE, HERE | there) == words


def test_this_machine_is_like_itself() -> None:
    study = tiny_study()
    assert plugins_of(study) == {}
    expected = software({}) | {IMAGES: images(study)}
    assert look(expected, study.model_dump_json(), {}) == ""
    assert expected["python"] == sys.version.split()[0]
    assert look(expected | {"torch": "1.0", IMAGES: "x"}, study.model_dump_json(), {}) == (
        f"torch {expected['torch']} (the driver has 1.0)"
    ), "images are not read by another version"


def test_a_plug_in_that_is_missing_is_named() -> None:
    expected = software({}) | {"plug-in mine": "1.2"}
    assert look(expected, "{}", {"mine": "resnext_search.trainers"}) == "plug-in mine missing (the driver has 1.2)"


def on(root: Path) -> Study:
    data = DataConfig(name="image_folder", root=str(root), resolution=8, classes=10)
    return tiny_study("trainer.batch_size=16").model_copy(update={"data": data})


def test_a_copy_of_the_images_will_do_and_others_or_none_will_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tree = write_digits(tmp_path / "tree", train=60, test=60)
    expected = {IMAGES: images(on(tree))}
    copy = copy_of(tree, tmp_path / "copy")
    assert look(expected, on(copy).model_dump_json(), {}) == ""
    (copy / "train/5/0005.png").unlink()
    load_dataset.cache_clear()
    assert look(expected, on(copy).model_dump_json(), {}) == "the images are not those of the driver"
    missing = look(expected, on(tmp_path / "none").model_dump_json(), {})
    assert missing.startswith(f"data: image_folder: {tmp_path}/none")
    load_dataset.cache_clear()


LOOKS = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb'))(*sys.argv[2:], {}))"


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("__init__", "resnext-search is not installed there (No module named 'resnext_search.spaces')"),
        ("spaces/__init__", "resnext-search is not installed there (No module named 'resnext_search.spaces.versions')"),
    ],
)
def test_a_machine_without_the_program_can_say_so(tmp_path: Path, module: str, words: str) -> None:
    """It is asked by value: what it unpickles imports nothing of the program."""
    assert inspection.alike is alike  # which asks by value
    path = tmp_path / "resnext_search" / f"{module}.py"
    path.parent.mkdir(parents=True)
    for folder in (tmp_path / "resnext_search", path.parent):
        (folder / "__init__.py").touch()
    (tmp_path / "look.pickle").write_bytes(cloudpickle.dumps(lambda study, plugins: look({FILES: "1"}, study, plugins)))
    ended = subprocess.run(
        # without what an editable installation adds to the path
        [sys.executable, "-S", "-c", LOOKS, tmp_path / "look.pickle", "{}"],
        env={"PYTHONPATH": f"{tmp_path}:{sysconfig.get_path('purelib')}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.strip() == words
