"""Everything that a journal can be made into: the arms of a claim for a paper, and the pictures of the report."""

from __future__ import annotations

from pathlib import Path

from resnext_search.results import Journal
from resnext_search.search.monitor.outputs import export_study

from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import FIGURES, completed, ended_folder, new_folder, point
from tests.support.shell import Shell


def test_a_claim_adds_its_arms_also_before_there_are_any(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path, tiny_study(TINY_CLAIM))
    with journal:
        completed(journal, point(0), 12.5)
        assert export_study(folder, journal)[-2:] == [folder.arms_latex, folder.arms_markdown]
    assert folder.arms_markdown.read_text().startswith("| arm | architecture |")
    assert len(folder.arms_markdown.read_text().splitlines()) == 2
    assert r"\begin{tabular}" in folder.arms_latex.read_text()


def test_figures_are_those_of_the_report(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with Journal(folder.journal, read_only=True) as journal:
        files = export_study(folder, journal, figures=True)
    drawn = [path for path in files if path.parent == folder.figures]
    assert [path.name for path in drawn] == [f"{name}.{kind}" for name in FIGURES for kind in ("png", "svg")]
    assert all(path.stat().st_size > 1000 for path in drawn)


def test_a_folder_that_is_in_the_way_is_told_in_words(shell: Shell, tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    folder.figures.write_text("a file")
    code, words = shell.refused("export", str(folder.path), "--figures")
    assert (code, "figures: cannot be written: File exists" in words) == (2, True)
