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
