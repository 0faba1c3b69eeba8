"""Everything that a journal can be made into: the arms of a claim for a paper, and the pictures of the report."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache, partial
from pathlib import Path
from types import ModuleType

import pytest
from resnext_search.results import Journal
from resnext_search.results.report import facts, outputs
from resnext_search.results.report.outputs import export_study, write_outputs
from resnext_search.results.verdict import sources
from resnext_search.search.monitor.summary import summarize_search
from resnext_search.spaces.study import study as study_module

from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import FIGURES, completed, ended_folder, new_folder, point
from tests.support.shell import Shell


def test_a_claim_adds_its_arms_also_before_there_are_any(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path, tiny_study(TINY_CLAIM))
    with journal:
        completed(journal, point(0), 12.5)
        assert export_study(folder, journal, partial(summarize_search, folder, journal))[-2:] == [
            folder.arms,
            folder.arms.with_suffix(".md"),
        ]
    in_markdown = folder.arms.with_suffix(".md").read_text()
    assert in_markdown.startswith("| arm | architecture |")
    assert len(in_markdown.splitlines()) == 2
    assert r"\begin{tabular}" in folder.arms.read_text()
    assert not folder.budgets.exists()


def test_figures_are_those_of_the_report(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with Journal(folder.journal, read_only=True) as journal:
        files = export_study(folder, journal, partial(summarize_search, folder, journal), figures=True)
    drawn = [path for path in files if path.parent == folder.figures]
    assert [path.name for path in drawn] == [f"{name}.{kind}" for name in FIGURES for kind in ("png", "svg")]
    assert all(path.stat().st_size > 1000 for path in drawn)


def test_a_folder_that_is_in_the_way_is_told_in_words(shell: Shell, tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    folder.figures.write_text("a file")
    code, words = shell.refused("export", str(folder.path), "--figures")
    assert (code, "figures: cannot be written: File exists" in words) == (2, True)


def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each thing is made from the journal, from now on."""
    made = Counter[str]()

    def count(module: ModuleType, name: str) -> None:
        make = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, **named: (made.update([name]), make(*given, **named))[1])

    for module in (outputs, facts, sources):
        count(module, "trials_table")
    for module in (outputs, facts):
        count(module, "pareto_table")
    count(sources, "judge_trials")
    count(study_module, "enumerate_feasible")
    monkeypatch.setattr(study_module, "_enumerated", lru_cache(maxsize=1)(study_module.enumerate_feasible))
    return made


@pytest.mark.parametrize("command", ["export", "export with figures", "the end of a run"])
def test_what_follows_from_the_journal_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    folder, journal = new_folder(tmp_path, tiny_study(TINY_CLAIM, "objectives=[validation_error, activations]"))
    with journal:
        for index, error in enumerate((12.5, 9.0, 30.0)):
            completed(journal, point(index), error)
        made = counted(monkeypatch)
        summarize = partial(summarize_search, folder, journal)
        if command == "the end of a run":
            write_outputs(folder, journal, summarize)
        else:
            export_study(folder, journal, summarize, figures="figures" in command)
    assert made == {"trials_table": 1, "pareto_table": 1, "judge_trials": 1, "enumerate_feasible": 1}
