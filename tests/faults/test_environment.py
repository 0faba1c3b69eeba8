"""Variables of the environment that lead Ray astray: a run goes on without them, or says so."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from resnext_search.search import run_study
from resnext_search.search.machines.addresses import cluster_of
from resnext_search.search.machines.settings import clusters_of_this_machine, ray

from tests.support.helpers import tiny_study

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_ray")]


def noting(seen: Path) -> Any:
    """A trainer that notes what its worker's environment says."""

    def train(study: Any, configuration: Any, seed: int, *, latency: bool, **where: Any) -> Iterator[Any]:
        from resnext_search.trainers.training import Epoch

        seen.write_text(json.dumps({name: os.environ.get(name) for name in ("RAY_ADDRESS", "TMPDIR")}))
        for epoch in range(1, study.trainer.epochs + 1):
            yield Epoch(epoch, 0.1, 1.0, 1.0, 50.0, 0.01)

    return train


@pytest.mark.parametrize("folder", ["x" * 120, "a b"])
def test_a_run_takes_no_notice_of_an_address_and_a_folder_that_ray_cannot_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="") as short:
        root = Path(short, folder)
        root.mkdir()
        monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
        monkeypatch.setenv("TMPDIR", str(root))
        monkeypatch.setattr(tempfile, "tempdir", None)
        study = tiny_study("resources.cluster=local", "search.trials=1")
        run_study(study, tmp_path / "run", train=noting(tmp_path / "seen"), cpus=1, gpus=0)
        seen = json.loads((tmp_path / "seen").read_text())
        assert seen == {"RAY_ADDRESS": None, "TMPDIR": str(root) if len(folder) < 10 else "/tmp"}
        assert os.environ["RAY_ADDRESS"] == "127.0.0.1:1"
        assert os.environ["TMPDIR"] == str(root)


def test_the_head_of_a_real_cluster_that_only_the_environment_names_is_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        assert cluster_of(None) == (cluster.address, "RAY_ADDRESS")
        assert cluster.address in clusters_of_this_machine()[1]
        study = tiny_study("resources.gpu=0", "search.trials=1")
        run_study(study, tmp_path / "run", train=noting(tmp_path / "seen"))
        assert (tmp_path / "seen").exists()
        assert os.environ["RAY_ADDRESS"] == cluster.address
    finally:
        ray.shutdown()
        cluster.shutdown()
