"""How are TensorBoard, MLflow and Weights & Biases told of a trial? The only file that imports them, when it has to."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from typing import Any, Protocol

from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.rows import EpochRow, Trial
from resnext_search.spaces.architecture.architecture import dashed
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.study.configuration import describe
from resnext_search.spaces.study.study import Study


class Tracker(Protocol):
    """What a tracker has to do; it is called by one thread alone, and may take its time."""

    def begin(self, trial: Trial, run: str | None) -> str:
        """A trial has started, or goes on under the name `run` that the tracker gave it before; returns that name."""

    def epoch(self, run: str, row: EpochRow) -> None:
        """An epoch of it."""

    def end(self, run: str, trial: Trial) -> None:
        """It has ended: completed, stopped or failed."""

    def close(self) -> None:
        """Nothing more comes in this sitting."""


def open_tracker(name: str, study: Study, folder: StudyFolder, say: Callable[[str], None]) -> Tracker:
    """The tracker of this name, ready to be told; what concerns the user is said once."""
    if name == "tensorboard":
        return TensorBoard(study, folder)
    return MLflow(study, folder) if name == "mlflow" else WandB(study, folder, say)


def parameters(study: Study, trial: Trial) -> dict[str, Any]:
    """What a trial is, in plain values: where it stands in the study, its architecture, its knobs, what it costs."""
    architecture = trial.configuration.architecture
    counts = complexity(study.network_template(), architecture)
    return {
        "trial": trial.trial_id,
        "phase": trial.phase,
        "arm": trial.arm or "",
        "seed": str(trial.seed),  # 63 bits: more than the numbers of some trackers hold
        "architecture": architecture.name,
        "cardinality": architecture.cardinality,
        "width": architecture.width,
        "blocks": dashed(architecture.blocks),
        "group_widths": dashed(architecture.group_widths),
        **dict(trial.configuration.knobs),
        **{name: int(value) for name, value in counts._asdict().items()},
    }


def metrics(row: EpochRow) -> dict[str, float]:
    """The numbers of an epoch, but for those that are not known: a trial that confirms has no validation error."""
    names = ("learning_rate", "train_loss", "validation_loss", "validation_error", "seconds")
    values = {name: getattr(row, name) for name in names}
    return {name: value for name, value in values.items() if value is not None and math.isfinite(value)}


def outcome(trial: Trial) -> dict[str, float]:
    """The errors of a trial that has ended, in percent: those that it has."""
    errors = {"final_validation_error": trial.validation_error, "test_error": trial.test_error}
    return {name: error for name, error in errors.items() if error is not None}


class TensorBoard:
    """Event files, a folder for each trial; show them with `tensorboard --logdir DIR/trackers/tensorboard`."""

    def __init__(self, study: Study, folder: StudyFolder) -> None:
        self.study, self.path = study, folder.trackers / "tensorboard"
        self._writers: dict[str, Any] = {}

    def begin(self, trial: Trial, run: str | None) -> str:
        """Open the folder of the trial; a file more in it if the trial goes on."""
        from tensorboardX import SummaryWriter

        name = run or f"{trial.phase}-{trial.trial_id:05d}"
        suffix = f".{time.time_ns()}"  # two sittings in one second would write to the same file
        self._writers[name] = SummaryWriter(str(self.path / name), flush_secs=5, filename_suffix=suffix)
        if run is None:
            facts = {"name": describe(trial.trial_id, trial.configuration), **parameters(self.study, trial)}
            text = "\n".join(f"    {key}: {value}" for key, value in facts.items())  # indented: Markdown's code
            self._writers[name].add_text("trial", text)
        return name

    def epoch(self, run: str, row: EpochRow) -> None:
        """A scalar for each number, at the epoch."""
        for name, value in metrics(row).items():
            self._writers[run].add_scalar(name, value, row.epoch)

    def end(self, run: str, trial: Trial) -> None:
        """The final errors."""
        writer = self._writers.pop(run)
        for name, value in outcome(trial).items():
            writer.add_scalar(name, value, trial.epochs)
        writer.add_text("state", trial.state)
        writer.close()

    def close(self) -> None:
        """Close what is open."""
        for writer in self._writers.values():
            writer.close()


class MLflow:
    """Runs of an experiment named as the study, at `MLFLOW_TRACKING_URI`, or without it in `trackers/mlflow.db`."""

    def __init__(self, study: Study, folder: StudyFolder) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow import MlflowClient

        self.study = study
        own = f"sqlite:///{folder.trackers.resolve() / 'mlflow.db'}"
        self.client = MlflowClient(tracking_uri=os.environ.get("MLFLOW_TRACKING_URI", own))
        there = self.client.get_experiment_by_name(study.name)
        self.experiment = there.experiment_id if there is not None else self.client.create_experiment(study.name)

    def begin(self, trial: Trial, run: str | None) -> str:
        """Make a run, or let one go on."""
        if run is not None:
            self.client.update_run(run, status="RUNNING")
            return run
        from mlflow.entities import Param

        made = self.client.create_run(
            self.experiment,
            run_name=describe(trial.trial_id, trial.configuration),
            tags={"phase": trial.phase},
        )
        facts = parameters(self.study, trial).items()
        self.client.log_batch(made.info.run_id, params=[Param(name, str(value)) for name, value in facts])
        return str(made.info.run_id)

    def epoch(self, run: str, row: EpochRow) -> None:
        """Metrics whose step is the epoch."""
        self._log(run, metrics(row), row.epoch)

    def end(self, run: str, trial: Trial) -> None:
        """The final errors, and whether it failed."""
        self._log(run, outcome(trial), trial.epochs)
        self.client.set_tag(run, "state", trial.state)
        self.client.set_terminated(run, "FAILED" if trial.state == "failed" else "FINISHED")

    def _log(self, run: str, values: dict[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self.client.log_batch(run, metrics=[Metric(name, value, now, step) for name, value in values.items()])

    def close(self) -> None:
        """Nothing is open."""


class WandB:
    """Runs of a project that is named as the study; offline, below `trackers/wandb`, where nobody is logged in."""

    def __init__(self, study: Study, folder: StudyFolder, say: Callable[[str], None]) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        import wandb

        self.study, self.folder, self.wandb = study, folder, wandb
        self.mode = os.environ.get("WANDB_MODE")
        if self.mode is None and not wandb.login(prompt=False):
            self.mode = "offline"
            say(f"wandb: nobody is logged in, so it logs to {folder.trackers / 'wandb'}; `wandb sync` sends that")
        self._runs: dict[str, Any] = {}

    def begin(self, trial: Trial, run: str | None) -> str:
        """Make a run, or let one go on."""
        name = run or f"{trial.trial_id:05d}-{int(1000 * trial.queued_at):x}"  # no other study's trial has it
        self._runs[name] = self.wandb.init(
            project=self.study.name,
            group=trial.phase,
            id=name,
            name=describe(trial.trial_id, trial.configuration),
            config=parameters(self.study, trial),
            dir=str(self.folder.trackers),
            mode=self.mode,
            resume="allow",
            reinit="create_new",  # trials run side by side in one process
            settings=self.wandb.Settings(
                silent=True, console="off", x_disable_stats=True, disable_git=True, disable_code=True, save_code=False
            ),
        )
        return name

    def epoch(self, run: str, row: EpochRow) -> None:
        """A line of its history."""
        self._runs[run].log({"epoch": row.epoch, **metrics(row)}, step=row.epoch)

    def end(self, run: str, trial: Trial) -> None:
        """The final errors, and whether it failed."""
        ended = self._runs.pop(run)
        ended.summary.update({**outcome(trial), "state": trial.state})
        ended.finish(exit_code=int(trial.state == "failed"))

    def close(self) -> None:
        """Leave those that have not ended as they are."""
        for run in self._runs.values():
            run.finish()
