"""From which epoch a trial goes on, as far as the driver can say, and what it says of a study of another version."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from resnext_search.results import Journal
from resnext_search.search.execution.checkpoints import CheckpointFiles, begun_before, goes_on
from resnext_search.spaces.versions import PROGRAM, versions
from resnext_search.trainers.checkpoint import write_checkpoint
from resnext_search.trainers.training_run import identity_of

from tests.support.desk import Desk
from tests.support.journals import MACHINE, epoch_row, point, started


def test_a_file_says_from_which_epoch_its_trial_goes_on(desk: Desk) -> None:
    files = CheckpointFiles(desk.study, desk.folder, desk.journal)
    trial = desk.journal.trial(started(desk.journal, point(0)))
    assert files.last_epoch(trial) == 0
    desk.folder.checkpoints.mkdir()
    path, birth = desk.folder.checkpoint(trial.trial_id), desk.journal.birth()
    identity = identity_of(desk.study, trial.configuration, trial.seed, birth=birth)
    write_checkpoint(path, identity, {"epochs": [[1], [2], [3]]})
    assert files.last_epoch(trial) == 3
    assert goes_on(files.last_epoch(trial)) == "it goes on from epoch 4"
    path.write_bytes(path.read_bytes()[:-1])
    assert files.last_epoch(trial) is None
    assert goes_on(None) == "it goes on from its checkpoint, or from its first epoch if that is of no use to it"
    files.forget(trial.trial_id)
    assert not path.exists()
    files.forget(trial.trial_id)


def test_the_files_of_another_study_are_of_no_use(desk: Desk, tmp_path: Path) -> None:
    """Left over on a disk, say, where the folder of a study had the same name."""
    trial = desk.journal.trial(started(desk.journal, point(0)))
    desk.folder.checkpoints.mkdir()
    identity = identity_of(desk.study, trial.configuration, trial.seed, birth="another")
    write_checkpoint(desk.folder.checkpoint(trial.trial_id), identity, {"epochs": [[1]]})
    assert CheckpointFiles(desk.study, desk.folder, desk.journal).last_epoch(trial) is None


def test_a_lost_trial_is_told_from_which_epoch_it_goes_on(desk: Desk) -> None:
    dispatcher = desk.dispatcher()
    trial = dispatcher.next()
    assert trial is not None
    order = dispatcher.order(trial)
    assert order["birth"] == desk.journal.birth()
    desk.folder.checkpoints.mkdir()
    identity = identity_of(desk.study, trial.configuration, trial.seed, birth=order["birth"])
    write_checkpoint(desk.folder.checkpoint(0), identity, {"epochs": [[1]]})
    dispatcher.lost(0)
    assert "its process was lost; it goes on from epoch 2\n" in desk.words.getvalue()


# ------------------------------------------------------------------ another version


def interrupted(journal: Journal, version: str | None, epochs: int = 1) -> None:
    """A trial that was broken off, on a machine with this version of the program, or on one that nobody knows."""
    number = started(journal, point(0))
    if version is not None:
        journal.record_machine(number, replace(MACHINE, versions={PROGRAM: version}))
    for epoch in range(1, epochs + 1):
        journal.record_epoch(number, epoch_row(epoch, 50.0), device="cpu", host="here", final=False)


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ([], []),
        (["0.0.1"], ["1 interrupted trial was trained by another version of resnext-search: it starts again"]),
        (
            ["0.0.1", None],
            ["2 interrupted trials were trained by another version of resnext-search: they start again"],
        ),
    ],
)
def test_it_is_said_how_many_trials_start_again_under_another_version(
    desk: Desk, others: list[str | None], words: list[str]
) -> None:
    interrupted(desk.journal, versions()[PROGRAM])
    interrupted(desk.journal, "0.0.1", epochs=0)  # it has nothing to lose
    for version in others:
        interrupted(desk.journal, version)
    desk.journal.interrupt_running()
    assert list(begun_before(desk.journal)) == [f"{one} at the first epoch" for one in words]
