"""Ray's folder goes with its run; what a killed run left is removed by the next one, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from resnext_search.search.machines.scratch import scratch_folder
from resnext_search.spaces.errors import UsageError

KILLED = """
import os, signal
from resnext_search.search.machines.scratch import scratch_folder
with scratch_folder() as path:
    (path / "session").mkdir()
    print(path, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The system's folder for temporary files, for us alone; that of pytest has too long a name for sockets."""
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setenv("TMPDIR", short)
        monkeypatch.setattr(tempfile, "tempdir", None)
        yield Path(short)


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


# ------------------------------------------------------------------ names of sockets


@pytest.mark.parametrize(("length", "is_used"), [(31, True), (32, False), (80, False), (200, False)])
def test_a_folder_whose_sockets_would_have_too_long_names_is_not_used(
    root: Path, monkeypatch: pytest.MonkeyPatch, length: int, is_used: bool
) -> None:
    """107 bytes are allowed, and Ray and we add 76."""
    folder = root / ("x" * (length - len(str(root)) - 1))
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with scratch_folder() as path:
        assert path.parent == (folder if is_used else Path("/tmp"))
        socket_name = f"{path}/session_2026-11-30_16-16-00_123456_4194304/sockets/plasma_store"
        assert len(socket_name) <= 107


@pytest.mark.parametrize("name", ["ü", "\udcff"])
def test_a_folder_that_ray_cannot_name_is_not_used(root: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    folder = root / name
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with scratch_folder() as path:
        assert path.parent == Path("/tmp")


def test_without_any_folder_for_sockets_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/" + "x" * 99)
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    with pytest.raises(UsageError) as caught, scratch_folder():
        pass
    assert str(caught.value) == f'TMPDIR: found "/{"x" * 55}...; allowed: at most 31 characters of ASCII'
    assert caught.value.hint.endswith("set TMPDIR to a folder with a short name.")
