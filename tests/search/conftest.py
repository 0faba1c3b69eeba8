"""What tests of the command line have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

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
