"""What does Ray Tune ask and tell of trials? The journal answers, and keeps what came of them.

Tune asks a searcher for trials, and a scheduler whether one goes on; both stand here. Nothing of a trial is remembered
but in the journal: how often its process was lost is the only exception, and counts for one sitting.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from resnext_search.results.journal.rows import ENDED, EpochRow, LatencyRow, Trial
from resnext_search.search.execution.context import RunContext
from resnext_search.search.execution.memory import OUT_OF_MEMORY, MemoryPlan, more_memory
from resnext_search.search.monitor.terminal import Progress
from resnext_search.search.optimizer.study_optimizer import Proposals
from resnext_search.search.ray_backend.cluster import Cluster
from resnext_search.search.ray_backend.early_stopping import EarlyStopping
from resnext_search.search.ray_backend.settings import FIFOScheduler, Searcher
from resnext_search.search.ray_backend.worker import name_tag, remove
from resnext_search.spaces.errors import TooManyFailures
from resnext_search.spaces.study.configuration import describe
from resnext_search.spaces.study.study import Phase

# A phase is given up when at least this many trials have ended and more than half of them failed.
FEWEST_BEFORE_GIVING_UP = 5

# How often a trial is started anew in a sitting when its process or machine was lost.
LOST_WORKER_RETRIES = 3

# Failure class of a trial that took longer than `limits.trial_time`.
TIMED_OUT = "TimedOut"

# Trials that take this long bear a name in the dashboard, which costs a second of one core for each.
LEAST_NAMED_SECONDS = 30


class RaySearcher(Searcher):
    """Tune's searcher over the journal: hands out trials, and records what Tune says of them.

    Tune asks it for trials and tells it results, all in the driver's main thread. Its methods keep the names by which
    Tune calls them, and do not raise: Tune would tell the same result again, as an error.
    """

    def __init__(
        self, phase: Phase, sitting: RunContext, machine: Cluster, progress: Progress, proposals: Proposals | None
    ) -> None:
        super().__init__()  # without a metric: a failure is reported without one, which Tune would refuse
        self.study, self.folder, self.journal = sitting.study, sitting.folder, sitting.journal
        self.budget, self.stops = sitting.budget, sitting.stops
        self.progress, self.proposals = progress, proposals
        self.at_once, self.gpu = machine.trials_at_once(self.study), machine.gpus_of_a_trial(self.study)
        self.error: Exception | None = None
        self._given_up = False
        waiting = self.journal.trials(phase=phase, states=["interrupted", "queued"])
        self._pending = deque(sorted(waiting, key=lambda trial: trial.alone))
        self._live: dict[str, int] = {}  # our number, by Tune's name
        self._losses: Counter[int] = Counter()  # how often its process was lost, by our number
        self._timed_out: dict[int, str] = {}  # what is to be said of those that took too long
        self._tags: dict[int, Any] = {}  # by our number, the actor that bears a trial's name
        trials = self.journal.trials(phase=phase)
        self._failed = sum(trial.state == "failed" for trial in trials)
        self._ended = sum(trial.state in ENDED for trial in trials)
        stops_early = phase == "search" and self.study.search.early_stopping != "none"
        self._early_stopping = EarlyStopping(self.study, self.journal) if stops_early else None

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
        """The next trial: an interrupted one, or a new proposal; None while all workers are busy."""
        if self.error is not None or self.stops.wanted is not None:
            return str(Searcher.FINISHED)
        if len(self._live) >= self.at_once:
            return None
        try:
            with self.journal.together():  # a new trial and its start: its worker waits for the disk once
                trial = self._next()
                if trial is None:  # one that runs may come back
                    return None if self._live else str(Searcher.FINISHED)
                self.journal.start(trial.trial_id, f"checkpoints/{self.folder.checkpoint(trial.trial_id).name}")
            self.budget.started(trial)
            self._live[trial_id] = trial.trial_id
            self.progress.started(trial.trial_id, trial.configuration)
        except Exception as error:
            self.error = error
            return str(Searcher.FINISHED)
        return {
            "trial_id": trial.trial_id,
            "configuration": trial.configuration.to_json(),
            "seed": str(trial.seed),
            "alone": trial.alone,
            "micro_batches": trial.micro_batches,
            "measured_on": self.journal.measured_on(trial.configuration.architecture),
        }

    def _next(self) -> Trial | None:
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

    @property
    def handed_out(self) -> int:
        """How many trials were handed out and have not ended."""
        return len(self._live)

    @property
    def is_broken_off(self) -> bool:
        """Whether the trials that run are to be interrupted."""
        return self.stops.wanted == "now" or self._given_up

    def has(self, trial_id: str) -> bool:
        """Whether a trial, by Tune's name, was handed out and has not ended."""
        return trial_id in self._live

    def give_up(self, error: Exception) -> None:
        """Interrupt the trials, and raise an error when they are."""
        self.error, self._given_up = error, True

    def times_out(self, trial_id: str, message: str) -> bool:
        """The process of a trial is about to be ended, since it took too long; False if that is so already."""
        number = self._live[trial_id]
        return self._timed_out.setdefault(number, message) is message

    def goes_on(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Record a latency, or an epoch, the last one of which completes the trial; say whether the trial goes on.

        One that is completed does not: told so at once, its worker is free 0.1 s earlier than if it had to notice by
        itself that there is nothing left to train.
        """
        if trial_id in self._live:
            with self._errors_kept():
                if "latency_ms" in result:
                    self._record_latency(self._live[trial_id], result)
                return "validation_error" not in result or self._record_epoch(self._live[trial_id], result)
            return False  # what cannot be recorded need not be trained
        return True

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Record a failure, if there was one, and free the worker's place."""
        if trial_id not in self._live:
            return
        number = self._live.pop(trial_id)
        with self._errors_kept():
            if result is not None and "validation_error" in result and not error:
                self._record_epoch(number, result)
            if error:
                self._fail_or_go_on(number)
            elif result is not None and "failure_class" in result:
                self._fail_or_put_back(number, result["failure_class"], result["failure_message"])
            remove(self._tags.pop(number, None))

    def close(self) -> None:
        """Take down the name tags of trials that were interrupted."""
        for tag in self._tags.values():
            remove(tag)
        self._tags.clear()
        self._live.clear()

    def _record_latency(self, number: int, result: dict[str, Any]) -> None:
        row = LatencyRow(**{name: result[name] for name in LatencyRow._fields})
        architecture = self.journal.trial(number).configuration.architecture
        self.journal.record_latency(architecture, row, device=result["device"], host=result["host"])

    def _record_epoch(self, number: int, result: dict[str, Any]) -> bool:
        row = EpochRow(**{name: result[name] for name in EpochRow.__dataclass_fields__})
        final = row.epoch >= self.study.trainer.epochs
        about = {name: result[name] for name in ("device", "host", "test_error", "test_correct")}
        stop = None
        if self._early_stopping is not None and row.validation_error is not None:
            stop = self._early_stopping.after(number, row.epoch, row.validation_error)
        ended = self.journal.record_epoch(number, row, final=final, stop=stop, **about)
        self.progress.epoch(number, row.epoch, row.validation_error, row.train_loss)
        if not ended and number not in self._tags and row.seconds * self.study.trainer.epochs >= LEAST_NAMED_SECONDS:
            self._tags[number] = name_tag(describe(number, self.journal.trial(number).configuration))
        if ended:
            self._ended += 1
            self.budget.ended(self.journal.trial(number))
            if self.proposals is not None:
                self.proposals.ended(number)
            error = about["test_error"] if row.validation_error is None else row.validation_error
            if stop == "stopped":
                self.progress.stopped(number, row.epoch, error)
            else:
                self.progress.completed(number, error)
            self.folder.checkpoint(number).unlink(missing_ok=True)
        return not (final or stop == "stopped")

    def _fail_or_go_on(self, number: int) -> None:
        """The process of a trial is gone: killed here for its time, or lost, or not even there when it was to begin."""
        if self.is_broken_off:
            return
        if number in self._timed_out:
            self._fail(number, TIMED_OUT, self._timed_out.pop(number))
            return
        self._losses[number] += 1
        if self._losses[number] > LOST_WORKER_RETRIES:
            self._fail(number, "WorkerLost", f"its process was lost {self._losses[number]} times")
            return
        trial = self.journal.trial(number)
        if trial.state == "running":  # else its last epoch was its end
            self.journal.put_back(number, alone=trial.alone, micro_batches=trial.micro_batches)
            if trial.alone:
                self._pending.append(self.journal.trial(number))
            else:
                self._pending.appendleft(self.journal.trial(number))
            self.progress.put_back(number, "its process was lost; it goes on from its last epoch")

    def _fail_or_put_back(self, number: int, failure_class: str, message: str) -> None:
        if failure_class != OUT_OF_MEMORY or not self._put_back(number):
            self._fail(number, failure_class, message)

    def _put_back(self, number: int) -> bool:
        """Let a trial be trained again with more memory, if there is any to be had."""
        trial = self.journal.trial(number)
        batch_size = trial.configuration.recipe(self.study.trainer).batch_size
        room = more_memory(MemoryPlan(trial.alone, trial.micro_batches), self.gpu, batch_size)
        if room is None:
            return False
        self.journal.put_back(number, alone=room.alone, micro_batches=room.micro_batches)
        self._pending.append(self.journal.trial(number))
        self.progress.put_back(number, f"too little memory on its GPU; it is trained {room}")
        return True

    def _fail(self, number: int, failure_class: str, message: str) -> None:
        if not self.journal.fail(number, failure_class, message):
            return
        self._ended, self._failed = self._ended + 1, self._failed + 1
        if self.proposals is not None:
            self.proposals.ended(number)
        self.budget.ended(self.journal.trial(number))
        self.progress.failed(number, failure_class, message)
        self.folder.checkpoint(number).unlink(missing_ok=True)
        everything = self._ended == self._failed and self._ended == self.progress.total
        if everything or (self._ended >= FEWEST_BEFORE_GIVING_UP and 2 * self._failed > self._ended):
            self.error = TooManyFailures(
                f"{self._failed} of {self._ended} trials failed, "
                f"the last one with {failure_class}:\n{message.rstrip()}",
                hint=f"All failures: resnext-search status {self.folder.path}. Mend the cause, then try again with: "
                f"resnext-search retry {self.folder.path} --failed",
            )

    @contextmanager
    def _errors_kept(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.error = self.error or error


class RayScheduler(FIFOScheduler):
    """Tune's scheduler: what it asks after an epoch is answered when that epoch is in the journal, with the answer."""

    def __init__(self, searcher: RaySearcher) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.searcher = searcher

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Whether a trial goes on."""
        return str(self.CONTINUE if self.searcher.goes_on(trial.trial_id, result) else self.STOP)
