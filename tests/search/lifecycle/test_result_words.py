"""What a run says when it has ended."""

from __future__ import annotations

from pathlib import Path

import pytest
from resnext_search.results import Journal
from resnext_search.results.journal.folder import locked
from resnext_search.results.report.facts import read_results
from resnext_search.search.lifecycle import run as runs
from resnext_search.search.lifecycle.result_words import front_lines, result_words
from resnext_search.search.planning.confirmation import enqueue_confirmation

from tests.support.claims import end_confirmation, tune
from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import completed, ended_folder, new_folder, point


def test_the_front_the_best_and_the_files(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with Journal(folder.journal, read_only=True) as journal:
        lines = result_words(folder, journal, read_results(journal), 80).splitlines()
    assert lines == [
        "",
        "Pareto front of the search:",
        "  trial  architecture  blocks  learning_rate  activations  validation_error",
        "      1  2x4d-8        1-1               0.2        1,418                 9",
        "",
        "best in band: trial 0001 2x4d-8, from the search, validation error 9.00 % (9.05 % without its luck)",
        f"To train it on all but the test images: resnext-search refit {tmp_path}",
        f"Pareto front: {tmp_path}/pareto.csv",
        f"All trials: {tmp_path}/trials.csv",
    ]


def test_with_a_claim_the_verdict_too_and_no_line_of_a_table_is_too_long(tmp_path: Path) -> None:
    study = tiny_study(TINY_CLAIM)
    folder, journal = new_folder(tmp_path, study)
    with journal:
        tune(study, journal)
        completed(journal, point(1), 4.0)
        enqueue_confirmation(study, journal)
        end_confirmation(journal)
        words = result_words(folder, journal, read_results(journal), 80)
    assert "\nverdict: " in words
    assert f"\nVerdict: {folder.verdict}\n" in words
    assert all(len(line) <= 80 for line in words.splitlines() if line.startswith("  ") and "  - " not in line)


def test_a_front_of_three_objectives_loses_what_is_none_of_them() -> None:
    row = {
        "trial": 7,
        "architecture": "2x12d-11",
        "blocks": "1-1-1",
        "learning_rate": 0.06647,
        "activations": 14_986,
        "parameters": 93_838,
        "latency_ms": None,
        "validation_error": 0.8333333,
    }
    objectives = ["validation_error", "parameters", "latency_ms"]
    wide, narrow = front_lines([row], objectives, 200), front_lines([row], objectives, 60)
    assert wide[1].split() == ["7", "2x12d-11", "1-1-1", "0.06647", "14,986", "93,838", "0.8333"]
    assert narrow[0].split() == ["trial", "architecture", "blocks", "parameters", "validation_error"]


@pytest.mark.parametrize(("trials", "state"), [(4, "completed"), (6, "stopped")])
def test_the_report_that_a_run_writes_at_its_end_says_that_it_has_ended(
    tmp_path: Path, trials: int, state: str
) -> None:
    """It still holds the folder then."""
    folder = ended_folder(tmp_path)
    with Journal(folder.journal) as journal, locked(folder.lock):
        journal.change_study(tiny_study(f"search.trials={trials}"))
        runs._write_outputs(folder, journal)
    assert f'<span class="state ">{state}</span>' in folder.report.read_text()


def test_a_search_of_all_that_there_is_is_completed(tmp_path: Path) -> None:
    """Eight architectures at two rates: there is no seventeenth configuration."""
    folder, journal = new_folder(tmp_path, tiny_study("search.trials=80", "axes.learning_rate=[0.1, 0.2]"))
    with journal, locked(folder.lock):
        for number in range(16):
            completed(journal, point(number // 2, (0.1, 0.2)[number % 2]), 9.0 + number)
        runs._write_outputs(folder, journal)
    report = folder.report.read_text()
    assert '<span class="state ">completed</span>' in report
    assert "16 <small>of 16</small>" in report
