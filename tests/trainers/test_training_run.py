"""What a trial trains: its data, its recipe, and the gradients and predictions of its network."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from resnext_search.spaces import Configuration, Study
from resnext_search.spaces.correctness import unpack_correct
from resnext_search.spaces.errors import DataError
from resnext_search.trainers import training_run
from resnext_search.trainers.training import train
from resnext_search.trainers.training_run import TrainingRun
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from tests.support.helpers import changed

CPU = torch.device("cpu")


def test_knobs_of_the_configuration_override_the_recipe(study: Study, configuration: Configuration) -> None:
    knobs = (("learning_rate", 0.5), ("batch_size", 64.0), ("weight_decay", 0.01))
    trial = TrainingRun(study, Configuration(configuration.architecture, knobs), 0, device=CPU, threads=1)
    assert (trial.recipe.learning_rate, trial.recipe.batch_size, trial.steps_per_epoch) == (0.5, 64, 2)
    assert [group["weight_decay"] for group in trial.optimizer.param_groups] == [0.01, 0.0]


def test_an_incomplete_last_batch_is_left_out(study: Study, configuration: Configuration) -> None:
    trial = TrainingRun(changed(study, batch_size=50), configuration, 0, device=CPU, threads=1)
    assert len(list(trial.steps(1))) == 2  # 128 images


def test_the_number_of_threads_is_set_in_every_trial(study: Study, configuration: Configuration) -> None:
    torch.set_num_threads(2)
    next(train(study, configuration, 0, threads=1))
    assert torch.get_num_threads() == 1


def test_label_smoothing_spreads_a_share_of_the_target_over_all_classes(
    study: Study, configuration: Configuration
) -> None:
    trial = TrainingRun(changed(study, label_smoothing=0.5, augment="none"), configuration, 0, device=CPU, threads=1)
    first = trial.splits.train[torch.randperm(128, generator=trial.generator("order", 1))][:32]
    with torch.no_grad():
        log_shares = trial.network(next(trial.batches.plain(first, 32)).images).log_softmax(dim=1)
    plain = -log_shares[torch.arange(32), trial.labels[first]].mean()
    spread = -log_shares.mean()
    assert float(next(trial.steps(1))) == pytest.approx(float(0.5 * plain + 0.5 * spread), abs=1e-5)


def test_predictions_do_not_depend_on_what_else_is_predicted(study: Study, configuration: Configuration) -> None:
    trial = TrainingRun(study, configuration, 0, device=CPU, threads=1)
    for _ in trial.steps(1):
        pass
    together = trial.predict(trial.splits.test)
    assert together.shape == (397, 10)
    torch.testing.assert_close(trial.predict(trial.splits.test[5:6]), together[5:6])


def test_a_gpu_judges_images_in_few_batches_of_one_size(study: Study, configuration: Configuration) -> None:
    """397 images, at most 150 at once: three times 133, of which the last two are the first two once more."""
    trial = TrainingRun(study, configuration, 0, device=CPU, threads=1)
    expected, sizes = trial.predict(trial.splits.test), list[int]()
    trial.network.register_forward_pre_hook(lambda _, images: sizes.append(len(images[0])))
    trial.device, trial._most_judged = torch.device("cuda"), 150
    found = trial.predict(trial.splits.test)
    assert sizes == [133, 133, 133]
    torch.testing.assert_close(found, expected)
    assert found.shape == (397, 10)
    assert trial.batches_of(trial.splits.test[:0])[1].tolist() == []


def test_a_processor_judges_images_in_the_batches_it_trains_on(study: Study, configuration: Configuration) -> None:
    trial = TrainingRun(study, configuration, 0, device=CPU, threads=1, micro_batches=2)
    size, numbers = trial.batches_of(trial.splits.test)
    assert (size, len(numbers)) == (16, 397)


def test_micro_batches_move_the_weights_as_the_whole_batch_does(study: Study, configuration: Configuration) -> None:
    weights = []
    for parts in (1, 4):
        trial = TrainingRun(study, configuration, 0, device=CPU, threads=1, micro_batches=parts)
        for name, layer in list(trial.network.named_modules()):
            if isinstance(layer, torch.nn.BatchNorm2d):  # the norms alone see smaller batches
                owner, _, own = name.rpartition(".")
                trial.network.get_submodule(owner).register_module(own, nn.Identity())
        losses = list(trial.steps(1))
        weights.append([*trial.network.parameters(), losses[-1]])
    torch.testing.assert_close(weights[1], weights[0])


class Operators(TorchDispatchMode):
    """Counts what would be a kernel each on a GPU."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = Counter[str]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen[func.overloadpacket.__name__] += 1
        return func(*args, **kwargs or {})


def test_a_step_does_nothing_that_only_parts_of_a_batch_or_counters_need(
    study: Study, configuration: Configuration
) -> None:
    found = []
    for parts in (1, 2):
        trial = TrainingRun(
            changed(study, augment="none"), configuration, 0, device=CPU, threads=1, micro_batches=parts
        )
        steps = trial.steps(1)
        next(steps)
        with Operators() as operators:
            next(steps)
        found.append(operators.seen)
    whole, halves = found
    assert (whole["convolution"], halves["convolution"]) == (9, 18)
    assert (whole["mul"], whole["stack"], whole["sum"]) == (0, 0, 1)  # the sum is the classifier's bias
    assert (halves["mul"], halves["stack"], halves["sum"]) == (4, 1, 3)  # each part's share, forward and back
    # of each parameter its momentum and itself: nothing is added to the counters of the norms
    assert whole["add_"] == 2 * len(list(trial.network.parameters()))


def test_without_warm_up_the_first_step_has_nearly_the_full_rate(study: Study, configuration: Configuration) -> None:
    trial = TrainingRun(changed(study, warmup_epochs=0.0), configuration, 0, device=CPU, threads=1)
    rates = []
    for epoch in range(1, 5):
        for _ in trial.steps(epoch):
            rates.append(trial.optimizer.param_groups[0]["lr"])
    assert rates == sorted(rates, reverse=True)
    # 16 steps: the rate in the middle of the first, 1/32 of the way down, and of the last
    assert rates[0] == pytest.approx(0.05 * (1 + math.cos(math.pi / 32)))
    assert rates[-1] == pytest.approx(0.05 * (1 - math.cos(math.pi / 32)))
    assert {group["lr"] for group in trial.optimizer.param_groups} == {rates[-1]}


def test_a_run_that_confirms_trains_on_validation_images_too_and_never_on_test_images(
    study: Study, configuration: Configuration
) -> None:
    chosen = TrainingRun(study, configuration, 1, device=CPU, threads=1)
    trials = [TrainingRun(study, configuration, seed, device=CPU, threads=1, confirm=True) for seed in (1, 2)]
    for trial in trials:
        assert len(trial.splits.train) == 128 + 100
        assert len(trial.splits.validation) == 0
        assert torch.equal(trial.splits.test, chosen.splits.test)
        assert not set(trial.splits.train.tolist()) & set(trial.splits.test.tolist())
    # 1,400 digits are there to draw from: every run draws its own
    assert set(trials[0].splits.train.tolist()) != set(trials[1].splits.train.tolist())


def test_a_batch_larger_than_the_data_is_refused(study: Study, configuration: Configuration) -> None:
    with pytest.raises(DataError, match="128 images to train on are fewer than one batch of 129"):
        next(train(changed(study, batch_size=129), configuration, 0))


def test_with_folds_a_run_that_confirms_is_tested_on_the_fold_of_its_seed(
    study: Study, configuration: Configuration
) -> None:
    base = {"cardinality": 2, "width": 2, "blocks": [1, 1]}
    tuned = study.model_dump() | {
        "axes": {"cardinality": [2], "width": [2], "blocks": [1], "learning_rate": {"min": 0.01, "max": 1.0}},
        "claim": {"kind": "spend", "base": base, "seeds": 10},
    }
    folded = Study.model_validate(tuned)
    *_, last = train(changed(folded, epochs=1), configuration, 13, confirm=True)
    assert last.test_correct is not None
    assert last.test_correct.startswith("359:")  # 1,797 images in five folds, of which the first two have one more
    runs = [TrainingRun(one, configuration, 13, device=CPU, threads=1) for one in (folded, study)]
    assert len(runs[0].splits.validation) == 359
    assert runs[0].identity != runs[1].identity


def test_a_recipe_that_asks_for_the_same_bits_tells_the_device_and_is_another_trial(
    study: Study, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []
    monkeypatch.setattr(training_run, "prepare", lambda *_, deterministic: told.append(deterministic))
    usual, same_bits = (
        TrainingRun(changed(study, deterministic=wanted), configuration, 0, device=CPU, threads=1)
        for wanted in (False, True)
    )
    assert told == [False, True]
    assert "deterministic" not in usual.identity  # checkpoints of before are those of the usual way
    assert '"deterministic": true' in same_bits.identity


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch sees")
def test_a_gpu_gives_the_same_bits_where_the_recipe_asks_for_them(study: Study, configuration: Configuration) -> None:
    same_bits, weights = changed(study, deterministic=True), []
    for _ in range(2):
        trial = TrainingRun(same_bits, configuration, 0, device=torch.device("cuda"), threads=1)
        for _ in trial.steps(1):
            pass
        weights.append(torch.cat([parameter.detach().flatten() for parameter in trial.network.parameters()]))
    assert torch.equal(*weights)


# ------------------------------------------------------------------ runs that are evidence


def test_a_run_that_confirms_reads_the_test_images_once_at_the_end(study: Study, configuration: Configuration) -> None:
    epochs = list(train(study, configuration, 1, confirm=True))
    assert [epoch.validation_error for epoch in epochs] == [None] * 4
    assert [epoch.test_error is None for epoch in epochs] == [True, True, True, False]
    correct = unpack_correct(epochs[-1].test_correct or "")
    assert len(correct) == 397
    assert epochs[-1].test_error == 100 * (~correct).sum() / 397


def test_the_checkpoint_of_a_search_trial_is_not_taken_for_that_of_a_run_that_confirms(
    study: Study, configuration: Configuration, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "trial.pt"
    list(train(study, configuration, 1, checkpoint=path))
    *_, last = train(study, configuration, 1, checkpoint=path, confirm=True)
    assert last.test_error is not None
    assert "belongs to another trial" in caplog.text
