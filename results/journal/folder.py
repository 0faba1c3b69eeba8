"""Where does everything of a study lie, and who works there? All names of the study folder stand here and nowhere else;
at most one run at a time has its lock.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from resnext_search.spaces.errors import FolderLocked, typed


class _Inside:
    """The place of a file or folder by its name in the study folder."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, folder: StudyFolder, _: type[StudyFolder]) -> Path:
        return folder.path / self.name


@dataclass(frozen=True)
class StudyFolder:
    """The files of one study; nothing in them names the folder, so it can be moved.

    Args:
        path: The folder; it need not exist yet.
    """

    path: Path

    study = _Inside("study.yaml")  # the study file, as it was given
    plan = _Inside("plan.json")  # the resolved study with its feasible set and forecast, frozen before the first trial
    images = _Inside("images.sha256")  # fingerprint of the files of an `image_folder`: a study keeps its images
    journal = _Inside("journal.sqlite")  # every fact, committed when it happened; all else can be made again from it
    trials = _Inside("trials.csv")  # one row a trial
    pareto = _Inside("pareto.csv")  # the non-dominated trials
    effects = _Inside("effects.csv")  # what the search has learned about every cardinality, depth and width
    verdict = _Inside("verdict.json")  # what the confirmed runs say of the claim
    report = _Inside("report.html")  # the study as one page
    arms = _Inside("arms.tex")  # the arms of the claim as a table for a paper; beside it arms.md
    budgets = _Inside("budgets.tex")  # what several budgets say together, likewise; beside it budgets.md
    figures = _Inside("figures")  # the pictures of the report, as files
    ax = _Inside("ax.json")  # the study as an experiment of Ax, for its own analyses
    weights = _Inside("model.safetensors")  # weights of the network that `refit` trained, as safetensors
    model = _Inside("model.json")  # what is needed to build that network again, and what it scored
    onnx = _Inside("model.onnx")  # the same network for programs without torch, as `export-model` writes it
    log = _Inside("log.txt")  # what Ray, Ax and torch have to say
    checkpoints = _Inside("checkpoints")  # state of the trials that run
    trackers = _Inside("trackers")  # what TensorBoard, MLflow and Weights & Biases keep, and what they were told
    lock = _Inside("LOCK")  # held by the run that works here
    stop = _Inside("STOP")  # asks the run that works here to stop

    def checkpoint(self, trial_id: int) -> Path:
        """Where a trial keeps its state between epochs."""
        return self.checkpoints / checkpoint_name(trial_id)


def checkpoint_name(trial_id: int) -> str:
    """What the file is called in which a trial keeps its state, wherever it lies."""
    return f"trial-{trial_id:05d}.pt"


def is_live(folder: StudyFolder) -> bool:
    """Whether a run holds the lock of the folder; asked without the right to write, by a lock that others share."""
    if not folder.lock.exists():
        return False
    with folder.lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file for the time of the block.

    The operating system drops the lock with the process, however it ends: a lock file left behind locks nothing.

    Raises:
        FolderLocked: A live run holds it; the message names its process and host.
    """
    from filelock import FileLock, Timeout  # commands that only look need not wait for this import

    try:
        held = FileLock(path).acquire(timeout=0)
    except Timeout:
        raise FolderLocked(
            f"{path.parent}: another run works on this folder ({holder(path)})",
            hint=f"Follow it with: resnext-search status {typed(path.parent)} --watch",
        ) from None
    with held:
        path.write_text(f"{this_process()}\n", encoding="utf-8")
        yield


def this_process() -> str:
    """How the holder of a lock is called, in the lock file and in messages."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def holder(path: Path) -> str:
    """Who holds a lock, by what stands in its file; also who held it last."""
    return path.read_text(encoding="utf-8").strip() or "unknown process"
