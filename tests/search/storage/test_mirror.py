"""A copy of a study that another machine goes on from."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from resnext_search.results import Journal, StudyFolder
from resnext_search.search.storage import mirror as module
from resnext_search.search.storage import owner as owner_module
from resnext_search.search.storage.mirror import Mirror, mirrored
from resnext_search.search.storage.place import Place
from resnext_search.spaces.errors import FolderLocked, ResnextSearchError, UsageError

from tests.support.desk import Desk
from tests.support.journals import completed, ended_folder, epoch_row, new_folder, point, started


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner_module, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.02)


@pytest.fixture(params=["bucket", "shared"])
def mirror(request: pytest.FixtureRequest) -> Iterator[Mirror]:
    """Of nothing yet, in a place of either kind."""
    with mirrored(request.getfixturevalue(request.param), print) as made:
        yield made


def quiet(words: str) -> None:
    raise AssertionError(words)


def never() -> bool:
    return False


def trials(folder: StudyFolder) -> list[Any]:
    with Journal(folder.journal, read_only=True) as journal:
        return [(trial.trial_id, trial.state, trial.epochs, trial.validation_error) for trial in journal.trials()]


def test_what_has_ended_is_told_when_the_copy_has_it_and_another_machine_goes_on_from_there(
    mirror: Mirror, tmp_path: Path
) -> None:
    folder, journal = new_folder(tmp_path / "here")
    folder.study.write_text("name: tiny\n")
    folder.plan.write_text("{}\n")
    seen = list[list[Any]]()

    def tell() -> None:
        elsewhere = StudyFolder(tmp_path / f"then-{len(seen)}")
        mirror.bring(elsewhere)
        seen.append(trials(elsewhere))

    with journal, mirror.following(folder, quiet, quiet):  # type: ignore[arg-type]
        completed(journal, point(0), 12.5)
        mirror.when_kept(tell)
        mirror.settle(never, quiet)
        assert seen == [[(0, "completed", 2, 12.5)]]
        journal.record_epoch(started(journal, point(1)), epoch_row(1, 80.0), device="cpu", host="here", final=False)
    # with the end of the run everything
    other = StudyFolder(tmp_path / "there")
    assert mirror.name() == "tiny"
    assert mirror.bring(other) == f"{other.path}: goes on with the copy in {mirror.place.uri}"
    assert trials(other) == [(0, "completed", 2, 12.5), (1, "running", 1, None)]
    assert (other.study.read_text(), other.plan.read_text()) == ("name: tiny\n", "{}\n")
    with Journal(other.journal) as opened:
        assert opened.interrupt_running() == 1
        assert opened.damage() == []
    assert mirror.bring(other) == ""  # and once more: it is there


def test_where_nothing_is_copied_nothing_is_brought(mirror: Mirror, tmp_path: Path) -> None:
    assert mirror.bring(StudyFolder(tmp_path / "there")) == ""
    assert not (tmp_path / "there").exists()
    with pytest.raises(UsageError, match=r"has no copy of a study"):
        mirror.name()


def test_an_outage_is_said_once_a_minute_and_what_has_ended_waits_while_training_goes_on(
    shared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, journal = new_folder(tmp_path / "here")
    said, told, tries = list[str](), list[int](), list[str]()
    write = Place.write

    def broken(self: Place, name: str, content: bytes) -> None:
        tries.append(name)
        raise OSError("nobody answers")

    with mirrored(shared, print) as mirror, journal, mirror.following(folder, said.append, quiet):  # type: ignore[arg-type]
        monkeypatch.setattr(Place, "write", broken)
        for number in range(2):
            completed(journal, point(number), 12.5)
            mirror.when_kept(lambda number=number: told.append(number))
        while len(tries) < 5:
            time.sleep(0.01)
        mirror.tell()
        assert told == []
        why = "no copy can be written: nobody answers; training goes on, its end waits"
        assert said == [f"{shared}: {why}"]
        monkeypatch.setattr(Place, "write", write)
        mirror.settle(never, quiet)
        assert told == [0, 1]
    assert len(said) == 1


def test_a_run_that_was_told_to_stop_does_not_wait_for_long(
    shared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, journal = new_folder(tmp_path / "here")
    said = list[str]()

    def broken(self: Place, name: str, content: bytes) -> None:
        raise OSError("nobody answers")

    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.3)
    with mirrored(shared, print) as mirror, journal, mirror.following(folder, lambda words: None, quiet):  # type: ignore[arg-type]
        monkeypatch.setattr(Place, "write", broken)
        completed(journal, point(0), 12.5)
        mirror.settle(lambda: True, said.append)
    assert said == [f"{shared}: the copy there lacks the end of this run, which the next one brings"]


def test_a_place_that_cannot_be_written_at_the_start_ends_the_run(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--mirror: s3://nobody/x cannot be used: "), mirrored("s3://nobody/x", print):
        pass


def test_a_driver_that_was_taken_over_stops_and_writes_and_tells_nothing_more(shared: str, tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path / "here")
    stopped, told = list[int](), list[int]()
    place = Place(shared, "--mirror")

    def run() -> None:
        with mirrored(shared, print) as mirror, mirror.following(folder, quiet, lambda: stopped.append(1)):
            place.write("owner.json", b'{"host": "box-2", "process": 7, "nonce": "x", "beat": 1}')
            completed(journal, point(0), 12.5)
            mirror.when_kept(lambda: told.append(1))
            mirror.settle(never, quiet)

    with journal, pytest.raises(FolderLocked, match="process 7 on box-2 has taken over this study"):
        run()
    assert (stopped, told) == ([1], [])
    there = StudyFolder(Path(shared.removeprefix("file://")))
    assert trials(there) == []
    assert place.has("owner.json"), "which is another's"


# ------------------------------------------------------------------ which of two is the newer one


def copied(folder: StudyFolder, uri: str) -> None:
    with mirrored(uri, print) as mirror:
        mirror.bring(folder)
        with mirror.following(folder, quiet, quiet):  # type: ignore[arg-type]
            pass


def test_a_folder_that_lacks_what_was_done_elsewhere_is_not_gone_on_with(shared: str, tmp_path: Path) -> None:
    here, journal = new_folder(tmp_path / "here")
    with journal:
        completed(journal, point(0), 12.5)
    copied(here, shared)
    there = StudyFolder(tmp_path / "there")
    with mirrored(shared, print) as mirror:
        mirror.bring(there)
    with Journal(there.journal) as journal:
        completed(journal, point(1), 9.0)
    copied(there, shared)
    with pytest.raises(UsageError) as error:
        copied(here, shared)
    assert str(error.value) == (
        f"{here.path}: lacks 1 of the trials that have ended in {shared}, such as trial 1: the study went on elsewhere"
    )
    assert error.value.hint == f"Go on from there: resnext-search resume {shared} --out ANOTHER_FOLDER"
    copied(there, shared)


def test_the_copy_of_another_study_is_left_as_it_is(shared: str, tmp_path: Path) -> None:
    copied(ended_folder(tmp_path / "one"), shared)
    with pytest.raises(UsageError, match=r"has another study than .*two"):
        copied(ended_folder(tmp_path / "two"), shared)


def test_a_damaged_copy_is_not_gone_on_with(shared: str, tmp_path: Path) -> None:
    place = Place(shared, "--mirror")
    copied(ended_folder(tmp_path / "one"), shared)
    place.write("journal.sqlite", (place.read("journal.sqlite") or b"")[:5000])
    with mirrored(shared, print) as mirror, pytest.raises(ResnextSearchError, match=r"journal\.sqlite"):
        mirror.bring(StudyFolder(tmp_path / "there"))
    assert not (tmp_path / "there").exists()


# ------------------------------------------------------------------ the dispatcher


def test_a_dispatcher_tells_the_end_of_a_trial_when_it_is_kept(desk: Desk) -> None:
    dispatcher = desk.dispatcher()
    kept = list[Any]()
    dispatcher.when_kept = kept.append
    trial = dispatcher.next()
    assert trial is not None
    about = {"device": "cpu", "host": "here", "test_error": None, "test_correct": None}
    for epoch in (1, 2):
        dispatcher.record(trial.trial_id, {**vars(epoch_row(epoch, 30.0)), **about})
    assert desk.journal.trial(trial.trial_id).state == "completed"
    assert "validation error 30.00 %" not in desk.words.getvalue()
    for then in kept:
        then()
    assert "[1/4] trial 0000" in desk.words.getvalue()
    assert "validation error 30.00 %" in desk.words.getvalue()
