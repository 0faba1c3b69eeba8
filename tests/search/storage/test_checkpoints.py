"""States that workers write to a place which all machines see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from resnext_search.search.machines.cluster import Cluster, Node
from resnext_search.search.ray_backend.carried import STATE, TrialCarrier
from resnext_search.search.ray_backend.tuner import RayWorkers
from resnext_search.search.storage import checkpoints as module
from resnext_search.search.storage.checkpoints import (
    SharedStates,
    StoredCheckpoints,
    forget_study,
    study_folder,
    why_other_storage,
)
from resnext_search.search.storage.place import Place
from resnext_search.spaces.errors import UsageError

from tests.support.desk import Desk
from tests.support.helpers import tiny_study
from tests.support.journals import point, started


@pytest.fixture(params=["bucket", "shared"])
def stored(request: pytest.FixtureRequest) -> Iterator[StoredCheckpoints]:
    """Of the study `tiny-8f3e`, in a place of either kind."""
    made = StoredCheckpoints(request.getfixturevalue(request.param), study_folder("tiny", "8f3e"))
    yield made
    made.close()


class Told:
    """A trial of three epochs on a worker, and what it reports."""

    def __init__(self, states: SharedStates, folder: Path) -> None:
        self.facts = list[dict[str, Any]]()
        folder.mkdir()
        self.carrier = TrialCarrier({"trial_id": 7}, folder, 3, self.facts.append, states)
        self.file = folder / "trial-00007.pt"


def test_a_state_is_there_before_its_epoch_is_reported_and_another_machine_goes_on_from_it(
    stored: StoredCheckpoints, tmp_path: Path
) -> None:
    told = Told(stored.states, tmp_path / "first")
    assert told.carrier.begin() is None
    for epoch in (1, 2, 3):
        told.carrier.keep(memoryview(b"%d" % epoch), epoch)
        told.carrier.report({"epoch": epoch})
    assert told.facts == [{"epoch": 1}, {"epoch": 2}, {"epoch": 3}]  # and no bytes
    assert stored.place.read("tiny-8f3e/trial-00007.pt") == b"2", "after the last epoch there is nothing left to do"
    assert Told(stored.states, tmp_path / "second").carrier.begin() == b"2"


def test_a_trainer_that_knows_files_finds_one_and_what_it_writes_there_is_kept(
    stored: StoredCheckpoints, tmp_path: Path
) -> None:
    stored.place.write("tiny-8f3e/trial-00007.pt", b"start")
    told = Told(stored.states, tmp_path / "worker")
    assert told.file.read_bytes() == b"start"
    told.carrier.report({"epoch": 1})
    assert stored.place.read("tiny-8f3e/trial-00007.pt") == b"start"
    told.file.write_bytes(b"newer")
    told.carrier.report({"epoch": 2})
    assert stored.place.read("tiny-8f3e/trial-00007.pt") == b"newer"
    assert not any(STATE in fact for fact in told.facts)


def test_what_has_ended_is_deleted_and_whether_there_is_a_state_is_known(stored: StoredCheckpoints, desk: Desk) -> None:
    trial = desk.journal.trial(started(desk.journal, point(0)))
    assert stored.last_epoch(trial) == 0
    stored.states.write(0, b"state")
    assert stored.last_epoch(trial) is None
    stored.forget(0)
    stored.close()
    assert stored.last_epoch(trial) == 0
    stored.states.write(0, b"state")
    stored.forget(0)  # what waited for the copy of the journal
    assert stored.last_epoch(trial) == 0
    forget_study("auto", "tiny-8f3e")
    assert stored.place.has("tiny-8f3e/proof")
    forget_study(stored.states.uri, "tiny-8f3e")
    assert not stored.place.has("tiny-8f3e/proof")


def test_a_store_that_fails_loses_an_epoch_and_no_trial(
    shared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stored = StoredCheckpoints(shared, "tiny-8f3e")
    told = Told(stored.states, tmp_path / "worker")

    def broken(*_: Any) -> bytes:
        raise OSError("AWS Error NETWORK_CONNECTION\n  during PutObject")

    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.0)
    for name in ("read", "write", "has", "delete"):
        monkeypatch.setattr(Place, name, broken)
    told.carrier.keep(memoryview(b"1"), 1)
    told.carrier.report({"epoch": 1})
    assert told.facts == [{"epoch": 1}]
    assert Told(stored.states, tmp_path / "next").carrier.begin() is None
    stored.forget(7)
    stored.close()
    why = "AWS Error NETWORK_CONNECTION during PutObject"
    assert caplog.messages == [
        f"checkpoint of trial 7 cannot be written: {why}; the one before stays, if any",
        f"checkpoint of trial 7 cannot be read: {why}; the trial starts over",
        f"checkpoint of trial 7 cannot be deleted: {why}",
    ]


# ------------------------------------------------------------------ is it the same storage?


def test_a_machine_that_sees_what_the_driver_wrote_will_do(stored: StoredCheckpoints) -> None:
    assert why_other_storage(stored.states) == ""


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (None, "nothing of it there"),
        (b"another", "what another driver wrote"),
    ],
)
def test_one_that_sees_another_storage_will_not_and_it_is_said_what_it_found(
    shared: str, there: bytes | None, found: str
) -> None:
    stored = StoredCheckpoints(shared, "tiny-8f3e")
    stored.place.delete("tiny-8f3e/proof")
    if there is not None:
        stored.place.write("tiny-8f3e/proof", there)
    assert why_other_storage(stored.states) == (
        f"it does not see the storage of this study, resources.checkpoints={shared}: "
        f"found {found}; expected: what the driver of this run wrote"
    )
    stored.place.write("tiny-8f3e/proof", stored.states.proof.encode())
    assert why_other_storage(stored.states) == "", "a disk that is mounted by now: a refusal is not remembered"
    stored.close()


def test_one_without_the_folder_is_refused_too(tmp_path: Path) -> None:
    states = SharedStates((tmp_path / "none").as_uri(), "tiny-8f3e", "proof")
    assert "and there is no folder" in why_other_storage(states)


def test_the_driver_is_refused_a_place_that_it_cannot_use(bucket: str) -> None:
    with pytest.raises(UsageError, match=r"checkpoints: s3://nobody/x cannot be used: .*bucket does not exist"):
        StoredCheckpoints("s3://nobody/x", "tiny-8f3e")


def test_where_a_uri_is_named_no_state_travels_over_ray() -> None:
    study = tiny_study("resources.checkpoints=s3://bucket/x")
    assert not any(
        RayWorkers(Cluster((Node(2, 0),), None, joined=joined)).states_travel(study) for joined in (True, False)
    )
