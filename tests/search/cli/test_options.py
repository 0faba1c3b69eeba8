"""What the commands share: words in any order, `--serve` with and without a port, and completion in the shell."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from resnext_search.search.cli.main import commands
from resnext_search.search.cli.options import Command

from tests.support.shell import Shell


def parsed(words: str) -> dict[str, Any]:
    name, *rest = words.split()
    command = commands.commands[name]
    assert isinstance(command, Command)
    return command.make_context(name, rest).params


@pytest.mark.parametrize(
    ("words", "port"),
    [
        ("run study.yaml a=1 b=2", None),
        ("run study.yaml a=1 b=2 --serve", 0),
        ("run study.yaml --serve a=1 b=2", 0),
        ("run --serve study.yaml a=1 b=2", 0),
        ("run --serve 8080 study.yaml a=1 b=2", 8080),
        ("run study.yaml --serve=8080 a=1 b=2", 8080),
        ("run study.yaml a=1 --serve 0 b=2", 0),
        ("run study.yaml a=1 --serve --out runs/x b=2", 0),
        ("run --out runs/x study.yaml a=1 --serve 65535 b=2", 65535),
    ],
)
def test_the_port_may_be_left_out_and_is_never_what_follows(words: str, port: int | None) -> None:
    found = parsed(words)
    assert (found["study"], found["overrides"], found["serve"]) == (Path("study.yaml"), ("a=1", "b=2"), port)
    assert found["out"] == (Path("runs/x") if "--out" in words else None)


def test_a_folder_and_its_page_may_be_named_in_any_order() -> None:
    assert parsed("report --serve run --open") == parsed("report run --open --serve 0")
    assert parsed("resume --serve run a=1") == parsed("resume run a=1 --serve 0")
    asked = parsed("resume --serve run a=1")
    assert (asked["place"], asked["overrides"], asked["serve"]) == (Path("run"), ("a=1",), 0)


# ------------------------------------------------------------------ completion


@pytest.fixture
def completed(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the shell is told to offer after some words, the last of which is incomplete."""

    def offered(words: str) -> str:
        monkeypatch.setenv("_RESNEXT_SEARCH_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
        return shell.done()

    return offered


@pytest.mark.parametrize(
    ("words", "offer"),
    [
        ("resnext-search ru", "plain,run\n"),
        ("resnext-search export", "plain,export-model\nplain,export\n"),
        ("resnext-search plan --no", "plain,--no-calibrate\n"),
        ("resnext-search export-model run --format ", "plain,onnx\nplain,safetensors\n"),
        ("resnext-search run stu", "file,stu\n"),  # bash finds the files itself
        ("resnext-search run --serve 80 stu", "file,stu\n"),
        ("resnext-search status ru", "dir,ru\n"),
        ("resnext-search run study.yaml --out ru", "dir,ru\n"),
        ("resnext-search verdict ru", "file,ru\n"),
    ],
)
def test_commands_options_values_and_paths_are_completed(completed: Any, words: str, offer: str) -> None:
    assert completed(words) == offer


@pytest.mark.parametrize("kind", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_script(shell: Shell, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setenv("_RESNEXT_SEARCH_COMPLETE", f"{kind}_source")
    script = shell.done()
    assert f"_RESNEXT_SEARCH_COMPLETE={kind}_complete" in script
    assert "resnext-search" in script


ASK = """
eval "$(_RESNEXT_SEARCH_COMPLETE=bash_source resnext-search)"
complete -p resnext-search
COMP_WORDS=(resnext-search ru) COMP_CWORD=1
_resnext_search_completion resnext-search
echo "${COMPREPLY[@]}"
"""


def test_the_line_of_the_documentation_makes_bash_complete(tmp_path: Path) -> None:
    program = tmp_path / "resnext-search"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m resnext_search.search "$@"\n')
    program.chmod(0o755)
    bash = shutil.which("bash")
    assert bash
    asked = subprocess.run(
        [bash, "--norc", "-c", ASK],
        capture_output=True,
        text=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=True,
    )
    assert asked.stdout.splitlines()[-1] == "run"
    assert asked.stderr == ""
