"""What the searcher answers Tune, and what it makes of a process that is gone, without any process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from resnext_search.results import Journal
from resnext_search.search.ray_backend.searcher import RaySearcher
from resnext_search.search.ray_backend.settings import Searcher
from resnext_search.spaces.errors import TooManyFailures

from tests.support.desk import Desk
from tests.support.journals import completed, point

FINISHED = str(Searcher.FINISHED)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with made.journal:
        yield made


def states(journal: Journal) -> list[tuple[str, int]]:
    return [(trial.state, trial.attempts) for trial in journal.trials()]


def test_a_trial_whose_process_is_gone_is_tried_again_three_times(desk: Desk) -> None:
    """Also one that was lost before its first step: Tune calls that an error of the trial that was to begin."""
    searcher = desk.searcher()
    first = searcher.suggest("a")
    assert first["trial_id"] == 0
    for attempt, name in enumerate("abc", start=1):
        searcher.on_trial_complete(trial_id=name, error=True)
        assert states(desk.journal) == [("interrupted", attempt)]
        again = searcher.suggest("bcd"[attempt - 1])
        assert again == first
    searcher.on_trial_complete(trial_id="d", error=True)
    [trial] = desk.journal.trials()
    assert (trial.state, trial.failure_class) == ("failed", "WorkerLost")
    assert trial.failure_message == "its process was lost 4 times"
    assert desk.words.getvalue().count("its process was lost; it goes on from its last epoch") == 3


def test_what_one_trial_loses_is_not_held_against_another(desk: Desk) -> None:
    searcher = desk.searcher()
    for name in "abcdefgh":
        searcher.suggest(name)
        searcher.suggest(name.upper())
        searcher.on_trial_complete(trial_id=name, error=True)
        if name == "d":
            break
    assert desk.journal.trial(0).state == "failed"
    assert {trial.failure_class for trial in desk.journal.trials()} == {"WorkerLost", None}


def test_a_trial_that_took_too_long_fails_with_a_class_of_its_own(desk: Desk) -> None:
    searcher = desk.searcher()
    searcher.suggest("a")
    assert searcher.times_out("a", "it ran for more than 30 s")
    assert not searcher.times_out("a", "it ran for more than 31 s")  # its process need not be ended twice
    searcher.on_trial_complete(trial_id="a", error=True)
    [trial] = desk.journal.trials()
    assert (trial.state, trial.failure_class, trial.failure_message) == (
        "failed",
        "TimedOut",
        "it ran for more than 30 s",
    )
    assert searcher.suggest("b")["trial_id"] == 1


@pytest.mark.parametrize("how", ["drain", "now"])
def test_who_is_to_stop_starts_nothing(desk: Desk, how: str) -> None:
    searcher = desk.searcher()
    searcher.suggest("a")
    desk.sitting.stops.ask(how)  # type: ignore[arg-type]
    assert searcher.suggest("b") == FINISHED
    assert searcher.is_broken_off == (how == "now")
    searcher.on_trial_complete(trial_id="a", error=True)
    assert states(desk.journal) == [("running" if how == "now" else "interrupted", 1)]  # the caller interrupts the rest


def test_no_trial_starts_that_the_limit_of_operations_does_not_allow(tmp_path: Path) -> None:
    one = 22_992 * 6 * 256 * 2  # the dearest architecture of the band, for two epochs of 256 images
    desk = Desk(tmp_path, f"limits.training_flops={2 * one}")
    with desk.journal:
        completed(desk.journal, point(0), 10.0)
        searcher = desk.searcher()
        assert searcher.suggest("a")["trial_id"] == 1
        assert searcher.suggest("b") is None  # what runs may yet leave something
        searcher.on_trial_complete(
            trial_id="a", result={"failure_class": "ValueError", "failure_message": "no such colour"}
        )
        assert searcher.suggest("b")["trial_id"] == 2  # it has trained nothing
        assert searcher.suggest("c") is None


def test_too_many_failures_say_how_to_try_again(desk: Desk) -> None:
    searcher = desk.searcher()
    for name in "abcd":
        searcher.suggest(name)
        searcher.on_trial_complete(
            trial_id=name, result={"failure_class": "ValueError", "failure_message": "no such colour"}
        )
    assert isinstance(searcher.error, TooManyFailures)
    assert searcher.error.hint == (
        f"All failures: resnext-search status {desk.folder.path}. Mend the cause, then try again with: "
        f"resnext-search retry {desk.folder.path} --failed"
    )
    assert searcher.suggest("e") == FINISHED


def test_when_every_configuration_has_been_tried_the_search_is_over(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "search={trials: 100, optimizer: sobol, parallel: 1}", "axes.learning_rate=[0.1, 0.2]")
    size = 2 * len(desk.study.feasible_set())
    with desk.journal as journal:
        searcher = desk.searcher()
        for number in range(size):
            searcher.suggest(str(number))
            finish(searcher, str(number))
        assert searcher.suggest("one more") == FINISHED
        assert len({trial.configuration for trial in journal.trials()}) == size
        assert searcher.error is None


def finish(searcher: RaySearcher, name: str) -> None:
    """Tell the last epoch of a trial."""
    row = {"epoch": 2, "learning_rate": 0.1, "train_loss": 1.0, "validation_loss": 1.0, "validation_error": 9.0}
    about = {"seconds": 0.1, "test_error": None, "test_correct": None, "device": "cpu", "host": "here"}
    assert not searcher.goes_on(name, row | about)
    searcher.on_trial_complete(trial_id=name, result=row | about)
