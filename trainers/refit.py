"""How does a network leave the study? Trained once more, on all images but the test images, and saved to be used.

The weights are safetensors, which run no code when they are read; a JSON file beside them says how to build the network
and what it scored. They have torchvision's names and shapes: a network of torchvision with the same layout loads them
as they are.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from resnext_search.spaces.architecture.architecture import Architecture, Template
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Study
from resnext_search.spaces.whole_file import write_whole
from resnext_search.trainers.resnext import build_network
from resnext_search.trainers.training import Epoch, train_epochs
from resnext_search.trainers.training_run import TrainingRun
from safetensors.torch import load_file, save
from torch import nn

FORMAT = "resnext-search-1"


def refit(
    study: Study,
    configuration: Configuration,
    seed: int,
    trial_id: int,
    weights: Path,
    model: Path,
    *,
    device: torch.device | str = "cpu",
    threads: int = 1,
    said: Callable[[Epoch], None] = lambda epoch: None,
) -> dict[str, Any]:
    """Train a configuration on training and validation images, read the test images once, and save the network.

    Args:
        study: As in `train`; so are configuration, seed, device and threads.
        trial_id: Which trial it comes from, for the record.
        weights: The safetensors file to write.
        model: The JSON file to write; it names the other one, and lies in the same folder.
        said: Called after every epoch.

    Returns:
        What stands in the JSON file.

    Raises:
        DataError: The data set is missing.
        TrainingDiverged: The loss stopped being finite; nothing is written.
    """
    trial = TrainingRun(study, configuration, seed, device=torch.device(device), threads=threads, confirm=True)
    epochs = []
    for epoch in train_epochs(trial):
        epochs.append(epoch)
        said(epoch)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in trial.network.state_dict().items()}
    content = save(tensors)
    facts: dict[str, Any] = {
        "format": FORMAT,
        "trial": trial_id,
        "architecture": dataclasses.asdict(configuration.architecture) | {"name": configuration.architecture.name},
        "template": dataclasses.asdict(study.network_template()),
        "pixels": {"mean": trial.splits.mean.tolist(), "std": trial.splits.std.tolist()},
        "data": study.data.model_dump(mode="json", exclude={"root"}),
        "recipe": trial.recipe.model_dump(mode="json"),
        "seed": seed,
        "train_images": len(trial.splits.train),
        "test_images": len(trial.splits.test),
        "test_error": epochs[-1].test_error,
        "seconds": sum(epoch.seconds for epoch in epochs),
        "versions": {name: version(name) for name in ("resnext-search", "torch")},
        "weights": weights.name,
        "weights_sha256": hashlib.sha256(content).hexdigest(),
    }
    text = json.dumps(facts, indent=2)
    write_whole(weights, content)
    write_whole(model, text + "\n")
    written: dict[str, Any] = json.loads(text)
    return written


def read_model(model: Path) -> dict[str, Any]:
    """Read a JSON file that `refit` wrote, and make sure that the weights beside it are those that it names.

    Raises:
        UsageError: The file is no such file, or its weights are missing or not those it names.
    """
    try:
        facts: dict[str, Any] = json.loads(model.read_text(encoding="utf-8"))
        weights = model.with_name(facts["weights"])
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "`refit` writes both files."
        raise UsageError(f"{model}: no network can be read from it: {error}", hint=hint) from error
    if facts.get("format") != FORMAT or digest != facts["weights_sha256"]:
        raise UsageError(f"{model}: {weights.name} is not the file that it was written with", hint="Run `refit` again.")
    return facts


def load_network(model: Path) -> nn.Module:
    """Build the network of a JSON file that `refit` wrote, with its weights, ready to be asked (`eval`).

    It wants images as `(images, channels, side, side)` floats on the scale 0 to 255, less `pixels.mean` and divided by
    `pixels.std`, channel by channel.

    Raises:
        UsageError: The file is no such file, or its weights are missing or not those it names.
    """
    facts = read_model(model)
    shape = facts["architecture"]
    architecture = Architecture(shape["cardinality"], tuple(shape["group_widths"]), tuple(shape["blocks"]))
    network = build_network(Template(**facts["template"]), architecture, generator=torch.Generator())
    network.load_state_dict(load_file(model.with_name(facts["weights"])))
    return network.eval()
