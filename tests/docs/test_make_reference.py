"""The reference is what the code says."""

from __future__ import annotations

import re

import pytest
from resnext_search.search.cli.main import commands
from resnext_search.spaces import Study

from docs.make_reference import REFERENCE, pages


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_committed_page_is_what_the_code_makes(name: str) -> None:
    """If this fails: python -m docs.make_reference"""
    assert (REFERENCE / name).read_text(encoding="utf-8") == pages()[name]


def test_nothing_else_lies_there() -> None:
    assert {path.name for path in REFERENCE.iterdir()} == set(pages())


def test_every_key_command_and_option_is_in_it() -> None:
    text = pages()["study.md"]
    for key in Study.model_fields:
        assert f"| `{key}` |" in text
    for key in ("tuning_trials", "label_smoothing", "multiply_adds", "early_stopping", "cardinality"):
        assert f"| `{key}` |" in text
    page = pages()["commands.md"]
    assert re.findall(r"^## `(.*)`$", page, re.MULTILINE) == list(commands.commands)
    assert "| `--serve [PORT]` |" in page
    assert "| `--format onnx\\|safetensors` |" in page
    assert "- 130 interrupted (state saved)" in page
