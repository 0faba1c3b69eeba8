"""The check of a device, on a processor: looks that take a second or two, and what is printed when one fails."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from resnext_search.spaces import Architecture, Template
from resnext_search.trainers import training_run
from resnext_search.trainers.resnext import build_network

from benchmarks import device_check
from benchmarks.device.fused import Members
from benchmarks.device.report import Report

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch sees")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Threads as they were."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def lines(printed: str) -> list[str]:
    """Without the seconds that each begins with."""
    return [line.partition("s ")[2] for line in printed.splitlines()]


def test_a_processor_passes_and_says_what_it_cannot_show(capsys: pytest.CaptureFixture[str]) -> None:
    reader = training_run.load_dataset
    assert device_check.main(["cpu", "batches", "waiting", "repeats", "graphs", "memory", "errors"]) == 0
    assert training_run.load_dataset is reader
    machine, batches, *rest = lines(capsys.readouterr().out)
    assert machine.startswith("INFO machine | torch=")
    assert batches.startswith("PASS batches are those of the CPU: difference < 1e-5, same labels, channels last | diff")
    assert [line.partition(":")[0] for line in rest[:-2]] == [
        "NONE 40 steps wait for nothing",
        "NONE 40 steps as a graph wait for nothing",
        "PASS the same trial twice",
        "PASS the same trial twice, deterministic",
        "NONE a graph of the step gives the numbers of usual steps",
        "NONE a trial that is left gives its memory back",
        "NONE a trial that is left gives its memory back, with a graph",
        "NONE a trial that finds too little memory gives it back",
        "NONE errors in bfloat16 and in 32 bits",
    ]
    assert rest[-1] == "INFO 3 passed, 0 failed, 7 not on a CPU, 0 left out"


def test_what_fails_is_said_with_the_rest_and_ends_in_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(report: Report) -> None:
        report.check("weights", "the same bits", False, weights_differ_by=0.25)

    def broken(report: Report) -> None:
        raise RuntimeError("CUDA error: unspecified launch failure\nmore words")

    def right(report: Report) -> None:
        report.check("labels", "the same", True)

    monkeypatch.setattr(device_check, "LOOKS", {wrong: 1, broken: 1, right: 1})
    assert device_check.look_at(CPU, ["wrong", "broken", "right"], seconds=60) == 1
    assert lines(capsys.readouterr().out)[1:4] == [
        "FAIL weights: the same bits | weights_differ_by=0.25",
        "FAIL broken: it ended with RuntimeError: CUDA error: unspecified launch failure",
        "PASS labels: the same",
    ]
    assert device_check.look_at(CPU, ["right"], seconds=60) == 0


def test_what_there_is_no_time_for_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(device_check, "LOOKS", {device_check.processes: 25})
    assert device_check.look_at(CPU, ["processes"], seconds=0.9) == 0
    _, left, _, words = lines(capsys.readouterr().out)
    assert left == "LEFT processes: 1 s are left, and it needs 25"
    assert words == "INFO 0 passed, 0 failed, 0 not on a CPU, 1 left out"


def test_a_look_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        device_check.main(["cpu", "sped"])
    assert "found sped; allowed: batches, gradients, waiting, repeats" in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_without_a_gpu_it_is_said_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        device_check.main([])
    assert "On processors: python benchmarks/device_check.py cpu" in capsys.readouterr().err


STARTED = """
import json, runpy, sys
sys.argv = ["device_check.py", "--help"]
try:
    runpy.run_path({script!r}, run_name="__main__")
except SystemExit as ended:
    assert not ended.code
print(json.dumps([name for name in ("ray", "ax", "botorch", "sklearn", "pandas") if name in sys.modules]))
"""


def test_it_starts_as_a_file_from_any_folder_and_without_the_libraries_of_a_study(tmp_path: Path) -> None:
    code = STARTED.format(script=str(ROOT / "benchmarks" / "device_check.py"))
    said = subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path, text=True)
    assert json.loads(said.splitlines()[-1]) == []


@pytest.mark.parametrize("as_products", [False, True])
def test_members_of_one_network_compute_what_they_compute_alone(as_products: bool) -> None:
    template, architecture = Template(planes=4, stages=2, resolution=8, channels=1), Architecture.paper(2, 2, (1, 1))
    seeds = range(3)
    together = Members(
        template,
        architecture,
        [torch.Generator().manual_seed(seed) for seed in seeds],
        as_products=as_products,
    ).double()
    images = torch.randn(5, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    logits = together(images.contiguous(memory_format=torch.channels_last))
    assert logits.shape == (3, 5, 10)
    for seed in seeds:
        alone = build_network(template, architecture, generator=torch.Generator().manual_seed(seed)).double()
        parts = zip(together.part_of(seed), alone.parameters(), strict=True)
        assert all(torch.equal(part.reshape(whole.shape), whole) for part, whole in parts)
        torch.testing.assert_close(logits[seed], alone(images[:, seed : seed + 1]), rtol=0, atol=1e-13)


@needs_gpu
def test_a_gpu_passes() -> None:
    looks = ["batches", "gradients", "waiting", "repeats", "graphs", "memory", "members"]
    assert device_check.main(["cuda", *looks]) == 0
