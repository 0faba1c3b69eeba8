"""What is wrong with a study folder, and what is to be done about it? Looks only; starts without torch, Ax and Ray."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from resnext_search.results.folder import StudyFolder
from resnext_search.results.journal import ENDED, SCHEMA_VERSION, Journal
from resnext_search.search.finding import LEAST_DISK_BYTES, Finding
from resnext_search.search.status import is_live
from resnext_search.spaces.errors import ResnextSearchError
from resnext_search.spaces.whole_file import DRAFT


def examine_folder(folder: StudyFolder) -> list[Finding]:
    """Look at the journal, and at everything that was made from it or left behind."""
    live = is_live(folder)
    return [_lock(folder, live), _disk(folder.path), *_journal(folder, live), *([] if live else _drafts(folder))]


def _lock(folder: StudyFolder, live: bool) -> Finding:
    owner = folder.lock.read_text(encoding="utf-8", errors="replace").strip() if folder.lock.exists() else ""
    if live:
        return Finding("lock", f"held by a live run ({owner})", True)
    return Finding("lock", f"left behind ({owner}), locks nothing" if owner else "free", True)


def _disk(path: Path) -> Finding:
    free = shutil.disk_usage(path).free
    if not os.access(path, os.W_OK | os.X_OK, effective_ids=True):
        return Finding("folder", "cannot be written", False, "it can be read; to continue the study, copy it elsewhere")
    roomy = free >= LEAST_DISK_BYTES
    return Finding("folder", f"{free / 2**30:.1f} GiB free on its disk", roomy, "" if roomy else "make room first")


def _journal(folder: StudyFolder, live: bool) -> Iterator[Finding]:
    try:
        with Journal(folder.journal, read_only=True) as journal:
            yield _soundness(journal)
            yield _schema(journal)
            yield _trials(folder, journal, live)
            if not live:
                yield _checkpoints(folder, journal)
                yield from _tables(folder, journal)
    except ResnextSearchError as error:
        yield Finding("journal", str(error), False, error.hint)


def _soundness(journal: Journal) -> Finding:
    problems = journal.damage()
    advice = "restore the file from a copy; `export` still writes what can be read" if problems else ""
    return Finding("journal", "; ".join(problems) or "sound", not problems, advice)


def _schema(journal: Journal) -> Finding:
    if journal.schema == SCHEMA_VERSION:
        return Finding("schema", str(journal.schema), True)
    return Finding(
        "schema", f"{journal.schema}, older than {SCHEMA_VERSION}", True, "`resume` changes it, and keeps a copy"
    )


def _trials(folder: StudyFolder, journal: Journal, live: bool) -> Finding:
    states = Counter(trial.state for trial in journal.trials())
    found = ", ".join(f"{count} {state}" for state, count in states.items()) or "none yet"
    broken_off = not live and any(states[state] for state in ("queued", "running", "interrupted"))
    return Finding("trials", found, True, f"continue with: resnext-search resume {folder.path}" if broken_off else "")


def _checkpoints(folder: StudyFolder, journal: Journal) -> Finding:
    """A trial that has ended needs no checkpoint; whatever else lies there was left by a run that was killed."""
    waiting = {folder.checkpoint(trial.trial_id) for trial in journal.trials() if trial.state not in ENDED}
    files = [path for path in folder.checkpoints.rglob("*") if path.is_file()]
    orphans = [path for path in files if path not in waiting]
    if not orphans:
        return Finding("checkpoints", f"{len(files)}, each of a trial that waits", True)
    size = sum(path.stat().st_size for path in orphans)
    return Finding(
        "checkpoints",
        f"{len(orphans)} files of {size / 2**20:.1f} MiB are of no trial that waits, such as {orphans[0]}",
        False,
        "delete them, or let `resume` end the study: it does",
    )


def _tables(folder: StudyFolder, journal: Journal) -> Iterator[Finding]:
    changed = journal.changed_at()
    made = {folder.trials: "export", folder.pareto: "export", folder.effects: "export", folder.report: "report"}
    if journal.study().claim is not None:
        made[folder.verdict] = "verdict"
    for path, command in made.items():
        if not path.exists() or path.stat().st_mtime < changed:
            found = "out of date" if path.exists() else "missing"
            yield Finding(path.name, found, False, f"make it anew: resnext-search {command} {folder.path}")
        else:
            yield Finding(path.name, "made from all of the journal", True)


def _drafts(folder: StudyFolder) -> Iterator[Finding]:
    """Whole files are written under another name first; a process that is killed leaves that behind."""
    drafts = sorted(folder.path.glob(f"*{DRAFT}*"))
    if drafts:
        yield Finding("drafts", f"{len(drafts)} left behind, such as {drafts[0]}", False, "delete them")
