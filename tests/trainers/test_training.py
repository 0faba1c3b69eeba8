"""Training: the same bits from the same seed, also across an interruption; divergence."""

from __future__ import annotations

import itertools
import logging
import math
import pickle
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from resnext_search.spaces import Architecture, Configuration, Study
from resnext_search.spaces.errors import DataError
from resnext_search.trainers import training, training_run
from resnext_search.trainers.checkpoint import write_checkpoint
from resnext_search.trainers.training import Epoch, Rhythm, TrainingDiverged, train
from resnext_search.trainers.training_run import TrainingRun

from tests.support.helpers import changed

CPU = torch.device("cpu")


def results(epochs: list[Epoch]) -> list[Epoch]:
    """The epochs without what time they took."""
    return [epoch._replace(seconds=0.0) for epoch in epochs]


# ------------------------------------------------------------------ whole trials


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(study: Study, configuration: Configuration) -> None:
    first, same, other = (results(list(train(study, configuration, seed))) for seed in (1, 1, 2))
    assert first == same
    assert first != other
    assert [epoch.epoch for epoch in first] == [1, 2, 3, 4]
    assert first[-1].learning_rate == 0.0


def test_a_trial_neither_uses_nor_moves_the_global_generator(study: Study, configuration: Configuration) -> None:
    before = torch.get_rng_state()
    first = results(list(train(study, configuration, 1)))
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    assert results(list(train(study, configuration, 1))) == first


@pytest.mark.slow
def test_digits_are_learned_in_a_few_epochs() -> None:
    study = Study.model_validate(
        {
            "name": "learns",
            "data": {"name": "digits", "validation_images": 400},
            "template": {"planes": 8, "stages": 3},
            "budget": {"multiply_adds": 600_000},
            "axes": {"cardinality": [2], "width": [8], "blocks": [1]},
            "trainer": {"epochs": 6, "batch_size": 32, "learning_rate": 0.05},
        }
    )
    *_, last = train(study, Configuration(Architecture.paper(2, 8, (1, 1, 1))), 0)
    assert last.validation_error < 15
    assert last.train_loss < 0.5


def test_a_trial_in_micro_batches_learns(study: Study, configuration: Configuration) -> None:
    whole, parts = (list(train(study, configuration, 1, micro_batches=n)) for n in (1, 4))
    assert parts[-1].train_loss < parts[0].train_loss
    assert parts[-1].train_loss == pytest.approx(whole[-1].train_loss, rel=0.3)


@pytest.mark.parametrize("batch_size", [32, 4_096])
def test_a_trial_gives_its_memory_back_whether_it_ends_or_cannot_even_begin(
    study: Study, configuration: Configuration, monkeypatch: pytest.MonkeyPatch, batch_size: int
) -> None:
    released: list[torch.device] = []
    monkeypatch.setattr(training, "release", released.append)
    with suppress(DataError):  # more images in a batch than there are
        list(train(changed(study, batch_size=batch_size), configuration, 1))
    assert released == [CPU]


# ------------------------------------------------------------------ interruption


@pytest.mark.parametrize("momentum", [0.9, 0.0])
def test_a_trial_resumed_after_two_of_four_epochs_equals_an_undisturbed_one(
    study: Study, configuration: Configuration, tmp_path: Path, momentum: float
) -> None:
    study = changed(study, momentum=momentum)
    undisturbed = results(list(train(study, configuration, 1)))
    path = tmp_path / "trial.pt"
    interrupted = list(itertools.islice(train(study, configuration, 1, checkpoint=path), 2))
    resumed = list(train(study, configuration, 1, checkpoint=path))
    assert resumed[:2] == interrupted  # with their seconds: they are yielded again, not trained again
    assert results(resumed) == undisturbed
    assert list(train(study, configuration, 1, checkpoint=path)) == resumed
    assert [file.name for file in tmp_path.iterdir()] == ["trial.pt"]


def test_an_epoch_is_in_the_checkpoint_of_a_trial_that_is_left_after_it(
    study: Study, configuration: Configuration, tmp_path: Path
) -> None:
    path = tmp_path / "trial.pt"
    begun = train(study, configuration, 1, checkpoint=path)
    first = next(begun)
    begun.close()
    assert next(train(study, configuration, 1, checkpoint=path)) == first


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens, in its order, where writing a checkpoint takes 0.2 s."""
    happened = list[str]()

    def run_epoch(trial: TrainingRun, number: int) -> Epoch:
        happened.append(f"train {number}")
        return one_epoch(trial, number)

    def write_slowly(path: Path, identity: str, state: dict[str, Any]) -> None:
        time.sleep(0.2)
        write_checkpoint(path, identity, state)
        happened.append(f"keep {len(state['epochs'])}")

    one_epoch = training._run_epoch
    monkeypatch.setattr(training, "_run_epoch", run_epoch)
    monkeypatch.setattr(training, "write_checkpoint", write_slowly)
    return happened


@pytest.mark.parametrize(
    ("early_stopping", "order"),
    [
        ("none", "report {0}, keep {0}"),
        ("asha", "keep {0}, report {0}"),
    ],
)
def test_a_checkpoint_is_written_while_its_epoch_is_reported_unless_the_trial_may_end_with_it(
    study: Study, configuration: Configuration, tmp_path: Path, events: list[str], early_stopping: str, order: str
) -> None:
    search = study.search.model_copy(update={"early_stopping": early_stopping})
    study = study.model_copy(update={"search": search})
    for epoch in train(study, configuration, 1, checkpoint=tmp_path / "trial.pt"):
        events.append(f"report {epoch.epoch}")
    expected = [f"train {{0}}, {order}".format(epoch) for epoch in (1, 2, 3)]
    assert ", ".join(events) == ", ".join([*expected, "train 4, keep 4, report 4"])


@pytest.mark.parametrize(
    ("device", "kept"),
    [
        ("cpu", [0.5, 1.0, 4.9, 5.0, 9.9, 10.0, 10.1]),
        ("cuda", [5.0, 10.0]),  # 5 s after the beginning, and 5 s after that
    ],
)
def test_on_a_gpu_five_seconds_pass_between_two_states_and_on_processors_every_epoch_has_one(
    device: str, kept: list[float]
) -> None:
    now = [100.0]
    rhythm = Rhythm(torch.device(device), clock=lambda: now[0])
    due = []
    for seconds in (0.5, 1.0, 4.9, 5.0, 9.9, 10.0, 10.1):
        now[0] = 100.0 + seconds
        if rhythm.is_due():
            due.append(seconds)
    assert due == kept


class EverySecond(Rhythm):
    """That of epochs which have a state kept every second time."""

    def __init__(self, device: torch.device) -> None:
        self.epochs = 0

    def is_due(self) -> bool:
        self.epochs += 1
        return self.epochs % 2 == 0


@pytest.mark.parametrize("travels", [False, True])
def test_a_trial_that_is_lost_goes_on_from_its_last_state_and_repeats_what_came_after(
    study: Study, configuration: Configuration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, travels: bool
) -> None:
    """Lost after epoch 3, of which the state after epoch 2 is there: epochs 3 and 4 are trained, the same again."""
    undisturbed = results(list(train(study, configuration, 1)))
    monkeypatch.setattr(training, "Rhythm", EverySecond)
    bag, path = Bag(), tmp_path / "trial.pt"
    where: dict[str, Any] = {"carrier": bag} if travels else {"checkpoint": path}
    lost = list(itertools.islice(train(study, configuration, 1, **where), 3))
    if travels:
        assert list(bag.kept) == [2]
        where = {"carrier": Bag(bag.kept[2])}
    resumed = list(train(study, configuration, 1, **where))
    assert resumed[:2] == lost[:2]
    assert resumed[2].seconds != lost[2].seconds  # it was trained again
    assert results(resumed) == undisturbed


def test_an_error_of_the_program_while_it_writes_a_checkpoint_ends_the_trial(
    study: Study, configuration: Configuration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "write_checkpoint", lambda *_: [].pop())
    with pytest.raises(IndexError):
        list(train(study, configuration, 1, checkpoint=tmp_path / "trial.pt"))


def test_a_damaged_checkpoint_is_ignored_with_a_warning(
    study: Study, configuration: Configuration, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "trial.pt"
    undisturbed = results(list(train(study, configuration, 1, checkpoint=path)))
    path.write_bytes(path.read_bytes()[:-100])
    with caplog.at_level(logging.WARNING):
        assert results(list(train(study, configuration, 1, checkpoint=path))) == undisturbed
    assert caplog.messages == [f"checkpoint {path} is damaged; the trial starts over"]


def test_the_checkpoint_of_another_seed_configuration_or_recipe_is_ignored(
    study: Study, configuration: Configuration, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "trial.pt"
    other = Configuration(Architecture.paper(1, 4, (1, 1)))
    for now in ((study, configuration, 2), (study, other, 1), (changed(study, epochs=3), configuration, 1)):
        first = next(train(study, configuration, 1, checkpoint=path))
        caplog.clear()
        assert results([next(train(*now, checkpoint=path))]) != results([first]) or now[0] is not study
        assert caplog.messages == [f"checkpoint {path} belongs to another trial; this one starts over"]
        path.unlink()


def test_the_checkpoint_of_the_same_values_is_taken_whatever_the_recipe_is_called(
    study: Study, configuration: Configuration, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A trial that was interrupted under a version without named recipes goes on where it stood."""
    path = tmp_path / "trial.pt"
    first = next(train(study, configuration, 1, checkpoint=path))
    assert next(train(changed(study, recipe="short"), configuration, 1, checkpoint=path)) == first
    assert caplog.messages == []


@pytest.mark.parametrize("change", ["birth", "version"])
def test_nobody_takes_the_state_of_another_study_or_of_another_version(
    study: Study,
    configuration: Configuration,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    path = tmp_path / "trial.pt"
    first = next(train(study, configuration, 1, checkpoint=path, birth="one"))
    assert next(train(study, configuration, 1, checkpoint=path, birth="one")) == first
    if change == "version":
        monkeypatch.setattr(training_run, "versions", lambda: {"resnext-search": "0.0.1"})
    again = next(train(study, configuration, 1, checkpoint=path, birth="other" if change == "birth" else "one"))
    assert results([again]) == results([first])
    assert again.seconds != first.seconds  # it was trained
    assert caplog.messages == [f"checkpoint {path} belongs to another trial; this one starts over"]


# ------------------------------------------------------------------ states that travel


class Bag:
    """Carries states as a worker does: those that were kept, in their order."""

    def __init__(self, start: bytes | None = None) -> None:
        self.start, self.kept = start, dict[int, bytes]()

    def begin(self) -> bytes | None:
        return self.start

    def keep(self, content: memoryview, epoch: int) -> None:
        self.kept[epoch] = bytes(content)


def test_a_state_is_handed_over_before_its_epoch_is_yielded_and_none_after_the_last(
    study: Study, configuration: Configuration, tmp_path: Path
) -> None:
    bag = Bag()
    seen = [list(bag.kept) for _ in train(study, configuration, 1, checkpoint=tmp_path / "trial.pt", carrier=bag)]
    assert seen == [[1], [1, 2], [1, 2, 3], [1, 2, 3]]
    assert list(tmp_path.iterdir()) == []


def test_a_trial_goes_on_from_a_state_that_is_brought_as_from_the_file_of_it(
    study: Study, configuration: Configuration, tmp_path: Path
) -> None:
    undisturbed = results(list(train(study, configuration, 1)))
    bag, path = Bag(), tmp_path / "trial.pt"
    begun = list(itertools.islice(train(study, configuration, 1, carrier=bag), 2))
    resumed = list(train(study, configuration, 1, carrier=Bag(bag.kept[2])))
    assert resumed[:2] == begun
    assert results(resumed) == undisturbed
    path.write_bytes(bag.kept[2])  # of one that goes on where files are kept
    assert results(list(train(study, configuration, 1, checkpoint=path))) == undisturbed


def test_a_state_of_another_trial_that_is_brought_is_ignored(
    study: Study, configuration: Configuration, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bag, path = Bag(), tmp_path / "trial.pt"
    next(train(study, configuration, 1, carrier=bag))
    first = next(train(study, configuration, 2, checkpoint=path, carrier=Bag(bag.kept[1])))
    assert results([first]) == results([next(train(study, configuration, 2))])
    assert caplog.messages == [f"checkpoint {path} belongs to another trial; this one starts over"]


# ------------------------------------------------------------------ unhappy


@pytest.mark.parametrize("epochs", [1, 4])
def test_a_loss_that_is_not_finite_ends_the_trial_in_its_epoch(
    study: Study, configuration: Configuration, epochs: int
) -> None:
    wild = changed(study, learning_rate=1e30, warmup_epochs=0.0, epochs=epochs)
    with pytest.raises(TrainingDiverged) as caught:
        list(train(wild, configuration, 1))
    assert caught.value.epoch == 1
    assert not math.isfinite(caught.value.loss)
    assert str(caught.value).startswith("training diverged in epoch 1: the loss is ")


def test_divergence_crosses_a_process_border_whole() -> None:
    back = pickle.loads(pickle.dumps(TrainingDiverged(3, math.inf)))
    assert (type(back), back.epoch, back.loss) == (TrainingDiverged, 3, math.inf)
    assert back.hint == "Try a lower learning rate."


# ------------------------------------------------------------------ runs that are evidence


def test_a_run_that_confirms_goes_on_from_its_checkpoint_and_keeps_its_answers(
    study: Study, configuration: Configuration, tmp_path: Path
) -> None:
    undisturbed = results(list(train(study, configuration, 1, confirm=True)))
    path = tmp_path / "trial.pt"
    begun = train(study, configuration, 1, checkpoint=path, confirm=True)
    assert [next(begun).epoch for _ in range(2)] == [1, 2]
    begun.close()
    assert results(list(train(study, configuration, 1, checkpoint=path, confirm=True))) == undisturbed
    assert results(list(train(study, configuration, 1, checkpoint=path, confirm=True))) == undisturbed
