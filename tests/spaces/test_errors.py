"""The error tree: exit codes that scripts rely on, and messages that survive a process border."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path

import pytest
from resnext_search.spaces import errors
from resnext_search.spaces.errors import ResnextSearchError, StudyError, escaped, shown

TREE = {
    "ResnextSearchError": 1,
    "UsageError": 2,
    "StudyError": 2,
    "DataError": 2,
    "PluginError": 2,
    "MachineLost": 1,
    "EmptyFeasibleSet": 3,
    "TooManyFailures": 4,
    "BudgetEnded": 5,
    "FolderLocked": 6,
    "Interrupted": 130,
}


@pytest.mark.parametrize("name", TREE)
def test_exit_codes_are_those_of_the_manual(name: str) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, ResnextSearchError)
    assert kind.exit_code == TREE[name]


def test_the_tree_in_the_docstring_is_complete() -> None:
    module = Path(str(errors.__file__)).read_text(encoding="utf-8")
    classes = {node.name for node in ast.parse(module).body if isinstance(node, ast.ClassDef)}
    assert classes == set(TREE)
    drawn = {
        line.strip("│├└─ ").split()[0]: line for line in str(errors.__doc__).splitlines() if line.startswith("    ")
    }
    assert set(drawn) == classes
    assert all(f" {code} " in drawn[name] for name, code in TREE.items())


@pytest.mark.parametrize("name", TREE)
def test_message_and_hint_survive_a_process_border(name: str) -> None:
    error = getattr(errors, name)("what went wrong", hint="what to do")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), again.hint) == ("what went wrong", "what to do")


def test_the_hint_is_no_part_of_the_message() -> None:
    assert str(StudyError("a", hint="b")) == "a"
    assert StudyError("a").hint == ""


def test_names_are_shown_in_one_line_without_control_characters() -> None:
    assert escaped("a\nb\x1b[31m\x7f\x9b.png") == "a\\nb\\x1b[31m\\x7f\\x9b.png"
    assert escaped("\u202egnp\u2028") == "\\u202egnp\\u2028"
    assert escaped("caf\u00e9 \u732b \udce9") == "caf\u00e9 \u732b \\udce9"
    assert shown("a\nb\x1b[31m\x9b") == '"a\\nb\\u001b[31m\N{REPLACEMENT CHARACTER}"'
