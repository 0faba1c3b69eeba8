"""Does a study of thousands of trials grow? The memory of its driver, hundred by hundred, and how fast `status` is.

    python -m benchmarks.reliability.many_trials [--trials 2000] [--optimizer sobol]

A real study (`resnext-search run`) of trainings that are as short as they get: one epoch of a small network on 128
digits. Memory is the driver's own (anonymous pages, /proc): pages of files and of Ray's shared store are not counted,
since the system takes back the ones and Ray bounds the others. Growth is the slope of a straight line from the 200th
trial on.
"""

from __future__ import annotations

import argparse
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import linear_regression

STEP, FROM = 100, 200
STUDY = """
name: many-trials
data: {{name: digits, train_images: 128, validation_images: 100}}
template: {{stem: cifar, stride: 2, planes: 4, stages: 2}}
budget: {{like: {{cardinality: 2, width: 4, blocks: [1, 1]}}, tolerance: 15%}}
axes:
  cardinality: [1, 2, 3, 4, 6, 8]
  width: {{min: 1, max: 16}}
  blocks: {{min: 1, max: 4}}
  learning_rate: {{min: 0.01, max: 1.0, scale: log}}
trainer: {{epochs: 1, warmup_epochs: 0, batch_size: 64}}
search: {{trials: {trials}, optimizer: {optimizer}}}
"""
COMMAND = [sys.executable, "-m", "resnext_search.search"]


def memory_of(process: int) -> dict[str, float]:
    """Memory of a process in MB, as the system counts it: `RssAnon`, `RssFile` and `RssShmem`."""
    text = Path(f"/proc/{process}/status").read_text()
    return {name: int(kilobytes) / 1e3 for name, kilobytes in re.findall(r"(Rss\w+):\s+(\d+) kB", text)}


def watch(driver: subprocess.Popen[bytes], journal: Path) -> list[tuple[int, float]]:
    """Print the driver's memory at every hundredth trial until it ends; returns trials and MB."""
    seen: list[tuple[int, float]] = []
    print("| trials ended | own, MB | files | shared |\n|---|---|---|---|", flush=True)
    while driver.poll() is None:
        time.sleep(0.5)
        ended = _ended(journal) if journal.exists() else 0
        if ended < (seen[-1][0] // STEP + 1 if seen else 1) * STEP:
            continue
        if memory := memory_of(driver.pid):  # a process that has just ended has none
            seen.append((ended, memory["RssAnon"]))
            row = " | ".join(f"{memory[name]:.1f}" for name in ("RssAnon", "RssFile", "RssShmem"))
            print(f"| {ended} | {row} |", flush=True)
    return seen


def _ended(journal: Path) -> int:
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM trials WHERE ended_at IS NOT NULL").fetchone()[0])


def main() -> None:
    """Run the study and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--optimizer", default="ax", choices=("ax", "sobol"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        study, folder = Path(temporary) / "study.yaml", Path(temporary) / "study"
        study.write_text(STUDY.format(trials=asked.trials, optimizer=asked.optimizer))
        began = time.perf_counter()
        with subprocess.Popen([*COMMAND, "run", str(study), "--out", str(folder)], stdout=subprocess.DEVNULL) as driver:
            seen = watch(driver, folder / "journal.sqlite")
        seconds = time.perf_counter() - began
        if driver.returncode:
            sys.exit(driver.returncode)
        later = [pair for pair in seen if pair[0] >= FROM]
        slope = linear_regression(*zip(*later, strict=True)).slope if len(later) > 1 else float("nan")
        began = time.perf_counter()
        subprocess.run([*COMMAND, "status", str(folder)], check=True, stdout=subprocess.DEVNULL)
        print(
            f"\n{_ended(folder / 'journal.sqlite')} trials in {seconds:.0f} s; "
            f"{100 * slope:.2f} MB per 100 trials; `status` in {time.perf_counter() - began:.2f} s"
        )


if __name__ == "__main__":
    main()
