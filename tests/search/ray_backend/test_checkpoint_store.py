"""States on their way from a worker to the study folder and back; Ray's objects are values of a dictionary here."""

from __future__ import annotations

import copy
import errno
import json
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from resnext_search.results.journal.rows import Trial
from resnext_search.search.machines.cluster import Cluster, Node
from resnext_search.search.ray_backend import carried as carried_module
from resnext_search.search.ray_backend import checkpoint_store as module
from resnext_search.search.ray_backend.carried import STATE, Carried, TrialCarrier, put
from resnext_search.search.ray_backend.checkpoint_store import CheckpointStore
from resnext_search.search.ray_backend.searcher import RaySearcher
from resnext_search.search.ray_backend.tuner import RayWorkers

from tests.support.desk import Desk
from tests.support.helpers import tiny_study
from tests.support.journals import point, started


class Objects:
    """Ray's store of objects, as far as states use it: a reference that nobody holds would free its object."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.open = threading.Event()  # closed, nothing is fetched
        self.open.set()

    def put(self, value: Any) -> int:
        self.values.append(np.array(value) if isinstance(value, np.ndarray) else value)
        return len(self.values) - 1

    def get(self, ref: int, timeout: float) -> Any:
        assert self.open.wait(timeout)
        value = self.values[ref]
        if isinstance(value, Exception):
            raise value
        return value


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Objects:
    made = Objects()
    monkeypatch.setattr(module, "ray", made)
    monkeypatch.setattr(carried_module, "ray", made)
    return made


@pytest.fixture
def store(desk: Desk, objects: Objects) -> Iterator[CheckpointStore]:
    """Of the desk's folder; a state has at most ten bytes."""
    desk.folder.checkpoints.mkdir()
    made = CheckpointStore(desk.folder, lambda trial: 10)
    yield made
    objects.open.set()
    made.close()


def trials(desk: Desk, count: int) -> list[Trial]:
    return [desk.journal.trial(started(desk.journal, point(number))) for number in range(count)]


def test_the_newest_state_of_every_trial_is_written_and_those_it_overtook_are_not(
    desk: Desk, store: CheckpointStore, objects: Objects
) -> None:
    first, second = trials(desk, 2)
    objects.open.clear()
    store.arrived(first, Carried(objects.put(np.frombuffer(b"one", np.uint8)), 1))
    while store._at_work is None:  # the thread waits for it
        pass
    for epoch, content in ((2, b"two"), (3, b"three")):
        store.arrived(first, Carried(objects.put(np.frombuffer(content, np.uint8)), epoch))
    store.arrived(second, Carried(objects.put(np.frombuffer(b"other", np.uint8)), 7))
    objects.open.set()
    assert (store.last_epoch(first), store.last_epoch(second)) == (3, 7)
    assert desk.folder.checkpoint(0).read_bytes() == b"three"
    assert desk.folder.checkpoint(1).read_bytes() == b"other"
    assert (store.kept, store.overtaken, store.lost) == (3, 1, 0)


def test_what_has_ended_has_no_file_whatever_is_still_on_its_way(
    desk: Desk, store: CheckpointStore, objects: Objects
) -> None:
    [trial] = trials(desk, 1)
    objects.open.clear()
    for epoch in (1, 2):  # one that the thread has begun with, one that waits
        store.arrived(trial, Carried(objects.put(np.frombuffer(b"state", np.uint8)), epoch))
    store.forget(0)
    objects.open.set()
    assert store.last_epoch(trial) == 0
    assert list(desk.folder.checkpoints.iterdir()) == []
    store.close()
    desk.folder.checkpoint(0).write_bytes(b"state")
    store.forget(0)  # its end waited for something else
    assert list(desk.folder.checkpoints.iterdir()) == []


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"a pickle", "found bytes; allowed: bytes in a row"),
        (np.zeros(3), "found ndarray; allowed: bytes in a row"),
        (np.zeros((2, 2), np.uint8), "found ndarray; allowed: bytes in a row"),
        (np.zeros(11, np.uint8), "found 11 bytes; allowed: at most 10"),
        (ValueError("of its owner"), "ValueError"),
        (OSError(errno.ENOSPC, "No space left on device"), "[Errno 28] No space left on device"),
    ],
)
def test_what_is_no_state_or_does_not_arrive_leaves_the_one_before(
    desk: Desk, store: CheckpointStore, objects: Objects, caplog: pytest.LogCaptureFixture, sent: Any, words: str
) -> None:
    [trial] = trials(desk, 1)
    store.arrived(trial, Carried(objects.put(np.frombuffer(b"state", np.uint8)), 4))
    assert store.last_epoch(trial) == 4
    store.arrived(trial, Carried(objects.put(sent), 5))
    assert store.last_epoch(trial) == 4
    assert desk.folder.checkpoint(0).read_bytes() == b"state"
    assert caplog.messages == [f"checkpoint of trial 0 was not kept: {words}; the one before stays, if any"]
    store.close()
    assert caplog.messages[-1] == "checkpoints: 1 written, 0 left out for newer ones, 1 lost"


def test_a_full_disk_loses_an_epoch_and_is_said(
    desk: Desk, store: CheckpointStore, objects: Objects, caplog: pytest.LogCaptureFixture
) -> None:
    [trial] = trials(desk, 1)
    desk.folder.checkpoints.rmdir()
    store.arrived(trial, Carried(objects.put(np.frombuffer(b"state", np.uint8)), 1))
    assert store.last_epoch(trial) == 0
    assert "checkpoint of trial 0 was not kept: [Errno 2] No such file or directory" in caplog.text
    desk.folder.checkpoints.mkdir()
    store.arrived(trial, Carried(objects.put(np.frombuffer(b"state", np.uint8)), 2))
    assert store.last_epoch(trial) == 2


def test_of_what_an_earlier_sitting_wrote_the_epoch_is_not_known(desk: Desk, store: CheckpointStore) -> None:
    [trial] = trials(desk, 1)
    desk.folder.checkpoint(0).write_bytes(b"state")
    assert store.last_epoch(trial) is None


@pytest.mark.parametrize(
    ("joined", "asked", "travel"), [(False, "auto", False), (True, "auto", True), (False, "driver", True)]
)
def test_states_travel_on_a_cluster_and_where_a_study_says_so(joined: bool, asked: str, travel: bool) -> None:
    workers = RayWorkers(Cluster((Node(2, 0),), None, joined=joined))
    assert workers.states_travel(tiny_study(f"resources.checkpoints={asked}")) == travel


# ------------------------------------------------------------------ the reference


def test_a_reference_is_let_go_in_all_copies_and_is_never_pickled_by_tune() -> None:
    made = Carried(object(), 3)
    copied = copy.deepcopy({"config": {STATE: made}})["config"][STATE]
    assert json.dumps(copied) == '"state"'  # so Tune has nothing to pickle
    assert copied.take() is not None
    assert (made.ref, made.take()) == (None, None)
    sent = pickle.loads(pickle.dumps(Carried(5, 3)))
    assert (type(sent), sent.ref, sent.epoch) == (Carried, 5, 3)
    assert pickle.loads(pickle.dumps(sent)).ref is None  # a worker's answer, which Tune keeps
    assert sent.ref == 5


def test_an_object_for_which_there_is_no_room_is_not_sent(
    monkeypatch: pytest.MonkeyPatch, objects: Objects, caplog: pytest.LogCaptureFixture
) -> None:
    def full(value: Any) -> int:
        raise MemoryError("the store is full")

    monkeypatch.setattr(objects, "put", full)
    assert put(b"state") is None
    assert caplog.messages == ["the state of a trial cannot be sent: MemoryError: the store is full"]


def test_a_searcher_lets_go_what_a_trial_goes_on_from_with_its_first_report(
    desk: Desk, store: CheckpointStore, objects: Objects
) -> None:
    searcher = RaySearcher(desk.dispatcher(), desk.inspection(), store)
    order = searcher.suggest("a")
    assert order[STATE] is None
    searcher.on_trial_complete("a", error=True)
    desk.folder.checkpoint(0).write_bytes(b"state")

    order = searcher.suggest("b")
    assert bytes(objects.values[order[STATE].ref]) == b"state"
    sent = Carried(objects.put(np.frombuffer(b"newer", np.uint8)), 1)
    row = {"epoch": 1, "learning_rate": 0.1, "train_loss": 1.0, "validation_loss": 1.0, "validation_error": 9.0}
    about = {"seconds": 0.1, "test_error": None, "test_correct": None, "device": "cpu", "host": "here"}
    report = {**row, **about, STATE: sent}
    assert searcher.goes_on("b", report)
    assert order[STATE].ref is None
    assert sent.ref is None
    assert STATE not in report
    assert store.last_epoch(desk.journal.trial(0)) == 1
    assert desk.folder.checkpoint(0).read_bytes() == b"newer"
    assert not searcher.goes_on("b", {**row, **about, "epoch": 2, STATE: Carried(0, 2)})
    assert store.last_epoch(desk.journal.trial(0)) == 0


# ------------------------------------------------------------------ the worker


class Told:
    """What a carrier reports of a trial of three epochs, with the bytes of the states that went along."""

    def __init__(self, objects: Objects, folder: Path, start: Carried | None = None) -> None:
        self.objects, self.facts = objects, list[tuple[int, bytes | None]]()
        self.order = {"trial_id": 7, STATE: start}
        self.carrier = TrialCarrier(self.order, folder, 3, self.tell)
        self.file = folder / "trial-00007.pt"

    def tell(self, fact: dict[str, Any]) -> None:
        sent = fact.get(STATE)
        self.facts.append((fact.get("epoch", 0), None if sent is None else bytes(self.objects.values[sent.ref])))


def test_a_state_goes_with_the_report_of_its_epoch_and_none_with_the_last(objects: Objects, tmp_path: Path) -> None:
    told = Told(objects, tmp_path)
    assert told.carrier.begin() is None
    told.carrier.report({"latency_ms": 1.0})
    for epoch in (1, 2, 3):
        told.carrier.keep(memoryview(b"%d" % epoch), epoch)
        told.carrier.report({"epoch": epoch})
    assert told.facts == [(0, None), (1, b"1"), (2, b"2"), (3, None)]


def test_a_trainer_that_knows_files_finds_one_and_what_it_writes_there_is_sent(
    objects: Objects, tmp_path: Path
) -> None:
    told = Told(objects, tmp_path, put(b"start"))
    assert told.file.read_bytes() == b"start"
    assert STATE not in told.order
    told.carrier.report({"epoch": 1})  # read again from the file
    told.file.write_bytes(b"newer")
    told.carrier.report({"epoch": 2})
    told.carrier.report({"failure_class": "ValueError"})
    assert told.facts == [(1, None), (2, b"newer"), (0, None)]


def test_a_start_that_is_lost_on_its_way_is_said_and_the_trial_starts_over(
    objects: Objects, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told = Told(objects, tmp_path, Carried(objects.put(ValueError("of its owner"))))
    assert told.carrier.begin() is None
    assert not told.file.exists()
    assert caplog.messages == ["the state of a trial did not arrive: ValueError; the trial starts over"]
