"""`export-model`: the refitted network for other programs, checked on the test images, or a word why not."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import onnxruntime
import pytest
from resnext_search.results import StudyFolder
from resnext_search.search.lifecycle.refit import COMPARED_IMAGES, refit_study
from resnext_search.trainers.data.readers import load_dataset
from resnext_search.trainers.data.splits import split

from tests.support.helpers import tiny_study
from tests.support.journals import ended_folder
from tests.support.shell import Shell

slow = pytest.mark.slow  # trains a network for two epochs


@pytest.fixture(scope="module")
def refitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = ended_folder(tmp_path_factory.mktemp("refitted") / "run")
    refit_study(folder.path, quiet=True)
    return folder.path


@pytest.fixture
def folder(refitted: Path, shell: Shell) -> StudyFolder:
    """A study folder with a saved network, called `run` in the folder of the shell."""
    shutil.copytree(refitted, shell.folder / "run")
    return StudyFolder(shell.folder / "run")


@slow
def test_an_onnx_file_makes_the_errors_that_the_network_makes(shell: Shell, folder: StudyFolder) -> None:
    first, second = shell.done("export-model", "run").splitlines()
    assert first == "run/model.onnx: pixels (images, 1, 8, 8) uint8 to logits (images, 10), any number of images"
    assert second.startswith(f"on {COMPARED_IMAGES} test images at most ")
    data = tiny_study().data
    test = split(load_dataset(data), data, tiny_study().root_seed).test
    images, labels = (load_dataset(data).images[test].numpy(), load_dataset(data).labels[test].numpy())
    [logits] = onnxruntime.InferenceSession(folder.onnx).run(None, {"pixels": images})
    wrong = int((logits.argmax(axis=1) != labels).sum())
    assert 100 * wrong / 397 == json.loads(folder.model.read_text())["test_error"]


@slow
def test_an_onnx_file_is_written_where_it_is_wanted(shell: Shell, folder: StudyFolder) -> None:
    facts = shell.facts("export-model", "run", "--format", "onnx", "--out", "net.onnx")
    assert 0 <= facts.pop("largest_difference") < 1e-4
    assert facts == {
        "format": "onnx",
        "file": "net.onnx",
        "pixels": ["images", 1, 8, 8],
        "logits": ["images", 10],
        "compared_images": 256,
    }
    assert (shell.folder / "net.onnx").stat().st_size > 1_000
    assert not folder.onnx.exists()


@slow
def test_safetensors_are_copied_as_refit_wrote_them_or_left_where_they_are(shell: Shell, folder: StudyFolder) -> None:
    assert shell.done("export-model", "run", "--format", "safetensors") == (
        "run/model.safetensors: weights, under torchvision's names\n"
    )
    facts = shell.facts("export-model", "run", "--format", "safetensors", "--out", "net.safetensors")
    assert facts == {"format": "safetensors", "file": "net.safetensors"}
    assert (shell.folder / "net.safetensors").read_bytes() == folder.weights.read_bytes()
    assert sorted(path.name for path in shell.folder.iterdir()) == ["net.safetensors", "run"]


@slow
@pytest.mark.parametrize("name", ["onnx", "safetensors"])
def test_weights_that_are_not_those_of_the_network_are_refused(shell: Shell, folder: StudyFolder, name: str) -> None:
    folder.weights.write_bytes(folder.weights.read_bytes()[:-1])
    assert shell.refused("export-model", "run", "--format", name, "--out", "net") == (
        2,
        "resnext-search: run/model.json: model.safetensors is not the file that it was written with\n"
        "Run `refit` again.\n",
    )
    assert not (shell.folder / "net").exists()


@slow
@pytest.mark.parametrize("name", ["onnx", "safetensors"])
def test_a_file_that_cannot_be_written_is_said(shell: Shell, folder: StudyFolder, name: str) -> None:
    assert shell.refused("export-model", "run", "--format", name, "--out", "none/net") == (
        2,
        "resnext-search: none/net: cannot be written: No such file or directory\n",
    )


@pytest.mark.parametrize("name", ["onnx", "safetensors"])
def test_before_a_refit_there_is_nothing_to_write(shell: Shell, name: str) -> None:
    ended_folder(shell.folder / "run")
    assert shell.refused("export-model", "run", "--format", name) == (
        2,
        "resnext-search: run: no network has been saved yet\nRun: resnext-search refit run\n",
    )


@pytest.mark.parametrize("library", ["onnxruntime", "onnxscript"])
def test_a_missing_extra_is_said_with_how_to_get_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    ended_folder(shell.folder / "run").model.write_text("{}")
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, "resnext_search.trainers.onnx_file", raising=False)
    assert shell.refused("export-model", "run") == (
        2,
        f"resnext-search: --format onnx: import of {library} halted; None in sys.modules\n"
        "It is an extra: pip install 'resnext-search[onnx]'\n",
    )
