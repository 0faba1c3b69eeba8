"""How far can a measured latency be trusted, and how well is one predicted that was not measured?

    python -m benchmarks.search.latency_model [spaces/fixed_flops.yaml] [--architectures 60] [--rounds 4]

Measures the same random architectures in every round, in another order each time. Prints by how much measurements of
one architecture differ, and by how much the model of `search/surrogate/latency_model.py` is off that predicts every
architecture from the others of its round; and the same for the lowest of all rounds, which is what an idle machine
would have measured.
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np
from resnext_search.search.surrogate.latency_model import expected_latencies, latency_features
from resnext_search.spaces import load_study
from resnext_search.spaces.architecture.complexity import Floats
from resnext_search.trainers import measure_latency


def main() -> None:
    """Measure, predict, print."""
    arguments = _parser().parse_args()
    study = load_study(arguments.study)
    feasible, generator = study.feasible_set(), np.random.default_rng(0)
    chosen = generator.choice(len(feasible), min(arguments.architectures, len(feasible)), replace=False)
    rounds = np.empty((arguments.rounds, len(chosen)))
    print(f"{arguments.study}: {len(chosen)} of {len(feasible):,} architectures, one thread, {os.cpu_count()} cores")
    for row in rounds:
        began = time.perf_counter()
        for index in generator.permutation(len(chosen)):
            row[index] = measure_latency(study.network_template(), feasible[int(chosen[index])]).latency_ms
        seconds = (time.perf_counter() - began) / len(chosen)
        print(f"measured in {seconds:.2f} s each, load {os.getloadavg()[0]:.1f}: {_described(row)}")
    if len(rounds) > 1:
        print(f"one measurement differs from another by {100 * np.log(rounds).std(axis=0, ddof=1).mean():.1f} %")
    features = latency_features(feasible)[chosen]
    for name, latencies in [*((f"round {n}", row) for n, row in enumerate(rounds, 1)), ("lowest", rounds.min(axis=0))]:
        off = _leave_one_out(features, latencies)
        print(
            f"{name}: predictions are off by {100 * np.sqrt((off**2).mean()):.1f} % "
            f"(root mean square; median {100 * np.median(np.abs(off)):.1f} %, n={len(off)})"
        )


def _leave_one_out(features: Floats, latencies: Floats) -> Floats:
    """`(n,)` logarithms of what every architecture took, over what is expected after all others."""
    expected = []
    for left_out in range(len(latencies)):
        others = {other: float(value) for other, value in enumerate(latencies) if other != left_out}
        expected.append(expected_latencies(features, others)[0][left_out])
    return np.log(latencies / np.array(expected))


def _described(latencies: Floats) -> str:
    low, middle, high = np.quantile(latencies, [0, 0.5, 1])
    return f"{low:.2f} to {high:.2f} ms, median {middle:.2f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", nargs="?", default="spaces/fixed_flops.yaml")
    parser.add_argument("--architectures", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=4)
    return parser


if __name__ == "__main__":
    main()
