"""The example of docs/plugins.md: installed as a package is, planned without torch, and run on a real Ray."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from tests.support.helpers import command
from tests.support.plugin_packages import install

PAGE = (Path(__file__).parents[1] / "docs" / "plugins.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The page's only block of code in that language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The page's package is installed in `site`, its study lies beside it."""
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", "blobs", block("python"), tomllib.loads(block("toml"))["project"]["entry-points"])
    (tmp_path / "blobs.yaml").write_text(block("yaml"))
    return tmp_path


def done(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder / "site")}
    return subprocess.run(words, capture_output=True, text=True, cwd=folder, env=environment, timeout=300, check=False)


def test_the_example_is_short() -> None:
    assert len([line for line in block("python").splitlines() if line.strip()]) <= 20


def test_the_study_of_the_example_is_planned_without_torch(folder: Path) -> None:
    code = (
        "import sys; from resnext_search.search.cli.main import main; "
        "assert main(['plan', 'blobs.yaml', '--no-calibrate']) == 0; assert 'torch' not in sys.modules"
    )
    planned = done(folder, sys.executable, "-c", code)
    assert (planned.returncode, planned.stderr) == (0, "")
    assert planned.stdout.startswith("blobs: 2 trials\n")
    assert planned.stdout.endswith("time              not measured: the trainer is the plug-in gentle\n")


def test_a_package_that_is_not_installed_is_missed_in_the_study_file(folder: Path) -> None:
    (folder / "site" / "blobs-1.0.dist-info" / "entry_points.txt").unlink()
    refused = done(folder, *command("run", "blobs.yaml"))
    assert refused.returncode == 2
    assert 'blobs.yaml:2: data.name: found "blobs"; allowed: digits, ' in refused.stderr
    assert 'trainer.plugin: found "gentle"; allowed: nothing, since no package' in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_trainer_that_cannot_be_imported_ends_a_run_before_it_begins(folder: Path) -> None:
    points = folder / "site" / "blobs-1.0.dist-info" / "entry_points.txt"
    points.write_text(points.read_text().replace("blobs:train_gently", "blobs:train_rudely"))
    refused = done(folder, *command("run", "blobs.yaml"))
    assert refused.returncode == 2
    assert refused.stderr == (
        "resnext-search: plug-in gentle (blobs:train_rudely) cannot be imported: AttributeError: module 'blobs' has no "
        "attribute 'train_rudely'\n"
    )
    assert not (folder / "runs").exists()


@pytest.mark.slow
def test_the_study_of_the_example_runs_with_its_images_and_its_trainer(folder: Path) -> None:
    ran = done(folder, *command("run", "blobs.yaml"))
    assert (ran.returncode, ran.stderr) == (0, "")
    trials = pd.read_csv(folder / "runs/blobs/trials.csv")
    assert trials.state.tolist() == ["completed"] * 2
    assert trials.data.tolist() == ["blobs"] * 2
    assert trials.validation_error.max() < 50  # by chance 50
    refused = done(folder, *command("refit", "runs/blobs"))
    assert refused.returncode == 2
    assert "its trials were trained by the plug-in gentle, which leaves no network" in refused.stderr
    # without the package, what is there cannot be read any more, and that is said
    left = subprocess.run(command("status", "runs/blobs"), capture_output=True, text=True, cwd=folder, check=False)
    assert left.returncode == 2
    assert 'data.name: found "blobs"; allowed: digits, ' in left.stderr
