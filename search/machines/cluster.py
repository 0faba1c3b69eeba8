"""What is there to run trials on? Ray, started on this machine or joined on a cluster, for the time of a block."""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from resnext_search.search.machines.addresses import VARIABLE, cluster_of
from resnext_search.search.machines.gpus import expect_usable_gpus
from resnext_search.search.machines.health import HealthCheck, raylet_of
from resnext_search.search.machines.open_files import expect_open_files
from resnext_search.search.machines.room import Node, RoomNow, too_small, waiting_words
from resnext_search.search.machines.scratch import scratch_folder
from resnext_search.search.machines.settings import JobConfig, node_of_actor, on_loopback, ray
from resnext_search.search.planning.forecast import gpu_of_a_trial
from resnext_search.spaces.architecture.gpu_sharing import Gpus
from resnext_search.spaces.errors import MachineLost, UsageError
from resnext_search.spaces.study.study import LOCAL, Study

# With a searcher of ours Tune asks Ray for the place of one trial at a time, whatever was handed out: nodes that join
# together would be used one after the other, and an autoscaler would start them so.
_MOST_WAITING = "TUNE_MAX_PENDING_TRIALS_PG"


@dataclass(frozen=True)
class Cluster:
    """What Ray offers."""

    nodes: tuple[Node, ...]  # that were there at the start
    dashboard: str | None  # its address, if there is one
    joined: bool = False  # whether it is more than this machine: others come and go
    gpu_bytes: int | None = None  # memory of the smallest GPU, where that is known

    @property
    def gpus(self) -> float:
        """GPUs of all nodes."""
        return sum(node.gpus for node in self.nodes)

    def gpus_of_a_trial(self, study: Study) -> float:
        """`resources.gpu`, with `auto` resolved: one if there is any, or the share of one that `sharing_of` says.

        Raises:
            UsageError: On a cluster there is none yet, and machines that have some may come later.
        """
        if study.resources.gpu == "auto" and self.joined and self.gpus < 1:
            raise UsageError(
                "resources.gpu: found auto, and no node of the cluster has a GPU now; allowed there: a number",
                hint="Say resources.gpu=1 to wait for machines with GPUs, or resources.gpu=0 to train on processors.",
            )
        with_gpus = [node for node in self.nodes if node.gpus and node.room(study.resources.cpu, 1)]
        cores = min((node.cpus / node.gpus for node in with_gpus), default=None)
        return gpu_of_a_trial(study, Gpus(self.gpus, cores, self.gpu_bytes))

    def trials_at_once(self, study: Study) -> int:
        """How many trials fit, at most `search.parallel`; raises `UsageError` if not even one does."""
        gpu = self.gpus_of_a_trial(study)
        room = sum(node.room(study.resources.cpu, gpu) for node in self.nodes)
        if room < 1:
            raise UsageError(
                too_small(study, gpu, self.nodes),
                hint="Give a trial less, such as resources.cpu=1 or resources.gpu=0, or run it where there is more.",
            )
        return room if study.search.parallel == "auto" else min(room, study.search.parallel)

    def room_of(self, study: Study) -> Callable[[], int]:
        """How many trials may run, to be asked again and again: of a cluster, as it stands."""
        if self.joined:
            return RoomNow(_nodes, study.resources.cpu, self.gpus_of_a_trial(study))
        fixed = self.trials_at_once(study)
        return lambda: fixed

    def health_check(self, last_words: Callable[[str], None]) -> HealthCheck:
        """Watches, for the time of a block, that Ray is there."""
        context = ray.get_runtime_context()
        own = next(node for node in ray.nodes() if node["NodeID"] == context.get_node_id())  # type: ignore[no-untyped-call]
        host, _, port = context.gcs_address.rpartition(":")
        return HealthCheck(raylet_of(own["RayletSocketName"]), (host, int(port)), last_words)

    def lack_of_room(self, study: Study) -> str:
        """What is wrong if no trial fits into what is left of the cluster now; empty if one does."""
        left, gpu = _nodes(), self.gpus_of_a_trial(study)
        return "" if any(node.room(study.resources.cpu, gpu) for node in left) else too_small(study, gpu, left)

    def waits_for(self, study: Study) -> str:
        """What a cluster on which no trial runs is waited for."""
        return waiting_words(study, self.gpus_of_a_trial(study), _nodes())

    def node_of(self, actor: Any) -> str:
        """Number of the node on which a worker is; empty on this machine, which is there as long as this process is."""
        return node_of_actor(actor) if self.joined else ""

    def is_there(self, node: str) -> bool:
        """Whether a node, as of `node_of`, is there now."""
        return not node or any(one["NodeID"] == node and one["Alive"] for one in ray.nodes())  # type: ignore[no-untyped-call]


@contextmanager
def ray_running(study: Study, *, cpus: int | None = None, gpus: int | None = None) -> Iterator[Cluster]:
    """Start Ray on this machine, or join the cluster of `cluster_of`, for the time of the block.

    Where `resources.cluster` names none, a Ray that runs in this process already is used as it is, and left running.

    Args:
        study: Its name stands in the dashboard's list of jobs.
        cpus: Cores to offer; without it those of the machine. Not for a cluster.
        gpus: GPUs to offer; more than there are makes logical ones, for tests of the scheduling.

    Raises:
        UsageError: The machine's GPUs are of no use to torch, and trials would be trained on them.
    """
    job = JobConfig(metadata={"job_name": study.name})  # `ray job submit` adds its environment, and its own name
    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False, "job_config": job}
    if study.resources.cluster in (None, LOCAL) and ray.is_initialized():
        nodes = _nodes(cpus, gpus)
        yield Cluster(nodes, None, joined=len(nodes) > 1)
        return
    cluster = cluster_of(study.resources.cluster)
    with ExitStack() as until_the_end:
        if cluster is None:
            scratch = until_the_end.enter_context(scratch_folder())
            until_the_end.enter_context(_environment({VARIABLE: None, "TMPDIR": str(scratch.parent)}))
            until_the_end.callback(ray.shutdown)
            context = _started(cpus, gpus, str(scratch), quiet)
        else:
            until_the_end.enter_context(_environment({_MOST_WAITING: os.environ.get(_MOST_WAITING, "10000")}))
            until_the_end.callback(ray.shutdown)
            context = ray.init(address=cluster.address, **quiet)
        url = context.dashboard_url
        found = Cluster(_nodes(), f"http://{url}" if url else None, joined=cluster is not None)
        if cluster is None and gpus is None and study.trainer.plugin is None and found.gpus_of_a_trial(study):
            found = replace(found, gpu_bytes=expect_usable_gpus(found.gpus))
        yield found


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
