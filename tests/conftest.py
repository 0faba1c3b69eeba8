"""What tests of whole studies have in common: one Ray, started by the first of them in each process."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest

# A machine that is busy, or stood still for a while, is no fault of what is tested.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


def start_ray() -> None:
    from resnext_search.search.machines.settings import ray

    if ray.is_initialized() and "GPU" not in ray.cluster_resources():
        ray.shutdown()  # one that Ray has started by itself, for a test that used it without asking for this
    if not ray.is_initialized():
        # "local": not a cluster that somebody has started on this machine
        ray.init("local", num_cpus=4, num_gpus=1, include_dashboard=False, logging_level="ERROR", log_to_driver=False)


@pytest.fixture(scope="session")
def ray_of_the_session() -> Iterator[None]:
    """For fixtures of a whole module; tests want `shared_ray`, since one of them may have ended it."""
    from resnext_search.search.machines.settings import ray

    start_ray()
    yield
    ray.shutdown()


@pytest.fixture
def shared_ray(ray_of_the_session: None) -> None:
    """Four cores and a logical GPU, which studies of this process use and leave: a Ray for each takes 7 s."""
    start_ray()


@pytest.fixture
def no_ray() -> None:
    """For a test that starts one of its own."""
    from resnext_search.search.machines.settings import ray

    ray.shutdown()
