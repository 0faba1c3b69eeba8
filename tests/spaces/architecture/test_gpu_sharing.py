"""How many trials share a GPU, by hand: 8 at most, since starting a kernel is taken to last 8 times as long as one."""

from __future__ import annotations

import pytest
from resnext_search.spaces import Architecture
from resnext_search.spaces.architecture.architecture import Template
from resnext_search.spaces.architecture.gpu_sharing import Gpus, Sharing, Step, sharing

GIB = 2**30
FASHION = Step(4_170_000, convolutions=13, images=64)


@pytest.mark.parametrize(
    ("step", "trials"),
    [
        # 13 x 16 kernels: 4.16 ms to start them, 0.52 ms to run them, and 0.012 ms for what they compute
        (Step(1_240_000, 13, 64), 8),
        (FASHION, 7),  # 4.16 / (0.52 + 0.04) = 7.4
        (Step(47_000_000, 31, 128), 5),  # 9.92 / (1.24 + 0.90) = 4.6
        (Step(748_000_000, 31, 128), 1),  # 9.92 / (1.24 + 14.4) = 0.6
        (Step(4_230_000_000, 53, 256), 1),
    ],
)
def test_a_gpu_is_kept_busy_by_as_many_trials_as_fit_into_the_time_to_start_their_kernels(
    step: Step, trials: int
) -> None:
    assert step.trials_to_keep_busy() == trials


def test_a_step_has_the_convolutions_of_its_network() -> None:
    """The stem, 3 a block, and a projection a stage: 1 + 3 x 9 + 3."""
    step = Step.of(Template(), Architecture.paper(1, 64, (3, 3, 3)), 128)
    assert (step.convolutions, step.images) == (31, 128)
    assert step.multiply_adds == pytest.approx(748e6, rel=0.01)
    without = Step.of(Template(shortcut="identity"), Architecture.paper(1, 64, (3, 3, 3)), 128)
    assert without.convolutions == 28


IDLE = "networks of 4.2 million multiply-adds leave it idle"


@pytest.mark.parametrize(
    ("gpus", "cpu", "at_once", "expected"),
    [
        (Gpus(1, 16, 139 * GIB), 1, None, (7, f"7 trials share a GPU: {IDLE}; each needs 1.4 GiB of 139")),
        (Gpus(1, 16, 139 * GIB), 4, None, (4, "; 7 would fill it, but there are cores for no more; ")),
        (Gpus(1, 3, 139 * GIB), 2, None, (1, f"one trial a GPU: {IDLE}; 7 would fill it, but there are cores for no")),
        (
            Gpus(1, 16, 4 * GIB),
            1,
            None,
            (2, "; 7 would fill it, but its memory holds no more; each needs 1.4 GiB of 4"),
        ),
        (Gpus(1, 16, GIB), 1, None, (1, "its memory holds no more; each needs 1.4 GiB of 1")),
        (Gpus(1, 16), 1, None, (5, "each needs 1.4 GiB of 8 that it is taken to have")),
        (Gpus(4, 16, 80 * GIB), 1, 10, (3, "search.parallel allows no more")),  # 3, 3, 3 and 1
        (Gpus(4, 16, 80 * GIB), 1, 2, (1, "search.parallel allows no more")),
        (Gpus(1, None, 80 * GIB), 1, None, (7, f"{IDLE}; each needs")),
    ],
)
def test_no_more_share_a_gpu_than_memory_cores_and_work_for_every_gpu_allow(
    gpus: Gpus, cpu: int, at_once: int | None, expected: tuple[int, str]
) -> None:
    found = sharing(FASHION, int(1.4 * GIB), gpus, cpu=cpu, at_once=at_once)
    assert found.trials == expected[0]
    assert expected[1] in found.why


def test_a_network_that_keeps_a_gpu_busy_has_it_whatever_there_is() -> None:
    found = sharing(Step(4_190_480_872, 53, 256), 21 * GIB, Gpus(8, 64, 139 * GIB), cpu=1)
    assert found == (1, "one trial a GPU: networks of 4,190.5 million multiply-adds keep it busy")


@pytest.mark.parametrize("trials", range(1, 65))
def test_as_many_shares_as_there_are_trials_fit_into_a_gpu_as_ray_counts(trials: int) -> None:
    """In whole parts of 10,000."""
    share = round(Sharing(trials, "").gpu * 10_000)
    assert share * trials <= 10_000 < share * (trials + 1)
