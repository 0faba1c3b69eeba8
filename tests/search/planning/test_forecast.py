"""What a study will cost: by hand, and measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from resnext_search.search.planning.claim_trials import claim_trials
from resnext_search.search.planning.forecast import gpu_bytes, gpu_of_a_trial, sharing_of
from resnext_search.search.planning.workload import phase_flops, training_flops, trial_loads
from resnext_search.spaces import Architecture
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.architecture.gpu_sharing import Gpus
from resnext_search.spaces.architecture.training_cost import kept_bytes, training_bytes
from resnext_search.spaces.claim.arms import claim_arms
from resnext_search.spaces.study.file import load_study

from tests.support.helpers import TINY_CLAIM, tiny_study

SHIPPED = Path(__file__).parents[3] / "spaces"
BATCHES = ("trainer.batch_size=32", "axes.batch_size=[32, 64]")


def test_training_flops_by_hand() -> None:
    """21,898 multiply-adds, 2 operations each, 3 passes, 256 images, 2 epochs, 4 trials."""
    assert training_flops(tiny_study()) == 21_898 * 2 * 3 * 256 * 2 * 4


def test_a_claim_adds_the_tuning_of_its_arms_and_the_confirmation_on_all_images() -> None:
    """4 trials, 3 arms x 3 rates on 256 images; (3 arms + 1 finalist) x 5 seeds on 256 + 200. All at one budget."""
    assert training_flops(tiny_study(TINY_CLAIM, "rules=1")) == 21_898 * 2 * 3 * 2 * ((4 + 9) * 256 + 20 * 456)


def test_under_the_second_rules_arms_are_tuned_twice_the_base_costs_less_and_folds_leave_all_the_same_images() -> None:
    """3 rates and 5 on 2 seeds more; 5 seeds and, but for the base, 3 at the rate that came second; 1 finalist."""
    study = tiny_study(TINY_CLAIM)
    matched, base = 4 + 3 * (3 + 10) + 3 * (5 + 3) + 5, (3 + 10) + 5
    cost = int(complexity(study.network_template(), Architecture.paper(1, 4, (1, 1))).multiply_adds)
    assert cost < 21_898
    assert training_flops(study) == (21_898 * matched + cost * base) * 2 * 3 * 2 * 256
    assert phase_flops(study) == {
        "search": 21_898 * 4 * 12 * 256,
        "tune": (21_898 * 39 + cost * 13) * 12 * 256,
        "confirm": (21_898 * 29 + cost * 5) * 12 * 256,
    }


def test_a_trial_of_a_phase_costs_what_its_arms_do_on_average() -> None:
    study = tiny_study(TINY_CLAIM)
    phases = phase_flops(study)
    assert phases is not None
    one, trials = trial_loads(study), claim_trials(study)
    assert 2 * trials.tune * one["tune"].epoch_flops() == pytest.approx(phases["tune"], rel=1e-4)
    assert one["search"].multiply_adds == 21_898 > one["confirm"].multiply_adds > one["tune"].multiply_adds
    old = trial_loads(tiny_study(TINY_CLAIM, "rules=1"))
    assert {load.multiply_adds for load in old.values()} == {21_898}


def test_images_kept_for_validation_are_not_trained_on() -> None:
    """Of the 1,400 digits, a tenth is kept unless the study says how many."""
    per_image = 21_898 * 2 * 3 * 2 * 4
    assert training_flops(tiny_study("data={name: digits}")) == per_image * 1_260
    assert training_flops(tiny_study("data={name: digits, validation_images: 400}")) == per_image * 1_000


@pytest.mark.parametrize("validation", ["", ", validation_images: 10"])
def test_a_folder_of_images_has_no_forecast_until_it_is_said_how_many_there_are(validation: str) -> None:
    """Its images have three channels: the stem costs 3 x 576 multiply-adds, not 576."""
    folder = f"name: image_folder, resolution: 8, classes: 10{validation}"
    assert training_flops(tiny_study(f"data={{{folder}}}")) is None
    assert training_flops(tiny_study(f"data={{{folder}, train_images: 640}}")) == 23_050 * 2 * 3 * 640 * 2 * 4


def test_the_gpu_memory_is_that_of_the_dearest_architecture_at_its_largest_batch_with_its_data_and_process() -> None:
    """It grows by what an image keeps; the weights of the network count once."""
    template, dearest = tiny_study().network_template(), Architecture(4, (2, 3), (2, 1))
    small, large = (gpu_bytes(tiny_study(size), tiny_study().feasible_set()) for size in BATCHES)
    assert large - small == 32 * kept_bytes(template, dearest)
    digits, process = 1_797 * 8 * 8, 1.2 * 2**30  # a byte a pixel; the context of CUDA, and what kernels work in
    assert small - training_bytes(template, dearest, 32) - digits == pytest.approx(process, abs=2)
    graphed = gpu_bytes(tiny_study(BATCHES[0], "trainer.graph=true"), tiny_study().feasible_set())
    assert graphed - small == 2**28  # it keeps its memory while images are judged, which may take a quarter of a GiB


def test_the_gpu_memory_is_that_of_the_arm_that_keeps_more_than_any_network_of_the_search() -> None:
    """At four times the budget the deeper arm has more blocks."""
    spend = tiny_study(
        "claim={kind: spend, base: {cardinality: 1, width: 4, blocks: [1, 1]}, multiples: [2, 4], seeds: 5}"
    )
    template = spend.network_template()
    arms = [arm.architecture for arm in claim_arms(spend)]
    dearest = max(training_bytes(template, arm, 64) for arm in arms)
    assert dearest > training_bytes(template, Architecture(4, (2, 3), (2, 1)), 64)
    without = tiny_study()
    added = gpu_bytes(spend, spend.feasible_set()) - gpu_bytes(without, without.feasible_set())
    assert added == dearest - training_bytes(template, Architecture(4, (2, 3), (2, 1)), 64)


LARGE = Gpus(memory_bytes=139 * 2**30)


def test_small_networks_share_a_gpu_and_what_is_large_or_compared_or_not_known_has_one() -> None:
    """The shallowest network of eight has 1 + 3 x 2 + 2 convolutions; an image of it costs 21,898 multiply-adds."""
    assert sharing_of(tiny_study(), LARGE).trials == 8
    assert sharing_of(tiny_study("search.parallel=3"), LARGE).trials == 3
    assert sharing_of(tiny_study("search.parallel=3"), LARGE._replace(number=2)).trials == 2
    latencies = sharing_of(tiny_study("objectives=[validation_error, latency_ms]"), LARGE)
    assert latencies == (1, "one trial a GPU: latencies are compared, which another trial there would disturb")
    graphed = sharing_of(tiny_study("trainer.graph=true"), LARGE)
    assert graphed == (1, "one trial a GPU: with trainer.graph no network waits for Python")
    other = tiny_study()
    other = other.model_copy(update={"trainer": other.trainer.model_copy(update={"plugin": "theirs"})})
    assert sharing_of(other, LARGE) == (1, "one trial a GPU: what the trainer theirs leaves of it is not known")


def test_the_network_and_the_batch_that_take_longest_decide() -> None:
    """13 convolutions, 208 kernels: 4.16 ms to start them; 0.52 to run them and 0.04, or with 1,024 images 0.64."""
    for overrides, trials in (((), 7), (("axes.batch_size=[32, 1024]",), 4)):
        study = load_study(SHIPPED / "fashion_mnist.yaml", overrides)
        assert sharing_of(study, LARGE).trials == trials
        assert min(study.feasible_set().depth) == 3 * 3 + 2


def test_of_the_shipped_studies_those_of_large_networks_have_a_gpu_for_every_trial() -> None:
    shared = {path.stem: sharing_of(load_study(path), LARGE).trials for path in SHIPPED.glob("*.yaml")}
    assert shared.pop("cifar10") == shared.pop("imagenet") == 1
    assert set(shared.values()) == {7, 8}


def test_a_number_of_gpus_that_the_study_says_is_taken_and_without_gpus_auto_is_none() -> None:
    assert gpu_of_a_trial(tiny_study("resources.gpu=0.4"), LARGE) == 0.4
    assert gpu_of_a_trial(tiny_study(), LARGE) == 0.125
    assert gpu_of_a_trial(tiny_study(), Gpus(0)) == 0.0
