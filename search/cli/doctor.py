"""Is this machine ready, and this study folder sound? What `doctor` looks at, and what to do about what it finds.

Looks only; starts without torch, Ax and Ray.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import psutil
from resnext_search.results.journal.folder import StudyFolder, is_live
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import ENDED
from resnext_search.results.journal.schema import SCHEMA_VERSION
from resnext_search.spaces.datasets import DATASETS, dataset_names, dataset_plugin, trainer_names, trainer_plugin
from resnext_search.spaces.errors import DataError, PluginError, ResnextSearchError
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.spaces.study.study import Study
from resnext_search.spaces.whole_file import DRAFT

PACKAGES = ("torch", "torchvision", "ax-platform", "botorch", "ray", "pandas", "numpy", "scipy", "pydantic")

LEAST_MEMORY_BYTES = 2 * 2**30  # one worker with torch takes about 0.9 GiB, the driver with Ax and Ray as much


def examine(study: Study | None = None) -> list[Finding]:
    """Look at everything, and at every image of a study; nothing is changed and nothing is downloaded."""
    findings = [_python(), *_packages(), *_hardware(), *_data_sets(), *_trainers()]
    return findings if study is None else [*findings, _data_of(study)]


def _python() -> Finding:
    return Finding("python", sys.version.split()[0], sys.version_info >= (3, 11))


def _packages() -> list[Finding]:
    findings = []
    for name in PACKAGES:
        try:
            findings.append(Finding(name, version(name), True))
        except PackageNotFoundError:
            findings.append(Finding(name, "not installed", False, "pip install -e . -c constraints.txt"))
    return findings


def _hardware() -> list[Finding]:
    import torch

    memory = psutil.virtual_memory().available
    disk = shutil.disk_usage(Path.cwd()).free
    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    findings = [
        Finding("cores", str(os.cpu_count()), True),
        Finding("GPUs", ", ".join(gpus) or "none", True, "" if gpus else "trials run on the processor"),
        Finding("free memory", f"{memory / 2**30:.1f} GiB", memory >= LEAST_MEMORY_BYTES, "a trial takes about 1 GiB"),
        Finding(
            "free disk here", f"{disk / 2**30:.1f} GiB", disk >= LEAST_DISK_BYTES, "checkpoints lie in the study folder"
        ),
    ]
    shared = Path("/dev/shm")
    if shared.exists():
        free = shutil.disk_usage(shared).free
        findings.append(
            Finding("/dev/shm", f"{free / 2**30:.1f} GiB free", free >= 2**28, "Ray keeps its objects there")
        )
    return findings


def _data_sets() -> Iterator[Finding]:
    from resnext_search.search.lifecycle.data_check import expect_images

    for name in dataset_names():
        if name in DATASETS and DATASETS[name].of_the_study:  # which images, and of what shape, is said by a study
            continue
        try:
            if name not in DATASETS:
                dataset_plugin(name)
            expect_images(DataConfig(name=name))
            yield Finding(f"data set {name}", "readable", True)
        except PluginError as error:
            yield Finding(f"data set {name}", str(error), False, "mend or remove the package that brings it")
        except DataError as error:
            yield Finding(f"data set {name}", "not found", True, error.hint or str(error))


def _trainers() -> Iterator[Finding]:
    for name in trainer_names():
        try:
            trainer_plugin(name)
            yield Finding(f"trainer {name}", "can be imported", True)
        except PluginError as error:
            yield Finding(f"trainer {name}", str(error), False, "mend or remove the package that brings it")


def _data_of(study: Study) -> Finding:
    from resnext_search.search.lifecycle.data_check import expect_images

    try:
        return Finding(f"images of {study.name}", "readable", True, expect_images(study.data).words)
    except DataError as error:
        return Finding(f"images of {study.name}", str(error), False, error.hint)


LEAST_DISK_BYTES = 2**30


class Finding(NamedTuple):
    """One thing that was looked at."""

    what: str
    found: str
    ok: bool
    advice: str = ""


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
