"""What is said of this machine, and of one with a GPU, which is made up."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest
import torch
from resnext_search.results.journal import Machine
from resnext_search.trainers import hardware as module
from resnext_search.trainers.hardware import cpu_facts, hardware

AMD = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC  9B14   \n"
ARM = "processor\t: 0\nFeatures\t: fp asimd sve\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n"


def asked(device: str = "cpu") -> Machine:
    """The facts anew, and as the journal takes them."""
    return Machine(**json.loads(json.dumps(hardware.__wrapped__(device))))


def test_this_machine_is_what_the_operating_system_says() -> None:
    here = asked()
    assert here.cores == psutil.cpu_count()
    assert here.memory_gib == pytest.approx(psutil.virtual_memory().total / 2**30, abs=0.06)
    assert (here.gpu, here.driver, here.computes) == (None, None, here.processor)
    assert here.versions["torch"] == torch.__version__
    assert {"python", "ray", "ax-platform", "botorch", "numpy", "resnext-search"} <= here.versions.keys()
    assert here.key == asked().key


@pytest.mark.parametrize(
    ("cpuinfo", "processor"),
    [
        (AMD + "\n" + AMD.replace("9B14", "7B13"), "AMD EPYC 9B14 (cpu family 25, model 17, AVX2)"),
        (ARM, "aarch64 (CPU implementer 0x41, CPU part 0xd40, AVX2)"),
        (None, "aarch64 (AVX2)"),
    ],
)
def test_a_processor_is_its_model_and_what_tells_apart_those_of_one_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cpuinfo: str | None, processor: str
) -> None:
    if cpuinfo is not None:
        (tmp_path / "cpuinfo").write_text(cpuinfo)
    monkeypatch.setattr(module, "_CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "AVX2")
    monkeypatch.setattr("platform.processor", lambda: "")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert asked().processor == processor


def test_the_first_processor_counts() -> None:
    assert cpu_facts("\n" + ARM + "\n" + ARM.replace("0xd40", "0xd0c"))["CPU part"] == "0xd40"
    assert cpu_facts("") == {}


def test_a_gpu_is_named_with_its_driver_and_its_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda _: "NVIDIA H200")
    monkeypatch.setattr("torch.version.cuda", "13.0")
    monkeypatch.setattr("torch.backends.cudnn.version", lambda: 91002)
    monkeypatch.setattr(module, "said_by", lambda program, *_: "570.86.15" if program == "nvidia-smi" else "")
    found = asked("cuda")
    assert (found.gpu, found.driver, found.computes) == ("NVIDIA H200", "570.86.15", "NVIDIA H200")
    assert (found.versions["cuda"], found.versions["cudnn"]) == ("13.0", "91002")
    assert asked("cpu").gpu is None  # what trained is the processor


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_logical_gpu_of_a_test_is_none() -> None:
    assert asked("cuda") == asked("cpu")
