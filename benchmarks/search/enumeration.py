"""How long does it take to find every architecture inside a FLOP band?

    python benchmarks/search/enumeration.py [--repeats 5]

Prints, for axes of more than a million combinations (C, d, blocks), the seconds of the fastest and of the median
repeat. The target is 3 seconds on one core.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from itertools import product

import numpy as np
from resnext_search.spaces import Band, Template, enumerate_feasible
from resnext_search.spaces.search_space.axes import Axes

CASES = {
    "CIFAR, 3 stages, paper's widths": (
        Template(planes=16, stages=3),
        Axes(tuple(range(1, 33)), tuple(range(1, 257)), tuple(product(range(1, 7), repeat=3)), "paper"),
        Band(30_000_000, 0.02),
    ),
    "CIFAR, 3 stages, matched widths": (
        Template(planes=16, stages=3),
        Axes(tuple(range(1, 33)), tuple(range(1, 257)), tuple(product(range(1, 7), repeat=3)), "matched"),
        Band(30_000_000, 0.02),
    ),
    "ImageNet, 4 stages, matched widths": (
        Template(stem="imagenet", planes=64, stages=4, resolution=224, classes=1000),
        Axes((1, 2, 4, 8, 16, 32, 64), tuple(range(1, 161)), tuple(product(range(1, 7), repeat=4)), "matched"),
        Band(4_230_480_872, 0.02),
    ),
}


def main() -> None:
    """Time every case and print a table."""
    parser = argparse.ArgumentParser(description="Time the enumeration of feasible sets.")
    parser.add_argument("--repeats", type=int, default=5, help="how often each case is timed (default: 5)")
    repeats = parser.parse_args().repeats
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}, n={repeats}")
    print(f"{'case':36} {'combinations':>12} {'in band':>8} {'min s':>7} {'median s':>8}")
    for name, (template, axes, band) in CASES.items():
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            found = enumerate_feasible(template, axes, band)
            seconds.append(time.perf_counter() - start)
        print(
            f"{name:36} {axes.combinations:12,} {len(found):8,} {min(seconds):7.3f} {statistics.median(seconds):8.3f}"
        )


if __name__ == "__main__":
    main()
