"""Versions by name, and the commit of a checkout."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from resnext_search.spaces import versions as module
from resnext_search.spaces.versions import commit_of, said_by, versions


def git(folder: Path, *arguments: str) -> str:
    name = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    done = subprocess.run(["git", "-C", str(folder), *name, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("as committed")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    git(tmp_path, "tag", "v1")
    return tmp_path


def test_versions_are_those_that_are_installed() -> None:
    found = versions()
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["resnext-search"].startswith(version("resnext-search"))
    assert found["numpy"] == version("numpy")


def test_a_library_that_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIBRARIES", ("numpy", "no-such-library"))
    assert list(versions.__wrapped__()) == ["python", "resnext-search", "numpy"]


def test_a_checkout_has_a_commit_and_says_when_its_files_differ_from_it(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")[:12]
    assert commit_of(checkout) == commit
    (checkout / "file").write_text("changed since")
    assert commit_of(checkout) == f"{commit}-dirty"


def test_an_installation_inside_another_checkout_has_none(checkout: Path) -> None:
    (checkout / "site-packages").mkdir()
    assert commit_of(checkout / "site-packages") == ""


def test_a_program_that_is_missing_or_fails_says_nothing() -> None:
    assert said_by("no-such-program-anywhere") == ""
    assert said_by(sys.executable, "-c", "print('half'); raise SystemExit(1)") == ""
    assert said_by(sys.executable, "-c", "print('first'); print('second')") == "first"
