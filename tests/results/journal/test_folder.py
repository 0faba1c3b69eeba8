"""The names of a study folder: scripts read them, so they stay as they are."""

from __future__ import annotations

from pathlib import Path

from resnext_search.results import StudyFolder


def test_every_file_of_a_study_has_its_promised_name() -> None:
    folder = StudyFolder(Path("runs/tiny"))
    assert {
        name: getattr(folder, name).relative_to(folder.path).as_posix()
        for name in ("study", "plan", "journal", "trials", "pareto", "log", "checkpoints", "lock")
    } == {
        "study": "study.yaml",
        "plan": "plan.json",
        "journal": "journal.sqlite",
        "trials": "trials.csv",
        "pareto": "pareto.csv",
        "log": "log.txt",
        "checkpoints": "checkpoints",
        "lock": "LOCK",
    }


def test_checkpoints_sort_by_trial() -> None:
    names = [StudyFolder(Path("x")).checkpoint(number).name for number in (2, 10, 12_345)]
    assert names == ["trial-00002.pt", "trial-00010.pt", "trial-12345.pt"]
    assert names == sorted(names)


def test_naming_a_folder_makes_nothing(tmp_path: Path) -> None:
    assert not StudyFolder(tmp_path / "none").journal.exists()
    assert list(tmp_path.iterdir()) == []
