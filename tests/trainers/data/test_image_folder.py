"""A tree of more than a thousand real images: read as needed, the same from any number of processes, damaged or not."""

from __future__ import annotations

import itertools
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import torch
from resnext_search.results import Journal
from resnext_search.search import run_study
from resnext_search.spaces import Architecture, Configuration, Study
from resnext_search.spaces.errors import DataError, TooManyFailures
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers import Epoch, load_dataset, train
from resnext_search.trainers.data.dataset import Batch, Dataset, Look
from resnext_search.trainers.data.decoding import View, Viewer
from resnext_search.trainers.data.image_batches import FolderBatches
from resnext_search.trainers.data.image_folder import FolderDataset, read_image_folder
from resnext_search.trainers.data.in_memory import MemoryDataset
from resnext_search.trainers.data.readers import check_dataset
from resnext_search.trainers.data.splits import split
from torch import Tensor

from tests.support.helpers import tiny_study
from tests.support.trees import DAMAGED, copy_of, damage, write_digits

CPU = torch.device("cpu")
LOOK = Look(torch.tensor([10.0, 20.0, 30.0]), torch.tensor([1.0, 2.0, 4.0]), "standard", True)
CONFIGURATION = Configuration(Architecture.paper(2, 2, (1, 1)))


@pytest.fixture(scope="module")
def sound_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,000 digits to train on and 200 to test on; not to be changed."""
    return write_digits(tmp_path_factory.mktemp("sound"), train=1_000, test=200)


@pytest.fixture
def tree(sound_tree: Path, tmp_path: Path) -> Path:
    """A copy of it, which may be."""
    return copy_of(sound_tree, tmp_path / "tree")


def config(root: Path, **given: Any) -> DataConfig:
    return DataConfig(name="image_folder", root=str(root), **({"resolution": 14, "classes": 10} | given))


def study_of(root: Path, **data: Any) -> Study:
    """A study that learns in two epochs, about a second each."""
    return Study.model_validate(
        {
            "name": "tiny-folder",
            "data": config(root, **data).model_dump(),
            "template": {"planes": 4, "stages": 2},
            "budget": {"multiply_adds": 300_000},
            "axes": {"cardinality": [2], "width": [2], "blocks": [1]},
            "trainer": {"epochs": 2, "batch_size": 50, "learning_rate": 0.1, "augment": "none"},
        }
    )


def results(epochs: list[Epoch]) -> list[Epoch]:
    """All but the time."""
    return [epoch._replace(seconds=0.0) for epoch in epochs]


def joined(batches: Iterator[Batch]) -> tuple[Tensor, Tensor]:
    images, labels = zip(*batches, strict=True)
    return torch.cat(images), torch.cat(labels)


def batches_of(dataset: FolderDataset, workers: int) -> FolderBatches:
    """Decoded by so many processes, whatever this machine would have."""
    return FolderBatches(dataset.files, dataset.labels, dataset.viewer, LOOK, CPU, workers)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# ------------------------------------------------------------------ the data set


def test_a_tree_is_a_data_set_of_which_only_names_are_in_memory(sound_tree: Path) -> None:
    dataset = load_dataset(config(sound_tree))
    assert isinstance(dataset, FolderDataset)
    assert isinstance(dataset, Dataset)
    assert (dataset.published_train, len(dataset.labels), dataset.labels.dtype) == (1_000, 1_200, torch.int64)
    assert load_dataset(config(sound_tree)) is dataset  # once in a process
    assert dataset.labels[:1_000].bincount().min() > 90
    splits = split(dataset, config(sound_tree), 0)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (900, 100, 200)


def test_pixel_statistics_are_those_of_the_middles_of_up_to_a_thousand_images(sound_tree: Path) -> None:
    dataset = read_image_folder(config(sound_tree))
    numbers = torch.tensor([7, 3, 900])
    views = Viewer(str(sound_tree), 14).__getitems__([View(dataset.files.paths[number]) for number in (7, 3, 900)])
    assert isinstance(views, Tensor)
    expected = MemoryDataset(views.permute(0, 3, 1, 2), dataset.labels, 3).pixel_statistics(torch.arange(3))
    for given in (numbers, numbers.flip(0)):  # in whatever order
        mean, std = dataset.pixel_statistics(given)
        assert torch.equal(mean, expected[0])
        assert torch.equal(std, expected[1])


def test_of_many_images_a_thousand_evenly_spaced_ones_are_looked_at(
    sound_tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resnext_search.trainers.data.image_folder.SAMPLE", 4)
    dataset = read_image_folder(config(sound_tree))
    mean, _ = dataset.pixel_statistics(torch.arange(10).flip(0))  # the numbers 0, 3, 6 and 9
    assert torch.equal(mean, dataset.pixel_statistics(torch.tensor([0, 3, 6, 9]))[0])


# ------------------------------------------------------------------ batches


def test_plain_batches_are_the_normalised_middles_in_the_order_asked_for(sound_tree: Path) -> None:
    dataset = read_image_folder(config(sound_tree, resolution=28))
    first, last = dataset.batches(LOOK, CPU, 1).plain(torch.tensor([999, 0, 500]), 2)
    assert first.labels.tolist() == [9, 0]
    assert first.images.shape == (2, 3, 28, 28)
    assert first.images.is_contiguous(memory_format=torch.channels_last)
    [pixels] = Viewer(str(sound_tree), 28).__getitems__([View(dataset.files.paths[500])])
    assert isinstance(pixels, Tensor)
    expected = (pixels.permute(2, 0, 1).float() - LOOK.mean[:, None, None]) / LOOK.std[:, None, None]
    assert torch.equal(last.images[0], expected)


def test_training_batches_are_the_same_from_any_number_of_processes(sound_tree: Path) -> None:
    dataset, order = read_image_folder(config(sound_tree)), torch.arange(0, 1_000, 7)  # 143 images
    passes = []
    for workers in (0, 1, 2):
        torch.manual_seed(workers)
        before = torch.get_rng_state()
        batches = batches_of(dataset, workers)
        passes.append([joined(batches.training(order, 20, seeded(seed))) for seed in (1, 1, 2)])
        assert torch.equal(joined(batches.plain(order, 20))[1], dataset.labels[order])
        assert torch.equal(torch.get_rng_state(), before)  # torch's own generator is neither used nor moved
    for (images, labels), (again, _), (other, _) in passes:
        assert torch.equal(images, passes[0][0][0])
        assert torch.equal(again, images)
        assert not torch.equal(other, images)
        assert labels.tolist() == dataset.labels[order[:140]].tolist()  # the last three make no whole batch


def test_without_augmentation_training_batches_are_plain(sound_tree: Path) -> None:
    batches = read_image_folder(config(sound_tree)).batches(LOOK._replace(augment="none"), CPU, 1)
    order = torch.tensor([5, 17, 999])
    trained, plain = joined(batches.training(order, 3, seeded(0))), joined(batches.plain(order, 3))
    assert torch.equal(trained[0], plain[0])


def decoders() -> list[psutil.Process]:
    """Processes of ours that decode images."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def wait_until(condition: Callable[[], bool]) -> None:
    patience = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < patience
        time.sleep(0.05)


def test_no_process_outlives_a_trial_whose_images_were_not_all_asked_for(sound_tree: Path) -> None:
    before = len(decoders())
    batches = batches_of(read_image_folder(config(sound_tree)), 1)
    begun = batches.training(torch.arange(1_000), 10, seeded(0))
    next(begun)
    [one] = decoders()[before:]
    assert len(joined(batches.plain(torch.arange(10), 5))[1]) == 10  # the same process goes on to the next pass
    assert decoders()[before:] == [one]
    del batches, begun
    wait_until(lambda: len(decoders()) == before)


def test_a_pass_that_goes_on_after_another_has_begun_is_refused(sound_tree: Path) -> None:
    batches = read_image_folder(config(sound_tree)).batches(LOOK, CPU, 1)
    first = batches.plain(torch.arange(30), 10)
    next(first)
    next(batches.plain(torch.arange(30), 10))
    with pytest.raises(RuntimeError, match="another pass over the images has begun"):
        next(first)


# ------------------------------------------------------------------ damaged and missing files


def test_files_that_cannot_be_read_are_refused_by_name_before_a_run(tree: Path) -> None:
    with pytest.raises(DataError) as caught:
        check_dataset(config(damage(tree)))
    assert str(caught.value) == (
        f"data: image_folder: 6 of 1,206 images cannot be read: {tree}/train/0/aa-empty.png (empty), "
        f"{tree}/train/0/ab-text.jpg (no image that Pillow knows), "
        f"{tree}/train/3/ac-truncated.png (image file is truncated) and 3 more"
    )
    assert caught.value.hint == "Mend them or take them away, or leave them out with data.unreadable=skip."


def test_a_sound_tree_passes_the_check(sound_tree: Path) -> None:
    assert isinstance(check_dataset(config(sound_tree)), FolderDataset)


def test_files_that_are_skipped_leave_the_splits_of_a_tree_that_never_had_them(sound_tree: Path, tree: Path) -> None:
    skipping = config(damage(tree), unreadable="skip")
    dataset, sound = check_dataset(skipping), read_image_folder(config(sound_tree))
    assert isinstance(dataset, FolderDataset)
    assert dataset.left_out == DAMAGED
    assert dataset.files.paths == sound.files.paths
    assert dataset.fingerprint == sound.fingerprint
    for ours, theirs in zip(split(dataset, skipping, 3), split(sound, config(sound_tree), 3), strict=True):
        assert torch.equal(ours, theirs)


def test_a_tree_of_which_nothing_can_be_read_is_refused(tree: Path) -> None:
    for image in (tree / "test").rglob("*.*"):
        image.write_bytes(b"")
    with pytest.raises(DataError, match="and 197 more: nothing is left to train or to test on"):
        load_dataset(config(tree, unreadable="skip"))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_file_that_vanishes_after_the_check_is_named_when_it_is_needed(tree: Path, workers: int) -> None:
    dataset = check_dataset(config(tree))
    assert isinstance(dataset, FolderDataset)
    (tree / dataset.files.paths[3]).unlink()
    with pytest.raises(DataError) as caught:
        list(batches_of(dataset, workers).plain(torch.arange(5), 5))
    assert str(caught.value) == (
        f"data: image_folder: {tree}/{dataset.files.paths[3]} cannot be read: No such file or directory"
    )
    assert caught.value.hint == (
        "Mend it or take it away. A study with `data: {unreadable: skip}` leaves such files out."
    )


# ------------------------------------------------------------------ trials


def test_a_trial_learns_from_a_tree_with_damaged_files(tree: Path) -> None:
    epochs = list(train(study_of(damage(tree), unreadable="skip"), CONFIGURATION, 1))
    assert len(epochs) == 2
    assert epochs[1].train_loss < epochs[0].train_loss
    assert epochs[1].validation_error is not None
    assert epochs[1].validation_error < 60  # 90 by chance


def test_a_trial_resumed_after_one_of_three_epochs_equals_an_undisturbed_one(sound_tree: Path, tmp_path: Path) -> None:
    study = study_of(sound_tree, train_images=200)
    recipe = study.trainer.model_copy(update={"epochs": 3, "augment": "standard"})
    study = study.model_copy(update={"trainer": recipe})
    undisturbed = results(list(train(study, CONFIGURATION, 1)))
    path = tmp_path / "trial.pt"
    list(itertools.islice(train(study, CONFIGURATION, 1, checkpoint=path), 1))
    assert results(list(train(study, CONFIGURATION, 1, checkpoint=path))) == undisturbed


@pytest.mark.filterwarnings("ignore:This DataLoader will create 2 worker processes")  # on one core
def test_a_trial_of_three_threads_trains_outside_the_main_thread_and_leaves_no_process(sound_tree: Path) -> None:
    """As Ray's workers do."""
    before, epochs = len(decoders()), []
    study = study_of(sound_tree, train_images=200)
    thread = threading.Thread(target=lambda: epochs.extend(train(study, CONFIGURATION, 1, threads=3)))
    thread.start()
    thread.join()
    assert [epoch.epoch for epoch in epochs] == [1, 2]
    wait_until(lambda: len(decoders()) == before)


# ------------------------------------------------------------------ whole studies, on a real Ray


def tiny_folder_study(root: Path, *overrides: str) -> Study:
    data = json.dumps({"name": "image_folder", "root": str(root), "resolution": 14, "classes": 10, "train_images": 256})
    return tiny_study(f"data={data}", *overrides)


@pytest.mark.slow
@pytest.mark.usefixtures("shared_ray")
def test_a_study_on_a_tree_with_damaged_files_leaves_them_out_and_says_so(
    tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    study = tiny_folder_study(damage(tree), "data.unreadable=skip", "search.trials=2", "resources.cpu=3")

    folder = run_study(study, tmp_path / "run", cpus=3, gpus=0)  # as Ray counts: two processes decode for every trial

    assert pd.read_csv(folder.trials).state.tolist() == ["completed"] * 2
    assert f"6 of 1,206 images cannot be read and are left out: {tree}/train/0/aa-empty.png (empty)" in (
        capfd.readouterr().out
    )
    assert len(folder.images.read_text().strip()) == 64
    shutil.copy(tree / "train/3/0013.png", tree / "train/3/ac-truncated.png")  # mended between two sittings
    with pytest.raises(DataError, match="are not those of the study's first trial"):
        run_study(tiny_folder_study(tree, "data.unreadable=skip", "search.trials=3"), folder.path, cpus=2, gpus=0)


@pytest.mark.slow
@pytest.mark.usefixtures("shared_ray")
def test_a_trial_that_meets_a_missing_file_fails_and_names_it(tree: Path, tmp_path: Path) -> None:
    def losing(study: Study, configuration: Configuration, seed: int, latency: bool, **where: Any) -> Iterator[Epoch]:
        for image in (Path(study.data.root) / "train/5").iterdir():
            image.unlink(missing_ok=True)
        return train(study, configuration, seed, **where)

    with pytest.raises(TooManyFailures, match=r"train/5/.* cannot be read: No such file or directory"):
        run_study(tiny_folder_study(tree, "search.trials=1"), tmp_path / "run", train=losing, cpus=1, gpus=0)

    with Journal(tmp_path / "run/journal.sqlite", read_only=True) as journal:
        assert journal.trials()[0].failure_class == "DataError"
