"""Ray's folder goes with its run; what a killed run left is removed by the next one, and nothing else is."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from resnext_search.search.ray_backend.cluster import scratch_folder

KILLED = """
import os, signal
from resnext_search.search.ray_backend.cluster import scratch_folder
with scratch_folder() as path:
    (path / "session").mkdir()
    print(path, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's folder for temporary files, for us alone."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_the_folder_is_there_for_its_block_alone(root: Path) -> None:
    with scratch_folder() as path:
        assert path.is_dir()
        assert path.stat().st_mode & 0o777 == 0o700
    assert list(root.iterdir()) == []


def test_the_folder_of_a_killed_run_is_removed_by_the_next_one(root: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    left = Path(killed.stdout.strip())
    assert left.parent == root
    assert (left / "session").exists()
    with scratch_folder() as path:
        assert list(root.iterdir()) == [path]


def test_folders_of_live_runs_and_of_others_stay(root: Path) -> None:
    (root / "rs-without-lock").mkdir()
    (root / "elsewhere").mkdir()
    (root / "elsewhere" / "LOCK").touch()
    (root / "rs-link").symlink_to(root / "elsewhere")
    with scratch_folder() as live, scratch_folder():
        assert live.is_dir()
    assert sorted(path.name for path in root.iterdir()) == ["elsewhere", "rs-link", "rs-without-lock"]
    assert (root / "elsewhere" / "LOCK").exists()
