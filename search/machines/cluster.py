"""What is there to run trials on? Ray, started on this machine or joined on a cluster, for the time of a block."""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from resnext_search.search.machines.addresses import VARIABLE, cluster_of
from resnext_search.search.machines.gpus import expect_usable_gpus
from resnext_search.search.machines.health import HealthCheck, raylet_of
from resnext_search.search.machines.open_files import expect_open_files
from resnext_search.search.machines.scratch import scratch_folder
from resnext_search.search.machines.settings import JobConfig, on_loopback, ray
from resnext_search.search.planning.calibration import room
from resnext_search.spaces.errors import MachineLost, UsageError
from resnext_search.spaces.study.study import LOCAL, Study


class Node(NamedTuple):
    """One machine of a cluster, or the only one."""

    cpus: float
    gpus: float

    def room(self, cpu: float, gpu: float) -> int:
        """How many trials of so many cores and GPUs fit on it."""
        return room(self.cpus, self.gpus, cpu, gpu)


@dataclass(frozen=True)
class Cluster:
    """What Ray offers."""

    nodes: tuple[Node, ...]  # that were there at the start
    dashboard: str | None  # its address, if there is one
    joined: bool = False  # it was there, and its machines need not see this one's disk

    @property
    def gpus(self) -> float:
        """GPUs of all nodes."""
        return sum(node.gpus for node in self.nodes)

    def gpus_of_a_trial(self, study: Study) -> float:
        """`resources.gpu`, with `auto` resolved: one if there is any."""
        wanted = study.resources.gpu
        return (1.0 if self.gpus >= 1 else 0.0) if wanted == "auto" else wanted

    def trials_at_once(self, study: Study) -> int:
        """How many trials fit, at most `search.parallel`; raises `UsageError` if not even one does."""
        room = sum(node.room(study.resources.cpu, self.gpus_of_a_trial(study)) for node in self.nodes)
        if room < 1:
            raise UsageError(
                self._no_room(study, self.nodes),
                hint="Give a trial less, such as resources.cpu=1 or resources.gpu=0, or run it where there is more.",
            )
        return room if study.search.parallel == "auto" else min(room, study.search.parallel)

    def health_check(self, last_words: Callable[[str], None]) -> HealthCheck:
        """Watches, for the time of a block, that Ray is there."""
        context = ray.get_runtime_context()
        own = next(node for node in ray.nodes() if node["NodeID"] == context.get_node_id())  # type: ignore[no-untyped-call]
        host, _, port = context.gcs_address.rpartition(":")
        return HealthCheck(raylet_of(own["RayletSocketName"]), (host, int(port)), last_words)

    def lack_of_room(self, study: Study) -> str:
        """What is wrong if no trial fits into what is left of the cluster now; empty if one does."""
        left = _nodes()
        gpu = self.gpus_of_a_trial(study)
        return "" if any(node.room(study.resources.cpu, gpu) for node in left) else self._no_room(study, left)

    def _no_room(self, study: Study, nodes: tuple[Node, ...]) -> str:
        there = "; ".join(f"{node.cpus:g} cores and {node.gpus:g} GPUs" for node in nodes) or "nothing"
        return (
            f"resources: a trial wants {study.resources.cpu} cores and {self.gpus_of_a_trial(study):g} GPUs "
            f"on one machine; there {'are' if nodes else 'is'} {there}"
        )


@contextmanager
def ray_running(study: Study, *, cpus: int | None = None, gpus: int | None = None) -> Iterator[Cluster]:
    """Start Ray on this machine, or join the cluster of `cluster_of`, for the time of the block.

    Without `resources.cluster`, a Ray that runs in this process already is used as it is, and left running.

    Args:
        study: Its name stands in the dashboard's list of jobs.
        cpus: Cores to offer; without it those of the machine. Not for a cluster.
        gpus: GPUs to offer; more than there are makes logical ones, for tests of the scheduling.

    Raises:
        UsageError: The machine's GPUs are of no use to torch, and trials would be trained on them.
    """
    job = JobConfig(metadata={"job_name": study.name})
    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False, "job_config": job}
    if not study.names_a_cluster and ray.is_initialized():
        nodes = _nodes(cpus, gpus)
        yield Cluster(nodes, None, joined=len(nodes) > 1)
        return
    address = cluster_of(study.resources.cluster)
    with scratch_folder() as scratch, _environment({VARIABLE: None, "TMPDIR": str(scratch.parent)}):
        try:
            if address is not None:
                context = ray.init(address=address, **quiet)
            else:
                context = _started(cpus, gpus, str(scratch), quiet)
            url = context.dashboard_url
            cluster = Cluster(_nodes(), f"http://{url}" if url else None, joined=address is not None)
            if address is None and gpus is None and study.trainer.plugin is None and cluster.gpus_of_a_trial(study):
                expect_usable_gpus(cluster.gpus)
            yield cluster
        finally:
            ray.shutdown()


@contextmanager
def _environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Within the block this process, and those that it starts, have these variables; None: they have it not."""
    before = {name: os.environ.get(name) for name in values}
    try:
        _set(values)
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def _started(cpus: int | None, gpus: int | None, scratch: str, quiet: dict[str, Any]) -> Any:
    """Ray on this machine; `MachineLost` if it has not come up in the half minute that it gives itself."""
    expect_open_files()
    try:
        with on_loopback():
            return ray.init(
                LOCAL,
                num_cpus=cpus,
                num_gpus=gpus,
                include_dashboard=True,
                dashboard_host="127.0.0.1",
                dashboard_port=_free_port(),
                _temp_dir=scratch,  # its own: /tmp/ray is shared with other users
                **quiet,
            )
    except Exception as error:
        if "timed out during startup" not in str(error):
            raise
        raise MachineLost(
            "Ray did not start on this machine within half a minute",
            hint="The machine may be too busy, or out of memory. Give the same command again when it has more room.",
        ) from error


def _nodes(cpus: float | None = None, gpus: float | None = None) -> tuple[Node, ...]:
    """The machines that are there now, with at most so many cores and GPUs each."""
    offered = [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    most_cpus, most_gpus = (math.inf if most is None else most for most in (cpus, gpus))
    return tuple(Node(min(each.get("CPU", 0.0), most_cpus), min(each.get("GPU", 0.0), most_gpus)) for each in offered)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
