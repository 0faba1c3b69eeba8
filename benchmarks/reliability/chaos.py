"""Does a study survive `kill -9`? Drivers and workers die at random moments, and the journal is held to account.

    python -m benchmarks.reliability.chaos --workers 1 --seed 0        # one study: 12 drivers and 6 workers killed
    python -m benchmarks.reliability.chaos --workers 2 --seed 1        # on a cluster, which outlives the drivers
    python -m benchmarks.reliability.chaos --workers 4 --seed 2        # on one of two nodes
    python -m benchmarks.reliability.chaos --kills 0                   # the table of all that were run

Real processes (`resnext-search run`) with real trainings of small networks on the digits. Each study adds a row to
results/reference/chaos/studies.csv; a row that is there is not made again. After every kill, and in the end:

lost    trials that had ended and differ now in any cell of their row, or whose epochs are gone or differ
twice   trials that had ended and were started again, or got another epoch or a newer checkpoint
stuck   sittings in which nothing happened for five minutes, and trials that have not ended in the end
budget  trials more or fewer than the study has, search trials with the configuration of another one, epochs too many
differ  trials whose epochs are not, to the last bit, those of the same training in a quiet process
tables  with one worker: whether trials.csv, pareto.csv and effects.csv equal those of an undisturbed run, but for wall
        times and the number of attempts
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pandas as pd
from resnext_search.search.machines.settings import ray
from resnext_search.spaces import Configuration, Study
from resnext_search.spaces.study.file import parse_study
from resnext_search.trainers import train

from benchmarks.reliability.killing.snapshot import Snapshot, proposed_twice
from benchmarks.reliability.killing.study import Losses, UnderFire
from benchmarks.search.optimizer.rows import append, read

TABLE = Path("results/reference/chaos/studies.csv")
COLUMNS = [
    *["workers", "seed", "claim", "date", "commit", "trials", "epochs"],
    *["driver_kills", "starting", "training", "ending", "worker_kills"],
    *["lost", "twice", "stuck", "budget", "differ", "tables", "seconds"],
]

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

# What differs from run to run: how long it took, and how often it was begun.
VARYING = ["seconds", "training_step_ms", "attempts"]


def main() -> None:
    """Run a study, or none, and print the table."""
    parser = argparse.ArgumentParser(description="Kill the processes of a study at random moments.")
    parser.add_argument("--workers", type=int, default=1, choices=[1, 2, 4])
    parser.add_argument("--kills", type=int, default=12, help="of the driver (default: 12)")
    parser.add_argument("--worker-kills", type=int, default=6, help="default: 6")
    parser.add_argument("--seed", type=int, default=0, help="of the study and of the moments")
    parser.add_argument("--claim", action="store_true", help="a small search, then the claim's phases")
    parser.add_argument("--out", type=Path, default=TABLE, help=f"the table (default: {TABLE})")
    asked = parser.parse_args()
    rows = read(asked.out, COLUMNS)
    key = [str(value) for value in (asked.workers, asked.seed, asked.claim)]
    if asked.kills and key not in [[row[name] for name in COLUMNS[:3]] for row in rows]:
        row = one_study(
            asked.workers, asked.seed, claim=asked.claim, kills=asked.kills, worker_kills=asked.worker_kills
        )
        append(asked.out, [*key, *row])
    print(summary(pd.read_csv(asked.out)))


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
        quiet = _quiet(arguments, folder) if workers == 1 else None
        expected = study.search.trials if quiet is None else len(quiet)
        attack = UnderFire(arguments, folder, expected=expected, epochs=study.trainer.epochs, generator=generator)
        _attack(attack, kills, worker_kills, generator)
        attack.finish()
        differ = _differing(study, attack.last)
        tables = "" if quiet is None else _equal_tables(folder)
    return [
        date.today(),
        _commit(),
        *_cells(study, attack.losses, attack.last, expected),
        differ,
        tables,
        _since(began),
    ]


def _attack(attack: UnderFire, kills: int, worker_kills: int, generator: random.Random) -> None:
    """Kill in every sitting; the last kill comes when all trials have ended."""
    moments = generator.choices(["start-up", "epochs", "trials"], weights=[2, 3, 1], k=kills - 1)
    moments = ["epochs", *moments[1:], "tables"] if kills > 1 else ["epochs"]
    sittings = [number for number, moment in enumerate(moments) if moment in ("epochs", "trials")]
    targets = [generator.choice(sittings) for _ in range(worker_kills)]
    for number, moment in enumerate(moments):
        if not attack.kill(moment, workers=targets.count(number), left=kills - number):
            return


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


def _quiet(arguments: list[str], folder: Path) -> pd.DataFrame:
    command = [sys.executable, "-m", "resnext_search.search", *arguments, "--out", "quiet"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=600)
    return pd.read_csv(folder / "quiet" / "trials.csv")


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
        names = ["epoch", "learning_rate", "train_loss", "validation_loss", "validation_error"]
        found = [[epoch[name] for name in names] for key, epoch in sorted(end.epochs.items()) if key[0] == number]
        differing += found != [[getattr(epoch, name) for name in names] for epoch in fresh]
    return differing


def _equal_tables(folder: Path) -> str:
    for name in ("trials.csv", "pareto.csv", "effects.csv"):
        tables = [pd.read_csv(folder / run / name, dtype=str) for run in ("quiet", "killed")]
        quiet, killed = (table.drop(columns=VARYING, errors="ignore") for table in tables)
        if not quiet.equals(killed):
            return f"{name} differs"
    return "equal"


def _cells(study: Study, losses: Losses, end: Snapshot, expected: int) -> list[int]:
    surplus = abs(len(end.trials) - expected) + proposed_twice(end)
    surplus += abs(len(end.epochs) - len(end.trials) * study.trainer.epochs)
    not_ended = len(end.trials) - len(end.ended)
    moments = [losses.drivers[moment] for moment in ("starting", "training", "ending")]
    return [
        len(end.trials),
        len(end.epochs),
        sum(moments),
        *moments,
        losses.workers,
        len(losses.lost),
        len(losses.twice),
        losses.stuck + not_ended,
        surplus,
    ]


def _commit() -> str:
    return subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip()


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.0f}"


def summary(rows: pd.DataFrame) -> str:
    """One line for each number of workers, and one for all."""
    summed = ["trials", "driver_kills", "starting", "training", "ending", "worker_kills"]
    summed += ["lost", "twice", "stuck", "budget", "differ"]
    by = rows.groupby("workers")
    table = pd.concat([by.size().rename("studies"), by[summed].sum()], axis=1)
    compared = rows[rows.tables.notna()]
    table["equal tables"] = compared[compared.tables == "equal"].groupby("workers").size()
    table.loc["all"] = table.sum()
    return table.fillna(0).astype(int).to_string()


if __name__ == "__main__":
    main()
