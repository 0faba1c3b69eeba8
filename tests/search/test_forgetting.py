"""Trials that have ended are taken out of Tune's lists, and no others."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

from resnext_search.search.forgetting import LISTS, MOST_ENDED, STAY, forget_ended


class Trial:
    def __init__(self, number: int, *, ended: bool) -> None:
        self.trial_id, self.ended = str(number), ended

    def is_finished(self) -> bool:
        return self.ended


def test_ended_trials_are_forgotten_when_enough_have_come_together() -> None:
    trials = [Trial(number, ended=number % 10 > 0) for number in range(100)]
    controller = SimpleNamespace(_trials=trials, _trial_metadata={trial.trial_id: "{}" for trial in trials})
    for name in LISTS:
        setattr(controller, name, set(trials))
    live = [trial for trial in trials if not trial.ended]

    forget_ended(controller)

    assert controller._trials is trials  # Tune has handed this very list to others
    assert trials == [trial for trial in trials if not trial.ended or int(trial.trial_id) > 94]
    assert len(trials) == len(live) + STAY
    assert all(getattr(controller, name) == set(trials) for name in LISTS)
    assert set(controller._trial_metadata) == {trial.trial_id for trial in trials}


def test_a_few_are_left_alone() -> None:
    trials = [Trial(number, ended=number > 0) for number in range(MOST_ENDED)]
    controller = SimpleNamespace(_trials=trials)  # nothing else is looked at
    forget_ended(controller)
    assert len(trials) == MOST_ENDED


def test_the_lists_are_those_of_this_version_of_tune() -> None:
    from ray.tune.execution.tune_controller import TuneController

    source = inspect.getsource(TuneController.__init__)
    for name in (*LISTS, "_trials", "_trial_metadata"):
        assert f"self.{name}: " in source, name
