"""What is found wrong with a study folder, and the advice that comes with it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from resnext_search.results import Journal, StudyFolder
from resnext_search.results.journal.folder import locked
from resnext_search.results.tables.files import write_effects, write_tables
from resnext_search.results.tables.trials import trials_table
from resnext_search.search.cli.folder_checks import check_folder
from resnext_search.search.cli.machine_checks import Check
from resnext_search.search.monitor.summary import summarize_search

from tests.results.journal.journal_fixtures import restore
from tests.support.journals import ended_folder, new_folder, point, started, tables_of
from tests.support.rights import without_rights_to
from tests.support.shell import Shell


def found(folder: StudyFolder) -> dict[str, Check]:
    return {check.what: check for check in check_folder(folder)}


def finished(path: Path) -> StudyFolder:
    """A folder as a run leaves it."""
    folder = ended_folder(path)
    with Journal(folder.journal, read_only=True) as journal:
        write_tables(folder, *tables_of(journal))
        write_effects(folder, summarize_search(folder, journal).effects, trials_table(journal))
    folder.report.write_text("")
    return folder


def test_nothing_is_wrong_with_a_study_that_has_ended(tmp_path: Path) -> None:
    checks = found(finished(tmp_path))
    assert list(checks) == [
        *("lock", "folder", "journal", "schema", "trials", "checkpoints"),
        *("trials.csv", "pareto.csv", "effects.csv", "report.html"),
    ]
    assert [what for what, check in checks.items() if not check.ok or check.advice or check.stops] == []
    assert (checks["lock"].found, checks["journal"].found) == ("free", "sound")
    assert checks["trials"].found == "3 completed, 1 failed"


def test_tables_that_do_not_know_the_last_fact_are_out_of_date(tmp_path: Path) -> None:
    folder = finished(tmp_path)
    folder.effects.unlink()
    for path in (folder.trials, folder.pareto, folder.report):
        os.utime(path, (1, 1))
    checks = found(folder)
    assert checks["trials.csv"][:4] == (
        *("trials.csv", "out of date", False),
        f"make it anew: resnext-search export {tmp_path}",
    )
    assert checks["effects.csv"].found == "missing"
    assert checks["report.html"].advice == f"make it anew: resnext-search report {tmp_path}"


def test_a_study_that_was_broken_off_comes_with_the_command_that_continues_it(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path)
    with journal:
        started(journal, point(0))
    folder.lock.write_text("process 1 on here\n")
    checks = found(folder)
    assert checks["trials"][:4] == ("trials", "1 running", True, f"continue with: resnext-search resume {tmp_path}")
    assert checks["lock"][1:3] == ("left behind (process 1 on here), locks nothing", True)


def test_what_was_left_behind_is_found_and_what_a_trial_needs_is_not_touched(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path)
    folder.checkpoints.mkdir()
    with journal:
        folder.checkpoint(started(journal, point(0))).write_bytes(b"needed")
        journal.fail(started(journal, point(1)), "ValueError", "")
    folder.checkpoint(1).write_bytes(b"not needed")
    (folder.checkpoints / "ray").mkdir()
    (folder.checkpoints / "ray" / "experiment_state.json").write_bytes(b"{}")
    (tmp_path / "trials.csv.0123abcd.part").write_bytes(b"half")
    checks = found(folder)
    assert not checks["checkpoints"].ok
    assert checks["checkpoints"].found.startswith("2 files of 0.0 MiB are of no trial that waits, such as ")
    assert str(folder.checkpoint(0)) not in checks["checkpoints"].found
    assert checks["drafts"].found == f"1 left behind, such as {tmp_path}/trials.csv.0123abcd.part"
    assert folder.checkpoint(1).exists()  # it looks only


def test_beside_a_live_run_nothing_is_called_left_behind(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path)
    folder.checkpoints.mkdir()
    (folder.checkpoints / "trial-00009.pt.0123.part").write_bytes(b"being written")
    (tmp_path / "plan.json.0123.part").write_bytes(b"being written")
    with journal, locked(folder.lock):
        started(journal, point(0))
        checks = found(folder)
    assert list(checks) == ["lock", "folder", "journal", "schema", "trials"]
    assert checks["lock"].found.startswith(f"held by a live run (process {os.getpid()} on ")
    assert not checks["trials"].advice


def test_damage_to_the_journal_is_found_wherever_it_lies(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with closing(sqlite3.connect(folder.journal)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = folder.journal.read_bytes()
    for page in range(1, len(whole) // 4096):
        damaged = bytearray(whole)
        damaged[page * 4096 : page * 4096 + 512] = b"\xff" * 512
        folder.journal.write_bytes(damaged)
        complaints = [check for check in check_folder(folder) if check.what == "journal" and not check.ok]
        assert any(complaint.stops for complaint in complaints)
        assert all("copy" in complaint.advice for complaint in complaints)


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    assert found(StudyFolder(tmp_path))["journal"] == (
        *("journal", f"{tmp_path}/journal.sqlite: no such journal", False),
        *("Is this a study folder? `resnext-search run` makes one.", True),
    )


def test_an_older_schema_is_no_fault(tmp_path: Path) -> None:
    restore(2, tmp_path / "journal.sqlite")
    schema = found(StudyFolder(tmp_path))["schema"]
    assert schema.found.startswith("2, older than ")
    assert (schema.ok, schema.advice) == (True, "`resume` changes it, and keeps a copy")


def test_a_folder_that_cannot_be_written_is_said() -> None:
    with without_rights_to(ended_folder) as path:
        assert found(StudyFolder(path))["folder"].stops
        assert "copy it elsewhere" in found(StudyFolder(path))["folder"].advice


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resnext_search.search.cli.folder_checks.LEAST_DISK_BYTES", 2**80)
    assert found(ended_folder(tmp_path) and StudyFolder(tmp_path))["folder"][2:4] == (False, "make room first")


def test_the_command_looks_at_the_machine_and_the_folder(shell: Shell) -> None:
    finished(shell.folder / "runs")
    facts = {fact["what"]: fact for fact in shell.facts("doctor", "runs")}
    assert facts["python"]["ok"]
    assert facts["journal"]["found"] == "sound"
