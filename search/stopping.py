"""What happens when a study is stopped, or its failed trials are tried again, from another process?

Starts without torch, Ax and Ray.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resnext_search.results import Journal, StudyFolder
from resnext_search.search.lock import holder, locked
from resnext_search.search.status import is_live
from resnext_search.search.stops import How, request_stop
from resnext_search.spaces.errors import UsageError


def stop_study(path: Path, *, now: bool) -> dict[str, Any]:
    """Ask the run in a folder to stop, and say what it will do; facts ready for JSON.

    Raises:
        UsageError: There is no study in the folder, or nothing can be written there.
    """
    folder, how = StudyFolder(path), _how(now)
    with Journal(folder.journal, read_only=True) as journal:
        running = [trial.trial_id for trial in journal.trials(states=["running"])]
    if not is_live(folder):
        return {"folder": str(path), "live": False, "asked": None, "run": None, "running": []}
    run = holder(folder.lock)
    try:
        request_stop(folder, how, run)
    except OSError as error:
        raise UsageError(f"{folder.stop}: cannot be written: {error.strerror}") from error
    return {"folder": str(path), "live": True, "asked": how, "run": run, "running": running}


def stop_words(facts: dict[str, Any]) -> str:
    """What `stop` did."""
    folder, count = facts["folder"], len(facts["running"])
    if not facts["live"]:
        return f"{folder}: no run is at work there, so there is nothing to stop"
    trials = "its trial" if count == 1 else f"its {count} trials"
    if facts["asked"] == "drain":
        does = "starts no new trial and ends when those that run have ended" if count else "starts no trial, and ends"
        then = f"Follow it with: resnext-search status {folder} --watch"
    else:
        does = f"interrupts {trials} and ends within seconds" if count else "ends within seconds"
        then = f"Continue with: resnext-search resume {folder}"
    return f"{folder}: the run there ({facts['run']}) {does}\n{then}"


def retry_failed(path: Path) -> dict[str, Any]:
    """Queue the failed trials of a folder again; facts ready for JSON.

    Raises:
        UsageError: There is no study in the folder.
        FolderLocked: A run is at work there.
    """
    folder = StudyFolder(path)
    with Journal(folder.journal, read_only=True):  # before a lock file is made where there is no study
        pass
    with locked(folder.lock), Journal(folder.journal) as journal:
        trials = journal.retry_failed()
        for trial in trials:
            folder.checkpoint(trial).unlink(missing_ok=True)
    return {"folder": str(path), "trials": trials}


def retry_words(facts: dict[str, Any]) -> str:
    """What `retry` did."""
    folder, trials = facts["folder"], facts["trials"]
    if not trials:
        return f"{folder}: no trial has failed, so there is nothing to try again"
    numbers = ", ".join(f"{trial:04d}" for trial in trials)
    return (
        f"{folder}: {len(trials)} trial{'s' * (len(trials) != 1)} queued again, to be trained from the start: "
        f"{numbers}\n"
        f"Run them with: resnext-search resume {folder}"
    )


def _how(now: bool) -> How:
    return "now" if now else "drain"
