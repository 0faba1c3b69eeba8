"""Does the run still do what it should? Looked at in every step of Tune's loop, ten times a second and more.

The study's time is counted here, requests to stop are heeded, a trial that takes too long loses its process, and a
cluster that has shrunk until no trial fits is noticed: Tune itself would wait for ever in each of these cases.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from resnext_search.search.execution.context import RunContext
from resnext_search.search.machines.cluster import Cluster
from resnext_search.search.machines.settings import Stopper, tune
from resnext_search.search.ray_backend.searcher import RaySearcher
from resnext_search.search.ray_backend.worker import kill
from resnext_search.spaces.errors import MachineLost
from resnext_search.spaces.study.units import duration

# How long no trial may run on this machine because none fits, before that is taken to be for good.
PATIENCE_SECONDS = 30.0
# How often it is said what a cluster is waited for.
SAY_EVERY_SECONDS = 60.0


class WatchdogCallback(tune.Callback):
    """Tune calls it in every step, and when a trial starts in a worker."""

    def __init__(self, context: RunContext, cluster: Cluster, searcher: RaySearcher) -> None:
        self.context, self.cluster, self.searcher = context, cluster, searcher
        self._running: dict[str, tuple[Any, float]] = {}  # by Tune's name: its trial, and when it was started
        self._idle_from: float | None = None  # since when no trial has run, and none would fit
        self._said_at = 0.0

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks for a restore that never happens."""
        return {}

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A worker begins with a trial."""
        self._running[trial.trial_id] = (trial, self.context.budget.time.seconds)
        node = self._node_of(trial)
        self.searcher.begins(trial.trial_id, node, partial(self.cluster.is_there, node))

    def _node_of(self, trial: Any) -> str:
        with suppress(Exception):  # Ray knows it no more: its loss counts as that of a process
            return self.cluster.node_of(trial.temporary_state.ray_actor)
        return ""

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Tune keeps statistics of every number that a trial reported, 25 kB, which nobody asks for."""
        trial.run_metadata.metric_analysis.clear()
        trial.run_metadata.metric_n_steps.clear()

    def on_step_begin(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Before Tune asks for trials and waits for results."""
        for trial in trials:
            if trial.is_finished() and self.searcher.has(trial.trial_id):
                # its worker was not ready for it in time: Tune gives such a trial up, and tells nobody
                self.searcher.on_trial_complete(trial.trial_id, error=True)
        now = self.context.budget.time.look()
        if self.context.budget.is_over:
            self.context.stops.ask("now")
        self._running = {name: pair for name, pair in self._running.items() if self.searcher.has(name)}
        self.context.stops.look()
        self.context.tell()
        if self.searcher.dispatcher.is_broken_off:
            for trial, _ in self._running.values():
                kill(trial.temporary_state.ray_actor)  # Tune would let them finish their epochs
            self.context.budget.time.rest()
            return
        self._end_those_that_hang(now)
        self.searcher.inspection.look()
        self._expect_fit_machines()
        self._expect_room(now)

    def _end_those_that_hang(self, now: float) -> None:
        limit = self.context.study.limits.trial_time
        if limit is None:
            return
        for name, (trial, begun) in self._running.items():
            if now - begun >= limit and self.searcher.times_out(name, f"it ran for more than {duration(limit)}"):
                kill(trial.temporary_state.ray_actor)  # it may hang in code that no exception reaches

    def _expect_fit_machines(self) -> None:
        inspection = self.searcher.inspection
        if not self._running and inspection.has_refused and (why := inspection.why_none_is_fit()):
            self.searcher.dispatcher.give_up(MachineLost(why, hint=self.context.how_to_continue))

    def _expect_room(self, now: float) -> None:
        """Nothing runs although trials were handed out: Ray finds no place for them, or workers are slow to start."""
        if self._running or not self.searcher.handed_out:
            self._idle_from = None
            return
        if self._idle_from is None:
            self._idle_from = self._said_at = now
        study = self.context.study
        patience = study.resources.wait if self.cluster.joined else PATIENCE_SECONDS
        is_due = now - self._said_at >= SAY_EVERY_SECONDS
        if not is_due and now - self._idle_from < patience:
            return
        lack = self.cluster.lack_of_room(study)
        if lack and now - self._idle_from >= patience:
            waited = f", after {duration(patience)} of waiting (resources.wait)" if self.cluster.joined else ""
            self.searcher.dispatcher.give_up(MachineLost(lack + waited, hint=self.context.how_to_continue))
            return
        if not lack:
            self._idle_from = now
        if is_due:
            self._said_at = now
            if self.cluster.joined:
                self.searcher.dispatcher.progress.say(self.cluster.waits_for(study))


class StopAll(Stopper):
    """Ends Tune's loop, and the trials in it, when the sitting is to end at once."""

    def __init__(self, searcher: RaySearcher) -> None:
        self.searcher = searcher

    def __getstate__(self) -> dict[str, Any]:
        """As of `WatchdogCallback`."""
        return {}

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """No single trial is ended here."""
        return False

    def stop_all(self) -> bool:
        """Whether all of them are."""
        return self.searcher.dispatcher.is_broken_off
