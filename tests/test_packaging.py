"""The wheel: every file of the four rooms, nothing else, and a command line that works without the source tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
ROOMS = ("results", "search", "spaces", "trainers")
# Package data, by room.
EXTRA = {"spaces": ["*.yaml"], "results": ["templates/*"]}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that no build folder is left in the tree, and none that is there gets in."""
    copy = tmp_path_factory.mktemp("tree")
    for name in (*ROOMS, "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", "."]
    built = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    [wheel] = (copy / "dist").iterdir()
    return wheel


def test_the_wheel_holds_the_rooms_and_nothing_else(wheel: Path) -> None:
    expected = {
        f"resnext_search/{room}/{path.relative_to(ROOT / room).as_posix()}"
        for room in ROOMS
        for pattern in ("*.py", "py.typed", *EXTRA.get(room, ()))
        for path in (ROOT / room).rglob(pattern)
    }
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == expected
    assert {f"resnext_search/{room}/py.typed" for room in ROOMS} <= held
    assert "resnext_search/spaces/fixed_flops.yaml" in held
    assert "resnext_search/__init__.py" not in held  # a namespace: the rooms are its parts


def test_the_wheel_names_its_command_and_its_licence(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    about = {name.split(".dist-info/")[1]: name for name in archive.namelist() if ".dist-info/" in name}
    assert set(about) >= {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    assert archive.read(about["entry_points.txt"]).decode() == (
        "[console_scripts]\nresnext-search = resnext_search.search.cli:main\n"
    )
    assert "\nLicense-Expression: MIT\n" in archive.read(about["METADATA"]).decode()


def test_the_command_line_works_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    code = (
        "import sys, resnext_search.spaces as room; from resnext_search.search.cli.main import main; "
        "print(room.__file__); sys.exit(main(sys.argv[1:]))"
    )

    def run(*arguments: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=tmp_path / "elsewhere",
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        place, *lines = done.stdout.splitlines()
        assert place == str(tmp_path / "resnext_search" / "spaces" / "__init__.py")
        return lines

    assert run("complexity", "32x4d-50")[0] == "architecture  32x4d-50"
    assert run("init") == ["study.yaml", "Next: resnext-search plan study.yaml"]
    assert run("plan", "study.yaml", "--no-calibrate")[0].startswith("fixed-flops: 71 trials, 16 to search, ")
