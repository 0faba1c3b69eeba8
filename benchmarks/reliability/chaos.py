"""Does a study survive `kill -9`? Drivers and workers die at random moments, and the journal is held to account.

    python -m benchmarks.reliability.chaos --workers 1 --seed 0        # one study: 12 drivers and 6 workers killed
    python -m benchmarks.reliability.chaos --workers 2 --seed 1        # on a cluster, which outlives the drivers
    python -m benchmarks.reliability.chaos --workers 4 --seed 2        # on one of two nodes
    python -m benchmarks.reliability.chaos --cluster --studies 5       # no shared disk: 6 drivers and 6 nodes each
    python -m benchmarks.reliability.chaos --kills 0                   # the table of all; with --cluster: of those

Real processes (`resnext-search run`) with real trainings of small networks on the digits. Each study adds a row to
results/reference/chaos/studies.csv, with `--cluster` to nodes.csv; a row that is there is not made again. After every
kill, and in the end:

lost    trials that had ended and differ now in any cell of their row, or whose epochs are gone or differ
twice   trials that had ended and were started again, or got another epoch or a newer checkpoint
stuck   sittings in which nothing happened for five minutes, and trials that have not ended in the end
budget  trials more or fewer than the study has, search trials with the configuration of another one, epochs too many
differ  trials whose epochs are not, to the last bit, those of the same training in a quiet process
again   with `--cluster`: epochs trained again, since their state was not on the driver's disk yet; at most in one loss
tables  with one worker, or node: whether trials.csv, pareto.csv and effects.csv equal those of an undisturbed run, but
        for wall times and the number of attempts
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from resnext_search.search.machines.settings import ray
from resnext_search.spaces import Configuration, Study
from resnext_search.spaces.study.file import parse_study
from resnext_search.trainers import train

from benchmarks.reliability import chaos_nodes
from benchmarks.reliability.killing.quiet import RESULTS, equal_tables, run_quietly
from benchmarks.reliability.killing.rows import ABOUT, DRIVERS, WRONG, about, drivers, wrong
from benchmarks.reliability.killing.snapshot import Snapshot
from benchmarks.reliability.killing.study import UnderFire, attack
from benchmarks.reliability.killing.summary import of_nodes, of_workers
from benchmarks.search.optimizer.rows import append, read

TABLE = Path("results/reference/chaos/studies.csv")
COLUMNS = ["workers", "seed", "claim", *ABOUT, *DRIVERS, "worker_kills", *WRONG, "differ", "tables", "seconds"]

STUDY = """
name: chaos
data: {name: digits, train_images: 256, validation_images: 200}
template: {stem: cifar, stride: 2, planes: 4, stages: 2}
budget: {like: {cardinality: 2, width: 4, blocks: [1, 1]}, tolerance: 5%}
axes:
  cardinality: [1, 2, 4]
  width: {min: 1, max: 16}
  blocks: {min: 1, max: 2}
  learning_rate: {min: 0.01, max: 1.0, scale: log}
trainer: {epochs: 5, batch_size: 64}
search: {trials: 12}
"""

# Three arms, three learning rates each, five fresh seeds: the phases after the search, and what lies between them.
CLAIM = "claim={kind: spend, base: {cardinality: 1, width: 4, blocks: [1, 1]}, tuning_trials: 3, seeds: 5, margin: 5.0}"


def main() -> None:
    """Run a study, or none, and print the table."""
    parser = argparse.ArgumentParser(description="Kill the processes of a study at random moments.")
    parser.add_argument("--workers", type=int, default=1, choices=[1, 2, 4])
    parser.add_argument("--cluster", action="store_true", help="on machines that share no disk; nodes are killed")
    parser.add_argument("--kills", type=int, help="of the driver, a study (default: 12; with --cluster 6)")
    parser.add_argument("--worker-kills", type=int, default=6, help="a study; with --cluster of nodes (default: 6)")
    parser.add_argument("--seed", type=int, default=0, help="of the study and of the moments")
    parser.add_argument("--studies", type=int, default=1, help="with --cluster: of this seed and the next (default: 1)")
    parser.add_argument("--claim", action="store_true", help="a small search, then the claim's phases")
    parser.add_argument("--out", type=Path, help=f"the table (default: {TABLE}; with --cluster {chaos_nodes.TABLE})")
    asked = parser.parse_args()
    kills = (6 if asked.cluster else 12) if asked.kills is None else asked.kills
    if asked.cluster:
        table = asked.out or chaos_nodes.TABLE
        seeds = range(asked.seed, asked.seed + asked.studies) if kills else range(0)
        chaos_nodes.run_studies(STUDY, seeds, kills=kills, node_kills=asked.worker_kills, table=table)
        print(of_nodes(pd.read_csv(table)))
        return
    table = asked.out or TABLE
    rows = read(table, COLUMNS)
    key = [str(value) for value in (asked.workers, asked.seed, asked.claim)]
    if kills and key not in [[row[name] for name in COLUMNS[:3]] for row in rows]:
        row = one_study(asked.workers, asked.seed, claim=asked.claim, kills=kills, worker_kills=asked.worker_kills)
        append(table, [*key, *row])
    print(of_workers(pd.read_csv(table)))


def one_study(workers: int, seed: int, *, claim: bool, kills: int, worker_kills: int) -> list[object]:
    """Run a study under fire; returns its cells of the table, from the date on."""
    began, generator = time.monotonic(), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="chaos-") as name, _cluster(workers) as where:
        folder = Path(name)
        (folder / "study.yaml").write_text(STUDY)
        overrides = [f"seed={seed}", f"search.parallel={workers}", *where]
        overrides += [CLAIM, "search.trials=4", "trainer.epochs=3"] if claim else []
        study = parse_study(STUDY, "study.yaml", overrides)
        arguments = ["run", "study.yaml", *overrides]
        quiet = run_quietly(arguments, folder) if workers == 1 else None
        expected = study.search.trials if quiet is None else len(quiet)
        fire = UnderFire(arguments, folder, expected=expected, epochs=study.trainer.epochs, generator=generator)
        attack(fire, kills, worker_kills)
        fire.finish()
        differ = _differing(study, fire.last)
        tables = "" if quiet is None else equal_tables(folder)
    return [
        *about(fire.last),
        *drivers(fire.losses),
        fire.losses.workers,
        *wrong(fire.losses, fire.last, trials=expected, epochs=study.trainer.epochs),
        differ,
        tables,
        f"{time.monotonic() - began:.0f}",
    ]


@contextmanager
def _cluster(workers: int) -> Iterator[list[str]]:
    """Nodes of two cores each, which go on when a driver dies; for one worker every driver starts its own Ray."""
    if workers == 1:
        yield []
        return
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    try:
        for _ in range(2, workers, 2):
            cluster.add_node(num_cpus=2)
        yield [f"resources.cluster={cluster.address}", "resources.gpu=0"]
    finally:
        ray.shutdown()
        cluster.shutdown()


def _differing(study: Study, end: Snapshot) -> int:
    """Trials whose epochs are not those of a training in this process, which nobody kills."""
    differing = 0
    for number, row in end.trials.items():
        fresh = train(
            study,
            Configuration.from_json(row["configuration"]),
            row["seed"],
            threads=study.resources.cpu,
            confirm=row["phase"] == "confirm",
        )
        found = [[epoch[name] for name in RESULTS] for key, epoch in sorted(end.epochs.items()) if key[0] == number]
        differing += found != [[getattr(epoch, name) for name in RESULTS] for epoch in fresh]
    return differing


if __name__ == "__main__":
    main()
