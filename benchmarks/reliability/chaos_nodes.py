"""Studies on machines that share no disk, whose drivers and nodes are killed: the part `--cluster` of `chaos.py`.

Each study has one network at a time on the one node that there is, and tables that must equal those of a quiet run on
one machine. The head outlives drivers and studies; every node that is killed is followed by another one.

Run it where nobody commits meanwhile: the commit is part of the version, and a state is only its own version's.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from resnext_search.spaces.study.file import parse_study

from benchmarks.reliability.killing.machines import ADDRESS, MachinesApart, NotAllowed, machines_apart
from benchmarks.reliability.killing.nodes import OnNodes
from benchmarks.reliability.killing.quiet import QUIET, differing, equal_tables, run_quietly
from benchmarks.reliability.killing.rows import ABOUT, DRIVERS, WRONG, about, drivers, wrong
from benchmarks.reliability.killing.snapshot import read as snapshot
from benchmarks.reliability.killing.study import attack
from benchmarks.search.optimizer.rows import append, read

TABLE = Path("results/reference/chaos/nodes.csv")
COLUMNS = ["seed", *ABOUT, *DRIVERS, "node_kills", "again", "most_again", *WRONG, "differ", "tables", "seconds"]
# Fewer trials than on one machine, and longer ones: there is something to be lost of each.
OVERRIDES = ["search={trials: 6, parallel: 1}", "trainer.epochs=20", "resources.gpu=0"]


def run_studies(text: str, seeds: range, *, kills: int, node_kills: int, table: Path) -> None:
    """Run a study of this text for each seed, but those that are in the table, and add its row when it has ended.

    Raises:
        SystemExit: No machines can be made here, which share nothing.
    """
    there = {row["seed"] for row in read(table, COLUMNS)}
    left = [seed for seed in seeds if str(seed) not in there]
    if not left:
        return
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        disk, words = Path(name) / "studies", Path(name) / "words"
        disk.mkdir()
        words.mkdir()
        try:
            with machines_apart(disk, words) as machines:
                for seed in left:
                    append(table, _study(machines, text, seed, kills, node_kills))
        except NotAllowed as error:
            raise SystemExit(f"NOT RUN: this system allows no machines that share nothing: {error}") from error


def _study(machines: MachinesApart, text: str, seed: int, kills: int, node_kills: int) -> list[object]:
    """Run a study under fire; returns its row."""
    began, folder = time.monotonic(), machines.disk / str(seed)
    folder.mkdir()
    (folder / "study.yaml").write_text(text)
    overrides = [*OVERRIDES, f"seed={seed}"]
    study = parse_study(text, "study.yaml", overrides)
    arguments = ["run", "study.yaml", *overrides, "--no-calibrate"]
    run_quietly([*arguments, "resources.cluster=local"], folder)
    if machines.node is None:  # not before: on a busy machine a node does not start beside a run
        machines.join()
    fire = OnNodes(machines, study, [*arguments, f"resources.cluster={ADDRESS}"], folder, random.Random(seed))
    attack(fire, kills, node_kills)
    fire.finish()
    return [
        seed,
        *about(fire.last),
        *drivers(fire.losses),
        fire.losses.workers,
        sum(fire.again.values()),
        max(fire.again.values(), default=0),
        *wrong(fire.losses, fire.last, trials=study.search.trials, epochs=study.trainer.epochs),
        differing(snapshot(folder / QUIET / "journal.sqlite"), fire.last),
        equal_tables(folder),
        f"{time.monotonic() - began:.0f}",
    ]
