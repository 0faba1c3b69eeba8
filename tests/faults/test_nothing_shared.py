"""A cluster whose machines share nothing: what is lost goes on where it was, and nothing is left in Ray's memory."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from resnext_search.results import Journal, StudyFolder
from resnext_search.search import run_study
from resnext_search.search.machines.settings import ray

from benchmarks.reliability.killing.machines import ADDRESS, MachinesApart, NotAllowed, machines_apart
from tests.faults.watching import reached
from tests.support.helpers import TINY_STUDY, tiny_study, wait_for

pytestmark = pytest.mark.slow

TRIALS, EPOCHS = 3, 30
OVERRIDES = (f"search={{trials: {TRIALS}, parallel: 1}}", f"trainer.epochs={EPOCHS}", "resources.gpu=0")

# A run whose workers note every epoch that they yield: its trial, its seconds, machine and process, and what they see
# of the folder where the driver keeps studies. After an epoch there is a moment, as there is after longer ones.
DRIVER = """
import json, os, sys, time
from pathlib import Path
import ray
from resnext_search.search import run_study
from resnext_search.spaces.study.file import parse_study

text, folder, studies, seen, *overrides = sys.argv[1:]

def noting(study, configuration, seed, *, latency, checkpoint, **where):
    from resnext_search.trainers import train

    by = [ray.util.get_node_ip_address(), os.getpid()]
    for epoch in train(study, configuration, seed, checkpoint=checkpoint, **where):
        names = sorted(os.listdir(studies))
        with open(seen, "a") as file:
            file.write(json.dumps([checkpoint.stem, epoch.epoch, epoch.seconds, by, names]) + "\\n")
        yield epoch
        time.sleep(0.2)

run_study(parse_study(text, "study.yaml", overrides), Path(folder), train=noting)
"""


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[MachinesApart]:
    """A head without cores and a node of one, where this machine lets us have any."""
    for name in ("studies", "words"):
        (tmp_path / name).mkdir()
    try:
        with machines_apart(tmp_path / "studies", tmp_path / "words") as made:
            made.join()
            yield made
    except NotAllowed as error:
        pytest.skip(f"NOT RUN: this machine allows no mount and network namespaces to share nothing: {error}")


@contextmanager
def driver(command: Callable[..., list[str]], *arguments: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`DRIVER` with these arguments on the machine of a command, with its words in `folder/words.txt`."""
    with (folder / "words.txt").open("a") as words:
        process = subprocess.Popen(
            command(sys.executable, "-c", DRIVER, TINY_STUDY, *arguments), stdout=words, stderr=words, text=True
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def notes(seen: Path) -> list[list[Any]]:
    return [json.loads(line) for line in seen.read_text().splitlines()]


def rows(folder: StudyFolder) -> list[list[tuple[Any, ...]]]:
    """What the epochs of every trial gave, without what time they took."""
    with Journal(folder.journal, read_only=True) as journal:
        return [
            [
                (row.epoch, row.learning_rate, row.train_loss, row.validation_loss, row.validation_error)
                for row in journal.epochs(trial.trial_id)
            ]
            for trial in journal.trials()
        ]


def test_driver_worker_and_node_are_lost_where_nothing_is_shared_and_every_epoch_is_that_of_a_quiet_run(
    tmp_path: Path, machines: MachinesApart, no_ray: None, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = tmp_path / "seen"
    begun, moved = StudyFolder(machines.disk / "run"), StudyFolder(machines.disk / "moved")
    where = [str(machines.disk), str(seen), *OVERRIDES, f"resources.cluster={ADDRESS}"]
    with driver(machines.head.command, str(begun.path), *where, folder=tmp_path) as first:
        wait_for(partial(reached, begun.journal, 10), first, seconds=600)
        first.send_signal(signal.SIGKILL)
        first.wait()
    begun.path.rename(moved.path)
    with driver(machines.head.command, str(moved.path), *where, folder=tmp_path) as second:
        wait_for(partial(reached, moved.journal, EPOCHS + 10), second, seconds=600)
        assert machines.node is not None
        machines.node.ask("sh", "-c", f"kill -KILL {notes(seen)[-1][3][1]}")
        wait_for(partial(reached, moved.journal, 2 * EPOCHS + 10), second, seconds=600)
        machines.lose_node()
        assert second.wait(600) == 0

    quiet = run_study(tiny_study(*OVERRIDES), tmp_path / "quiet", cpus=1, gpus=0)
    assert rows(moved) == rows(quiet)
    assert [len(epochs) for epochs in rows(moved)] == [EPOCHS] * TRIALS

    assert {tuple(names) for *_, names in notes(seen)} == {()}, "no node saw a study folder, or made one"
    trainers = list(dict.fromkeys((machine, process) for *_, (machine, process), _ in notes(seen)))
    assert [machine for machine, _ in trainers] == ["10.77.0.2"] * 3 + ["10.77.0.3"]
    trained = {(trial, epoch, seconds) for trial, epoch, seconds, *_ in notes(seen)}
    twice = len(trained) - TRIALS * EPOCHS
    with capsys.disabled():
        print(f"\nnothing shared, neither disk nor network: {TRIALS * EPOCHS} epochs, {twice} trained twice after the ")
        print("loss of a driver, a worker and a node")
    assert twice <= 3, "one whose state had not arrived, for each loss"
    words = (tmp_path / "words.txt").read_text()
    said = [int(epoch) for epoch in re.findall(r"its process was lost; it goes on from epoch (\d+)\n", words)]
    assert said == [first_trained(seen, trainer) for trainer in trainers[2:]]


def first_trained(seen: Path, trainer: tuple[str, int]) -> int:
    """The first epoch that a process trained itself; those before it came with the state that it went on from."""
    of_others = {(trial, epoch, seconds) for trial, epoch, seconds, by, _ in notes(seen) if tuple(by) != trainer}
    own = [(trial, epoch, seconds) for trial, epoch, seconds, by, _ in notes(seen) if tuple(by) == trainer]
    return next(int(epoch) for trial, epoch, seconds in own if (trial, epoch, seconds) not in of_others)


# ------------------------------------------------------------------ Ray's memory


DYING = (5, 25)


def dying(folder: Path) -> Any:
    """A trainer of a moment that sends states of 100 kB; in two trials its process dies, once."""

    def train(study: Any, configuration: Any, seed: int, *, checkpoint: Path, carrier: Any, **_: Any) -> Iterator[Any]:
        from resnext_search.trainers import Epoch

        start = carrier.begin()
        done = 0 if start is None else start[0]
        for epoch in range(1, study.trainer.epochs + 1):
            if epoch == 3 and int(checkpoint.stem[-5:]) in DYING and not (folder / checkpoint.stem).exists():
                (folder / checkpoint.stem).write_text("")
                time.sleep(0.3)  # in which the state arrives
                os._exit(1)
            if done < epoch < study.trainer.epochs:
                carrier.keep(memoryview(bytes([epoch]) * 100_000), epoch)
            yield Epoch(epoch, 0.1, 1.0, 1.0, 50.0 + done, 0.01)

    return train


def objects() -> int:
    """How many lie in the memory of all machines."""
    from ray._private.internal_api import memory_summary

    address = ray.get_runtime_context().gcs_address
    words = memory_summary(address=address, stats_only=True)
    [count] = re.findall(r"Plasma memory usage \d+ MiB, (\d+) objects", words)
    return int(count)


def test_no_state_stays_in_the_memory_of_ray(tmp_path: Path, shared_ray: None) -> None:
    study = tiny_study(
        "search={trials: 40, optimizer: sobol, parallel: 2}",
        "trainer.epochs=4",
        "resources={checkpoints: driver, gpu: 0}",
    )
    before = objects()
    folder = run_study(study, tmp_path / "run", train=dying(tmp_path))
    with Journal(folder.journal, read_only=True) as journal:
        trials = journal.trials()
        # after a loss the epochs of a state that was brought are yielded with what it says
        assert [trial.attempts for trial in trials] == [2 if trial.trial_id in DYING else 1 for trial in trials]
        assert {trial.validation_error for trial in trials} == {50.0, 52.0}
    patience = time.monotonic() + 20
    while objects() > before and time.monotonic() < patience:  # Ray frees them when it gets round to it
        time.sleep(0.2)
    assert objects() <= before
