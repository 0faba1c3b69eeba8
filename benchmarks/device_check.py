"""Do trials train rightly on this device, and how fast? In six minutes, most important first, a line for each figure.

    python benchmarks/device_check.py             # the GPU that torch sees first
    python benchmarks/device_check.py cpu         # what of it a processor can show
    python benchmarks/device_check.py cuda speed  # one look, or several

Needs torch, torchvision and this package alone, and no network. Each line begins with the seconds since the start and a
word: PASS or FAIL for a condition, INFO for a figure, NONE for what a processor cannot show, LEFT for what there was no
time for. The exit code is 1 if a condition failed. What the figures decide stands in `docs/how-to/gpu.md`.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import sys
from collections.abc import Callable
from pathlib import Path

if __package__ in (None, ""):  # started as a file: its folder is where Python looks first, and not the one above
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import torch
from resnext_search.trainers.device import prepare, trouble_with_gpu

from benchmarks.device.correctness import batches, gradients, graphs, repeats, waiting
from benchmarks.device.errors import errors
from benchmarks.device.members import members
from benchmarks.device.memory import latencies, memory
from benchmarks.device.networks import without_files
from benchmarks.device.processes import processes, shares_at_once
from benchmarks.device.report import Report
from benchmarks.device.speed import kernels, speed

# What is looked at, and the seconds without which it is not begun.
LOOKS: dict[Callable[[Report], None], float] = {
    batches: 1,
    gradients: 5,
    waiting: 5,
    repeats: 5,
    graphs: 5,
    memory: 5,
    latencies: 2,
    speed: 15,
    members: 10,
    kernels: 10,
    processes: 25,
    errors: 20,
}
# Where the tests are that are skipped without a GPU.
THEN = "tests/trainers tests/spaces/architecture tests/search/execution tests/benchmarks"
# For the last look to end, and for what hangs to be ended.
SPARE_SECONDS = 10


def main(arguments: list[str] | None = None) -> int:
    """Look at a device; the exit code."""
    names = [look.__name__ for look in LOOKS]
    parser = argparse.ArgumentParser(description="Do trials train rightly on this device, and how fast?")
    parser.add_argument("device", nargs="?", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("looks", nargs="*", metavar="LOOK", help=f"some of: {', '.join(names)} (default: all)")
    parser.add_argument("--minutes", type=float, default=6, help="for all of it (default: 6)")
    options = parser.parse_args(arguments)
    if unknown := set(options.looks) - set(names):
        parser.error(f"found {' '.join(sorted(unknown))}; allowed: {', '.join(names)}")
    if options.device == "cuda" and (trouble := trouble_with_gpu()):
        parser.error(f"no GPU to look at: {trouble}. On processors: python benchmarks/device_check.py cpu")
    faulthandler.dump_traceback_later(60 * options.minutes, exit=True, file=sys.__stderr__)  # a GPU may hang for good
    try:
        with without_files():
            return look_at(torch.device(options.device), options.looks or names, 60 * options.minutes - SPARE_SECONDS)
    finally:
        faulthandler.cancel_dump_traceback_later()


def look_at(device: torch.device, names: list[str], seconds: float) -> int:
    """Take the looks with these names; 1 if a condition failed, else 0."""
    report = Report(device, seconds)
    prepare(device, 1 if report.on_gpu else torch.get_num_threads())
    report.figure("machine", **_machine(report))
    for look, least_seconds in LOOKS.items():
        if look.__name__ in names:
            report.row(look, least_seconds)
    words = {"PASS": "passed", "FAIL": "failed", "NONE": "not on a CPU", "LEFT": "left out"}
    counts = {word: report.counts[kind] for kind, word in words.items()}
    report.figure(f"then: python -m pytest -n0 {THEN}")
    report.figure(", ".join(f"{count} {word}" for word, count in counts.items()))
    return int(report.counts["FAIL"] > 0)


def _machine(report: Report) -> dict[str, object]:
    facts: dict[str, object] = {"torch": torch.__version__, "cores": os.cpu_count(), "threads": torch.get_num_threads()}
    if not report.on_gpu:
        return facts
    memory_gib = torch.cuda.get_device_properties(0).total_memory / 2**30
    return {
        "name": torch.cuda.get_device_name(0).replace(" ", "_"),
        "GiB": memory_gib,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
        "bfloat16": torch.cuda.is_bf16_supported(including_emulation=False),
        "multi_process_service": shares_at_once(),
        **facts,
    }


if __name__ == "__main__":
    sys.exit(main())
