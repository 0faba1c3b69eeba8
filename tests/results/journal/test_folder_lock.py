"""The lock of a study folder: one run at a time, and none after the run's death."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from resnext_search.results.journal.folder import locked
from resnext_search.spaces.errors import FolderLocked

HOLDER = """
import sys
from pathlib import Path
from resnext_search.results.journal.folder import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """A process that holds the lock until its standard input ends."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    return holder


def test_a_second_run_is_refused_and_told_who_works_there(tmp_path: Path) -> None:
    with hold(tmp_path / "LOCK") as holder:
        with pytest.raises(FolderLocked) as caught, locked(tmp_path / "LOCK"):
            pass
        holder.communicate("")
    assert str(caught.value) == (
        f"{tmp_path}: another run works on this folder (process {holder.pid} on {socket.gethostname()})"
    )
    assert caught.value.hint == f"Follow it with: resnext-search status {tmp_path} --watch"
    assert caught.value.exit_code == 6


def test_the_lock_is_free_after_its_block_and_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path / "LOCK"):
            assert (tmp_path / "LOCK").read_text() == f"process {os.getpid()} on {socket.gethostname()}\n"


def test_the_lock_is_free_after_an_error_in_its_block(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "LOCK"):
        _ = 1 // 0
    with locked(tmp_path / "LOCK"):
        pass


def test_a_lock_left_behind_by_a_killed_run_locks_nothing(tmp_path: Path) -> None:
    with hold(tmp_path / "LOCK") as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    assert (tmp_path / "LOCK").read_text().startswith(f"process {holder.pid} ")
    with locked(tmp_path / "LOCK"):
        assert (tmp_path / "LOCK").read_text().startswith(f"process {os.getpid()} ")


def test_children_of_the_run_do_not_inherit_the_lock(tmp_path: Path) -> None:
    with locked(tmp_path / "LOCK"):
        child = subprocess.Popen(["sleep", "60"])
    with locked(tmp_path / "LOCK"):
        pass
    child.kill()
    child.wait()
