"""Copies and places as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from resnext_search.results import StudyFolder
from resnext_search.search.storage import owner as module
from resnext_search.search.storage.mirror import mirrored

from tests.support.helpers import TINY_STUDY
from tests.support.journals import ended_folder
from tests.support.shell import Shell


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLE_SECONDS", 0.0)


@pytest.fixture
def copy(shared: str, tmp_path: Path) -> str:
    """URI of the copy of a study that has ended; the folder is lost."""
    folder = ended_folder(tmp_path / "lost")
    with mirrored(shared, print) as mirror, mirror.following(folder, print, lambda: None):
        pass
    folder.path.rename(tmp_path / "gone")
    return shared


def test_a_study_file_that_names_a_place_is_refused_without_trust_before_anything_is_made(shell: Shell) -> None:
    (shell.folder / "given.yaml").write_text(TINY_STUDY + "resources: {checkpoints: 's3://theirs/x'}\n")
    code, words = shell.refused("run", "given.yaml")
    assert code == 2
    assert 'given.yaml:13: resources.checkpoints: found "s3://theirs/x" in a study file' in words
    assert "--trust" in words
    assert not (shell.folder / "runs").exists()
    shell.done("plan", "given.yaml", "--no-calibrate")  # which sends nothing anywhere


def test_a_study_goes_on_with_a_copy_in_the_folder_of_its_name(shell: Shell, copy: str) -> None:
    code, out, err = shell.ended("resume", copy)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"runs/tiny: goes on with the copy in {copy}"
    assert StudyFolder(Path("runs/tiny")).report.exists()
    assert not Path(copy.removeprefix("file://"), "owner.json").exists()


def test_the_same_run_in_an_empty_folder_goes_on_with_the_copy(shell: Shell, study: Path, copy: str) -> None:
    code, out, err = shell.ended("run", "tiny.yaml", "--mirror", copy, "--out", "here")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"here: goes on with the copy in {copy}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("resume", "s3://a/b", "--mirror", "s3://a/c"),
            "--mirror s3://a/c: what goes on from a copy keeps that copy\n",
        ),
        (("resume", "run", "--out", "there"), "--out there: only for a study that goes on from a copy\n"),
        (("run", "tiny.yaml", "--mirror", "ftp://a/b"), '--mirror: found "ftp://a/b"; allowed: s3://bucket/path, '),
        (("resume", "file:///there/is/none"), "resume: found file:///there/is/none, and there is no folder "),
    ],
)
def test_what_makes_no_sense_is_refused(shell: Shell, study: Path, arguments: tuple[str, ...], words: str) -> None:
    code, said = shell.refused(*arguments)
    assert code == 2
    assert said.startswith(f"resnext-search: {words}")


def test_a_place_without_a_copy_is_said(shell: Shell, shared: str) -> None:
    code, said = shell.refused("resume", shared)
    assert code == 2
    assert said == (
        f"resnext-search: resume: {shared} has no copy of a study\n"
        "`resnext-search run STUDY.yaml --mirror URI` keeps one there.\n"
    )
    assert list(Path(shared.removeprefix("file://")).iterdir()) == []
