"""The report: one page that says what there is, of a study in any state, and lets nothing of the study run in it."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

from resnext_search.results import Journal, StudyFolder
from resnext_search.results.report.outputs import write_report
from resnext_search.results.report.page import parts
from resnext_search.spaces import Study

from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import FIGURES, completed, ended_folder, facts_of, new_folder, point, started
from tests.support.shell import Shell


def parts_of(folder: StudyFolder) -> dict[str, Any]:
    with Journal(folder.journal, read_only=True) as journal:
        return parts(facts_of(folder, journal))


def words_of(html: str) -> str:
    """What a reader sees: without tags, with single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def study_folder(path: Path, study: Study) -> StudyFolder:
    folder, journal = new_folder(path, study)
    journal.close()
    return folder


def test_an_ended_study_has_its_trials_its_front_and_its_failures(tmp_path: Path) -> None:
    made = parts_of(ended_folder(tmp_path))
    top, front = words_of(made["sections"]["top"]), words_of(made["sections"]["front"])
    assert "Which ResNeXt of 20,804 to 22,992 multiply-adds errs least on digits?" in top
    assert "2x4d-8" in top
    assert "it reported 9.00 %" in top
    assert "4 of 4 trials" in front
    assert "0 search completed 1x6d-8 1-1 0.1 1,294 12.5" in front
    assert "TrainingDiverged 1 3 the loss is nan" in words_of(made["sections"]["failures"])
    assert set(made["figures"]) == set(FIGURES)
    assert "makes no claim" in made["sections"]["arms"]


def test_every_figure_has_words_and_a_table(tmp_path: Path) -> None:
    made = parts_of(ended_folder(tmp_path))
    everything = "".join(made["sections"].values())
    for name, figure in made["figures"].items():
        assert f'id="plot-{name}"' in everything
        assert f'id="numbers-{name}"' in everything
        assert re.search(r"[0-9]", figure["words"])


def test_an_empty_study_says_that_nothing_has_ended(tmp_path: Path) -> None:
    made = parts_of(study_folder(tmp_path, tiny_study(TINY_CLAIM)))
    assert "No trial has ended yet; 90 are planned." in words_of(made["sections"]["top"])
    assert made["figures"].keys() == {"flops"}
    assert "There is no trial yet." in made["sections"]["front"]
    assert "No trial of the search has completed yet." in made["sections"]["progress"]
    assert "better spent on cardinality than on width or depth" in made["sections"]["top"]


def test_a_study_that_was_broken_off_is_not_judged_yet(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path, tiny_study(TINY_CLAIM))
    with journal:
        completed(journal, point(0), 12.5)
        started(journal, point(1))
    made = parts_of(folder)
    arms, top = words_of(made["sections"]["arms"]), words_of(made["sections"]["top"])
    assert "The arms have not been judged yet. What a verdict lacks so far: No run of an arm confirms anything" in arms
    assert "invalid" not in arms
    assert "resnext-search · stopped" in top
    assert "not decided yet 1 of 90 trials have ended, and no run is at work" in top


def test_a_study_of_failures_alone_says_so(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path)
    with journal:
        for index in range(4):
            journal.fail(started(journal, point(index)), "ValueError", f"first line\nno <colour> {index}")
    made = parts_of(folder)
    assert "4 of 4 trials have ended, and all failed" in words_of(made["sections"]["top"])
    assert "ValueError 4 0, 1, 2, 3 no <colour> 3" in words_of(made["sections"]["failures"])


def test_nothing_of_a_study_becomes_markup_or_ends_a_script(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    folder, journal = new_folder(tmp_path)
    with journal:
        completed(journal, point(0), 12.5)
        journal.fail(started(journal, point(1)), evil, f"Traceback\n{evil}")
    folder.study.write_text(f"# {evil}\n")
    with Journal(folder.journal, read_only=True) as journal:
        write_report(folder.report, facts_of(folder, journal))
    html = folder.report.read_text()
    scripts = re.findall(r"<script.*?</script>", html, re.DOTALL)
    assert len(scripts) == 3  # the figures' data, plotly.js, ours
    assert all("alert(" not in script for script in scripts)
    assert "<img" not in re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert html.count("&lt;script&gt;alert(1)") >= 3  # the class, the message, the study file


def test_the_page_asks_for_nothing_and_lets_no_other_script_run(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with Journal(folder.journal, read_only=True) as journal:
        write_report(folder.report, facts_of(folder, journal))
    html = folder.report.read_text()
    policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    assert len(policy) == 1
    rules = dict(rule.strip().split(" ", 1) for rule in unescape(policy[0]).split(";"))
    assert rules["default-src"] == "'none'"
    assert "connect-src" not in rules
    assert re.fullmatch(r"('sha256-[A-Za-z0-9+/=]{44}' ?){2}", rules["script-src"])
    outside = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', outside)
    figures = re.findall(r'<script type="application/json" id="figures">(.*?)</script>', html)
    assert json.loads(figures[0])["front"]["data"]


def test_the_command_writes_the_page_and_says_where(shell: Shell, tmp_path: Path) -> None:
    folder = ended_folder(tmp_path / "run")
    assert shell.done("report", str(folder.path)) == f"{folder.report}\n"
    page = folder.report.read_text()
    assert shell.facts("report", str(folder.path), "--out", str(tmp_path / "a.html")) == {
        "file": str(tmp_path / "a.html")
    }
    assert (tmp_path / "a.html").read_text() == page
    assert not list(tmp_path.rglob("*.part"))


def test_a_damaged_journal_and_a_folder_without_one_are_told_in_words(shell: Shell, tmp_path: Path) -> None:
    folder = ended_folder(tmp_path / "run")
    folder.journal.write_bytes(b"not a journal" * 1000)
    code, words = shell.refused("report", str(folder.path))
    assert (code, "not readable as a journal" in words) == (1, True)
    code, words = shell.refused("report", str(tmp_path / "nowhere"))
    assert (code, "no such journal" in words) == (2, True)


def test_a_place_that_cannot_be_written_is_told_in_words(shell: Shell, tmp_path: Path) -> None:
    folder = ended_folder(tmp_path / "run")
    code, words = shell.refused("report", str(folder.path), "--out", str(folder.journal / "a.html"))
    assert (code, "a.html: cannot be written: Not a directory" in words) == (2, True)
