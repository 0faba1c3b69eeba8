"""Two drivers of one study, at once and one after the other; the seconds are the test's."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from resnext_search.search.storage.owner import OWNER, SILENCE_SECONDS, Owner
from resnext_search.search.storage.place import Place
from resnext_search.spaces.errors import FolderLocked


class Time:
    """Seconds that pass while somebody sleeps, and what happens meanwhile."""

    def __init__(self, meanwhile: Callable[[float], None] = lambda now: None) -> None:
        self.now, self.meanwhile, self.said = 0.0, meanwhile, list[str]()

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.meanwhile(self.now)

    def owner(self, place: Place) -> Owner:
        return Owner(place, lambda: self.now, self.sleep)


@pytest.fixture
def shared_place(shared: str) -> Place:
    return Place(shared, "--mirror")


def test_a_driver_owns_what_nobody_has_and_leaves_nothing_behind(place: Place) -> None:
    time = Time()
    owner = time.owner(place)
    owner.take(time.said.append)
    facts = json.loads(place.read(OWNER) or b"")
    assert facts.keys() == {"host", "process", "nonce", "beat"}
    owner.beat()
    assert json.loads(place.read(OWNER) or b"") == facts | {"beat": facts["beat"] + 1}
    owner.release()
    assert place.read(OWNER) is None
    assert (time.said, time.now) == ([], 2.0)


def test_a_second_driver_is_refused_as_soon_as_the_first_shows_that_it_lives(shared_place: Place) -> None:
    first = Time().owner(shared_place)
    first.take(lambda words: None)
    time = Time(lambda now: first.beat() if now == 9.0 else None)
    with pytest.raises(FolderLocked) as error:
        time.owner(shared_place).take(time.said.append)
    facts = json.loads(shared_place.read(OWNER) or b"")
    who = f"process {facts['process']} on {facts['host']}"
    assert time.said == [f"{shared_place.uri}: {who} has this study; up to 60 s to see whether it lives"]
    assert str(error.value) == f"{shared_place.uri}: another run works on this study ({who})"
    assert error.value.hint == "It is taken over when nothing was heard of it for 60 s."
    assert error.value.exit_code == 6
    assert time.now == 9.0
    first.release()


def test_one_that_is_silent_is_taken_over_after_a_minute_and_stops_when_it_comes_back(shared_place: Place) -> None:
    first = Time().owner(shared_place)
    first.take(lambda words: None)
    time = Time()
    second = time.owner(shared_place)
    second.take(time.said.append)
    assert time.now == SILENCE_SECONDS + 2
    for look in (first.beat, first.expect_ours):
        with pytest.raises(FolderLocked, match="has taken over this study; this run has stopped"):
            look()
    first.release()  # of what is another's by now nothing is deleted
    second.expect_ours()
    second.release()
    with pytest.raises(FolderLocked, match="another run has taken over"):  # and it has ended meanwhile
        second.expect_ours()


def test_one_that_ends_while_it_is_waited_for_is_not_waited_for_longer(shared_place: Place) -> None:
    first = Time().owner(shared_place)
    first.take(lambda words: None)
    time = Time(lambda now: first.release() if now == 5.0 else None)
    second = time.owner(shared_place)
    second.take(time.said.append)
    assert time.now == 5.0 + 2
    second.release()


def test_of_two_that_begin_in_the_same_moment_one_goes_on(shared_place: Place) -> None:
    later = Time().owner(shared_place)
    time = Time(lambda now: later._write())
    with pytest.raises(FolderLocked, match="has taken over"):
        time.owner(shared_place).take(time.said.append)
    later.expect_ours()


def test_what_is_no_owner_is_another_run_that_does_not_live(shared_place: Place) -> None:
    shared_place.write(OWNER, b"[1, 2")
    time = Time()
    owner = time.owner(shared_place)
    owner.take(time.said.append)
    assert time.said == [f"{shared_place.uri}: another run has this study; up to 60 s to see whether it lives"]
    owner.release()
