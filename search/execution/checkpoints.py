"""What does the driver know of the checkpoints of its trials? Where they are files that workers write: what is in them.

A backend whose workers do not see the study folder brings something of its own in its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import Trial
from resnext_search.spaces.study.study import Study
from resnext_search.spaces.versions import PROGRAM, versions


class Checkpoints(Protocol):
    """Where trials keep their state between epochs, seen from the driver."""

    def last_epoch(self, trial: Trial) -> int | None:
        """The epoch after which a trial that does not run would go on; 0 if it has no state, None if nobody knows."""

    def forget(self, trial_id: int) -> None:
        """A trial has ended: its state goes, and none comes after it."""


class CheckpointFiles:
    """Those that workers write into the study folder themselves."""

    def __init__(self, study: Study, folder: StudyFolder, journal: Journal) -> None:
        self.study, self.folder, self.journal = study, folder, journal

    def last_epoch(self, trial: Trial) -> int | None:
        """As of `Checkpoints`; a file is read as its trial will read it. What another trainer keeps is not known."""
        path = self.folder.checkpoint(trial.trial_id)
        if not path.exists():
            return 0
        from resnext_search.trainers.checkpoint import read_checkpoint  # torch: only where a trial was trained
        from resnext_search.trainers.training_run import identity_of

        identity = identity_of(
            self.study,
            trial.configuration,
            trial.seed,
            birth=self.journal.birth(),
            confirm=trial.phase == "confirm",
        )
        state = read_checkpoint(path, identity)
        return None if state is None else len(state["epochs"])

    def forget(self, trial_id: int) -> None:
        """As of `Checkpoints`."""
        self.folder.checkpoint(trial_id).unlink(missing_ok=True)


def goes_on(epoch: int | None) -> str:
    """From where a trial goes on that has this `last_epoch`.

    >>> goes_on(12), goes_on(0)
    ('it goes on from epoch 13', 'it goes on from its first epoch')
    """
    if epoch is None:
        return "it goes on from its checkpoint, or from its first epoch if that is of no use to it"
    return f"it goes on from epoch {epoch + 1}" if epoch else "it goes on from its first epoch"


def begun_before(journal: Journal) -> Iterator[str]:
    """What is to be said of a study that another version began: what became of its journal, and of its trials.

    Those that were interrupted cannot go on where they were: a state is its version's.
    """
    if journal.kept is not None:
        yield f"The journal had an older schema; as it was it lies in {journal.kept}"
    if journal.study().trainer.plugin is not None:  # it reads what it likes
        return
    machines = journal.machines()
    trained = [trial for trial in journal.trials(states=["interrupted"]) if trial.epochs]
    by = [machines[trial.machine].versions.get(PROGRAM) if trial.machine else None for trial in trained]
    others = sum(version != versions().get(PROGRAM) for version in by)
    if others:
        which = "1 interrupted trial was" if others == 1 else f"{others} interrupted trials were"
        yield (
            f"{which} trained by another version of {PROGRAM}: {'it starts' if others == 1 else 'they start'} "
            "again at the first epoch"
        )
