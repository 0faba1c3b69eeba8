"""The phases of `run`, in order: plan, search, report. Broken off anywhere, they continue from the journal."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import yaml
from resnext_search.results.export import pareto_table, write_tables
from resnext_search.results.folder import StudyFolder
from resnext_search.results.journal import Journal
from resnext_search.search.console import words_apart
from resnext_search.search.lock import locked
from resnext_search.search.optimizer import Failure, Optimizer
from resnext_search.search.plan import check_change, freeze
from resnext_search.search.progress import Progress
from resnext_search.search.runner import Train, ray_running, run_search
from resnext_search.spaces import FeasibleSet, Study
from resnext_search.spaces.errors import Interrupted, TooManyFailures, UsageError
from resnext_search.trainers.data import load_dataset
from resnext_search.trainers.training import train as train_trial
from rich.console import Console


def run_study(
    study: Study,
    path: Path | str,
    *,
    text: str | None = None,
    train: Train = train_trial,
    cpus: int | None = None,
    gpus: int | None = None,
) -> StudyFolder:
    """Run a study in a folder, or continue the one that lies there, until its trials have ended.

    Args:
        study: What to do.
        path: The study folder; made if there is none.
        text: The study file as given, to be kept in the folder; made from `study` without it.
        train: Trains one trial: called like `trainers.train`, yields its epochs.
        cpus: Processor cores to use; all of the machine without it.
        gpus: GPUs to use; all of the machine without it.

    Returns:
        The folder, with the tables written.

    Raises:
        EmptyFeasibleSet: Nothing lies in the FLOP band.
        DataError: The data set is missing.
        StudyError: The folder holds another study.
        FolderLocked: Another run works there.
        UsageError: The folder cannot be made or written.
        TooManyFailures: More than half of the trials failed.
        Interrupted: The user stopped it.
    """
    folder = StudyFolder(Path(path))
    feasible = study.feasible_set()
    _expect_data(study)
    _make(folder.path)
    with locked(folder.lock), words_apart(folder.log) as console, _journal(study, folder, feasible, text) as journal:
        journal.interrupt_running()
        optimizer = _replayed(study, feasible, journal)
        trials = journal.trials(phase="search")
        completed = [trial.validation_error for trial in trials if trial.validation_error is not None]
        ended = sum(trial.state in ("completed", "failed") for trial in trials)
        if ended < study.search.trials:
            console.print(f"{study.name}: {len(feasible):,} architectures inside the band; {ended} trials have ended")
            with (
                ray_running(study, cpus=cpus, gpus=gpus) as machine,
                Progress(
                    console, study.search.trials, study.trainer.epochs, ended, min(completed, default=None)
                ) as progress,
            ):
                if machine.dashboard:
                    progress.say(
                        f"Ray dashboard: {machine.dashboard} (asks for the token that `ray get-auth-token` prints)"
                    )
                try:
                    run_search(study, folder, journal, optimizer, machine, progress, train)
                finally:
                    interrupted = journal.interrupt_running()
        else:
            interrupted = 0
        write_tables(folder, journal)
        _expect_finished(study, folder, journal, interrupted, optimizer)
        shutil.rmtree(folder.checkpoints, ignore_errors=True)
        _say_result(console, folder, journal)
    return folder


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(path, os.W_OK | os.X_OK, effective_ids=True) else "Permission denied"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise UsageError(f"{path}: no study can be kept there: {reason}", hint="Name another folder with --out.")


def _expect_data(study: Study) -> None:
    load_dataset(study.data)
    load_dataset.cache_clear()  # the driver needs its memory for other things


def _journal(study: Study, folder: StudyFolder, feasible: FeasibleSet, text: str | None) -> Journal:
    """The journal of the folder: a new one, or the one that is there if it is of this study."""
    folder.checkpoints.mkdir(exist_ok=True)
    if folder.journal.exists():
        journal = Journal(folder.journal)
        check_change(journal.study(), study, folder.path)
        journal.change_study(study)
    else:
        journal = Journal(folder.journal, study=study)
    freeze(study, feasible, None, folder)
    folder.study.write_text(text or yaml.safe_dump(study.model_dump(mode="json"), sort_keys=False), encoding="utf-8")
    return journal


def _replayed(study: Study, feasible: FeasibleSet, journal: Journal) -> Optimizer:
    """The optimizer as it stood when the study was broken off."""
    optimizer = Optimizer(feasible, study.knobs(), study.objectives, study.seed, method=study.search.optimizer)
    for trial in journal.trials(phase="search"):
        optimizer.attach(trial.configuration, trial.proposed_by)
        if trial.validation_error is not None:
            optimizer.tell(trial.trial_id, {"validation_error": trial.validation_error})
        elif trial.state == "failed":
            optimizer.tell(trial.trial_id, Failure(trial.failure_class or "unknown"))
    return optimizer


def _expect_finished(
    study: Study, folder: StudyFolder, journal: Journal, interrupted: int, optimizer: Optimizer
) -> None:
    trials = journal.trials(phase="search")
    exhausted = len(trials) >= len(optimizer.pool)
    if interrupted or (len(trials) < study.search.trials and not exhausted):
        ended = sum(trial.state in ("completed", "failed") for trial in trials)
        raise Interrupted(
            f"{folder.path}: interrupted with {ended} of {study.search.trials} trials ended; everything is saved",
            hint=f"Continue with: resnext-search resume {folder.path}",
        )
    if trials and all(trial.state == "failed" for trial in trials):
        raise TooManyFailures(
            f"all {len(trials)} trials failed, the last one with {trials[-1].failure_class}:\n"
            f"{trials[-1].failure_message}"
        )


def _say_result(console: Console, folder: StudyFolder, journal: Journal) -> None:
    front = pareto_table(journal)
    lines = [
        "",
        front[["trial", "architecture", "blocks", "learning_rate", "activations", "validation_error"]].to_string(
            index=False
        ),
        "",
        f"Pareto front: {folder.pareto}   all trials: {folder.trials}",
    ]
    console.print("\n".join(lines), markup=False)
