"""Machines of a cluster that are not as the driver's: each is named with the reason, and trains nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from resnext_search.results import Journal
from resnext_search.search.machines.settings import ray

from tests.support.helpers import TINY_STUDY, command
from tests.support.plugin_packages import install_noting
from tests.support.trees import write_digits

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_ray")]

ROOT = Path(__file__).parents[3]
OVERRIDES = [
    "data={name: image_folder, root: $IMAGES, resolution: 8, classes: 10}",
    "trainer={plugin: noting, epochs: 2, batch_size: 16}",
    "resources={gpu: 0, wait: 5m}",
    "--no-calibrate",
]
# Python runs it at its start, after an editable installation has seen to it that this program is found.
WITHOUT_EDITABLE = """
import sys
sys.meta_path[:] = [one for one in sys.meta_path if not getattr(one, "__module__", "").startswith("__editable__")]
"""


def alive(cluster: Any) -> int:
    """How many machines a cluster has."""
    return sum(one["Alive"] for one in cluster.global_state.node_table())


@contextmanager
def machine(cluster: Any, environment: Mapping[str, str]) -> Iterator[None]:
    """One of a core that has joined a cluster, with these variables; Ray may need more than one try."""
    address, before = cluster.address, alive(cluster)
    join = [sys.executable, "-m", "ray.scripts.scripts", "start", f"--address={address}", "--num-cpus=1", "--block"]
    join += [f"--node-ip-address={address.split(':')[0]}", f"--object-store-memory={100 * 2**20}"]
    for _ in range(4):
        process = subprocess.Popen(join, env=os.environ | environment, stdout=subprocess.DEVNULL)
        while alive(cluster) == before and process.poll() is None:
            time.sleep(0.2)
        if process.poll() is None:
            break
    assert process.poll() is None, "a machine did not start"
    try:
        yield
    finally:
        process.terminate()  # then it ends what it started
        process.wait(60)


def another_version(folder: Path) -> Path:
    """A folder with this program in version 9.9, of which one module differs."""
    for room in ("spaces", "trainers", "results", "search"):
        ignored = shutil.ignore_patterns("__pycache__", "reference")
        shutil.copytree(ROOT / room, folder / "resnext_search" / room, ignore=ignored)
    (folder / "resnext_search" / "__init__.py").touch()
    with (folder / "resnext_search/trainers/training.py").open("a") as file:
        file.write("EPOCHS_LEFT_OUT = 3\n")
    about = folder / "resnext_search-9.9.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: resnext-search\nVersion: 9.9\n")
    return folder


def run(folder: Path, name: str, address: str) -> subprocess.CompletedProcess[str]:
    arguments = ["run", "tiny.yaml", *OVERRIDES, f"resources.cluster={address}", "--out", name]
    return subprocess.run(
        command(*arguments), cwd=folder, capture_output=True, text=True, timeout=600, check=False, env=dict(os.environ)
    )


def test_machines_of_another_version_without_the_package_or_the_images_are_named_and_train_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One machine is as it should be, and the study ends on it; then none is, which ends a study at once."""
    from ray.cluster_utils import Cluster

    images = write_digits(tmp_path / "tree", train=60, test=60)
    for name in ("site", "notes", "none", "nothing/resnext_search"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "nothing/resnext_search/__init__.py").touch()
    (tmp_path / "nothing/sitecustomize.py").write_text(WITHOUT_EDITABLE)
    (tmp_path / "tiny.yaml").write_text(TINY_STUDY)
    install_noting(tmp_path / "site")
    site = str(tmp_path / "site")
    for name, value in {"PYTHONPATH": site, "NOTES": str(tmp_path / "notes"), "IMAGES": str(images)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "120")  # on a busy machine

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    unlike = (
        {"PYTHONPATH": f"{another_version(tmp_path / 'other')}:{site}"},
        {"PYTHONPATH": f"{tmp_path / 'nothing'}:{site}"},
        {"IMAGES": str(tmp_path / "none")},
    )
    try:
        with ExitStack() as others:
            for environment in unlike:
                others.enter_context(machine(cluster, environment))
            ended = run(tmp_path, "run", cluster.address)
            monkeypatch.setenv("IMAGES", str(copy := tmp_path / "copy"))
            shutil.copytree(images, copy)
            (copy / "train/5/0005.png").unlink()  # of the driver alone
            refused = run(tmp_path, "refused", cluster.address)
    finally:
        ray.shutdown()
        cluster.shutdown()

    assert ended.returncode == 0, ended.stdout + ended.stderr
    said = re.findall(r"^machine \S+ \(\S+\) gets no trials: (.*)$", ended.stdout, re.MULTILINE)
    assert len(said) == 3
    version, missing, no_images = sorted(
        said, key=lambda words: ["9.9" in words, "installed" in words, "data" in words].index(True)
    )
    assert re.fullmatch(r"resnext-search 9\.9 \(the driver has .*\)", version)
    assert missing == "resnext-search is not installed there (No module named 'resnext_search.spaces')"
    assert no_images.startswith(f"data: image_folder: {tmp_path}/none")
    assert set(said) <= set(re.findall(r"gets no trials: (.*)$", (tmp_path / "run/log.txt").read_text(), re.MULTILINE))
    with Journal(tmp_path / "run/journal.sqlite", read_only=True) as journal:
        assert [(trial.state, trial.attempts) for trial in journal.trials()] == [("completed", 1)] * 4
        assert len({trial.machine for trial in journal.trials()}) == 1
    notes = [line.split()[1] for path in (tmp_path / "notes").iterdir() for line in path.read_text().splitlines()]
    assert len(notes) == 4, "each trial was begun once"
    assert len(set(notes)) == 1, "on the machine that is as it should be"

    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert "no machine can be used:\n" in refused.stderr
    assert refused.stderr.count(": the images are not those of the driver") == 1
    with Journal(tmp_path / "refused/journal.sqlite", read_only=True) as journal:
        assert journal.trials() == []
