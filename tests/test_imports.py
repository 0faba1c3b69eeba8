"""Who imports whom: imports that point one way and never in a circle, and heavy libraries where they are fenced in."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.helpers import TINY_STUDY
from tests.support.journals import ended_folder

ROOT = Path(__file__).parents[1]
# Each line may import itself and the lines before it: packages of one line do not know each other.
RANKS = [
    ["spaces"],
    ["spaces.architecture"],
    ["spaces.search_space"],
    ["spaces.study"],
    ["spaces.claim"],
    ["trainers.data"],
    ["trainers"],
    ["results.statistics", "results.journal", "results.search_summary"],
    ["results.tables"],
    ["results.inference"],
    ["results.runs"],
    ["results.verdict", "results.figures"],
    ["results.report"],
    ["results"],
    ["search.surrogate"],
    ["search.optimizer", "search.planning"],
    ["search.monitor"],
    ["search.storage"],
    ["search.execution"],
    ["search.machines"],
    ["search.ray_backend"],
    ["search.lifecycle"],
    ["search.cli"],
    ["search"],
]
RANK = {package: rank for rank, packages in enumerate(RANKS) for package in packages}
# `results` and `trainers` do not know each other, though one of them comes first.
STRANGERS = {("results", "trainers"), ("trainers", "results")}
ROOMS = ("spaces", "trainers", "results", "search")
MOST_MODULES, MOST_LINES = 12, 350
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]

# where each may be imported, at the top of a file or inside a function
FENCES = {
    "ax": {"search/optimizer/ax_method.py", "search/monitor/ax_experiment.py"},
    "botorch": {"search/optimizer/ax_method.py"},
    "gpytorch": {"search/optimizer/ax_method.py"},  # the type of what BoTorch passes to a model that fits itself
    "ray": {"search/machines/settings.py"},
    "pandas": {
        "results/tables/trials.py",
        "results/runs/table.py",
        "results/verdict/verdict.py",
        "results/tables/files.py",
        "results/report/facts.py",
        "results/report/outputs.py",  # a type alone
        "results/runs/file.py",
        "results/runs/cells.py",  # its NA alone
        "results/runs/checks.py",  # a type alone
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
    "torchvision": {"trainers/data/readers.py", "trainers/data/decoding.py"},
    "PIL": {"trainers/data/decoding.py", "trainers/data/pixels.py"},
    "pyarrow": {"search/storage/place.py"},
    "sklearn": {"trainers/data/readers.py"},
}
OF_SPACES = {"numpy", "pydantic", "pydantic_core", "yaml"}
HEAVY = ("torch", "ax", "botorch", "ray")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room(path: Path) -> str:
    return name(path).split("/")[0]


def module(path: Path) -> str:
    """`search.cli.main`; of a package's `__init__` the package."""
    return name(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__")


MODULES = {module(path): path for path in FILES}


def package(of: str) -> str:
    """The one that a module has its rank from: a room's package, its root, or a module with a rank of its own."""
    if of in RANK:
        return of
    parts = of.split(".")
    return ".".join(parts[:2]) if len(parts) > 2 else parts[0]


def is_face(path: Path) -> bool:
    """Whether it only keeps short paths alive: `spaces/study/__init__.py` may name what lies above `spaces`."""
    return path.name == "__init__.py"


def imports_of(text: str) -> Iterator[str]:
    """Every module that a text imports, wherever in it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    yield from imports_of(path.read_text(encoding="utf-8"))


def of_the_project(path: Path) -> set[str]:
    """Modules of the project that a file imports; a name that is no module is one in it."""
    found = {one.removeprefix("resnext_search.") for one in imported(path) if one.startswith("resnext_search.")}
    return {one if one in MODULES else one.rpartition(".")[0] for one in found}


def circles(graph: dict[str, set[str]]) -> list[str]:
    """Groups of modules each of which leads to all the others."""
    found = []
    reached = {start: _reached(start, graph) for start in graph}
    for start in graph:
        around = {other for other in reached[start] if start in reached.get(other, ())}
        if around and start == min(around):
            found.append(" <-> ".join(sorted(around)))
    return found


def _reached(start: str, graph: dict[str, set[str]]) -> set[str]:
    found, waiting = set[str](), [start]
    while waiting:
        new = graph.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def test_the_rooms_are_found() -> None:
    assert {room(path) for path in FILES} == set(ROOMS)
    assert len(FILES) > 100
    assert {package(one) for one in MODULES} == set(RANK)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_point_one_way(path: Path) -> None:
    """No package imports one that comes later, and none of another package of its own line."""
    own = package(module(path))
    for other in sorted(map(package, of_the_project(path)) if not is_face(path) else ()):
        assert RANK[other] < RANK[own] or other == own, f"{name(path)} imports {other}, which is not below {own}"
        assert (own.split(".")[0], other.split(".")[0]) not in STRANGERS
    assert not {one.split(".")[0] for one in imported(path)} & set(ROOMS)  # never by their bare names


def test_no_module_leads_back_to_itself() -> None:
    assert circles({one: of_the_project(path) for one, path in MODULES.items()}) == []


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a <-> b <-> c"]


def test_a_folder_is_read_by_its_names_and_a_module_in_one_go() -> None:
    files = [path for top in (*ROOMS, "tests", "benchmarks") for path in sorted((ROOT / top).rglob("*.py"))]
    modules = Counter(path.parent for path in files if path.name not in ("__init__.py", "conftest.py"))
    assert {name(folder): count for folder, count in modules.items() if count > MOST_MODULES} == {}
    lines = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_only_two_packages_use_ray(path: Path) -> None:
    uses = any(one.startswith("resnext_search.search.machines.settings") for one in imported(path))
    assert not uses or package(module(path)) in ("search.machines", "search.ray_backend")


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
from resnext_search.search.ray_backend.worker import trainable
from resnext_search.spaces.study.file import parse_study
from resnext_search.trainers import train
study = parse_study(Path("tiny.yaml").read_text(), "tiny.yaml")
trial = trainable(study, Path("checkpoints"), train, gpu=0.0, confirm=False, look=str)
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


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_lists_the_names_that_it_promises_and_has_them(name: str) -> None:
    face = importlib.import_module(f"resnext_search.{name}")
    assert face.__all__ == sorted(face.__all__)
    assert all(hasattr(face, promised) for promised in face.__all__)


def test_the_first_room_can_be_looked_through(tmp_path: Path) -> None:
    """Its names are imported when they are used: `help` and completion are told them all the same."""
    code = "import resnext_search.spaces as spaces; assert set(spaces.__all__) <= set(dir(spaces))"
    assert loaded(code, tmp_path) == []
