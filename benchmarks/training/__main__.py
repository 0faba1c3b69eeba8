"""How fast is a trial trained, against the loop of PyTorch's examples and against what the machine can do at best?

    apt-get install dataset-fashion-mnist
    python -m benchmarks.training speed [--rounds 5]        # images a second, side by side
    python -m benchmarks.training errors [--seeds 5]        # the same error, and the time to it
    python -m benchmarks.training forms                     # the paper's three forms of a block
    python -m benchmarks.training study                     # how a study of 40 trials uses two workers
    python -m benchmarks.training folder [--rounds 20]      # a folder in memory beside the same images without files

Fashion-MNIST, networks with C = 1, 8 and 32 groups at equal multiply-adds (`loop/loops.py`). Every figure comes from a
process of its own; what is compared takes turns, round by round, so that a busy machine is busy for all. `speed` prints
medians and the range of the rounds; ratios are those of each round. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

import numpy as np
import torch
from resnext_search.results.statistics.estimates import paired
from resnext_search.search import run_study
from resnext_search.spaces.study.file import load_study
from resnext_search.trainers.device import prepare
from resnext_search.trainers.resnext import Form, build_network

from benchmarks.training.loop.floor import floor_seconds
from benchmarks.training.loop.folder import decode, speeds, write_tree
from benchmarks.training.loop.lanes import use_of
from benchmarks.training.loop.loops import CARDINALITIES, LOOPS, STUDY, configuration

CORES = os.cpu_count() or 1
WARM_UP_STEPS = 10
SECONDS = 8.0
TARGET = 25.0  # percent of the validation images


def images_per_second(method: str, cardinality: int, threads: int) -> float:
    """Train for some seconds; the first steps do not count."""
    prepare(torch.device("cpu"), threads)
    if method == "floor":
        return STUDY.trainer.batch_size / floor_seconds(cardinality, STUDY.trainer.batch_size)
    loop = LOOPS[method](cardinality, 0, threads)
    steps = itertools.chain.from_iterable(loop.steps(epoch % STUDY.trainer.epochs + 1) for epoch in itertools.count())
    for _ in range(WARM_UP_STEPS):
        next(steps)
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        next(steps)
        done += 1
    return done * STUDY.trainer.batch_size / (time.perf_counter() - began)


def in_processes(method: str, cardinality: int, threads: int, processes: int = 1) -> float:
    """The same in fresh processes at once, together."""
    command = [sys.executable, "-m", "benchmarks.training", "worker", method, str(cardinality), str(threads)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    return sum(float(process.communicate()[0].splitlines()[-1]) for process in running)


def speed(rounds: int) -> None:
    """Print images a second of every loop, and the ratios that matter."""
    columns = {
        "plain, all cores": ("plain", CORES, 1),
        "plain, our data, all cores": ("plain, our data", CORES, 1),
        "ours, all cores": ("ours", CORES, 1),
        f"ours, {CORES} x 1 thread": ("ours", 1, CORES),
        "floor, all cores": ("floor", CORES, 1),
        f"floor, {CORES} x 1 thread": ("floor", 1, CORES),
    }
    ratios = [
        ("ours, all cores", "plain, all cores"),
        (f"ours, {CORES} x 1 thread", "plain, all cores"),
        ("plain, our data, all cores", "plain, all cores"),
        ("ours, all cores", "floor, all cores"),
        (f"ours, {CORES} x 1 thread", f"floor, {CORES} x 1 thread"),
    ]
    print("| C | network | " + " | ".join(columns) + " |\n|---|---|" + "---|" * len(columns))
    lines = []
    for cardinality in CARDINALITIES:
        seen: dict[str, list[float]] = defaultdict(list)
        for _ in range(rounds):
            for name, (method, threads, processes) in columns.items():
                seen[name].append(in_processes(method, cardinality, threads, processes))
        name = configuration(cardinality).architecture.name
        print(f"| {cardinality} | {name} | " + " | ".join(_range(seen[column], ".0f") for column in columns) + " |")
        for of, to in ratios:
            quotients = [a / b for a, b in zip(seen[of], seen[to], strict=True)]
            lines.append(f"| {cardinality} | {of} / {to} | {_range(quotients, '.2f')} |")
    print("\n| C | ratio | median (range) |\n|---|---|---|\n" + "\n".join(lines))


def _range(values: list[float], form: str) -> str:
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def errors(seeds: int) -> None:
    """Train to the end with the plain loop and with ours; print the difference of the errors, and the times."""
    print(
        f"| C | ours - plain, points of validation error | seconds to {TARGET:g} %, plain | ours |\n|---|---|---|---|"
    )
    for cardinality in CARDINALITIES:
        runs: dict[str, list[dict[str, float]]] = defaultdict(list)
        for seed in range(seeds):
            for method in ("plain", "ours"):
                command = [sys.executable, "-m", "benchmarks.training", "run", method, str(cardinality), str(seed)]
                runs[method].append(json.loads(subprocess.check_output(command, text=True).splitlines()[-1]))
        pairs = zip(runs["ours"], runs["plain"], strict=True)
        found = paired(np.array([ours["error"] - plain["error"] for ours, plain in pairs]))
        low, high = found.interval(0.95)
        times = (median([run["seconds"] for run in runs[method]]) for method in ("plain", "ours"))
        difference = f"{found.value:.2f} ({low:.2f} to {high:.2f})"
        print(
            f"| {cardinality} | {difference} | " + " | ".join(f"{seconds:.1f}" for seconds in times) + " |", flush=True
        )


def run_once(method: str, cardinality: int, seed: int) -> dict[str, float]:
    """One whole training on all cores: the last error, and the seconds until the error was first below the target."""
    loop = LOOPS[method](cardinality, seed, CORES)
    spent, reached, error = 0.0, float("inf"), 100.0
    for epoch in range(1, STUDY.trainer.epochs + 1):
        began = time.perf_counter()
        for _ in loop.steps(epoch):
            pass
        spent += time.perf_counter() - began
        error = loop.error()
        if error <= TARGET:
            reached = min(reached, spent)
    return {"error": error, "seconds": reached}


def forms() -> None:
    """Print the time of a step of the paper's three forms, one thread, relative to the grouped one."""
    torch.set_num_threads(1)
    print("| C | " + " | ".join(("grouped, ms", "concatenated", "separate")) + " |\n|---|---|---|---|")
    for cardinality in CARDINALITIES:
        times = {form: _step_seconds(cardinality, form) for form in ("grouped", "concatenated", "separate")}
        grouped = times.pop("grouped")
        print(
            f"| {cardinality} | {1000 * grouped:.0f} | "
            + " | ".join(f"{t / grouped:.1f}x" for t in times.values())
            + " |"
        )


def _step_seconds(cardinality: int, form: Form) -> float:
    network = build_network(STUDY.network_template(), configuration(cardinality).architecture, form)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images, times = torch.randn(64, 1, 28, 28).contiguous(memory_format=torch.channels_last), []
    for _ in range(12):
        began = time.perf_counter()
        torch.autograd.backward(network(images).square().mean())
        times.append(time.perf_counter() - began)
    return median(times[2:])


def study() -> None:
    """Run a digits study of 40 trials with as many workers as cores, and print how they were used."""
    wanted = load_study("spaces/fixed_flops.yaml", ["search.trials=40"]).model_copy(update={"claim": None})
    with tempfile.TemporaryDirectory() as folder:
        run_study(wanted, Path(folder) / "study")
        use = use_of(Path(folder) / "study" / "journal.sqlite", "search", CORES)
    print(
        f"{use.trials} trials, {use.workers} workers: {100 * use.share:.1f} % of their time in epochs; "
        f"{1000 * use.gap_seconds:.0f} ms between two trials of a worker (median)"
    )


def folder(rounds: int) -> None:
    """Print what it takes to decode a folder, and its images a second beside those of the same images without files."""
    with tempfile.TemporaryDirectory() as root:
        wanted = write_tree(Path(root))
        decoded = decode(wanted)
        print(
            f"decoded in {decoded.seconds:.1f} s; the process grew by {decoded.grown / 1e6:.1f} MB, the plan says "
            f"{decoded.planned / 1e6:.1f}\n"
        )
        print("| C | folder | without files | ratio |\n|---|---|---|---|")
        for cardinality in CARDINALITIES[:2]:
            pairs = np.array(list(speeds(wanted, cardinality, rounds)))
            ratio = paired(np.log(pairs[:, 0] / pairs[:, 1]))
            low, high = np.exp(ratio.interval(0.95))
            columns = " | ".join(_range(list(column), ".0f") for column in pairs.T)
            print(f"| {cardinality} | {columns} | {np.exp(ratio.value):.3f} ({low:.3f} to {high:.3f}) |", flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Compare the speed of training loops.")
    parser.add_argument("action", choices=("speed", "errors", "forms", "study", "folder", "worker", "run"))
    parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5, help="speed and folder: turns of each loop (default: 5)")
    parser.add_argument("--seeds", type=int, default=5, help="errors: trainings of each loop (default: 5)")
    options = parser.parse_args()
    repeats = {"speed": options.rounds, "folder": options.rounds, "errors": options.seeds}
    if options.action in repeats:
        print(f"{platform.machine()}, {CORES} cores, torch {torch.__version__}, n={repeats[options.action]}\n")
    match options.action, options.rest:
        case "speed", _:
            speed(options.rounds)
        case "folder", _:
            folder(options.rounds)
        case "errors", _:
            errors(options.seeds)
        case "forms", _:
            forms()
        case "study", _:
            study()
        case "worker", [method, cardinality, threads]:
            print(images_per_second(method, int(cardinality), int(threads)))
        case "run", [method, cardinality, seed]:
            print(json.dumps(run_once(method, int(cardinality), int(seed))))


if __name__ == "__main__":
    main()
