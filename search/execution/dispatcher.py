"""Which trial comes next, and what came of those that run? The journal answers, and keeps what it is told.

Knows trials and no scheduler: whoever has workers asks `next` for a trial and tells its facts to `record`, and at its
end `failed`, `lost` or `released`, all in the driver's main thread. Nothing of a trial is remembered but in the
journal: how its processes were lost is the only exception, and counts for one sitting.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

from resnext_search.results.journal.rows import ENDED, EpochRow, LatencyRow, Machine, Stop, Trial, last_line
from resnext_search.search.execution.checkpoints import CheckpointFiles, Checkpoints, goes_on
from resnext_search.search.execution.context import RunContext
from resnext_search.search.execution.memory import OUT_OF_MEMORY, MemoryPlan, more_memory
from resnext_search.search.monitor.terminal import Progress
from resnext_search.search.optimizer.study_optimizer import Proposals
from resnext_search.spaces.errors import TooManyFailures, UsageError, typed
from resnext_search.spaces.study.study import Phase

# A phase is given up when at least this many trials have ended and more than half of them failed.
FEWEST_BEFORE_GIVING_UP = 5
# How often a trial is started anew in a sitting when its process was lost, its machine was not, and nothing was gained.
LOST_WORKER_RETRIES = 3
# On a cluster so many trials may wait for a worker, or as many as there is room for: its size can double at a time.
MOST_AHEAD = 16
# Failure class of a trial that took longer than `limits.trial_time`.
TIMED_OUT = "TimedOut"


class StoppingRule(Protocol):
    """Decides which trials are not worth training to the end."""

    def after(self, trial_id: int, epoch: int, error: float) -> Stop | None:
        """What to do with a trial after an epoch with this validation error in percent; None: it goes on."""


def _there() -> bool:
    return True


class Dispatcher:
    """Hands out the trials of a phase, and records what came of them.

    What it is told does not raise: an error is kept in `error`, and no trial is handed out any more.

    Args:
        phase, context, progress, proposals: As of `Workers.run_trials`.
        at_once: Says how many trials may run now.
        gpu: GPUs of a trial.
        ahead: Whether more are handed out than may run now, so that a cluster has a reason to grow: those whose content
            is fixed already, at least one. They are in the journal as running from when `begins` is told.
        stopping: Says which trials are stopped early; none without it.
        checkpoints: Of the trials; without it the files that workers write into the study folder.
    """

    def __init__(
        self,
        phase: Phase,
        context: RunContext,
        progress: Progress,
        proposals: Proposals | None = None,
        *,
        at_once: Callable[[], int],
        gpu: float,
        ahead: bool = False,
        stopping: StoppingRule | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self.study, self.folder, self.journal = context.study, context.folder, context.journal
        self.budget, self.stops, self.when_kept = context.budget, context.stops, context.when_kept
        self.progress, self.proposals, self.stopping = progress, proposals, stopping
        self.at_once, self.gpu, self._goes_ahead = at_once, gpu, ahead
        self.checkpoints = checkpoints or CheckpointFiles(self.study, self.folder, self.journal)
        self.error: Exception | None = None
        self._given_up = self._none_left = False
        trials = self.journal.trials(phase=phase)
        waiting = [trial for trial in trials if trial.state in ("interrupted", "queued")]
        self._pending = deque(sorted(waiting, key=lambda trial: trial.alone))
        self._running: set[int] = set()  # those handed out
        self._ahead: set[int] = set()  # of these, those that no worker has begun
        # by trial, whether the machine is there on which its process was lost without having gained an epoch
        self._losses: defaultdict[int, list[Callable[[], bool]]] = defaultdict(list)
        self._epochs: dict[int, int] = {}  # that a trial had when it was started, or its process lost
        self._last_words: dict[int, str] = {}  # of those that failed, until it is known what that means
        self._timed_out: dict[int, str] = {}  # what is to be said of those that took too long
        self._failed = sum(trial.state == "failed" for trial in trials)
        self._ended = sum(trial.state in ENDED for trial in trials)

    @property
    def is_over(self) -> bool:
        """Whether no trial will be handed out any more."""
        return self.starts_none or self._none_left

    @property
    def is_broken_off(self) -> bool:
        """Whether the trials that run are to be interrupted."""
        return self.stops.wanted == "now" or self._given_up

    @property
    def starts_none(self) -> bool:
        """Whether trials that no worker has begun are not to be begun."""
        return self.error is not None or self.stops.wanted is not None

    def is_ahead(self, trial_id: int) -> bool:
        """Whether a trial was handed out for which there was no room, and no worker has begun with it."""
        return trial_id in self._ahead

    def next(self) -> Trial | None:
        """Hand out a trial: an interrupted one, or a new proposal; None while none may start."""
        if self.is_over:
            return None
        with self._errors_kept():
            room = self.at_once()
            if not self._may_hand_out(room):
                return None
            with self.journal.together():  # a new trial and its start: its worker waits for the disk once
                trial = self._choose()
                if trial is None:
                    self._none_left = not self._running  # one that runs may come back
                    return None
                if len(self._running) < room:
                    self._begin(trial)
                else:
                    self._ahead.add(trial.trial_id)
            self.budget.started(trial)
            self._running.add(trial.trial_id)
            return trial
        return None

    def begins(self, trial_id: int) -> None:
        """A worker begins with a trial; of one that was handed out while there was room for it, that is known."""
        if trial_id in self._ahead:
            with self._errors_kept():
                self._ahead.discard(trial_id)
                self._begin(self.journal.trial(trial_id))

    def order(self, trial: Trial) -> dict[str, Any]:
        """What a worker is told of a trial, in plain values: what `run_trial` reads."""
        return {
            "trial_id": trial.trial_id,
            "configuration": trial.configuration.to_json(),
            "seed": str(trial.seed),
            "alone": trial.alone,
            "micro_batches": trial.micro_batches,
            "birth": self.journal.birth(),
            "measured_on": self.journal.measured_on(trial.configuration.architecture),
        }

    def record(self, trial_id: int, fact: Mapping[str, Any]) -> bool:
        """Record a machine, a latency, or an epoch, the last of which completes the trial; say whether that goes on.

        One that is completed does not: told so at once, its worker is free 0.1 s earlier than if it had to notice by
        itself that there is nothing left to train. Nor does one of which nothing can be recorded.
        """
        with self._errors_kept():
            if "machine" in fact:
                self.journal.record_machine(trial_id, Machine(**json.loads(fact["machine"])))
            if "failure_class" in fact:  # its process may be lost with it
                self._last_words[trial_id] = f"{fact['failure_class']}: {last_line(fact['failure_message'])}"
            if "latency_ms" in fact:
                self._record_latency(trial_id, fact)
            return "validation_error" not in fact or self._record_epoch(trial_id, fact)
        return False

    def failed(self, trial_id: int, failure_class: str, message: str) -> None:
        """A trial has failed: for good, or for too little memory, if there is more to be had."""
        self._running.discard(trial_id)
        self._last_words.pop(trial_id, None)
        with self._errors_kept():
            if failure_class != OUT_OF_MEMORY or not self._put_back(trial_id):
                self._fail(trial_id, failure_class, message)

    def lost(self, trial_id: int, machine_is_there: Callable[[], bool] = _there) -> None:
        """The process of a trial is gone: killed for its time, or lost, or not even there when it was to begin.

        What takes a process from a machine that stays is likely to be the trial. That counts, unless an epoch was
        gained. Whether a machine is there is asked when the counting is done: it may be seen to go after its processes.
        """
        self._running.discard(trial_id)
        with self._errors_kept():
            if self.is_broken_off:
                return
            if trial_id in self._timed_out:
                self._fail(trial_id, TIMED_OUT, self._timed_out.pop(trial_id))
                return
            words = self._last_words.pop(trial_id, "")
            self.begins(trial_id)
            trial = self.journal.trial(trial_id)
            if trial.epochs <= self._epochs[trial_id]:
                self._losses[trial_id].append(machine_is_there)
            self._epochs[trial_id] = trial.epochs
            counted = sum(is_there() for is_there in self._losses[trial_id])
            if counted > LOST_WORKER_RETRIES:
                times = f"its process was lost {counted} times"
                self._fail(trial_id, "WorkerLost", f"{times}, the last time by {words}" if words else times)
                return
            if trial.state == "running":  # else its last epoch was its end
                self._hand_back(trial, f"its process was lost; {goes_on(self.checkpoints.last_epoch(trial))}")

    def refused(self, trial_id: int, reason: str) -> None:
        """A machine would not do for a trial, or did not: it goes to another one, and that counts for nothing."""
        self._running.discard(trial_id)
        self._last_words.pop(trial_id, None)
        with self._errors_kept():
            self._hand_back(self.journal.trial(trial_id), reason)

    def released(self, trial_id: int) -> None:
        """The worker of a trial that did not fail is free; or it was taken back before one had begun with it."""
        self._running.discard(trial_id)
        self._ahead.discard(trial_id)

    def timed_out(self, trial_id: int, message: str) -> bool:
        """The process of a trial is about to be ended, since it took too long; False if that is so already."""
        return self._timed_out.setdefault(trial_id, message) is message

    def give_up(self, error: Exception) -> None:
        """Interrupt the trials, and raise an error when they are."""
        self.error, self._given_up = error, True

    def _may_hand_out(self, room: int) -> bool:
        """Whether one more trial may be handed out where so many have room."""
        handed_out, most = len(self._running), self.study.search.parallel
        if not self._goes_ahead:
            return handed_out < room
        # what a model proposes is proposed as late as can be, when it knows more
        is_fixed = bool(self._pending) or (self.proposals is not None and self.proposals.fixed > 0)
        waiting = max(MOST_AHEAD, room) if is_fixed else 1
        return handed_out < room + waiting and (most == "auto" or handed_out < most)

    def _begin(self, trial: Trial) -> None:
        self.journal.start(trial.trial_id, f"checkpoints/{self.folder.checkpoint(trial.trial_id).name}")
        self._epochs.setdefault(trial.trial_id, trial.epochs)
        self.progress.started(trial.trial_id, trial.configuration)

    def _choose(self) -> Trial | None:
        """A trial of the journal that waits, else a new one, else one that waits for a GPU of its own, else none.

        Those come last: others would go on taking the shares of a GPU that it waits for. None is handed out that would
        exceed the study's limit of operations.
        """
        if self._pending and not self._pending[0].alone:
            return self._waiting()
        new = self.proposals.next() if self.proposals is not None and self.budget.allows_another() else None
        return self._waiting() if new is None else new

    def _waiting(self) -> Trial | None:
        return self._pending.popleft() if self._pending and self.budget.allows(self._pending[0]) else None

    def _record_latency(self, trial_id: int, fact: Mapping[str, Any]) -> None:
        row = LatencyRow(**{name: fact[name] for name in LatencyRow._fields})
        architecture, model = self.journal.trial(trial_id).configuration.architecture, fact["computes"]
        devices = self.journal.latency_devices() if self.study.has_measured_objectives else []
        others = [name for name in devices if name not in (model, fact["device"])]
        if others:
            raise UsageError(
                f"objectives: latency_ms: trial {trial_id} was measured on {model}, others on {', '.join(others)}; "
                "latencies of different devices cannot be compared",
                hint="Everything that has ended is saved. Let the study have machines of one kind, and continue with: "
                f"resnext-search resume {typed(self.folder.path)}",
            )
        self.journal.record_latency(architecture, row, device=model, host=fact["host"])

    def _record_epoch(self, trial_id: int, fact: Mapping[str, Any]) -> bool:
        row = EpochRow(**{name: fact[name] for name in EpochRow.__dataclass_fields__})
        final = row.epoch >= self.study.trainer.epochs
        about = {name: fact[name] for name in ("device", "host", "test_error", "test_correct")}
        stop = None
        if self.stopping is not None and row.validation_error is not None:
            stop = self.stopping.after(trial_id, row.epoch, row.validation_error)
        ended = self.journal.record_epoch(trial_id, row, final=final, stop=stop, **about)
        self.progress.epoch(trial_id, row.epoch, row.validation_error, row.train_loss)
        if ended:
            self._end(trial_id)
            error = about["test_error"] if row.validation_error is None else row.validation_error
            if stop == "stopped":
                self.when_kept(partial(self.progress.stopped, trial_id, row.epoch, error))
            else:
                self.when_kept(partial(self.progress.completed, trial_id, error))
        return not (final or stop == "stopped")

    def _hand_back(self, trial: Trial, reason: str) -> None:
        """Let a trial that has not ended be handed out again, as it was."""
        self.journal.put_back(trial.trial_id, alone=trial.alone, micro_batches=trial.micro_batches)
        put = self._pending.append if trial.alone else self._pending.appendleft
        put(self.journal.trial(trial.trial_id))
        self.progress.put_back(trial.trial_id, reason)

    def _put_back(self, trial_id: int) -> bool:
        """Let a trial be trained again with more memory, if there is any to be had."""
        trial = self.journal.trial(trial_id)
        batch_size = trial.configuration.recipe(self.study.trainer).batch_size
        plan = more_memory(MemoryPlan(trial.alone, trial.micro_batches), self.gpu, batch_size)
        if plan is None:
            return False
        self.journal.put_back(trial_id, alone=plan.alone, micro_batches=plan.micro_batches)
        self._pending.append(self.journal.trial(trial_id))
        self.progress.put_back(trial_id, f"too little memory on its GPU; it is trained {plan}")
        return True

    def _fail(self, trial_id: int, failure_class: str, message: str) -> None:
        if not self.journal.fail(trial_id, failure_class, message):
            return
        self._failed += 1
        self._end(trial_id)
        self.when_kept(partial(self.progress.failed, trial_id, failure_class, message))
        everything = self._ended == self._failed and self._ended == self.progress.total
        if everything or (self._ended >= FEWEST_BEFORE_GIVING_UP and 2 * self._failed > self._ended):
            self.error = TooManyFailures(
                f"{self._failed} of {self._ended} trials failed, "
                f"the last one with {failure_class}:\n{message.rstrip()}",
                hint=f"All failures: resnext-search status {typed(self.folder.path)}. Mend the cause, then try again "
                f"with: resnext-search retry {typed(self.folder.path)} --failed",
            )

    def _end(self, trial_id: int) -> None:
        """A trial has ended in the journal."""
        self._ended += 1
        self.budget.ended(self.journal.trial(trial_id))
        if self.proposals is not None:
            self.proposals.ended(trial_id)
        self.when_kept(partial(self.checkpoints.forget, trial_id))

    @contextmanager
    def _errors_kept(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.error = self.error or error
