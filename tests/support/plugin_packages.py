"""Installed packages for tests of plug-ins: a module and its metadata in a folder that Python searches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def install(site: Path, name: str, code: str, entry_points: Mapping[str, Mapping[str, str]]) -> None:
    """Put a package where an installer would put it.

    Args:
        site: The folder.
        name: Of the package and its module.
        code: The module.
        entry_points: By group, and by their names in it.
    """
    (site / f"{name}.py").write_text(code)
    about = site / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = []
    for group, points in entry_points.items():
        lines += [f"[{group}]", *(f"{point} = {value}" for point, value in points.items()), ""]
    (about / "entry_points.txt").write_text("\n".join(lines))


# A trainer of slow epochs, which notes in the folder of the variable NOTES on which node a trial begins, when, and when
# its process was started. It goes on where it was, after three epochs only when somebody has put a file `go` there.
# Without torch, so that it begins soon.
NOTING = """
import os, time
from collections import namedtuple
from pathlib import Path

Epoch = namedtuple(
    "Epoch", "epoch learning_rate train_loss validation_loss validation_error seconds test_error test_correct"
)

def train(study, configuration, seed, *, checkpoint, **_):
    import psutil, ray

    with (Path(os.environ["NOTES"]) / checkpoint.stem).open("a") as file:
        node, started = ray.get_runtime_context().get_node_id(), psutil.Process().create_time()
        file.write(f"{time.time()} {node} {started}\\n")
    begun = int(checkpoint.read_text()) if checkpoint.exists() else 0
    for epoch in range(1, study.trainer.epochs + 1):
        while epoch > 3 and not Path(os.environ["NOTES"], "go").exists():
            time.sleep(0.1)
        if epoch > begun:
            time.sleep(0.1)
            checkpoint.write_text(str(epoch))
        yield Epoch(epoch, 0.1, 1.0, 1.0, 50.0, 0.5, None, None)
"""


def install_noting(site: Path) -> None:
    """Put the trainer `noting` into a folder that Python searches."""
    install(site, "noting", NOTING, {"resnext_search.trainers": {"noting": "noting:train"}})
