"""The time that a study was at work, on a clock set by hand."""

from __future__ import annotations

from pathlib import Path

from resnext_search.search.planning.limits import ActiveTime

from tests.support.journals import new_folder


class Clock:
    """Shows what was set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_time_is_counted_over_sittings_and_not_between_them(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path)
    with journal:
        clock = Clock()
        first = ActiveTime(journal, clock)
        assert [first.look(), first.seconds] == [0, 0]  # the first look begins
        clock.now += 30
        assert first.look() == 30
        clock.now += 1
        first.rest()
        clock.now += 500  # a week, say, on a machine that was switched off in the meantime
        first.look()
        clock.now += 4
        first.rest()
        assert first.seconds == 35

        second = ActiveTime(journal, Clock())
        assert second.seconds == 35


def test_a_process_that_stood_still_was_not_at_work(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path)
    with journal:
        clock = Clock()
        time = ActiveTime(journal, clock)
        time.look()
        for step in (10, 60, 61, 3600, 5):
            clock.now += step
            time.look()
    assert time.seconds == 75


def test_a_killed_process_loses_less_than_two_seconds_of_the_count(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path)
    with journal:
        clock = Clock()
        time = ActiveTime(journal, clock)
        time.look()
        for _ in range(57):
            clock.now += 0.1
            time.look()
        assert 3.7 < journal.active_seconds() <= 5.7
