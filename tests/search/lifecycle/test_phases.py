"""In which order a study goes through its phases, and that it goes on where it was broken off; nothing is trained."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from resnext_search.results import Journal, LatencyRow, StudyFolder
from resnext_search.results.verdict.sources import judge_folder
from resnext_search.search import run_study
from resnext_search.search.monitor.status import read_status
from resnext_search.spaces import Study
from resnext_search.spaces.errors import BudgetEnded, StudyError

from tests.results.journal.journal_fixtures import restore
from tests.search.execution.test_backend import in_process, train
from tests.support.helpers import TINY_CLAIM, tiny_study

LOOKS = TINY_CLAIM.replace("seeds: 5", "looks: [10, 20], finalists: 0")
ONE_EPOCH = ("trainer.epochs=1", "trainer.warmup_epochs=0")


class Said(NamedTuple):
    verdict: str


class Killed(BaseException):
    """What `kill -9` is to a test."""


class Trainer:
    """Trains so many trials, and is killed with the next."""

    def __init__(self, trials: int | None = None) -> None:
        self.left, self.trained = trials, 0

    def __call__(self, *arguments: Any, **options: Any) -> Iterator[Any]:
        if self.left == self.trained:
            raise Killed
        self.trained += 1
        return train(*arguments, **options)


def run(study: Study, path: Path, trainer: Trainer | None = None) -> StudyFolder:
    return run_study(study, path, train=trainer or Trainer(), backend=in_process)


def asked(folder: StudyFolder) -> list[tuple[str, str | None, str, int]]:
    """What was asked for, in its order."""
    with Journal(folder.journal, read_only=True) as journal:
        return [(one.phase, one.arm, one.configuration.to_json(), one.seed) for one in journal.trials()]


def phases(folder: StudyFolder) -> list[str]:
    """The phases in the order in which their trials began, each once."""
    with Journal(folder.journal, read_only=True) as journal:
        begun = sorted(journal.trials(), key=lambda trial: trial.started_at or 0.0)
    return [phase for phase, _ in groupby(trial.phase for trial in begun)]


def is_done(folder: StudyFolder) -> bool:
    """Whether a run trains nothing more, and `status` knows that nothing is left."""
    trainer = Trainer(0)
    with Journal(folder.journal, read_only=True) as journal:
        study, facts = journal.study(), read_status(folder, journal)
    run(study, folder.path, trainer)
    return facts["states"] == {"completed": facts["trials"]}


@pytest.mark.parametrize(("rules", "order"), [(1, ["search", "tune", "confirm"]), (2, ["tune", "search", "confirm"])])
def test_the_arms_are_tuned_before_the_search_but_under_the_first_rules_after_it(
    tmp_path: Path, rules: int, order: list[str]
) -> None:
    folder = run(tiny_study(TINY_CLAIM, f"rules={rules}", *ONE_EPOCH), tmp_path / "run")
    assert phases(folder) == order
    assert is_done(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    """4 arms at 3 rates; at 5 on 2 seeds; 4 of the search; 5 blocks of 5 and, in the first 3, 3 more."""
    folder = run(tiny_study(TINY_CLAIM, *ONE_EPOCH), tmp_path_factory.mktemp("whole") / "run")
    assert len(asked(folder)) == 12 + 40 + 4 + 34
    return folder


@pytest.mark.parametrize("trials", [0, 12, 30, 52, 56, 89])
def test_a_study_that_was_killed_anywhere_asks_for_the_same_trials_as_one_that_was_not(
    whole: StudyFolder, tmp_path: Path, trials: int
) -> None:
    study = tiny_study(TINY_CLAIM, *ONE_EPOCH)
    with pytest.raises(Killed):
        run(study, tmp_path / "killed", Trainer(trials))
    folder = run(study, tmp_path / "killed")
    assert asked(folder) == asked(whole)
    with Journal(folder.journal, read_only=True) as journal:
        assert [look.seeds for look in journal.looks()] == [5]
        assert sum(trial.attempts for trial in journal.trials()) == len(asked(whole)) + 1


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said at the looks, one after the other."""
    said: list[str] = []
    monkeypatch.setattr("resnext_search.results.verdict.sources.judge_study", lambda *_: Said(said.pop(0)))
    return said


def test_a_word_at_the_first_look_ends_the_study(tmp_path: Path, words: list[str]) -> None:
    words += ["contradicted"]
    folder = run(tiny_study(LOOKS, *ONE_EPOCH), tmp_path / "run")
    with Journal(folder.journal, read_only=True) as journal:
        assert [(look.seeds, look.word, look.planned) for look in journal.looks()] == [(10, "contradicted", True)]
        assert len(journal.trials(phase="confirm")) == 4 * 10 + 3 * 3
    assert is_done(folder)


def test_without_a_word_the_study_goes_on_to_the_next_look(tmp_path: Path, words: list[str]) -> None:
    words += ["inconclusive", "supported"]
    folder = run(tiny_study(LOOKS, *ONE_EPOCH), tmp_path / "run")
    with Journal(folder.journal, read_only=True) as journal:
        assert [(look.seeds, look.word) for look in journal.looks()] == [(10, "inconclusive"), (20, "supported")]
        assert len(journal.trials(phase="confirm")) == 4 * 20 + 3 * 3
    assert is_done(folder)


@pytest.mark.parametrize("word", ["inconclusive", "supported"])
def test_a_study_that_was_killed_while_it_looked_looks_again(
    tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    study = tiny_study(LOOKS, *ONE_EPOCH)

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("resnext_search.results.verdict.sources.judge_study", killed)
        with pytest.raises(Killed):
            run(study, tmp_path / "run")
    words += [word, "supported"]
    folder = run(study, tmp_path / "run")
    with Journal(folder.journal, read_only=True) as journal:
        assert [look.seeds for look in journal.looks()] == ([10] if word == "supported" else [10, 20])
    assert is_done(folder)


def test_more_seeds_are_trained_when_they_are_asked_for_and_their_look_was_not_planned(tmp_path: Path) -> None:
    folder = run(tiny_study(TINY_CLAIM, *ONE_EPOCH), tmp_path / "run")
    trainer = Trainer()
    run(tiny_study(TINY_CLAIM.replace("seeds: 5", "seeds: 10"), *ONE_EPOCH), folder.path, trainer)
    assert trainer.trained == 5 * 5
    with Journal(folder.journal, read_only=True) as journal:
        assert [(look.seeds, look.planned) for look in journal.looks()] == [(5, True), (10, False)]


@pytest.mark.parametrize(("trials", "is_complete"), [(None, True), (60, False), (40, False)])
def test_where_the_time_is_over_a_study_is_done_only_if_nothing_is_left(
    tmp_path: Path, trials: int | None, is_complete: bool
) -> None:
    study = tiny_study(TINY_CLAIM, *ONE_EPOCH)
    if is_complete:
        run(study, tmp_path / "run")
    else:
        with pytest.raises(Killed):
            run(study, tmp_path / "run", Trainer(trials))
    over = tiny_study(TINY_CLAIM, *ONE_EPOCH, "limits.time=1s")
    with Journal(tmp_path / "run" / "journal.sqlite") as journal:
        journal.keep_active_seconds(2.0)
    if is_complete:
        run(over, tmp_path / "run", Trainer(0))
    else:
        with pytest.raises(BudgetEnded, match="ended the study with no trial ended"):
            run(over, tmp_path / "run", Trainer(0))


def test_a_study_whose_time_is_over_before_a_look_is_not_done(tmp_path: Path, words: list[str]) -> None:
    words += ["inconclusive"]
    with pytest.raises(Killed):
        run(tiny_study(LOOKS, *ONE_EPOCH), tmp_path / "run", Trainer(52 + 4 + 49))
    with Journal(tmp_path / "run" / "journal.sqlite") as journal:
        assert len(journal.looks()) == 1
        for trial in journal.trials(states=["queued", "running"]):  # as if it had been killed before these were queued
            journal._connection.execute("DELETE FROM trials WHERE trial_id = ?", (trial.trial_id,))
        journal.keep_active_seconds(2.0)
    with pytest.raises(BudgetEnded):
        run(tiny_study(LOOKS, *ONE_EPOCH, "limits.time=1s"), tmp_path / "run", Trainer(0))


def begin_again_from(schema: int, folder: StudyFolder) -> None:
    """A journal of an older schema with all but what a run might have made taken out of it."""
    restore(schema, folder.journal)
    with closing(sqlite3.connect(folder.journal)) as connection, connection:
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in there & {"trials", "epochs", "failures"}:
            connection.execute(f"DELETE FROM {table} WHERE trial_id NOT IN (0, 2, 3)")
        for table in there & {"looks"}:
            connection.execute(f"DELETE FROM {table}")


def measured(*arguments: Any, latency: bool, **options: Any) -> Iterator[Any]:
    """Trains, and measures the latency that the kept studies minimise."""
    if latency:
        yield LatencyRow(1.0, 0.1)
    yield from train(*arguments, **options)


@pytest.mark.parametrize("schema", [7, 8])
def test_a_journal_with_rules_goes_on_by_them_and_knows_the_machines_of_its_new_trials(
    tmp_path: Path, schema: int
) -> None:
    folder = StudyFolder(tmp_path)
    begin_again_from(schema, folder)
    with Journal(folder.journal, read_only=True) as journal:
        study = journal.study()
    run_study(study, tmp_path, train=measured, backend=in_process)
    with Journal(folder.journal, read_only=True) as journal:
        assert journal.study().rules == 2
        trials = {trial.trial_id: trial for trial in journal.trials()}
        [here] = [key for key, machine in journal.machines().items() if machine.versions.get("ray")]
    assert trials[0].machine is None  # it had ended before anybody asked
    assert {trial.machine for number, trial in trials.items() if number > 3} == {here}
    assert judge_folder(tmp_path)[1].rules == 2


@pytest.mark.parametrize("schema", [2, 3, 4, 5, 6])
def test_a_journal_of_an_older_schema_goes_on_in_the_old_order_and_is_judged_by_the_first_rules(
    tmp_path: Path, schema: int
) -> None:
    """Its study file says nothing of rules, and today's default is another."""
    folder = StudyFolder(tmp_path)
    begin_again_from(schema, folder)
    with Journal(folder.journal, read_only=True) as journal:
        study = Study.model_validate(journal.study().model_dump(exclude={"rules"}))
    run_study(study, tmp_path, train=measured, backend=in_process)

    with Journal(folder.journal, read_only=True) as journal:
        assert journal.study().rules == 1
        assert {trial.arm for trial in journal.trials(phase="tune")} == {"cardinality", "width", "depth"}
        assert len({trial.seed for trial in journal.trials(phase="tune")}) == 1
        assert len(journal.trials(phase="confirm")) == 4 * 5
        assert journal.looks() == []
        first_tuned = min(trial.started_at or 0.0 for trial in journal.trials(phase="tune"))
        assert all((trial.ended_at or 0.0) <= first_tuned for trial in journal.trials(phase="search"))
    kept = folder.verdict.read_bytes()
    assert judge_folder(tmp_path)[1].rules == 1
    assert folder.verdict.read_bytes() == kept
    anew = judge_folder(tmp_path, rules=2)[1]
    assert "after the fact" in anew.notes[0]
    assert folder.verdict.read_bytes() == kept


def test_a_change_that_is_refused_leaves_an_older_journal_as_it_is(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    restore(4, folder.journal)
    before = folder.journal.read_bytes()
    with pytest.raises(StudyError, match=r"trainer\.epochs"):
        run_study(tiny_study("trainer.epochs=9"), tmp_path, train=train, backend=in_process)
    assert folder.journal.read_bytes() == before
    assert list(tmp_path.glob("journal-schema-*")) == []
