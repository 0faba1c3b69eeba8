"""A study as a job of a real cluster: `ray job submit` ships what its machines lack, and the driver runs there."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from resnext_search.results import Journal
from resnext_search.search.machines.addresses import cluster_of
from resnext_search.search.machines.settings import clusters_of_this_machine

from tests.support.helpers import TINY_STUDY, command
from tests.support.plugin_packages import install_noting

pytestmark = pytest.mark.slow

RAY = [sys.executable, "-m", "ray.scripts.scripts"]


def free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@contextmanager
def head(scratch: Path) -> Iterator[tuple[str, str]]:
    """A cluster of one machine on loopback; the address of its head and of its dashboard."""
    port, dashboard, client, agent = free_ports(4)
    words = [*RAY, "start", "--head", "--block", "--node-ip-address=127.0.0.1", f"--port={port}", "--num-cpus=1"]
    words += ["--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}"]
    words += [f"--ray-client-server-port={client}", f"--dashboard-agent-listen-port={agent}", "--disable-usage-stats"]
    with (scratch / "head.txt").open("w") as log:
        started = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        yield f"127.0.0.1:{port}", f"http://127.0.0.1:{dashboard}"
    finally:
        ours = [psutil.Process(started.pid), *psutil.Process(started.pid).children(recursive=True)]
        started.send_signal(signal.SIGTERM)
        _, left = psutil.wait_procs(ours, timeout=20)
        for process in left:
            process.kill()
        started.wait()


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where Ray keeps its sockets, and writes down the address of its cluster."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # to Ray a loopback address is else the machine's
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="head-") as folder:
        monkeypatch.setenv("RAY_TMPDIR", folder)
        yield Path(folder)


@pytest.mark.parametrize("auth", ["token", "disabled"])
def test_a_job_runs_a_study_on_machines_that_lack_its_trainer(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, auth: str
) -> None:
    for name in ("shipped", "notes"):
        (tmp_path / name).mkdir()
    install_noting(tmp_path / "shipped")
    (tmp_path / "shipped" / "tiny.yaml").write_text(TINY_STUDY)
    monkeypatch.delenv("NOTES", raising=False)
    monkeypatch.setenv("RAY_AUTH_MODE", auth)
    overrides = ["resources.gpu=0", "search.trials=2", "trainer={plugin: noting, epochs: 2}"]
    with head(scratch) as (address, page):
        job = [*RAY, "job", "submit", "--address", page, "--working-dir", str(tmp_path / "shipped")]
        job += ["--runtime-env-json", f'{{"env_vars": {{"NOTES": "{tmp_path / "notes"}"}}}}', "--"]
        job += [*command("run", "tiny.yaml", *overrides), "--out", str(tmp_path / "run")]
        patience = time.monotonic() + 120
        while True:  # the dashboard answers some time after the head
            ended = subprocess.run(job, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
            words = ended.stdout + ended.stderr
            if "Failed to connect" not in words or time.monotonic() > patience:
                break
            time.sleep(1)
    assert ended.returncode == 0, words
    assert f"\nRay cluster at {address} (RAY_ADDRESS)\n" in words
    with Journal(tmp_path / "run" / "journal.sqlite", read_only=True) as journal:
        assert [(trial.state, trial.epochs) for trial in journal.trials()] == [("completed", 2)] * 2
    assert len(list((tmp_path / "notes").iterdir())) == 2  # the variable reached the workers, as the trainer did


def test_auto_is_the_cluster_that_was_started_on_this_machine(scratch: Path) -> None:
    """Also where other studies run on Rays of their own."""
    with head(scratch) as (address, _):
        patience = time.monotonic() + 120
        while clusters_of_this_machine()[0] != address and time.monotonic() < patience:
            time.sleep(0.5)
        assert str(cluster_of("auto")) == f"Ray cluster at {address} (resources.cluster=auto)"
