"""The chosen network of a study, trained once more and saved, and written for other programs (`export-model`)."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any, Literal

from resnext_search.results.journal.folder import StudyFolder, locked
from resnext_search.results.journal.journal import Journal
from resnext_search.search.monitor.status import read_chosen
from resnext_search.search.surrogate.trained import origin_of
from resnext_search.spaces.errors import UsageError, typed
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study.study import Study
from resnext_search.spaces.whole_file import whole_file, writing


def refit_study(path: Path, number: int | None = None, *, quiet: bool = False) -> dict[str, Any]:
    """Train a trial's configuration on all but the test images, on this machine, and save it in the study folder.

    Args:
        path: The study folder.
        number: Of the trial; without it the one that `best` names.
        quiet: Do not say on standard error how far it is.

    Returns:
        What `model.json` holds, with the trial's number, and where that trial came from.

    Raises:
        UsageError: There is no such trial, or none has been completed; or the study's trainer is a plug-in.
        FolderLocked: A run works in the folder.
        DataError: The data set is missing.
        TrainingDiverged: The loss stopped being finite.
    """
    folder = StudyFolder(path)
    with Journal(folder.journal, read_only=True) as journal:
        study = journal.study()
        if study.trainer.plugin is not None:
            raise UsageError(
                f"{path}: its trials were trained by the plug-in {study.trainer.plugin}, which leaves no network",
                hint="Only what the trainer that is built in has trained can be refitted.",
            )
        trial = journal.trial(read_chosen(folder, journal)["trial"] if number is None else number)
    from resnext_search.trainers.device import best_device  # torch: only when something is trained
    from resnext_search.trainers.refit import refit
    from resnext_search.trainers.training import Epoch

    def say(epoch: Epoch) -> None:
        if not quiet:
            print(f"epoch {epoch.epoch}/{study.trainer.epochs}  loss {epoch.train_loss:.3f}", file=sys.stderr)

    with locked(folder.lock):
        facts = refit(
            study,
            trial.configuration,
            derive_seed(study.root_seed, "refit"),
            trial.trial_id,
            folder.weights,
            folder.model,
            device=best_device(),
            threads=os.cpu_count() or 1,
            said=say,
        )
    return facts | {"folder": str(path), "origin": origin_of(trial)}


Format = Literal["onnx", "safetensors"]

# Test images on which an ONNX file is compared with the network: on two cores a minute and a half for a ResNeXt-50.
COMPARED_IMAGES = 256


def export_model(path: Path, kind: Format, out: Path | None = None) -> dict[str, Any]:
    """Write the network that `refit` left in a study folder in a format that other programs read.

    Args:
        path: The study folder.
        kind: `safetensors` are the weights, under torchvision's names, as `refit` wrote them. `onnx` is the whole
            network with the normalisation of its images, compared with the network on the study's test images.
        out: The file; without it `model.onnx` or `model.safetensors` in the study folder.

    Returns:
        The format, the file, and for ONNX what it takes, what it gives, and how well it agrees.

    Raises:
        UsageError: There is no network, its files do not fit each other, the extra `onnx` is missing, or the file
            cannot be written.
        DataError: The data set is missing (ONNX).
        ResnextSearchError: The ONNX file computes something else; it is not kept.
    """
    folder = StudyFolder(path)
    with Journal(folder.journal, read_only=True) as journal:
        study = journal.study()
    if not folder.model.exists():
        raise UsageError(f"{path}: no network has been saved yet", hint=f"Run: resnext-search refit {typed(path)}")
    file = out or (folder.onnx if kind == "onnx" else folder.weights)
    with writing(file):
        facts = _write_onnx(folder, study, file) if kind == "onnx" else _copy_weights(folder, file)
    return {"format": kind, "file": str(file), **facts}


def _copy_weights(folder: StudyFolder, file: Path) -> dict[str, Any]:
    from resnext_search.trainers.refit import read_model  # torch: only when a network is read

    read_model(folder.model)  # that the weights are those it names
    if file.resolve() != folder.weights.resolve():
        with whole_file(file) as draft:
            shutil.copyfile(folder.weights, draft)
    return {}


def _write_onnx(folder: StudyFolder, study: Study, file: Path) -> dict[str, Any]:
    try:
        from resnext_search.trainers.onnx_file import write_onnx
    except ImportError as error:
        hint = "It is an extra: pip install 'resnext-search[onnx]'"
        raise UsageError(f"--format onnx: {error}", hint=hint) from error
    import torch
    from resnext_search.trainers.data.dataset import Look
    from resnext_search.trainers.data.readers import load_dataset
    from resnext_search.trainers.data.splits import splits_of
    from resnext_search.trainers.refit import load_network, read_model

    model, network = read_model(folder.model), load_network(folder.model)
    dataset = load_dataset(study.data)
    mean, std = (torch.tensor(model["pixels"][name]) for name in ("mean", "std"))
    as_stored = Look(torch.zeros_like(mean), torch.ones_like(std), augment="none", flip=False)
    batches = dataset.batches(as_stored, torch.device("cpu"), 1)
    numbers = splits_of(dataset, study, model["seed"], confirm=True).test[:COMPARED_IMAGES]
    [(pixels, _)] = batches.plain(numbers, COMPARED_IMAGES)
    images = pixels.to(torch.uint8)
    difference = write_onnx(network, mean, std, images, file)
    return {
        "pixels": ["images", *images.shape[1:]],
        "logits": ["images", model["template"]["classes"]],
        "compared_images": len(images),
        "largest_difference": difference,
    }
