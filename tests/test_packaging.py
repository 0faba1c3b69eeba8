"""The sdist, and the wheel built from it: every file of the rooms, and a command that needs no source tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
ROOMS = ("results", "search", "spaces", "trainers")
# Package data, by room.
EXTRA = {"spaces": ["*.yaml"], "results": ["templates/*"]}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By their endings. Built from a copy: no build folder is left in the tree, and none that is there gets in."""
    copy = tmp_path_factory.mktemp("tree")
    for name in (*ROOMS, "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist", "."]
    made = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return {path.suffix: path for path in (copy / "dist").iterdir()}


@pytest.fixture
def wheel(built: dict[str, Path]) -> Path:
    return built[".whl"]


def files_of_the_rooms() -> set[str]:
    """`spaces/study/study.py`: all that the rooms have of code and package data."""
    return {
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for pattern in ("*.py", "py.typed", *EXTRA.get(room, ()))
        for path in (ROOT / room).rglob(pattern)
    }


def test_every_package_is_named_in_the_project_file() -> None:
    """An editable install finds a package that is not, and a wheel lacks it."""
    named = set(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"])
    folders = {file.rpartition("/")[0] for file in files_of_the_rooms() if file.endswith(".py")}
    assert named == {f"resnext_search.{folder.replace('/', '.')}" for folder in folders}


def test_the_sdist_holds_the_rooms(built: dict[str, Path]) -> None:
    with tarfile.open(built[".gz"]) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert files_of_the_rooms() <= held
    assert {"pyproject.toml", "README.md", "LICENSE"} <= held


def test_the_wheel_built_from_it_holds_the_rooms_and_nothing_else(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == {f"resnext_search/{file}" for file in files_of_the_rooms()}
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
    assert run("plan", "study.yaml", "--no-calibrate")[0].startswith("fixed-flops: 189 trials, 12 to search, ")
