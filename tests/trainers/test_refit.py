"""A network leaves the study: weights as safetensors, and a JSON file that builds it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from resnext_search.spaces import Architecture, Configuration, Study
from resnext_search.spaces.errors import UsageError
from resnext_search.trainers.data.readers import load_dataset
from resnext_search.trainers.refit import load_network, refit
from resnext_search.trainers.training import train
from safetensors.torch import load_file
from torch import nn


@pytest.fixture
def facts(study: Study, configuration: Configuration, tmp_path: Path) -> dict[str, Any]:
    return refit(study, configuration, 3, 17, tmp_path / "model.safetensors", tmp_path / "model.json")


def test_the_saved_network_makes_the_same_errors_on_the_test_images(
    study: Study, facts: dict[str, Any], tmp_path: Path
) -> None:
    network = load_network(tmp_path / "model.json")
    dataset = load_dataset(study.data)
    from resnext_search.trainers.data.splits import split

    test = split(dataset, study.data, study.root_seed).test
    mean, std = (torch.tensor(facts["pixels"][name]).view(1, -1, 1, 1) for name in ("mean", "std"))
    with torch.no_grad():
        logits = network((dataset.images[test].float() - mean) / std)
    wrong = int((logits.argmax(dim=1) != dataset.labels[test]).sum())
    assert 100 * wrong / len(test) == facts["test_error"]
    assert facts["test_images"] == len(test) == 397
    assert facts["train_images"] == 128 + 100


def test_a_refit_is_the_run_that_confirms_with_the_same_seed(
    study: Study, configuration: Configuration, facts: dict[str, Any]
) -> None:
    *_, last = train(study, configuration, 3, confirm=True)
    assert facts["test_error"] == last.test_error


def test_the_json_file_holds_what_was_returned_and_no_path(facts: dict[str, Any], tmp_path: Path) -> None:
    text = (tmp_path / "model.json").read_text()
    assert json.loads(text) == facts
    assert str(tmp_path) not in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "model.safetensors"]
    assert (facts["trial"], facts["architecture"]["name"], facts["recipe"]["epochs"]) == (17, "2x2d-8", 4)


def test_torchvision_opens_the_weights_as_they_are(study: Study, tmp_path: Path) -> None:
    """A layout that torchvision can build: its stem, four stages from 64 planes, widths that double, projections."""
    from torchvision.models.resnet import Bottleneck, ResNet

    layout = {"stem": "imagenet", "planes": 64, "stages": 4, "width_rule": "paper"}
    study = Study.model_validate(study.model_dump() | {"template": layout, "trainer": {"epochs": 2}})
    point = Configuration(Architecture.paper(2, 8, (1, 2, 1, 1)))
    refit(study, point, 3, 17, tmp_path / "model.safetensors", tmp_path / "model.json")
    theirs = ResNet(Bottleneck, [1, 2, 1, 1], num_classes=10, groups=2, width_per_group=8)
    theirs.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)  # digits are grey
    theirs.load_state_dict(load_file(tmp_path / "model.safetensors"))
    images = torch.randn(5, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = load_network(tmp_path / "model.json")(images)
        torch.testing.assert_close(theirs.eval()(images), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("broken", ["weights", "json", "format", "missing"])
def test_a_damaged_network_is_refused(facts: dict[str, Any], tmp_path: Path, broken: str) -> None:
    model, weights = tmp_path / "model.json", tmp_path / "model.safetensors"
    if broken == "weights":
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
    elif broken == "json":
        model.write_text("{")
    elif broken == "format":
        model.write_text(json.dumps({**facts, "format": "another"}))
    else:
        weights.unlink()
    with pytest.raises(UsageError, match=r"model\.json: "):
        load_network(model)
