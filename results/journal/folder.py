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

from resnext_search.spaces.errors import FolderLocked


@dataclass(frozen=True)
class StudyFolder:
    """The files of one study; nothing in them names the folder, so it can be moved.

    Args:
        path: The folder; it need not exist yet.
    """

    path: Path

    @property
    def study(self) -> Path:
        """The study file, as it was given."""
        return self.path / "study.yaml"

    @property
    def plan(self) -> Path:
        """The resolved study with its feasible set and forecast, frozen before the first trial."""
        return self.path / "plan.json"

    @property
    def images(self) -> Path:
        """Fingerprint of the files of an `image_folder`: a study keeps its images."""
        return self.path / "images.sha256"

    @property
    def journal(self) -> Path:
        """Every fact, committed when it happened; all other files can be made again from it."""
        return self.path / "journal.sqlite"

    @property
    def trials(self) -> Path:
        """One row a trial."""
        return self.path / "trials.csv"

    @property
    def pareto(self) -> Path:
        """The non-dominated trials."""
        return self.path / "pareto.csv"

    @property
    def effects(self) -> Path:
        """What the search has learned about every cardinality, depth and width."""
        return self.path / "effects.csv"

    @property
    def verdict(self) -> Path:
        """What the confirmed runs say of the claim."""
        return self.path / "verdict.json"

    @property
    def report(self) -> Path:
        """The study as one page."""
        return self.path / "report.html"

    @property
    def arms_latex(self) -> Path:
        """The arms of the claim as a table for a paper."""
        return self.path / "arms.tex"

    @property
    def arms_markdown(self) -> Path:
        """The same in Markdown."""
        return self.path / "arms.md"

    @property
    def figures(self) -> Path:
        """The pictures of the report, as files."""
        return self.path / "figures"

    @property
    def weights(self) -> Path:
        """Weights of the network that `refit` trained, as safetensors."""
        return self.path / "model.safetensors"

    @property
    def model(self) -> Path:
        """What is needed to build that network again, and what it scored."""
        return self.path / "model.json"

    @property
    def onnx(self) -> Path:
        """The same network for programs without torch, as `export-model` writes it."""
        return self.path / "model.onnx"

    @property
    def log(self) -> Path:
        """What Ray, Ax and torch have to say."""
        return self.path / "log.txt"

    @property
    def checkpoints(self) -> Path:
        """State of the trials that run."""
        return self.path / "checkpoints"

    @property
    def trackers(self) -> Path:
        """What TensorBoard, MLflow and Weights & Biases keep, and what they were told."""
        return self.path / "trackers"

    @property
    def lock(self) -> Path:
        """Held by the run that works here."""
        return self.path / "LOCK"

    @property
    def stop(self) -> Path:
        """Asks the run that works here to stop."""
        return self.path / "STOP"

    def checkpoint(self, trial_id: int) -> Path:
        """Where a trial keeps its state between epochs."""
        return self.checkpoints / f"trial-{trial_id:05d}.pt"


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
            hint=f"Follow it with: resnext-search status {path.parent} --watch",
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
