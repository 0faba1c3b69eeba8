"""The audit of dependencies in CI: what it makes of pip-audit's report."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SOUND = {"name": "numpy", "version": "2.0", "vulns": []}
BROKEN = {"name": "pyyaml", "version": "5.3", "vulns": [{"id": "PYSEC-2021-142", "fix_versions": ["5.4"]}]}
UNMENDED = {"name": "ray", "version": "2.60", "vulns": [{"id": "X-1", "fix_versions": []}]}
UNKNOWN = {"name": "torch", "skip_reason": "Dependency not found on PyPI and could not be audited: torch (2.14.1)"}


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("found", "words", "code"),
    [
        ([SOUND], "audit: 1 packages, 0 known vulnerabilities", 0),
        ([SOUND, UNKNOWN], "audit: 1 packages, 0 known vulnerabilities; not known to PyPI: torch", 0),
        (
            [SOUND, BROKEN, UNMENDED],
            "audit: pyyaml 5.3: PYSEC-2021-142, mended in 5.4\naudit: ray 2.60: X-1, mended in no version yet\n"
            "audit: 3 packages, 2 known vulnerabilities",
            1,
        ),
    ],
)
def test_a_known_vulnerability_fails_and_is_named(
    audit: ModuleType, found: list[dict[str, Any]], words: str, code: int
) -> None:
    assert audit.words_and_code(found) == (words, code)


@pytest.mark.parametrize("found", [[], [UNKNOWN]])
def test_where_nobody_could_look_it_is_said_and_never_called_sound(
    audit: ModuleType, found: list[dict[str, Any]]
) -> None:
    words, code = audit.words_and_code(found)
    assert "NOTHING WAS AUDITED" in words
    assert "0 known" not in words
    assert code == 0
