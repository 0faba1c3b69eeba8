"""How is a study begun in its folder, or opened there again? Beside its journal lie its plan and its study file."""

from __future__ import annotations

import os
from pathlib import Path

import yaml
from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.journal import Journal
from resnext_search.search.planning.plan import check_change, freeze
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.search_space.feasible import FeasibleSet
from resnext_search.spaces.study.study import Study
from resnext_search.spaces.whole_file import write_whole


def make_folder(path: Path) -> None:
    """Make a study folder, if there is none; raises `UsageError` if none can be made, written, or named to Ray."""
    try:
        f"{path.resolve()}{Path.cwd()}".encode()
        path.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(path, os.W_OK | os.X_OK, effective_ids=True) else "Permission denied"
    except OSError as error:
        reason = error.strerror or str(error)
    except UnicodeEncodeError:
        reason = "Ray takes no names that are not UTF-8, of the folder or of the one where you are"
    if reason:
        raise UsageError(f"{path}: no study can be kept there: {reason}", hint="Name another folder with --out.")


def open_journal(study: Study, folder: StudyFolder, feasible: FeasibleSet, text: str | None) -> Journal:
    """The journal of the folder: a new one, or the one that is there if it is of this study; as of `run_study`."""
    folder.checkpoints.mkdir(exist_ok=True)
    if folder.journal.exists():
        with Journal(folder.journal, read_only=True) as begun:  # a change that is refused leaves it as it is
            check_change(begun.study(), study, folder.path)
        journal = Journal(folder.journal)
        journal.change_study(study)
    else:
        journal = Journal(folder.journal, study=study)
    freeze(study, feasible, journal.forecast(), folder)
    write_whole(folder.study, text or yaml.safe_dump(study.model_dump(mode="json"), sort_keys=False))
    return journal
