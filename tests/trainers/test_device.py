"""Devices: threads, the memory a process keeps, and the precision of a GPU where there is one."""

from __future__ import annotations

import platform
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from resnext_search.trainers import device
from resnext_search.trainers.device import best_device, limit_memory, precision, prepare, release

CPU = torch.device("cpu")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch sees")


def test_a_processor_computes_in_32_bits() -> None:
    prepare(CPU, 1)
    with precision(CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
    release(CPU)


FAULTS = """
import resource, torch
from resnext_search.trainers.device import prepare
{prepare}
for _ in range(3):
    torch.ones(25_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(25_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_memory_that_was_freed_is_kept_for_the_next_step() -> None:
    # 100 MB are 24,414 pages, handed out anew ten times; a fresh process, since what a process did before counts
    usual, told = (
        int(subprocess.check_output([sys.executable, "-c", FAULTS.format(prepare=line)]))
        for line in ("", "prepare(torch.device('cpu'), 1)")
    )
    assert told < usual / 3  # mostly none at all; the heap may still grow, which was seen to take two rounds of ten


def test_a_gpu_is_the_best_device_where_there_is_one() -> None:
    assert best_device() == ("cuda" if torch.cuda.is_available() else "cpu")


GPU = torch.device("cuda")


def test_the_driver_is_asked_once_what_a_gpu_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: asked.append(True))
    device._has_bfloat16.cache_clear()
    try:
        for _ in range(3):
            assert not precision(GPU)._enabled
        assert asked == [True]
    finally:
        device._has_bfloat16.cache_clear()


@pytest.mark.parametrize("deterministic", [True, False])
def test_kernels_are_tried_unless_every_bit_has_to_be_the_same(deterministic: bool) -> None:
    """Whatever the trial before it, in the same process, was prepared for."""
    cudnn = torch.backends.cudnn
    prepare(GPU, 1, deterministic=deterministic)
    assert (cudnn.benchmark, cudnn.deterministic) == (not deterministic, deterministic)
    prepare(GPU, 1)
    assert (cudnn.benchmark, cudnn.deterministic) == (True, False)


def test_what_is_computed_in_32_bits_is_not_rounded_to_tensor_floats() -> None:
    """The classifier's logits are: 10 bits of the 23 would be left."""
    before = torch.backends.cuda.matmul.fp32_precision
    prepare(GPU, 1)
    assert torch.backends.cuda.matmul.fp32_precision == before != "tf32"


@needs_gpu
def test_a_gpu_computes_in_16_bits_and_gives_its_memory_back() -> None:
    gpu = torch.device("cuda")
    prepare(gpu, 1)
    with precision(gpu):
        assert (torch.ones(2, 2, device=gpu) @ torch.ones(2, 2, device=gpu)).dtype == torch.bfloat16
    release(gpu)
    assert torch.cuda.memory_reserved() == 0


def test_what_a_process_takes_outside_of_torch_is_taken_off_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of 36 GiB is 9, of which the context takes 0.9."""
    told: list[float] = []
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda _: SimpleNamespace(total_memory=36 * 2**30))
    monkeypatch.setattr("torch.cuda.set_per_process_memory_fraction", lambda share, _: told.append(share))
    limit_memory(0.25)
    limit_memory(1)
    assert told == [pytest.approx(8.1 / 36), 1.0]


@needs_gpu
def test_a_process_that_wants_more_than_its_share_of_a_gpu_fails_alone() -> None:
    total = torch.cuda.get_device_properties(0).total_memory
    limit_memory(0.25)
    try:
        with pytest.raises(torch.OutOfMemoryError):
            torch.empty(total // 4, dtype=torch.uint8, device="cuda")
        limit_memory(1)
        assert torch.empty(total // 4, dtype=torch.uint8, device="cuda").is_cuda
    finally:
        limit_memory(1)
        release(torch.device("cuda"))
