"""A cluster whose machines come and go: what joins is used, what goes is waited for, and nothing is lost."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from resnext_search.results import Journal
from resnext_search.search.machines.settings import ray
from resnext_search.spaces.errors import ResnextSearchError

from tests.support.helpers import TINY_STUDY, finish, running, wait_for
from tests.support.plugin_packages import install_noting

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_ray")]

# How long the two machines are away.
ABSENCE_SECONDS = float(os.environ.get("ABSENCE_SECONDS", "10"))


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head on which no trial can run; on all its machines is the trainer that notes."""
    from ray.cluster_utils import Cluster

    for name in ("site", "notes"):
        (tmp_path / name).mkdir()
    install_noting(tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "120")  # on a busy machine
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture
def trials(tmp_path: Path) -> Callable[[], list[Any]]:
    """What the journal of the run says."""
    (tmp_path / "tiny.yaml").write_text(TINY_STUDY)

    def read() -> list[Any]:
        with suppress(ResnextSearchError), Journal(tmp_path / "run" / "journal.sqlite", read_only=True) as opened:
            return opened.trials()
        return []

    return read


def notes(folder: Path) -> list[tuple[float, str, float]]:
    """When a trial began, on which node, and when its process was started."""
    lines = [line.split() for path in (folder / "notes").glob("trial-*") for line in path.read_text().splitlines()]
    return sorted((float(at), node, float(started)) for at, node, started in lines)


def test_machines_that_join_are_used_and_those_that_go_and_come_back_lose_nothing(
    tmp_path: Path, cluster: Any, trials: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    overrides = ["trainer={plugin: noting, epochs: 6}", "resources={gpu: 0, wait: 5m}"]
    with running(["run", "tiny.yaml", *overrides, "--out", "run"], tmp_path) as driver:
        wait_for(lambda: len(trials()) == 4, driver)  # handed out, and waiting: an autoscaler would see all four
        assert {trial.state for trial in trials()} == {"queued"}
        first = cluster.add_node(num_cpus=1)
        joined = time.time()
        wait_for(lambda: bool(notes(tmp_path)), driver)
        second = cluster.add_node(num_cpus=1)
        wait_for(lambda: sorted(trial.epochs for trial in trials()) == [0, 0, 3, 3], driver)
        assert len({node for _, node, _ in notes(tmp_path)}) == 2, "both are used"
        for node in (first, second):
            cluster.remove_node(node, allow_graceful=False)
        time.sleep(ABSENCE_SECONDS)
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        wait_for(lambda: len(notes(tmp_path)) == 4, driver)
        (tmp_path / "notes" / "go").touch()
        assert driver.wait(timeout=300) == 0

    words = (tmp_path / "words.txt").read_text()
    assert words.startswith(f"Ray cluster at {cluster.address} (RAY_ADDRESS)\n")
    assert words.count("its process was lost; it goes on from its checkpoint") == 2
    assert [(trial.state, trial.epochs) for trial in trials()] == [("completed", 6)] * 4
    begun = notes(tmp_path)
    at, _, started = begun[0]
    print(f"\nseconds from the first machine to its worker: {started - joined:.1f}, to its trial: {at - joined:.1f}")
    assert started - joined < 10  # what it takes from there is Python's, and as slow as the machine is busy
    assert len({node for _, node, _ in begun}) == 4, "both that came later are used too"
    assert sorted(trial.attempts for trial in trials()) == [1, 1, 2, 2]


def test_a_cluster_without_gpus_is_asked_to_be_clear_about_them(
    tmp_path: Path, cluster: Any, trials: Callable[[], list[Any]]
) -> None:
    command = ["run", "tiny.yaml", f"resources.cluster={cluster.address}", "--no-calibrate", "--out", "run"]
    ended = finish(command, tmp_path)
    assert ended.returncode == 2
    assert "resources.gpu: found auto, and no node of the cluster has a GPU now; allowed there: a" in ended.stderr
    assert "Say resources.gpu=1" in ended.stderr
    assert trials() == []


def test_a_study_that_waits_for_room_is_stopped_at_once_and_has_begun_nothing(
    tmp_path: Path, cluster: Any, trials: Callable[[], list[Any]]
) -> None:
    where = [f"resources.cluster={cluster.address}", "resources.gpu=0", "trainer={plugin: noting, epochs: 6}"]
    with running(["run", "tiny.yaml", *where, "--out", "run"], tmp_path) as driver:
        wait_for(lambda: len(trials()) == 4, driver)
        assert finish(["stop", "run"], tmp_path).returncode == 0
        assert driver.wait(timeout=60) == 130
    assert [(trial.state, trial.attempts) for trial in trials()] == [("queued", 0)] * 4
    ended = finish(["resume", "run", "resources.wait=5s"], tmp_path)
    assert ended.returncode == 1
    assert "there are 0 cores and 0 GPUs, after 5 s of waiting (resources.wait)" in ended.stderr
