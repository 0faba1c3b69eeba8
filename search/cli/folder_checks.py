"""Is this study folder sound? What `doctor` looks at in it. Looks only; starts without torch, Ax and Ray."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from resnext_search.results.journal.folder import StudyFolder, is_live
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import ENDED
from resnext_search.results.journal.schema import SCHEMA_VERSION
from resnext_search.search.cli.machine_checks import LEAST_DISK_BYTES, Check
from resnext_search.spaces.errors import ResnextSearchError, typed
from resnext_search.spaces.whole_file import DRAFT


def check_folder(folder: StudyFolder) -> list[Check]:
    """Look at the journal, and at everything that was made from it or left behind."""
    live = is_live(folder)
    return [_lock(folder, live), _disk(folder.path), *_journal(folder, live), *([] if live else _drafts(folder))]


def _lock(folder: StudyFolder, live: bool) -> Check:
    owner = folder.lock.read_text(encoding="utf-8", errors="replace").strip() if folder.lock.exists() else ""
    if live:
        return Check("lock", f"held by a live run ({owner})", True)
    return Check("lock", f"left behind ({owner}), locks nothing" if owner else "free", True)


def _disk(path: Path) -> Check:
    free = shutil.disk_usage(path).free
    if not os.access(path, os.W_OK | os.X_OK, effective_ids=True):
        return Check(
            "folder", "cannot be written", False, "it can be read; to continue the study, copy it elsewhere", True
        )
    roomy = free >= LEAST_DISK_BYTES
    return Check("folder", f"{free / 2**30:.1f} GiB free on its disk", roomy, "" if roomy else "make room first")


def _journal(folder: StudyFolder, live: bool) -> Iterator[Check]:
    try:
        with Journal(folder.journal, read_only=True) as journal:
            yield _soundness(journal)
            yield _schema(journal)
            yield _trials(folder, journal, live)
            if not live:
                yield _checkpoints(folder, journal)
                yield from _tables(folder, journal)
    except ResnextSearchError as error:
        yield Check("journal", str(error), False, error.hint, True)


def _soundness(journal: Journal) -> Check:
    problems = journal.damage()
    advice = "restore the file from a copy; `export` still writes what can be read" if problems else ""
    return Check("journal", "; ".join(problems) or "sound", not problems, advice, bool(problems))


def _schema(journal: Journal) -> Check:
    if journal.schema == SCHEMA_VERSION:
        return Check("schema", str(journal.schema), True)
    found = f"{journal.schema}, older than {SCHEMA_VERSION}"
    return Check("schema", found, True, "`resume` changes it, and keeps a copy")


def _trials(folder: StudyFolder, journal: Journal, live: bool) -> Check:
    states = Counter(trial.state for trial in journal.trials())
    found = ", ".join(f"{count} {state}" for state, count in states.items()) or "none yet"
    broken_off = not live and any(states[state] for state in ("queued", "running", "interrupted"))
    advice = f"continue with: resnext-search resume {typed(folder.path)}" if broken_off else ""
    return Check("trials", found, True, advice)


def _checkpoints(folder: StudyFolder, journal: Journal) -> Check:
    """A trial that has ended needs no checkpoint; whatever else lies there was left by a run that was killed."""
    waiting = {folder.checkpoint(trial.trial_id) for trial in journal.trials() if trial.state not in ENDED}
    files = [path for path in folder.checkpoints.rglob("*") if path.is_file()]
    orphans = [path for path in files if path not in waiting]
    if not orphans:
        return Check("checkpoints", f"{len(files)}, each of a trial that waits", True)
    size = sum(path.stat().st_size for path in orphans)
    found = f"{len(orphans)} files of {size / 2**20:.1f} MiB are of no trial that waits, such as {orphans[0]}"
    return Check("checkpoints", found, False, "delete them, or let `resume` end the study: it does")


def _tables(folder: StudyFolder, journal: Journal) -> Iterator[Check]:
    changed = journal.changed_at()
    made = {folder.trials: "export", folder.pareto: "export", folder.effects: "export", folder.report: "report"}
    if journal.study().claim is not None:
        made[folder.verdict] = "verdict"
    for path, command in made.items():
        if not path.exists() or path.stat().st_mtime < changed:
            found = "out of date" if path.exists() else "missing"
            yield Check(path.name, found, False, f"make it anew: resnext-search {command} {typed(folder.path)}")
        else:
            yield Check(path.name, "made from all of the journal", True)


def _drafts(folder: StudyFolder) -> Iterator[Check]:
    """Whole files are written under another name first; a process that is killed leaves that behind."""
    drafts = sorted(folder.path.glob(f"*{DRAFT}*"))
    if drafts:
        yield Check("drafts", f"{len(drafts)} left behind, such as {drafts[0]}", False, "delete them")
