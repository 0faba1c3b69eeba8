"""How many trials fit, by hand."""

from __future__ import annotations

import pytest
from resnext_search.search.machines.cluster import Cluster
from resnext_search.search.machines.room import Node
from resnext_search.spaces.errors import UsageError

from tests.support.helpers import tiny_study


@pytest.mark.parametrize(
    ("nodes", "overrides", "expected"),
    [
        ([(4, 0)], [], 4),
        ([(4, 0)], ["search.parallel=3"], 3),
        ([(4, 0), (3, 0)], ["resources.cpu=2"], 3),  # a trial does not lie across machines
        ([(8, 2)], [], 8),  # auto: as many share a GPU as there are cores for it
        ([(8, 2)], ["objectives=[validation_error, latency_ms]"], 2),  # but where latencies are compared
        ([(8, 2)], ["resources.gpu=0"], 8),
        ([(8, 2)], ["resources.gpu=0.25"], 8),
        ([(8, 2)], ["resources.gpu=0.4"], 4),  # nor across GPUs
    ],
)
def test_trials_at_once(nodes: list[tuple[float, float]], overrides: list[str], expected: int) -> None:
    there = Cluster(tuple(Node(*node) for node in nodes), None)
    assert there.trials_at_once(tiny_study(*overrides)) == expected


def test_a_trial_of_a_plug_in_may_have_whole_gpus() -> None:
    study = tiny_study()
    of_two = study.model_copy(update={"resources": study.resources.model_copy(update={"gpu": 2.0})})
    assert Cluster((Node(8, 2), Node(8, 3)), None).trials_at_once(of_two) == 2


@pytest.mark.parametrize(
    ("nodes", "overrides", "complaint"),
    [
        ([(4, 0)], ["resources.gpu=1"], "1 cores and 1 GPUs on one machine; there are 4 cores and 0 GPUs"),
        (
            [(3, 0), (3, 0)],
            ["resources.cpu=4"],
            "4 cores and 0 GPUs on one machine; there are 3 cores and 0 GPUs; 3 cores and 0 GPUs",
        ),
    ],
)
def test_a_trial_that_fits_nowhere_is_refused(
    nodes: list[tuple[float, float]], overrides: list[str], complaint: str
) -> None:
    """As on a machine with fewer GPUs than the study had before."""
    with pytest.raises(UsageError) as caught:
        Cluster(tuple(Node(*node) for node in nodes), None).trials_at_once(tiny_study(*overrides))
    assert str(caught.value) == f"resources: a trial wants {complaint}"
    assert "resources.gpu=0" in caught.value.hint
