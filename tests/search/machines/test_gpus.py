"""GPUs that Ray finds and torch cannot use are found out before the first trial."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import torch
from resnext_search.search.machines import cluster, gpus
from resnext_search.search.machines.cluster import Node, ray_running
from resnext_search.search.machines.gpus import expect_usable_gpus, gpu_trouble
from resnext_search.spaces.errors import UsageError
from resnext_search.trainers.device import trouble_with_gpu, try_gpus

from tests.support.helpers import tiny_study

WITHOUT = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


@WITHOUT
def test_where_torch_sees_none_its_version_and_what_it_is_built_for_are_said() -> None:
    built_for = f"CUDA {torch.version.cuda}" if torch.version.cuda else "processors alone"
    assert gpu_trouble() == f"torch {torch.__version__} is built for {built_for}, and sees none"
    with pytest.raises(UsageError, match="Ray sees 2 GPUs, but torch cannot train on them: torch ") as caught:
        expect_usable_gpus(2)
    assert caught.value.hint.endswith("resources.gpu=0")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch sees")
def test_a_gpu_that_torch_can_use_is_no_trouble() -> None:
    assert gpu_trouble() == ""
    least = min(torch.cuda.get_device_properties(number).total_memory for number in range(torch.cuda.device_count()))
    assert expect_usable_gpus(1) == least


def test_the_memory_of_the_smallest_gpu_comes_from_the_process_that_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    sizes = [SimpleNamespace(total_memory=gib * 2**30) for gib in (80, 24)]
    monkeypatch.setattr("torch.cuda.get_device_properties", sizes.__getitem__)
    monkeypatch.setattr("resnext_search.trainers.device.trouble_with_gpu", lambda: "")
    assert try_gpus() == ("", 24 * 2**30)
    monkeypatch.setattr(gpus, "_PROGRAM", f"print('{json.dumps(try_gpus())}')")
    assert gpu_trouble() == ""
    assert expect_usable_gpus(2) == 24 * 2**30


def test_a_card_that_torch_has_no_kernels_for_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_new(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device\nCompile with ...")

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda _: "NVIDIA B300")
    monkeypatch.setattr("torch.cuda.get_arch_list", lambda: ["sm_80", "sm_90"])
    monkeypatch.setattr("torch.nn.Conv2d", too_new)
    assert trouble_with_gpu() == (
        "NVIDIA B300: CUDA error: no kernel image is available for execution on the device "
        f"(torch {torch.__version__} has kernels for sm_80 sm_90)"
    )


@pytest.mark.parametrize(
    ("program", "trouble"),
    [
        ("import os; os._exit(3)", "a convolution ended its process with 3"),
        ("raise ImportError('libcudnn.so.9: no such file')", "ImportError: libcudnn.so.9: no such file"),
        ("import time; time.sleep(9)", "a convolution had not ended after 0.5 s"),
    ],
)
def test_what_ends_or_hangs_the_process_that_tries_is_trouble(
    monkeypatch: pytest.MonkeyPatch, program: str, trouble: str
) -> None:
    monkeypatch.setattr(gpus, "_PROGRAM", program)
    monkeypatch.setattr(gpus, "_MOST_SECONDS", 0.5 if "sleep" in program else 60.0)
    assert gpu_trouble() == trouble


@pytest.mark.parametrize(
    ("overrides", "offered", "tried"),
    [
        ([], None, True),
        (["resources.gpu=0"], None, False),
        ([], 1, False),  # logical ones, of a test
    ],
)
def test_gpus_are_tried_where_trials_would_use_them(
    monkeypatch: pytest.MonkeyPatch, overrides: list[str], offered: int | None, tried: bool
) -> None:
    @contextmanager
    def folder() -> Iterator[object]:
        yield SimpleNamespace(parent="/tmp")

    asked: list[float] = []

    def usable(seen: float) -> int:
        asked.append(seen)
        return 24 * 2**30

    ray = SimpleNamespace(is_initialized=lambda: False, shutdown=lambda: None)
    monkeypatch.setattr(cluster, "ray", ray)
    monkeypatch.setattr(cluster, "scratch_folder", folder)
    monkeypatch.setattr(cluster, "cluster_of", lambda _: None)
    monkeypatch.setattr(cluster, "_started", lambda *_: SimpleNamespace(dashboard_url=None))
    monkeypatch.setattr(cluster, "_nodes", lambda *_: (Node(4, 2),))
    monkeypatch.setattr(cluster, "expect_usable_gpus", usable)
    with ray_running(tiny_study(*overrides), gpus=offered) as found:
        assert asked == ([2] if tried else [])
        assert found.gpu_bytes == (24 * 2**30 if tried else None)
