"""Ray, with its settings: the only file that imports it, since it reads its environment while it is imported."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# See the Ray documentation of each; none is overridden if the user has set it.
for _name, _value in {
    # the dashboard and the cluster answer only to who has the token; a job is told by its cluster whether that asks
    **({} if "RAY_JOB_CONFIG_JSON" in os.environ else {"RAY_AUTH_MODE": "token"}),
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # trials are the job: at Ray's 15 they stand still while anything else runs
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    # Ray answers its first driver when the workers that it starts ahead are ready: never, where the machine is too busy
    # to start one in a minute. None is started ahead, and the others are given time.
    "RAY_prestart_worker_first_driver": "0",
    "RAY_worker_register_timeout_seconds": "600",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # a relative data.root means the same folder in every worker
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    # a worker that has not freed a trial's memory by then gets no other one; at Ray's 2 s a busy machine lost trials so
    "TUNE_FUNCTION_THREAD_TIMEOUT_S": "60",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",  # Ray's snapshots of the experiment are not used
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # signals are heeded in `execution/stopping.py`
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}.items():
    os.environ.setdefault(_name, _value)
# torch's memory of a GPU grows in place: trial after trial of a worker asks for pieces of other sizes. The workers of
# this machine inherit it; torch reads either name.
if "PYTORCH_CUDA_ALLOC_CONF" not in os.environ:
    os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")

import ray
from ray import tune
from ray._private import ray_constants, services
from ray._private import state as ray_state
from ray._private import utils as ray_utils
from ray.job_config import JobConfig
from ray.tune import schedulers
from ray.tune.search import Searcher
from ray.tune.stopper import Stopper
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
from resnext_search.spaces.errors import escaped

__all__ = [
    "JobConfig",
    "Searcher",
    "Stopper",
    "clusters_of_this_machine",
    "node_of_actor",
    "on_loopback",
    "on_node",
    "ray",
    "schedulers",
    "tune",
]

# Ray's C++ takes the command line, which stands in the dashboard's list of jobs, for UTF-8; a file's name need not be.
_command_line = ray_utils.get_entrypoint_name
ray_utils.get_entrypoint_name = lambda: escaped(_command_line())  # type: ignore[no-untyped-call]


def clusters_of_this_machine() -> tuple[str | None, list[str]]:
    """Addresses of the cluster that `ray start` made or joined last, if any, and of all of which a node runs here."""
    services.find_gcs_addresses.cache_clear()  # type: ignore[attr-defined]
    return services.find_bootstrap_address(None), sorted(services.find_gcs_addresses())  # type: ignore[no-untyped-call]


def node_of_actor(actor: Any) -> str:
    """Number of the node on which an actor lives; of one that has died, lived."""
    facts = ray_state.actors(actor._actor_id.hex())
    return str(facts["Address"]["NodeID"])


def on_node(number: str) -> Any:
    """The scheduling strategy of what is to run on one node, or not at all."""
    return NodeAffinitySchedulingStrategy(number, soft=False)


@contextmanager
def on_loopback() -> Iterator[None]:
    """What Ray starts within the block listens to this machine alone, not to whoever can reach one of its addresses.

    `ray.init` has no such argument: it replaces a loopback address that it is given. So this is the setting that Ray
    has for systems whose firewalls would ask about every port, put where Ray and what it starts read it.
    """
    name, constant = ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR, ray_constants.ENABLE_RAY_CLUSTER
    before = os.environ.get(name)
    os.environ[name], ray_constants.ENABLE_RAY_CLUSTER = "0", False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = constant
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
