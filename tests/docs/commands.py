"""The commands that stand in the documentation."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def lines_of(page: Path) -> list[str]:
    """The lines of its `sh` blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def commands_of(page: Path) -> list[list[str]]:
    """The words after `resnext-search`, of every line that calls it."""
    calls = [re.search(r"(?:^|/|&& )resnext-search (.*)", line) for line in lines_of(page)]
    return [shlex.split(call[1], comments=True) for call in calls if call]
