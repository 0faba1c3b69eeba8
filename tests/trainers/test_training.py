"""Training: the same bits from the same seed, also across an interruption; schedule, decay, divergence."""

from __future__ import annotations

import itertools
import logging
import math
import pickle
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from resnext_search.spaces import Architecture, Configuration, Study
from resnext_search.spaces.correctness import unpack_correct
from resnext_search.spaces.errors import DataError
from resnext_search.spaces.study.recipes import RecipeName
from resnext_search.spaces.study.sections import Recipe
from resnext_search.trainers import training
from resnext_search.trainers.checkpoint import write_checkpoint
from resnext_search.trainers.resnext import build_network
from resnext_search.trainers.training import Epoch, TrainingDiverged, Trial, learning_rate_at, parameter_groups, train
from torch import nn

CPU = torch.device("cpu")


def results(epochs: list[Epoch]) -> list[Epoch]:
    """The epochs without what time they took."""
    return [epoch._replace(seconds=0.0) for epoch in epochs]


def changed(study: Study, **recipe: Any) -> Study:
    return study.model_copy(update={"trainer": Recipe.model_validate({**study.trainer.model_dump(), **recipe})})


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


def test_knobs_of_the_configuration_override_the_recipe(study: Study, configuration: Configuration) -> None:
    knobs = (("learning_rate", 0.5), ("batch_size", 64.0), ("weight_decay", 0.01))
    trial = Trial(study, Configuration(configuration.architecture, knobs), 0, device=CPU, threads=1)
    assert (trial.recipe.learning_rate, trial.recipe.batch_size, trial.steps_per_epoch) == (0.5, 64, 2)
    assert [group["weight_decay"] for group in trial.optimizer.param_groups] == [0.01, 0.0]


def test_an_incomplete_last_batch_is_left_out(study: Study, configuration: Configuration) -> None:
    trial = Trial(changed(study, batch_size=50), configuration, 0, device=CPU, threads=1)
    assert len(list(trial.steps(1))) == 2  # 128 images


def test_the_number_of_threads_is_set_in_every_trial(study: Study, configuration: Configuration) -> None:
    torch.set_num_threads(2)
    next(train(study, configuration, 0, threads=1))
    assert torch.get_num_threads() == 1


def test_label_smoothing_spreads_a_share_of_the_target_over_all_classes(
    study: Study, configuration: Configuration
) -> None:
    trial = Trial(changed(study, label_smoothing=0.5, augment="none"), configuration, 0, device=CPU, threads=1)
    first = trial.splits.train[torch.randperm(128, generator=trial.generator("order", 1))][:32]
    with torch.no_grad():
        log_shares = trial.network(next(trial.batches.plain(first, 32)).images).log_softmax(dim=1)
    plain = -log_shares[torch.arange(32), trial.labels[first]].mean()
    spread = -log_shares.mean()
    assert float(next(trial.steps(1))) == pytest.approx(float(0.5 * plain + 0.5 * spread), abs=1e-5)


def test_predictions_do_not_depend_on_what_else_is_predicted(study: Study, configuration: Configuration) -> None:
    trial = Trial(study, configuration, 0, device=CPU, threads=1)
    for _ in trial.steps(1):
        pass
    together = trial.predict(trial.splits.test)
    assert together.shape == (397, 10)
    torch.testing.assert_close(trial.predict(trial.splits.test[5:6]), together[5:6])


def test_micro_batches_move_the_weights_as_the_whole_batch_does(study: Study, configuration: Configuration) -> None:
    weights = []
    for parts in (1, 4):
        trial = Trial(study, configuration, 0, device=CPU, threads=1, micro_batches=parts)
        for name, layer in list(trial.network.named_modules()):
            if isinstance(layer, torch.nn.BatchNorm2d):  # the norms alone see smaller batches
                owner, _, own = name.rpartition(".")
                trial.network.get_submodule(owner).register_module(own, nn.Identity())
        losses = list(trial.steps(1))
        weights.append([*trial.network.parameters(), losses[-1]])
    torch.testing.assert_close(weights[1], weights[0])


def test_a_trial_in_micro_batches_learns(study: Study, configuration: Configuration) -> None:
    whole, parts = (list(train(study, configuration, 1, micro_batches=n)) for n in (1, 4))
    assert parts[-1].train_loss < parts[0].train_loss
    assert parts[-1].train_loss == pytest.approx(whole[-1].train_loss, rel=0.3)


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

    def run_epoch(trial: Trial, number: int) -> Epoch:
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


def test_a_batch_larger_than_the_data_is_refused(study: Study, configuration: Configuration) -> None:
    with pytest.raises(DataError, match="128 images to train on are fewer than one batch of 129"):
        next(train(changed(study, batch_size=129), configuration, 0))


# ------------------------------------------------------------------ schedule and decay


@pytest.mark.parametrize(
    ("done", "rate"),
    # 2 epochs up to 0.8, then half a cosine over 8: a quarter of it is 0.8 * (1 + cos 45°) / 2
    [(0, 0.0), (0.5, 0.2), (1, 0.4), (2, 0.8), (4, 0.4 * (1 + math.sqrt(0.5))), (6, 0.4), (10, 0.0)],
)
def test_the_rate_rises_in_a_line_and_falls_as_half_a_cosine(done: float, rate: float) -> None:
    recipe = Recipe(epochs=10, warmup_epochs=2, learning_rate=0.8)
    assert learning_rate_at(recipe, done) == pytest.approx(rate, abs=1e-12)


@pytest.mark.parametrize(
    ("done", "rate"), [(0.5, 0.4), (1, 0.8), (3.99, 0.8), (4, 0.08), (5.99, 0.08), (6, 0.008), (8, 0.008)]
)
def test_the_step_schedule_divides_by_ten_at_half_and_three_quarters(done: float, rate: float) -> None:
    recipe = Recipe(epochs=8, warmup_epochs=1, learning_rate=0.8, schedule="step")
    assert learning_rate_at(recipe, done) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("recipe", "done", "rate"),
    [
        ("paper-cifar", 0, 0.1),
        ("paper-cifar", 149.99, 0.1),
        ("paper-cifar", 150, 0.01),
        ("paper-cifar", 225, 0.001),
        ("paper-cifar", 300, 0.001),
        ("paper-imagenet", 0, 0.1),
        ("paper-imagenet", 29.99, 0.1),
        ("paper-imagenet", 30, 0.01),
        ("paper-imagenet", 59.99, 0.01),
        ("paper-imagenet", 60, 0.001),
        ("paper-imagenet", 90, 0.001),
    ],
)
def test_the_papers_recipes_divide_where_the_paper_does(recipe: RecipeName, done: float, rate: float) -> None:
    assert learning_rate_at(Recipe(recipe=recipe), done) == pytest.approx(rate)


def test_without_warm_up_the_first_step_has_nearly_the_full_rate(study: Study, configuration: Configuration) -> None:
    trial = Trial(changed(study, warmup_epochs=0.0), configuration, 0, device=CPU, threads=1)
    rates = []
    for epoch in range(1, 5):
        for _ in trial.steps(epoch):
            rates.append(trial.optimizer.param_groups[0]["lr"])
    assert rates == sorted(rates, reverse=True)
    # 16 steps: the rate in the middle of the first, 1/32 of the way down, and of the last
    assert rates[0] == pytest.approx(0.05 * (1 + math.cos(math.pi / 32)))
    assert rates[-1] == pytest.approx(0.05 * (1 - math.cos(math.pi / 32)))
    assert {group["lr"] for group in trial.optimizer.param_groups} == {rates[-1]}


def test_norms_and_biases_are_decayed_only_if_the_recipe_says_so(study: Study, configuration: Configuration) -> None:
    network = build_network(study.network_template(), configuration.architecture)
    recipe = Recipe(weight_decay=0.25)
    weights, others = parameter_groups(network, recipe)
    assert (weights["weight_decay"], others["weight_decay"]) == (0.25, 0.0)
    assert {p.ndim for p in weights["params"]} == {2, 4}
    assert {p.ndim for p in others["params"]} == {1}
    assert len(weights["params"]) + len(others["params"]) == len(list(network.parameters()))
    _, decayed = parameter_groups(network, recipe.model_copy(update={"decay_norms": True}))
    assert decayed["weight_decay"] == 0.25


# ------------------------------------------------------------------ runs that are evidence


def test_a_run_that_confirms_reads_the_test_images_once_at_the_end(study: Study, configuration: Configuration) -> None:
    epochs = list(train(study, configuration, 1, confirm=True))
    assert [epoch.validation_error for epoch in epochs] == [None] * 4
    assert [epoch.test_error is None for epoch in epochs] == [True, True, True, False]
    correct = unpack_correct(epochs[-1].test_correct or "")
    assert len(correct) == 397
    assert epochs[-1].test_error == 100 * (~correct).sum() / 397


def test_a_run_that_confirms_trains_on_validation_images_too_and_never_on_test_images(
    study: Study, configuration: Configuration
) -> None:
    chosen = Trial(study, configuration, 1, device=CPU, threads=1)
    trials = [Trial(study, configuration, seed, device=CPU, threads=1, confirm=True) for seed in (1, 2)]
    for trial in trials:
        assert len(trial.splits.train) == 128 + 100
        assert len(trial.splits.validation) == 0
        assert torch.equal(trial.splits.test, chosen.splits.test)
        assert not set(trial.splits.train.tolist()) & set(trial.splits.test.tolist())
    # 1,400 digits are there to draw from: every run draws its own
    assert set(trials[0].splits.train.tolist()) != set(trials[1].splits.train.tolist())


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


def test_the_checkpoint_of_a_search_trial_is_not_taken_for_that_of_a_run_that_confirms(
    study: Study, configuration: Configuration, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "trial.pt"
    list(train(study, configuration, 1, checkpoint=path))
    *_, last = train(study, configuration, 1, checkpoint=path, confirm=True)
    assert last.test_error is not None
    assert "belongs to another trial" in caplog.text
