"""How long the rest takes, by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from resnext_search.results import Journal, Trial
from resnext_search.search.monitor.status import budget_facts
from resnext_search.search.planning.claim_trials import planned_trials
from resnext_search.search.planning.forecast import remaining, rest_of
from resnext_search.search.planning.workload import training_flops

from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import completed, ended_folder, new_folder, point, started


def spans(path: Path, *times: tuple[float, float]) -> list[Trial]:
    """Search trials that ran from and to these seconds."""
    _, journal = new_folder(path)
    with journal:
        for _ in times:
            completed(journal, point(0), 9.0)
        trials = journal.trials()
    return [replace(trial, started_at=begin, ended_at=end) for trial, (begin, end) in zip(trials, times, strict=True)]


def test_one_trial_at_a_time_takes_its_mean_for_each_that_is_left(tmp_path: Path) -> None:
    left = remaining(tiny_study(), {"search": 4}, spans(tmp_path, (0, 10)), now=10)
    assert left == (30.0, None, None)


def test_two_at_a_time_take_half_as_long(tmp_path: Path) -> None:
    left = remaining(tiny_study(), {"search": 6}, spans(tmp_path, (0, 10), (1, 11)), now=11)
    assert left is not None
    assert left.seconds == 20.0


def test_the_interval_is_the_t_interval_of_a_sum(tmp_path: Path) -> None:
    """Times of 9, 10 and 11 s deviate by 1 s; of one more trial, 4.303 x sqrt(1 + 1/3) is 4.97."""
    left = remaining(tiny_study(), {"search": 4}, spans(tmp_path, (0, 9), (9, 19), (19, 30)), now=30)
    assert left is not None
    assert (left.low, left.seconds, left.high) == pytest.approx((5.03, 10.0, 14.97), abs=0.01)


def test_the_interval_does_not_begin_before_now() -> None:
    assert rest_of([1.0, 1.0, 40.0], units=1, count=1, at_once=1).low == 0.0


def test_epochs_that_a_running_trial_has_trained_are_not_left(tmp_path: Path) -> None:
    """One of the two epochs of the second and last trial."""
    trials = spans(tmp_path, (0, 10), (10, 20))
    running = replace(trials[1], state="running", ended_at=None, epochs=1)
    left = remaining(tiny_study(), {"search": 2}, [trials[0], running], now=15)
    assert left is not None
    assert left.seconds == 5.0


def test_trials_that_confirm_take_longer_as_they_train_on_more_images(tmp_path: Path) -> None:
    """456 images, not 256: 114 s, not 64."""
    study = tiny_study(TINY_CLAIM, "rules=1")
    left = remaining(study, {"search": 1, "confirm": 1}, spans(tmp_path, (0, 64)), now=64)
    assert left is not None
    assert left.seconds == pytest.approx(114)


def test_of_a_trial_that_was_interrupted_the_training_counts_and_not_the_pause(tmp_path: Path) -> None:
    resumed = replace(spans(tmp_path, (0, 90_000))[0], attempts=2)
    left = remaining(tiny_study(), {"search": 2}, [resumed], now=90_000)
    assert left is not None
    assert left.seconds == 0.5  # two epochs of a quarter of a second


def test_nothing_is_known_before_the_first_end_and_nothing_is_left_after_the_last(tmp_path: Path) -> None:
    assert remaining(tiny_study(), {"search": 4}, [], now=0) is None
    assert remaining(tiny_study(), {"search": 1}, spans(tmp_path, (0, 10)), now=10) is None


def test_the_budget_by_hand(tmp_path: Path) -> None:
    """Three of the four trials were trained for two epochs; the one that failed, for none."""
    folder = ended_folder(tmp_path)
    with Journal(folder.journal, read_only=True) as journal:
        study, trials = journal.study(), journal.trials()
        budget = budget_facts(study, planned_trials(study, journal), trials)
    assert budget["trials"] == {"used": 4, "of": 4}
    whole = training_flops(study)
    assert whole is not None
    assert budget["training_flops"] == {"used": whole * 3 / 4, "of": whole}


def test_operations_are_not_counted_where_the_number_of_images_is_not_known(tmp_path: Path) -> None:
    study = tiny_study("data={name: image_folder, resolution: 8, classes: 10}")
    _, journal = new_folder(tmp_path, study)
    with journal:
        started(journal, point(0))
        budget = budget_facts(study, {"search": 4}, journal.trials())
    assert budget["training_flops"] == {"used": None, "of": None}
