"""Has any of the exact versions in constraints.txt a known vulnerability? Asks PyPI's advisories, by pip-audit.

Needs pip-audit beside this Python. A mirror of PyPI has no advisories: where they cannot be reached this says so, and
passes, since that is no fault of the change that is tested. One package is asked about before the others are.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
PROBE = "pip==24.0"


def ask(requirements: str) -> list[dict[str, Any]]:
    """What pip-audit says of every requirement; nothing where it could not ask."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(requirements)
        file.flush()
        options = ["--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off", "--timeout", "20"]
        done = subprocess.run(
            [Path(sys.executable).with_name("pip-audit"), "-r", file.name, *options],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        dependencies: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except ValueError:
        return []
    return dependencies


def words_and_code(found: list[dict[str, Any]]) -> tuple[str, int]:
    """For people what was found, and for CI whether it may pass.

    >>> words_and_code([{"name": "pip", "skip_reason": "not found"}])[1]
    0
    """
    audited = [package for package in found if "skip_reason" not in package]
    if not audited:
        return "audit: the advisories of PyPI cannot be reached from here; NOTHING WAS AUDITED", 0
    skipped = [package["name"] for package in found if "skip_reason" in package]
    lines = [
        f"audit: {package['name']} {package['version']}: {problem['id']}, mended in "
        f"{', '.join(problem['fix_versions']) or 'no version yet'}"
        for package in audited
        for problem in package["vulns"]
    ]
    left_out = f"; not known to PyPI: {', '.join(skipped)}" if skipped else ""
    lines.append(f"audit: {len(audited)} packages, {len(lines)} known vulnerabilities{left_out}")
    return "\n".join(lines), int(len(lines) > 1)


def main() -> int:
    """Ask, and say what was found."""
    probe = ask(PROBE)
    reached = any("skip_reason" not in package for package in probe)
    words, code = words_and_code(ask(CONSTRAINTS.read_text(encoding="utf-8")) if reached else probe)
    print(words)
    return code


if __name__ == "__main__":
    sys.exit(main())
