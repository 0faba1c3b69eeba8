"""Which versions are at work here? Of Python, of the libraries that a result depends on, and of this program."""

from __future__ import annotations

import platform
import subprocess
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PROGRAM = "resnext-search"
LIBRARIES = ("torch", "torchvision", "ax-platform", "botorch", "ray", "numpy", "scipy", "pandas")
_ROOT = Path(__file__).parents[1]


@cache
def versions() -> dict[str, str]:
    """By name, those that are installed, none of them imported; of a checkout of this program its commit too.

    >>> list(versions())[:2]
    ['python', 'resnext-search']
    """
    found = {"python": platform.python_version()}
    for name in (PROGRAM, *LIBRARIES):
        with suppress(PackageNotFoundError):  # whoever only reads or only trains needs some of them
            found[name] = version(name)
    if commit := commit_of(_ROOT):
        found[PROGRAM] = f"{found.get(PROGRAM, 'unknown')} (commit {commit})"
    return found


def commit_of(root: Path) -> str:
    """The commit of the checkout in a folder, with `-dirty` if its files differ from it; empty if it is none."""
    if not (root / ".git").exists():  # a file in a worktree; an installation may lie inside another project's checkout
        return ""
    return said_by("git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")


def said_by(*command: str) -> str:
    """The first line that a program prints; empty if there is no such program, or it fails, or takes ten seconds."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.partition("\n")[0].strip()
