"""Who imports whom: four rooms, imports that point one way, and heavy libraries where they are fenced in."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.helpers import TINY_STUDY
from tests.support.journals import ended_folder

ROOT = Path(__file__).parents[1]
ROOMS = {
    "spaces": {"spaces"},
    "trainers": {"spaces", "trainers"},
    "results": {"spaces", "results"},
    "search": {"spaces", "trainers", "results", "search"},
}
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]

# where each may be imported, at the top of a file or inside a function
FENCES = {
    "ax": {"search/optimizer/ax_method.py"},
    "botorch": {"search/optimizer/ax_method.py"},
    "gpytorch": {"search/optimizer/ax_method.py"},  # the type of what BoTorch passes to a model that fits itself
    "ray": {"search/ray_backend/settings.py"},
    "pandas": {
        "results/tables/trials.py",
        "results/verdict/runs.py",
        "results/verdict/verdict.py",
        "results/tables/files.py",
        "results/report/facts.py",
        "search/monitor/outputs.py",  # a type alone
        "results/verdict/sources.py",
    },
    "matplotlib": {"results/figures/draw_matplotlib.py"},
    "plotly": set(),  # its JavaScript is read as a file, and its Python is not needed
    "jinja2": {"results/report/page.py"},
    "moocore": {"results/statistics/pareto.py"},
    "safetensors": {"trainers/refit.py"},
    "onnxruntime": {"trainers/onnx_file.py"},  # an extra: what imports that file says how to install it
    "onnxscript": {"trainers/onnx_file.py"},
    "tensorboardX": {"search/monitor/tracker_backends.py"},  # an extra, as are the next two
    "mlflow": {"search/monitor/tracker_backends.py"},
    "wandb": {"search/monitor/tracker_backends.py"},
    "torchvision": {"trainers/data/readers.py", "trainers/data/folder_images.py"},
    "PIL": {"trainers/data/folder_images.py"},
    "sklearn": {"trainers/data/readers.py"},
}
RAY_USERS = {
    f"search/ray_backend/{module}.py"
    for module in ("early_stopping", "callbacks", "searcher", "cluster", "tuner", "worker")
}
OF_SPACES = {"numpy", "pydantic", "pydantic_core", "yaml"}
HEAVY = ("torch", "ax", "botorch", "ray")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room(path: Path) -> str:
    return name(path).split("/")[0]


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}:{node.lineno}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_rooms_are_found() -> None:
    assert {room(path) for path in FILES} == set(ROOMS)
    assert len(FILES) > 40


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_point_one_way(path: Path) -> None:
    rooms = {module.split(".")[1] for module in imported(path) if module.split(".")[0] == "resnext_search"}
    assert rooms <= ROOMS[room(path)]
    assert not {module.split(".")[0] for module in imported(path)} & set(ROOMS)  # never by their bare names


@pytest.mark.parametrize("path", FILES, ids=name)
def test_few_files_use_ray(path: Path) -> None:
    uses = any(module.startswith("resnext_search.search.ray_backend.settings") for module in imported(path))
    assert uses == (name(path) in RAY_USERS)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_heavy_libraries_stay_in_their_files(path: Path) -> None:
    libraries = {module.split(".")[0] for module in imported(path)}
    for library, allowed in FENCES.items():
        assert library not in libraries or name(path) in allowed
    if room(path) == "spaces":
        assert libraries <= OF_SPACES | set(sys.stdlib_module_names) | {"resnext_search"}
    if room(path) == "results":
        assert "torch" not in libraries


def loaded(code: str, folder: Path, *arguments: str) -> list[str]:
    """Which heavy libraries a fresh process has imported after it ran some code."""
    report = f"\nimport json, sys\nprint(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", code + report, *arguments], capture_output=True, text=True, cwd=folder, check=True
    )
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


RUN_COMMAND = """
import sys
from resnext_search.search.cli import main
try:
    code = main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
assert code == 0, code
"""


@pytest.mark.parametrize(
    "command",
    [
        "--help",
        "--version",
        "plan tiny.yaml --no-calibrate",
        "status run",
        "export run",
        "best run",
        "report run",
        "complexity 32x4d-50",
        "paper",
        "schema",
        "init",
    ],
)
def test_a_command_that_trains_nothing_starts_without_the_heavy_libraries(tmp_path: Path, command: str) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY_STUDY)
    ended_folder(tmp_path / "run")
    assert loaded(RUN_COMMAND, tmp_path, *command.split()) == []


def test_a_study_that_cannot_run_is_refused_before_the_heavy_libraries_are_imported(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY_STUDY)
    refused = RUN_COMMAND.replace("code == 0", "code == 3")
    assert loaded(refused, tmp_path, "run", "tiny.yaml", "budget={multiply_adds: 20.4k, tolerance: 0}") == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import resnext_search.spaces", []),
        ("import resnext_search.results, resnext_search.results.tables.trials", []),
        (
            "import resnext_search.search.surrogate.effects",
            [],
        ),  # what was learned can be exported without the model's libraries
        ("import resnext_search.search.surrogate.study_model", []),
        ("import resnext_search.search", []),  # its names are imported when they are first used
        ("import resnext_search.trainers", ["torch"]),
        ("import resnext_search.search.ray_backend.worker", ["ray"]),
    ],
)
def test_a_room_brings_along_no_more_than_it_needs(tmp_path: Path, code: str, expected: list[str]) -> None:
    assert loaded(code, tmp_path) == expected


PACK = """
import sys
from pathlib import Path
from ray import cloudpickle
from resnext_search.search.worker import trainable
from resnext_search.spaces.study_file import parse_study
from resnext_search.trainers import train
study = parse_study(Path("tiny.yaml").read_text(), "tiny.yaml")
trial = trainable(study, Path("checkpoints"), train, gpu=0.0, confirm=False)
Path("trial.pickle").write_bytes(cloudpickle.dumps(trial))
"""
UNPACK = """
import pickle
with open("trial.pickle", "rb") as file:
    assert callable(pickle.load(file))
"""


@pytest.mark.slow
def test_a_worker_never_imports_ax(tmp_path: Path) -> None:
    """What Ray sends to a worker is unpickled there, and so imports what the file it comes from imports."""
    (tmp_path / "tiny.yaml").write_text(TINY_STUDY)
    assert "ray" in loaded(PACK, tmp_path)
    assert loaded(UNPACK, tmp_path) == ["torch", "ray"]


def test_the_names_of_the_search_room_are_imported_when_they_are_used() -> None:
    from resnext_search import search
    from resnext_search.search.optimizer import optimizer

    assert search.Optimizer is optimizer.Optimizer
    assert search.Failure is optimizer.Failure
    with pytest.raises(AttributeError, match=r"module 'resnext_search\.search' has no attribute 'Sweep'"):
        _ = search.Sweep
