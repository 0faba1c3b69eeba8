"""Whatever is printed can be printed: names that are no UTF-8, terminals of ASCII, an output that is full or closed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from resnext_search.search.cli.main import main
from resnext_search.search.lifecycle.run import run_study
from resnext_search.spaces.errors import UsageError

from tests.support.helpers import command, tiny_study
from tests.support.journals import ended_folder
from tests.support.shell import Shell

# A byte that is no UTF-8, as Python has it in a file's name.
NO_TEXT = os.fsdecode(b"r\xff")
RUNS = "arm,seed,test_error\n" + "".join(
    f"café,{seed},{5 + seed / 10}\nwidth,{seed},{6 + seed / 10}\n" for seed in range(10)
)
TERMINALS = [
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
]


def printed(
    arguments: Sequence[str], folder: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """What a command prints as a process of its own, as bytes."""
    environment = {**os.environ, **(environment or {})}
    return subprocess.run(
        command(*arguments), capture_output=True, cwd=folder, env=environment, timeout=120, check=False
    )


@pytest.mark.parametrize("terminal", TERMINALS, ids=str)
def test_what_a_terminal_cannot_show_is_printed_as_its_number(tmp_path: Path, terminal: dict[str, str]) -> None:
    (tmp_path / NO_TEXT).write_text(RUNS, encoding="utf-8")
    judged = printed(["verdict", NO_TEXT, "--claimant", "width"], tmp_path, terminal)
    assert (judged.returncode, judged.stderr) == (0, b"")
    assert judged.stdout.startswith(b"verdict: ")
    name = {"ascii": rb"caf\xe9", "latin-1": b"caf\xe9"}.get(terminal.get("PYTHONIOENCODING", "").split(":")[0])
    assert (name or (rb"caf\xe9" if "PYTHONUTF8" in terminal else "café".encode())) in judged.stdout


@pytest.mark.parametrize("terminal", [{"PYTHONIOENCODING": "ascii:strict"}, {"LANG": "C", "LC_ALL": ""}], ids=str)
def test_a_complaint_names_a_file_whose_name_is_no_text(tmp_path: Path, terminal: dict[str, str]) -> None:
    refused = printed(["plan", NO_TEXT], tmp_path, terminal)
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert refused.stderr.startswith(rb"resnext-search: r\udcff: no such file")


def test_a_study_folder_of_any_name_is_read_and_its_tables_are_written(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended_folder(shell.folder / NO_TEXT)
    assert shell.done("export", NO_TEXT).splitlines()[0] == r"r\udcff/trials.csv"
    assert shell.done("report", NO_TEXT) == "r\\udcff/report.html\n"
    assert (shell.folder / NO_TEXT / "trials.parquet").stat().st_size > 0
    for words in ("status", "best", "stop"):
        shell.done(words, NO_TEXT)
    assert shell.facts("report", NO_TEXT) == {"file": f"{NO_TEXT}/report.html"}


def test_a_study_is_not_begun_in_a_folder_that_ray_cannot_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "no study can be kept there: Ray takes no names that are not UTF-8"
    with pytest.raises(UsageError, match=words):
        run_study(tiny_study(), tmp_path / NO_TEXT)
    (tmp_path / NO_TEXT).mkdir()
    monkeypatch.chdir(tmp_path / NO_TEXT)
    with pytest.raises(UsageError, match=words):
        run_study(tiny_study(), tmp_path / "run")


def test_the_traceback_of_the_unexpected_is_written_whatever_is_in_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(words: list[str]) -> int:
        raise RuntimeError(words[0])

    monkeypatch.setattr(sys.modules[main.__module__], "_run", fail)
    code, _, err = shell.ended(NO_TEXT)
    assert (code, err) == (1, "resnext-search: unexpected RuntimeError: r\\udcff (details: resnext-search-error.txt)\n")
    assert (shell.folder / "resnext-search-error.txt").read_text().endswith("RuntimeError: r\\udcff\n")


SAYS = """
import sys
from pathlib import Path
from resnext_search.search.cli.main import main
from resnext_search.search.execution.context import words_apart
main(["--version"])
with words_apart(Path(sys.argv[1])) as console:
    print("to the log: caf\\u00e9 \\udcff")
    console.print("to the user: caf\\u00e9 \\udcff", console.options.ascii_only)
"""


@pytest.mark.parametrize(("encoding", "name"), [("ascii", rb"caf\xe9"), ("utf-8", "café".encode())])
def test_the_words_of_a_run_are_escaped_too(tmp_path: Path, encoding: str, name: bytes) -> None:
    said = subprocess.run(
        [sys.executable, "-c", SAYS, "log.txt"],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=True,
    )
    line = b"to the user: " + name + rb" \udcff " + str(encoding == "ascii").encode()
    assert said.stdout.splitlines()[1:] == [line]
    assert said.stderr == b""
    assert b"to the log: " + name + rb" \udcff" in (tmp_path / "log.txt").read_bytes()


@pytest.mark.parametrize("words", ["--help", "schema", "complexity 32x4d-50"])
def test_a_full_output_is_said_in_two_lines(words: str) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(command(*words.split()), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("resnext-search: a file: cannot be written: No space left on device\n")
    assert len(ended.stderr.splitlines()) == 2


def test_a_closed_output_is_no_error() -> None:
    words = " ".join(command("complexity", "32x4d-50"))
    ended = subprocess.run(f"{words} >&-", shell=True, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
