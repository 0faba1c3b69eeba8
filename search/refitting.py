"""The chosen network of a study, trained once more and saved: `refit`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from resnext_search.results.folder import StudyFolder
from resnext_search.results.journal import Journal
from resnext_search.search.lock import locked
from resnext_search.search.status import read_chosen
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.seeds import derive_seed


def refit_study(path: Path, number: int | None = None, *, quiet: bool = False) -> dict[str, Any]:
    """Train a trial's configuration on all but the test images, on this machine, and save it in the study folder.

    Args:
        path: The study folder.
        number: Of the trial; without it the one that `best` names.
        quiet: Do not say on standard error how far it is.

    Returns:
        What `model.json` holds, with the trial's number.

    Raises:
        UsageError: There is no such trial, or none has been completed; or the study's trainer is a plug-in.
        FolderLocked: A run works in the folder.
        DataError: The data set is missing.
        TrainingDiverged: The loss stopped being finite.
    """
    folder = StudyFolder(path)
    with Journal(folder.journal, read_only=True) as journal:
        study = journal.study()
        if study.trainer.plugin is not None:
            raise UsageError(
                f"{path}: its trials were trained by the plug-in {study.trainer.plugin}, which leaves no network",
                hint="Only what the trainer that is built in has trained can be refitted.",
            )
        trial = journal.trial(read_chosen(folder, journal)["trial"] if number is None else number)
    from resnext_search.trainers.device import best_device  # torch: only when something is trained
    from resnext_search.trainers.refit import refit
    from resnext_search.trainers.training import Epoch

    def say(epoch: Epoch) -> None:
        if not quiet:
            print(f"epoch {epoch.epoch}/{study.trainer.epochs}  loss {epoch.train_loss:.3f}", file=sys.stderr)

    with locked(folder.lock):
        facts = refit(
            study,
            trial.configuration,
            derive_seed(study.seed, "refit"),
            trial.trial_id,
            folder.weights,
            folder.model,
            device=best_device(),
            threads=os.cpu_count() or 1,
            said=say,
        )
    return facts | {"folder": str(path)}
