"""What tests of the command line, and of what hands out trials, have in common."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk import Desk
from tests.support.helpers import TINY_STUDY
from tests.support.shell import Shell


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path, capsys)


@pytest.fixture
def study(shell: Shell) -> Path:
    """The tiny study's file, in the folder of the shell."""
    path = shell.folder / "tiny.yaml"
    path.write_text(TINY_STUDY)
    return path


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Of the tiny study, without trials, open for writing."""
    made = Desk(tmp_path)
    with made.journal:
        yield made
