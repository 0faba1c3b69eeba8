"""How many trials a cluster holds as it stands, and what is said while it holds none."""

from __future__ import annotations

import pytest
from resnext_search.search.machines.cluster import Cluster
from resnext_search.search.machines.room import Node, RoomNow, waiting_words
from resnext_search.spaces.errors import UsageError

from tests.support.helpers import tiny_study


def test_the_room_of_a_cluster_is_looked_at_once_a_second() -> None:
    nodes, now, looks = [Node(0, 0)], [100.0], []

    def look() -> list[Node]:
        looks.append(now[0])
        return nodes

    room = RoomNow(look, cpu=2, gpu=1, clock=lambda: now[0])
    assert (room(), room()) == (0, 0)
    nodes += [Node(8, 2), Node(3, 4)]
    now[0] += 0.9
    assert room() == 0
    now[0] += 0.2
    assert room() == 2 + 1  # two GPUs, and a pair of cores
    del nodes[1]
    now[0] += 1
    assert room() == 1
    assert looks == pytest.approx([100.0, 101.1, 102.1])


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([], "no node has it; 0 nodes are there"),
        ([Node(0, 0)], "no node has it; 1 node is there"),
        ([Node(8, 0), Node(0, 0)], "no node has it; 2 nodes are there"),
        ([Node(8, 4), Node(0, 0)], "1 node could hold one, and none has begun; 2 nodes are there"),
    ],
)
def test_what_is_waited_for_is_said(nodes: list[Node], words: str) -> None:
    assert waiting_words(tiny_study(), 1, nodes) == f"waiting for room: a trial wants 1 core and 1 GPU; {words}"
    assert waiting_words(tiny_study("resources.cpu=9"), 0, nodes).startswith(
        "waiting for room: a trial wants 9 cores and 0 GPUs; no node has it; "
    )


def test_on_a_cluster_without_gpus_auto_is_no_answer_and_on_this_machine_it_is_none() -> None:
    for nodes in ((), (Node(0, 0),), (Node(8, 0), Node(8, 0))):
        with pytest.raises(
            UsageError, match=r"^resources\.gpu: found auto, and no node of the cluster has a GPU"
        ) as caught:
            Cluster(nodes, None, joined=True).gpus_of_a_trial(tiny_study())
        assert caught.value.hint == (
            "Say resources.gpu=1 to wait for machines with GPUs, or resources.gpu=0 to train on processors."
        )
        for gpu in (0, 1):
            wanted = Cluster(nodes, None, joined=True).gpus_of_a_trial(tiny_study(f"resources.gpu={gpu}"))
            assert wanted == gpu
        assert Cluster(nodes, None).gpus_of_a_trial(tiny_study()) == 0


@pytest.mark.parametrize(
    ("nodes", "gpu_bytes", "share"),
    [
        (((8, 0), (8, 1)), None, 0.1666),  # 1.2 GiB each, of 8 that it is taken to have
        (((8, 0), (8, 1)), 16 * 2**30, 0.125),  # eight fill it
        (((8, 1), (6, 2)), 16 * 2**30, 0.3333),  # on the poorer machine each has three cores
        (((8, 1), (0, 2)), 16 * 2**30, 0.125),  # a machine that holds no trial does not count
    ],
)
def test_the_share_of_a_gpu_is_that_of_the_machine_with_the_fewest_cores_for_each(
    nodes: tuple[tuple[float, float], ...], gpu_bytes: int | None, share: float
) -> None:
    there = Cluster(tuple(Node(*node) for node in nodes), None, joined=True, gpu_bytes=gpu_bytes)
    assert there.gpus_of_a_trial(tiny_study()) == share


def test_a_cluster_without_room_is_no_error_and_this_machine_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resnext_search.search.machines.cluster._nodes", lambda: (Node(3, 0),))
    study = tiny_study("resources.gpu=0")
    assert Cluster((), None, joined=True).room_of(study)() == 3
    assert Cluster((Node(2, 0),), None).room_of(study)() == 2
    with pytest.raises(UsageError, match="a trial wants 1 cores and 0 GPUs on one machine; there is nothing"):
        Cluster((), None).room_of(study)
