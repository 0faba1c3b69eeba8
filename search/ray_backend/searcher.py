"""What does Ray Tune ask and tell of trials? The dispatcher answers; here are Tune's names for what it is asked.

Tune asks a searcher for trials, and a scheduler whether one goes on; both stand here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from resnext_search.results.journal.rows import Trial, last_line
from resnext_search.search.execution.dispatcher import Dispatcher
from resnext_search.search.execution.memory import OUT_OF_MEMORY
from resnext_search.search.execution.run_trial import NotFinite, WrongResult
from resnext_search.search.machines.inspection import Inspection
from resnext_search.search.machines.settings import Searcher, schedulers
from resnext_search.search.ray_backend.carried import STATE, Carried
from resnext_search.search.ray_backend.checkpoint_store import CheckpointStore
from resnext_search.search.ray_backend.worker import LEFT_OUT, UNFIT, kill, name_tag
from resnext_search.spaces.study.configuration import describe

# Trials that take this long bear a name in the dashboard, which costs a second of one core for each.
LEAST_NAMED_SECONDS = 30
# Failures that say nothing of the machine.
OF_THE_TRIAL = (NotFinite.__name__, WrongResult.__name__, OUT_OF_MEMORY)


class RaySearcher(Searcher):
    """Tune's searcher over the dispatcher.

    Tune asks it for trials and tells it results, all in the driver's main thread. Its methods keep the names by which
    Tune calls them, and do not raise: Tune would tell the same result again, as an error.
    """

    def __init__(self, dispatcher: Dispatcher, inspection: Inspection, store: CheckpointStore | None = None) -> None:
        super().__init__()  # without a metric: a failure is reported without one, which Tune would refuse
        self.dispatcher, self.inspection, self.store = dispatcher, inspection, store
        self._given: dict[str, Carried] = {}  # what trials go on from that have not reported, by Tune's name
        self._trials: dict[str, Trial] = {}  # those handed out that have not ended, by Tune's name
        self._tags: dict[str, Any] = {}  # the actors that bear their names, by Tune's
        self._nodes: dict[str, tuple[str, Callable[[], bool]]] = {}  # number of its machine, and whether it is there
        self._gained: set[str] = set()  # those that have gained an epoch, by Tune's name

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its searcher for a restore that never happens; the journal is the state."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Tune wants a file; see `__getstate__`."""
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        """Never called."""
        raise NotImplementedError("a study is continued from its journal")

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict[str, Any], **_: Any) -> bool:
        """Tune offers its own metric and space; ours are in the study."""
        return True

    def suggest(self, trial_id: str) -> Any:
        """The next trial; None while none may start."""
        trial = self.dispatcher.next()
        if trial is None:
            return str(Searcher.FINISHED) if self.dispatcher.is_over else None
        self._trials[trial_id] = trial
        state = self.store.handed_out(trial.trial_id) if self.store is not None else None
        if state is not None:
            self._given[trial_id] = state
        order = self.dispatcher.order(trial) | {LEFT_OUT: sorted(self.inspection.left_out())}
        return order | ({} if self.store is None else {STATE: state})

    @property
    def handed_out(self) -> int:
        """How many trials were handed out and have not ended."""
        return len(self._trials)

    def has(self, trial_id: str) -> bool:
        """Whether a trial, by Tune's name, was handed out and has not ended."""
        return trial_id in self._trials

    def is_ahead(self, trial_id: str) -> bool:
        """Whether a trial waits for a cluster to grow."""
        return trial_id in self._trials and self.dispatcher.is_ahead(self._trials[trial_id].trial_id)

    def begins(self, trial_id: str, node: str, is_there: Callable[[], bool]) -> None:
        """A worker begins with a trial, on a node of this number, which may go."""
        if trial_id in self._trials:
            self._nodes[trial_id] = node, is_there
            self.dispatcher.begins(self._trials[trial_id].trial_id)

    def times_out(self, trial_id: str, message: str) -> bool:
        """The process of a trial is about to be ended, since it took too long; False if that is so already."""
        return self.dispatcher.timed_out(self._trials[trial_id].trial_id, message)

    def goes_on(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Record what a trial reported, and say whether it goes on."""
        trial, carried = self._trials.get(trial_id), result.pop(STATE, None)
        self._let_go(trial_id)
        if trial is None:
            return True
        if UNFIT in result:
            self._refused(trial_id, result[UNFIT])
            return False
        goes_on = self.dispatcher.record(trial.trial_id, result)
        if trial_id not in self._gained and result.get("epoch", 0) > trial.epochs:
            self._gained.add(trial_id)
            self.inspection.gained(self._node_of(trial_id))
        if goes_on and self.store is not None and isinstance(carried, Carried):
            self.store.arrived(trial, carried)
        if goes_on and trial_id not in self._tags and self._is_long(result):
            with suppress(Exception):  # a Ray that is gone: a name is no reason to end a study
                self._tags[trial_id] = name_tag(describe(trial.trial_id, trial.configuration))
        return goes_on

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Tell how a trial ended, and free its worker's place."""
        trial = self._trials.pop(trial_id, None)
        self._let_go(trial_id)
        node, is_there = self._nodes.pop(trial_id, ("", self._all_could_begin))
        has_gained = trial_id in self._gained
        self._gained.discard(trial_id)
        if trial is None:
            return
        if error:
            self._lost(trial, node, is_there, has_gained)
        elif result is not None and "failure_class" in result:
            self._failed(trial, node, result["failure_class"], result["failure_message"], has_gained)
        else:
            self.dispatcher.released(trial.trial_id)
        kill(self._tags.pop(trial_id, None))

    def _refused(self, trial_id: str, reason: str) -> None:
        """The worker of a trial found that its machine will not do."""
        self.inspection.refuse(self._node_of(trial_id), reason)
        self._nodes.pop(trial_id, None)
        self.dispatcher.refused(self._trials.pop(trial_id).trial_id, "its machine will not do; it goes to another one")

    def _lost(self, trial: Trial, node: str, is_there: Callable[[], bool], has_gained: bool) -> None:
        if not (has_gained or self.dispatcher.is_broken_off):
            self.inspection.failed(node, "a lost process")
        self.dispatcher.lost(trial.trial_id, lambda: is_there() and node not in self.inspection.left_out())

    def _failed(self, trial: Trial, node: str, failure_class: str, message: str, has_gained: bool) -> None:
        if failure_class not in OF_THE_TRIAL and not has_gained:
            words = f"{failure_class}: {last_line(message)}"
            self.inspection.failed(node, words)
            if node in self.inspection.left_out():
                self.dispatcher.refused(
                    trial.trial_id, f"failed ({words}) where others did; it goes to another machine"
                )
                return
        self.dispatcher.failed(trial.trial_id, failure_class, message)

    def _node_of(self, trial_id: str) -> str:
        return self._nodes[trial_id][0] if trial_id in self._nodes else ""

    def _all_could_begin(self) -> bool:
        """Whether the loss of a process that had not begun counts: not where a machine is that could not begin."""
        return not self.inspection.has_refused

    def close(self) -> None:
        """Take down the name tags of trials that were interrupted."""
        for tag in self._tags.values():
            kill(tag)
        self._tags.clear()
        self._trials.clear()
        if self.store is not None:
            self.store.close()

    def _let_go(self, trial_id: str) -> None:
        """The worker of a trial has what it goes on from, or will never need it."""
        if trial_id in self._given:
            self._given.pop(trial_id).take()

    def _is_long(self, result: dict[str, Any]) -> bool:
        return bool(result.get("seconds", 0.0) * self.dispatcher.study.trainer.epochs >= LEAST_NAMED_SECONDS)


class RayScheduler(schedulers.FIFOScheduler):
    """Tune's scheduler: what it asks after an epoch is answered when that epoch is in the journal, with the answer."""

    def __init__(self, searcher: RaySearcher) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.searcher = searcher

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Whether a trial goes on."""
        return str(self.CONTINUE if self.searcher.goes_on(trial.trial_id, result) else self.STOP)

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """The first that waits; where none is to be begun, those that wait for a cluster to grow are taken back."""
        if self.searcher.dispatcher.starts_none:
            for trial in tune_controller.get_trials():
                if trial.status == trial.PENDING and self.searcher.is_ahead(trial.trial_id):
                    tune_controller.stop_trial(trial)
        return super().choose_trial_to_run(tune_controller)
