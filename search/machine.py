"""What is there to run trials on? Ray, started on this machine or joined on a cluster, for the time of a block."""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from resnext_search.search.ray_settings import JobConfig, on_loopback, ray
from resnext_search.search.scratch import scratch_folder
from resnext_search.spaces import Study
from resnext_search.spaces.errors import UsageError

# Seconds in which the head of a Ray cluster must accept a connection.
CLUSTER_TIMEOUT_SECONDS = 5
CLUSTER_HINT = "Give host:port of the cluster's head, as `ray start --head` printed it; its dashboard has another port."
# How HTTP/2, and so gRPC, begins (RFC 9113, 3.4): a client's words and settings, which a server answers with its own.
SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS


@dataclass(frozen=True)
class Machine:
    """What Ray offers: cores, GPUs, and the address of its dashboard (None if there is none)."""

    cpus: float
    gpus: float
    dashboard: str | None

    def gpus_of_a_trial(self, study: Study) -> float:
        """`resources.gpu`, with `auto` resolved: one if there is any."""
        wanted = study.resources.gpu
        return (1.0 if self.gpus >= 1 else 0.0) if wanted == "auto" else wanted

    def trials_at_once(self, study: Study) -> int:
        """How many trials fit, at most `search.parallel`.

        Raises:
            UsageError: Not even one fits.
        """
        gpu = self.gpus_of_a_trial(study)
        room = int(min(self.cpus / study.resources.cpu, self.gpus / gpu if gpu else float("inf")) + 1e-9)
        if room < 1:
            raise UsageError(
                f"resources: a trial wants {study.resources.cpu} cores and {gpu:g} GPUs; "
                f"there are {self.cpus:g} cores and {self.gpus:g} GPUs"
            )
        return room if study.search.parallel == "auto" else min(room, study.search.parallel)


@contextmanager
def ray_running(study: Study, *, cpus: int | None = None, gpus: int | None = None) -> Iterator[Machine]:
    """Start Ray on this machine, or join the cluster of `resources.cluster`, for the time of the block.

    Without a cluster, a Ray that runs in this process already is used as it is, and left running.

    Args:
        study: Its name stands in the dashboard's list of jobs.
        cpus: Cores to offer; without it those of the machine. Not for a cluster.
        gpus: GPUs to offer; more than there are makes logical ones, for tests of the scheduling.
    """
    job = JobConfig(metadata={"job_name": study.name})
    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False, "job_config": job}
    if study.resources.cluster is None and ray.is_initialized():
        yield _offered(None, cpus, gpus)
        return
    with scratch_folder() as scratch:
        try:
            if study.resources.cluster is not None:
                _expect_cluster(study.resources.cluster)
                context = ray.init(address=study.resources.cluster, **quiet)
            else:
                with on_loopback():
                    context = ray.init(
                        num_cpus=cpus,
                        num_gpus=gpus,
                        include_dashboard=True,
                        dashboard_host="127.0.0.1",
                        dashboard_port=_free_port(),
                        _temp_dir=str(scratch),  # its own: /tmp/ray is shared with other users
                        **quiet,
                    )
            yield _offered(context.dashboard_url)
        finally:
            ray.shutdown()


def _offered(url: str | None, cpus: float | None = None, gpus: float | None = None) -> Machine:
    there: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    cpu = min(there.get("CPU", 0.0), math.inf if cpus is None else cpus)
    gpu = min(there.get("GPU", 0.0), math.inf if gpus is None else gpus)
    return Machine(cpu, gpu, f"http://{url}" if url else None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _expect_cluster(address: str) -> None:
    """Ray itself takes over a minute to notice that nobody is there, and longer if it is somebody else."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=CLUSTER_TIMEOUT_SECONDS) as head:
            if os.environ.get("RAY_USE_TLS", "0") == "1":
                return
            head.sendall(GREETING)
            answer = head.makefile("rb").read(len(SETTINGS))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"resources.cluster: no Ray cluster answers at {address}: {error}", hint=CLUSTER_HINT
        ) from error
    if answer[3:4] != SETTINGS[3:4]:
        raise UsageError(f"resources.cluster: what answers at {address} is no head of a Ray cluster", hint=CLUSTER_HINT)
