"""A cluster whose machines share no disk: what is lost goes on where it was, and nothing is left in Ray's memory."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from resnext_search.results import Journal, StudyFolder
from resnext_search.search import run_study
from resnext_search.search.machines.settings import ray

from tests.faults.watching import reached
from tests.support.helpers import TINY_STUDY, tiny_study, wait_for

pytestmark = pytest.mark.slow

TRIALS, EPOCHS = 2, 30
OVERRIDES = (f"search={{trials: {TRIALS}, parallel: 1}}", f"trainer.epochs={EPOCHS}", "resources.gpu=0")

# A run whose worker notes every epoch that it yields: its trial, its seconds, the process, and what it sees of the
# folder where the driver keeps studies. After an epoch there is a moment, as there is after longer ones.
DRIVER = """
import json, os, sys, time
from pathlib import Path
from resnext_search.search import run_study
from resnext_search.spaces.study.file import parse_study

text, folder, studies, seen, *overrides = sys.argv[1:]

def noting(study, configuration, seed, *, latency, checkpoint, **where):
    from resnext_search.trainers import train

    for epoch in train(study, configuration, seed, checkpoint=checkpoint, **where):
        names = sorted(os.listdir(studies))
        with open(seen, "a") as file:
            file.write(json.dumps([checkpoint.stem, epoch.epoch, epoch.seconds, os.getpid(), names]) + "\\n")
        yield epoch
        time.sleep(0.2)

run_study(parse_study(text, "study.yaml", overrides), Path(folder), train=noting)
"""


@pytest.fixture
def apart() -> list[str]:
    """The command that gives a process mounts of its own, where this machine lets us."""
    for command in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        with suppress(OSError):
            tried = [*command, "sh", "-c", "mkdir -p /tmp/.mounts && mount -t tmpfs none /tmp/.mounts"]
            if subprocess.run(tried, capture_output=True, check=False).returncode == 0:
                return command
    pytest.skip("NOT RUN: this machine allows no mount namespaces, so its nodes would share their disks")


@contextmanager
def node(apart: list[str], address: str, hidden: Path) -> Iterator[None]:
    """A machine of one core that has joined the cluster at an address, and has an empty disk where `hidden` is."""
    join = [sys.executable, "-m", "ray.scripts.scripts", "start", f"--address={address}", "--num-cpus=1", "--block"]
    join += [f"--node-ip-address={address.split(':')[0]}", f"--object-store-memory={200 * 2**20}"]
    mount = 'mount -t tmpfs none "$0" && exec "$@"'
    process = subprocess.Popen([*apart, "sh", "-c", mount, str(hidden), *join], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()  # then it ends what it started
        process.wait(30)


@contextmanager
def driver(*arguments: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`DRIVER` with these arguments, with its words in `folder/words.txt`."""
    with (folder / "words.txt").open("a") as words:
        process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, TINY_STUDY, *arguments], stdout=words, stderr=words, text=True
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def alive(cluster: Any) -> list[str]:
    """The machines of a cluster."""
    return [one["NodeID"] for one in cluster.global_state.node_table() if one["Alive"]]


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


def test_driver_and_worker_are_lost_on_a_cluster_without_a_shared_disk_and_every_epoch_is_that_of_a_quiet_run(
    tmp_path: Path, apart: list[str], no_ray: None, capsys: pytest.CaptureFixture[str]
) -> None:
    from ray.cluster_utils import Cluster

    studies, seen = tmp_path / "studies", tmp_path / "seen"
    studies.mkdir()
    begun, moved = StudyFolder(studies / "run"), StudyFolder(studies / "moved")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        with node(apart, cluster.address, studies):
            while len(alive(cluster)) < 2:
                time.sleep(0.2)
            where = [str(studies), str(seen), *OVERRIDES, f"resources.cluster={cluster.address}"]
            with driver(str(begun.path), *where, folder=tmp_path) as first:
                wait_for(partial(reached, begun.journal, 10), first, seconds=300)
                first.send_signal(signal.SIGKILL)
                first.wait()
            begun.path.rename(moved.path)
            with driver(str(moved.path), *where, folder=tmp_path) as second:
                wait_for(partial(reached, moved.journal, EPOCHS + 10), second, seconds=300)
                os.kill(notes(seen)[-1][3], signal.SIGKILL)
                assert second.wait(300) == 0
    finally:
        cluster.shutdown()

    quiet = run_study(tiny_study(*OVERRIDES), tmp_path / "quiet", cpus=1, gpus=0)
    assert rows(moved) == rows(quiet)
    assert [len(epochs) for epochs in rows(moved)] == [EPOCHS] * TRIALS

    assert {tuple(names) for *_, names in notes(seen)} == {()}, "the worker saw no study folder, and made none"
    assert len({process for *_, process, _ in notes(seen)}) == 3
    trained = {(trial, epoch, seconds) for trial, epoch, seconds, *_ in notes(seen)}
    twice = len(trained) - TRIALS * EPOCHS
    with capsys.disabled():
        print(f"\nnothing shared: {TRIALS * EPOCHS} epochs, {twice} trained twice after 2 losses")
    assert twice <= 2, "one whose state had not arrived, for each loss"
    words = (tmp_path / "words.txt").read_text()
    [said] = re.findall(r"its process was lost; it goes on from epoch (\d+)\n", words)
    [process] = {process for *_, process, _ in notes(seen)[-1:]}
    last = [(trial, epoch, seconds) for trial, epoch, seconds, by, _ in notes(seen) if by == process]
    before = {(trial, epoch, seconds) for trial, epoch, seconds, by, _ in notes(seen) if by != process}
    assert int(said) == next(epoch for trial, epoch, seconds in last if (trial, epoch, seconds) not in before)


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
