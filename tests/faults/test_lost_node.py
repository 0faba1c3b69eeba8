"""A machine of the cluster is lost: its trial goes on from its last epoch on another one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from resnext_search.results import Journal
from resnext_search.search import run_study
from resnext_search.search.machines.settings import ray
from resnext_search.spaces.errors import ResnextSearchError

from tests.support.helpers import tiny_study

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_ray")]

EPOCHS = 60


def noting(seen: Path) -> Any:
    """The real trainer, which notes on which node it trains which epochs."""

    def train_and_note(
        study: Any, configuration: Any, seed: int, *, latency: bool, checkpoint: Path, **where: Any
    ) -> Iterator[Any]:
        from resnext_search.trainers import train

        node = ray.get_runtime_context().get_node_id()
        for epoch in train(study, configuration, seed, checkpoint=checkpoint, **where):
            with (seen / checkpoint.stem).open("a") as file:
                file.write(json.dumps([node, epoch.epoch, time.time()]) + "\n")
            yield epoch

    return train_and_note


def test_the_trial_of_a_lost_machine_goes_on_elsewhere_from_its_last_epoch(tmp_path: Path) -> None:
    from ray.cluster_utils import Cluster

    seen, journal = tmp_path / "seen", tmp_path / "run" / "journal.sqlite"
    seen.mkdir()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        second = cluster.add_node(num_cpus=1)
        study = tiny_study(
            f"resources.cluster={cluster.address}",
            "resources.gpu=0",
            "search.trials=2",
            f"trainer.epochs={EPOCHS}",
            "trainer.batch_size=32",
        )

        def lose() -> None:  # the raylet of the second node gets a SIGKILL when both trials have some epochs
            while True:
                with suppress(ResnextSearchError), Journal(journal, read_only=True) as opened:
                    if [trial for trial in opened.trials() if trial.epochs >= 5][1:]:
                        break
                time.sleep(0.02)
            cluster.remove_node(second, allow_graceful=False)

        killer = threading.Thread(target=lose, daemon=True)
        killer.start()
        folder = run_study(study, tmp_path / "run", train=noting(seen))
        killer.join(timeout=10)
    finally:
        ray.shutdown()
        cluster.shutdown()

    with Journal(folder.journal, read_only=True) as opened:
        assert [(trial.state, trial.epochs) for trial in opened.trials()] == [("completed", EPOCHS)] * 2
    notes = [[json.loads(line) for line in path.read_text().splitlines()] for path in sorted(seen.iterdir())]
    moved = [lines for lines in notes if len({node for node, *_ in lines}) == 2]
    assert len(moved) == 1, "a trial ran on the node that was lost, and went on elsewhere"
    [lines] = moved
    first = [number for node, number, _ in lines if node == lines[0][0]]
    again = [(number, at) for node, number, at in lines if node != lines[0][0]]
    assert [number for number, _ in again] == list(range(1, EPOCHS + 1)), (
        "the epochs of the checkpoint, then the others"
    )
    repeated = again[len(first) - 1][1] - again[0][1]
    trained = again[-1][1] - again[len(first)][1]
    assert repeated < trained, "what was trained before the loss came from the checkpoint"
