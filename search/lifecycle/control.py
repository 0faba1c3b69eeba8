"""What happens when a study is stopped, or its failed trials are tried again, from another process?

Starts without torch, Ax and Ray.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resnext_search.results.journal.folder import StudyFolder, holder, is_live, locked
from resnext_search.results.journal.journal import Journal
from resnext_search.search.execution.stopping import How, request_stop
from resnext_search.spaces.whole_file import writing


def stop_study(path: Path, *, now: bool) -> dict[str, Any]:
    """Ask the run in a folder to stop, and say what it will do; facts ready for JSON.

    Raises:
        UsageError: There is no study in the folder, or nothing can be written there.
    """
    folder = StudyFolder(path)
    how: How = "now" if now else "drain"
    with Journal(folder.journal, read_only=True) as journal:
        running = [trial.trial_id for trial in journal.trials(states=["running"])]
    if not is_live(folder):
        return {"folder": str(path), "live": False, "asked": None, "run": None, "running": []}
    run = holder(folder.lock)
    with writing(folder.stop):
        request_stop(folder, how, run)
    return {"folder": str(path), "live": True, "asked": how, "run": run, "running": running}


def retry_failed(path: Path) -> dict[str, Any]:
    """Queue the failed trials of a folder again; facts ready for JSON. `FolderLocked` if a run is at work there."""
    folder = StudyFolder(path)
    with Journal(folder.journal, read_only=True):  # before a lock file is made where there is no study
        pass
    with locked(folder.lock), Journal(folder.journal) as journal:
        trials = journal.retry_failed()
        for trial in trials:
            folder.checkpoint(trial).unlink(missing_ok=True)
    return {"folder": str(path), "trials": trials}
