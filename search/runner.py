"""Where are the trials run? Ray Tune starts them on cores and GPUs; the journal decides which, and keeps what came.

The only file that imports Ray. `Tuner.restore` is never called: Ray's own snapshots may lag behind what has finished.
A study that continues starts a fresh Tuner, whose searcher first hands out the interrupted trials; their workers find
their checkpoints by themselves.

Only failures of machines are retried by Ray. What a trainer raises is reported as a failure of that trial, with its
class and the tail of its traceback.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import socket
import tempfile
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Ray reads these while it is imported. See the Ray documentation of each; none is overridden if the user has set it.
for _name, _value in {
    "RAY_AUTH_MODE": "token",  # the dashboard and the cluster answer only to who has the token
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # a relative data.root means the same folder in every worker
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",  # Ray's snapshots of the experiment are not used
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}.items():
    os.environ.setdefault(_name, _value)

import ray
from ray import tune
from ray.job_config import JobConfig
from ray.tune.search import Searcher
from resnext_search.results import EpochRow, Journal, StudyFolder, Trial
from resnext_search.results.journal import Phase
from resnext_search.search.progress import Progress, describe
from resnext_search.spaces import Configuration, Study
from resnext_search.spaces.errors import ResnextSearchError, TooManyFailures, UsageError

if TYPE_CHECKING:  # not at run time: workers import this file, and never Ax
    from resnext_search.search.proposals import Proposals

Train = Callable[..., Iterator[Any]]

# A phase is given up when at least this many trials have ended and more than half of them failed.
FEWEST_BEFORE_GIVING_UP = 5
# How often Ray starts a trial anew whose process or machine was lost.
LOST_WORKER_RETRIES = 3
# Seconds in which the head of a Ray cluster must accept a connection.
CLUSTER_TIMEOUT_SECONDS = 5
MESSAGE_CHARACTERS = 4_000


@dataclass(frozen=True)
class Machine:
    """What Ray offers: cores, GPUs, and the address of its dashboard (None if there is none)."""

    cpus: float
    gpus: float
    dashboard: str | None

    def gpus_of_a_trial(self, study: Study) -> float:
        """`resources.gpu`, with `auto` resolved: one if there is any."""
        wanted = study.resources.gpu
        return (1.0 if self.gpus >= 1 else 0.0) if wanted == "auto" else wanted

    def trials_at_once(self, study: Study) -> int:
        """How many trials fit, at most `search.parallel`.

        Raises:
            UsageError: Not even one fits.
        """
        gpu = self.gpus_of_a_trial(study)
        room = int(min(self.cpus / study.resources.cpu, self.gpus / gpu if gpu else float("inf")) + 1e-9)
        if room < 1:
            raise UsageError(
                f"resources: a trial wants {study.resources.cpu} cores and {gpu:g} GPUs; "
                f"there are {self.cpus:g} cores and {self.gpus:g} GPUs"
            )
        return room if study.search.parallel == "auto" else min(room, study.search.parallel)


@contextmanager
def ray_running(study: Study, *, cpus: int | None = None, gpus: int | None = None) -> Iterator[Machine]:
    """Start Ray on this machine, or join the cluster of `resources.cluster`, for the time of the block.

    Args:
        study: Its name stands in the dashboard's list of jobs.
        cpus: Cores to offer; without it those of the machine. Not for a cluster.
        gpus: GPUs to offer; more than there are makes logical ones, for tests of the scheduling.
    """
    job = JobConfig(metadata={"job_name": study.name})
    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False, "job_config": job}
    # a short path of its own: Unix sockets below it allow about 100 characters, and /tmp/ray is shared with other users
    scratch = Path(tempfile.mkdtemp(prefix="rs-"))
    try:
        if study.resources.cluster is not None:
            _expect_listening(study.resources.cluster)
            context = ray.init(address=study.resources.cluster, **quiet)
        else:
            context = ray.init(
                num_cpus=cpus,
                num_gpus=gpus,
                include_dashboard=True,
                dashboard_host="127.0.0.1",
                dashboard_port=_free_port(),
                _temp_dir=str(scratch),
                **quiet,
            )
        offered: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        url = context.dashboard_url
        yield Machine(offered.get("CPU", 0.0), offered.get("GPU", 0.0), f"http://{url}" if url else None)
    finally:
        ray.shutdown()
        shutil.rmtree(scratch, ignore_errors=True)


def run_trials(
    phase: Phase,
    study: Study,
    folder: StudyFolder,
    journal: Journal,
    machine: Machine,
    progress: Progress,
    train: Train,
    proposals: Proposals | None = None,
) -> None:
    """Run a phase until its trials have ended, or the user stops it.

    Args:
        phase: Whose trials: those of the journal that have not ended come first.
        proposals: Makes new trials while workers are free, and is told what came of them; none without it.
        train: `trainers.train`, or a function with its arguments.

    Raises:
        TooManyFailures: More than half of the trials failed.
    """
    gpu = machine.gpus_of_a_trial(study)
    searcher = JournalSearcher(phase, study, folder, journal, machine.trials_at_once(study), progress, proposals)
    trainable = tune.with_resources(
        _trainable(study, folder.checkpoints.resolve(), train, confirm=phase == "confirm"),
        {"cpu": study.resources.cpu, "gpu": gpu},
    )
    scratch = folder.checkpoints.resolve() / "ray"  # what Tune insists on writing; nothing of it is read again
    tuner = tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(search_alg=searcher, num_samples=-1, reuse_actors=True),
        run_config=tune.RunConfig(
            name="trials",
            storage_path=str(scratch),
            failure_config=tune.FailureConfig(max_failures=LOST_WORKER_RETRIES),
            verbose=0,
        ),
    )
    with _termination_is_graceful():
        try:
            tuner.fit()
        finally:
            searcher.close()
            shutil.rmtree(scratch, ignore_errors=True)
    if searcher.error is not None:
        raise searcher.error


class JournalSearcher(Searcher):
    """Tune's searcher over the journal: hands out trials, and records what Tune says of them.

    Tune asks it for trials and tells it results, all in the driver's main thread. Its methods keep the names by which
    Tune calls them, and do not raise: Tune would tell the same result again, as an error.
    """

    def __init__(
        self,
        phase: Phase,
        study: Study,
        folder: StudyFolder,
        journal: Journal,
        at_once: int,
        progress: Progress,
        proposals: Proposals | None,
    ) -> None:
        super().__init__()  # without a metric: a failure is reported without one, which Tune would refuse
        self.study, self.folder, self.journal = study, folder, journal
        self.at_once, self.progress, self.proposals = at_once, progress, proposals
        self.error: Exception | None = None
        self._pending = deque(journal.trials(phase=phase, states=["interrupted", "queued"]))
        self._live: dict[str, tuple[int, Any]] = {}  # by Tune's name: our number, and the actor that bears it
        trials = journal.trials(phase=phase)
        self._failed = sum(trial.state == "failed" for trial in trials)
        self._ended = self._failed + sum(trial.state == "completed" for trial in trials)

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
        if self.error is not None:
            return str(Searcher.FINISHED)
        if len(self._live) >= self.at_once:
            return None
        try:
            trial = self._next()
            if trial is None:
                return str(Searcher.FINISHED)
            self.journal.start(trial.trial_id, f"checkpoints/{self.folder.checkpoint(trial.trial_id).name}")
            self._live[trial_id] = (trial.trial_id, _name_tag(trial.trial_id, trial.configuration))
            self.progress.started(trial.trial_id, trial.configuration)
        except Exception as error:
            self.error = error
            return str(Searcher.FINISHED)
        return {"trial_id": trial.trial_id, "configuration": trial.configuration.to_json(), "seed": str(trial.seed)}

    def _next(self) -> Trial | None:
        """A trial of the journal that waits, else a new one, else none."""
        if self._pending:
            return self._pending.popleft()
        return self.proposals.next() if self.proposals is not None else None

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Record an epoch; the last one completes the trial."""
        if trial_id in self._live and "validation_error" in result:
            with self._errors_kept():
                self._record_epoch(self._live[trial_id][0], result)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Record a failure, if there was one, and free the worker's place."""
        if trial_id not in self._live:
            return
        number, tag = self._live.pop(trial_id)
        with self._errors_kept():
            if result is not None and "validation_error" in result and not error:
                self._record_epoch(number, result)
            if error:
                self._fail(number, "WorkerLost", f"its process was lost {LOST_WORKER_RETRIES + 1} times")
            elif result is not None and "failure_class" in result:
                self._fail(number, result["failure_class"], result["failure_message"])
            _remove(tag)

    def close(self) -> None:
        """Take down the name tags of trials that were interrupted."""
        for _, tag in self._live.values():
            _remove(tag)
        self._live.clear()

    def _record_epoch(self, number: int, result: dict[str, Any]) -> None:
        row = EpochRow(**{name: result[name] for name in EpochRow.__dataclass_fields__})
        final = row.epoch >= self.study.trainer.epochs
        about = {name: result[name] for name in ("device", "host", "test_error", "test_correct")}
        completed = self.journal.record_epoch(number, row, final=final, **about)
        self.progress.epoch(number, row.epoch, row.validation_error)
        if completed:
            self._ended += 1
            if self.proposals is not None and row.validation_error is not None:
                self.proposals.completed(number, row.validation_error)
            self.progress.completed(
                number, about["test_error"] if row.validation_error is None else row.validation_error
            )
            self.folder.checkpoint(number).unlink(missing_ok=True)

    def _fail(self, number: int, failure_class: str, message: str) -> None:
        if not self.journal.fail(number, failure_class, message):
            return
        self._ended, self._failed = self._ended + 1, self._failed + 1
        if self.proposals is not None:
            self.proposals.failed(number, failure_class, message)
        self.progress.failed(number, failure_class, message)
        self.folder.checkpoint(number).unlink(missing_ok=True)
        everything = self._ended == self._failed and self._ended == self.progress.total
        if everything or (self._ended >= FEWEST_BEFORE_GIVING_UP and 2 * self._failed > self._ended):
            self.error = TooManyFailures(
                f"{self._failed} of {self._ended} trials failed, "
                f"the last one with {failure_class}:\n{message.rstrip()}",
                hint=f"All failures: resnext-search status {self.folder.path}. Mend the cause, then start a new study.",
            )

    @contextmanager
    def _errors_kept(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.error = self.error or error


class NotFinite(ResnextSearchError):
    """A trainer yielded an error that is no finite number."""


def _trainable(study: Study, checkpoints: Path, train: Train, *, confirm: bool) -> Callable[[dict[str, Any]], None]:
    """The function that Tune runs in a worker: one trial. It takes what it needs along, by value."""
    study_json, threads = study.model_dump_json(), study.resources.cpu

    def trial(config: dict[str, Any]) -> None:
        run_trial(config, study_json, checkpoints, threads, train, confirm=confirm)

    return trial


def run_trial(
    config: dict[str, Any], study_json: str, checkpoints: Path, threads: int, train: Train, *, confirm: bool
) -> None:
    """Train one trial in a worker, reporting every epoch; a failure is reported, not raised."""
    device = "cuda" if ray.get_gpu_ids() else "cpu"
    about = {"host": socket.gethostname(), "device": device}
    try:
        epochs = train(
            Study.model_validate_json(study_json),
            Configuration.from_json(config["configuration"]),
            int(config["seed"]),
            device=device,
            threads=threads,
            checkpoint=checkpoints / f"trial-{config['trial_id']:05d}.pt",
            confirm=confirm,
        )
        for epoch in epochs:
            for name in ("validation_error", "test_error"):
                error = getattr(epoch, name)
                if error is not None and not math.isfinite(error):
                    raise NotFinite(f"epoch {epoch.epoch}: the {name.replace('_', ' ')} is {error}")
            tune.report({**epoch._asdict(), **about})
    except Exception as error:
        message = str(error) if isinstance(error, ResnextSearchError) else traceback.format_exc()
        tune.report({"failure_class": type(error).__name__, "failure_message": message[-MESSAGE_CHARACTERS:], **about})


# ------------------------------------------------------------------ names in the dashboard


@ray.remote(num_cpus=0)
class RunningTrial:
    """Bears the name of a running trial in the dashboard's list of actors; does nothing.

    Workers are reused from trial to trial, so an actor that trains cannot be named after its trial.
    """


def _name_tag(number: int, configuration: Configuration) -> Any:
    return RunningTrial.options(name=describe(number, configuration)).remote()  # type: ignore[attr-defined]


def _remove(tag: Any) -> None:
    with suppress(Exception):  # a tag that is gone already, or a Ray that is: the trial is not touched by either
        ray.kill(tag)


# ------------------------------------------------------------------ machine


@contextmanager
def _termination_is_graceful() -> Iterator[None]:
    """SIGTERM ends the study as Ctrl-C does, and Ctrl-C is the caller's again afterwards.

    Tune stops gracefully at SIGINT and SIGUSR1, and leaves its handlers behind.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)}
    signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getpid(), signal.SIGUSR1))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _expect_listening(address: str) -> None:
    """Ray itself takes over a minute to notice that nobody is there."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=CLUSTER_TIMEOUT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"resources.cluster: no Ray cluster answers at {address}: {error}",
            hint="Give host:port of the cluster's head, as `ray start --head` printed it.",
        ) from error
