"""The command line: what it prints, its exit codes, and no traceback on the screen whatever goes wrong."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from resnext_search.results import Journal
from resnext_search.results.journal.folder import locked
from resnext_search.search.cli.main import EXIT_CODES

from tests.support.helpers import command, finish
from tests.support.journals import ended_folder, epoch_row, new_folder, point, started
from tests.support.rights import without_rights_to
from tests.support.shell import Shell

ROOT = Path(__file__).parents[3]

# ------------------------------------------------------------------ help, and bad usage

COMMANDS = [
    "run",
    "resume",
    "plan",
    "stop",
    "retry",
    "refit",
    "export-model",
    "status",
    "export",
    "report",
    "best",
    "verdict",
    "complexity",
    "paper",
    "schema",
    "init",
    "doctor",
]


def test_without_a_command_the_help_is_printed_and_names_all_commands(shell: Shell) -> None:
    out = shell.done()
    assert re.findall(r"^  ([a-z][a-z-]+)  ", out, re.MULTILINE) == COMMANDS
    assert (
        "tune the arms, search, confirm,\n                tables, verdict." in out
    )  # whole, where click would put dots
    assert "3 no architecture inside the FLOP band" in out


@pytest.mark.parametrize("name", ["", *COMMANDS])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_help(shell: Shell, name: str, option: str) -> None:
    out = shell.done(*name.split(), option)
    assert out.startswith(f"Usage: resnext-search {name}".rstrip())


def test_the_readme_explains_every_command_and_exit_code(shell: Shell) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert re.search(rf"^\| `{name}[ `]", readme, re.MULTILINE), name
    for code in EXIT_CODES:
        assert re.search(rf"\b{code} [a-z]", readme), code


def test_the_version_is_that_of_the_package(shell: Shell) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", shell.done("--version"))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("search", "no such command 'search'\nSee: resnext-search --help\n"),
        ("plam", "no such command 'plam'. Did you mean 'plan'?\nSee: resnext-search --help\n"),
        ("plan", "missing argument 'STUDY.yaml'\nSee: resnext-search plan --help\n"),
        ("best", "missing argument 'DIR'\nSee: resnext-search best --help\n"),
        ("retry run", "missing option '--failed'\nSee: resnext-search retry --help\n"),
        (
            "export-model run --format pickle",
            "invalid value for '--format': 'pickle' is not one of 'onnx', 'safetensors'\n"
            "See: resnext-search export-model --help\n",
        ),
        (
            "complexity 32x4d-50 --classes ten",
            "invalid value for '--classes': 'ten' is not a valid integer\nSee: resnext-search complexity --help\n",
        ),
        ("schema --yaml", "no such option '--yaml'\nSee: resnext-search schema --help\n"),
        ("best a b", "got unexpected extra argument (b)\nSee: resnext-search best --help\n"),
        ("export run --objectives", "option '--objectives' requires an argument\nSee: resnext-search --help\n"),
        (
            "report run --out --json",
            "invalid value for '--out': '--json' is an option, and a path is needed here\n"
            "See: resnext-search report --help\n",
        ),
    ],
)
def test_bad_usage_says_what_is_wrong_and_which_help_to_read(shell: Shell, words: str, complaint: str) -> None:
    assert shell.ended(*words.split()) == (2, "", f"resnext-search: {complaint}")
    assert list(shell.folder.iterdir()) == []


# ------------------------------------------------------------------ the unexpected


def spoil(path: Path) -> None:
    """Something that nobody foresaw: configurations in the journal that are none."""
    folder = ended_folder(path)
    with Journal(folder.journal) as journal:
        journal._connection.execute("UPDATE trials SET configuration = '{}'")


def test_the_unexpected_is_one_line_with_its_traceback_in_a_file(shell: Shell) -> None:
    spoil(shell.folder / "run")
    code, out, err = shell.ended("best", "run")
    assert (code, out) == (1, "")
    assert err.startswith("resnext-search: unexpected KeyError: ")
    assert err.endswith("(details: resnext-search-error.txt)\n")
    assert "Traceback" not in err
    assert (shell.folder / "resnext-search-error.txt").read_text().startswith("Traceback (most recent call last):\n")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS])
def test_a_full_disk_is_said_wherever_it_is_met(shell: Shell, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def full(path: Path, content: str) -> None:
        if path.name == "effects.csv":
            raise OSError(number, os.strerror(number), str(path))
        path.write_text(content)

    ended_folder(shell.folder / "run")
    monkeypatch.setattr("resnext_search.results.tables.files.write_whole", full)
    assert shell.refused("export", "run") == (
        1,
        f"resnext-search: run/effects.csv: cannot be written: {os.strerror(number)}\n"
        "Make room on the disk, then give the same command again: what has finished is saved.\n",
    )
    assert not (shell.folder / "resnext-search-error.txt").exists()


def test_a_study_in_the_journal_that_is_no_longer_understood_is_refused_in_words(shell: Shell) -> None:
    """As when a plug-in was uninstalled that brought its data."""
    folder = ended_folder(shell.folder / "run")
    with Journal(folder.journal) as journal:
        text = journal.study().model_dump_json().replace('"digits"', '"shapes"')
        journal._connection.execute("UPDATE meta SET value = ? WHERE key = 'study'", (text,))
    code, complaint = shell.refused("status", "run")
    assert code == 2
    assert complaint.startswith('resnext-search: run/journal.sqlite:1: data.name: found "shapes"; allowed: digits, ')


def test_the_traceback_goes_elsewhere_where_this_folder_cannot_be_written(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(shell.folder / "run")
    shell.ended("best", "run")  # what it imports must be there before the rights are gone
    with without_rights_to(spoil) as path:
        monkeypatch.chdir(path)
        code, _, err = shell.ended("best", ".")
        [details] = re.findall(r"\(details: (.*)\)\n", err)
        assert code == 1
        assert Path(details).read_text().startswith("Traceback")
    monkeypatch.chdir(shell.folder)
    Path(details).unlink()
    Path(details).parent.rmdir()


# ------------------------------------------------------------------ as a user starts it


def test_python_m_of_the_search_room_prints_and_exits_as_in_this_process(shell: Shell, study: Path) -> None:
    done = finish(["complexity", "32x4d-50", "--json"], shell.folder)
    assert (done.returncode, json.loads(done.stdout)["parameters"], done.stderr) == (0, 25_028_904, "")
    refused = finish(["run", "tiny.yaml", "budget={multiply_adds: 20.4k, tolerance: 0}"], shell.folder)
    assert (refused.returncode, refused.stdout, "Traceback" in refused.stderr) == (3, "", False)
    unknown = finish(["nothing"], shell.folder)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr == "resnext-search: no such command 'nothing'\nSee: resnext-search --help\n"


def test_the_installed_script_is_this_command(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("resnext-search")
    done = subprocess.run([script, "complexity", "32x4d-50"], capture_output=True, text=True, cwd="/", check=True)
    assert done.stdout.startswith("architecture  32x4d-50\n")


@pytest.mark.parametrize("arguments", [["complexity", "32x4d-50"], ["schema"]])
def test_a_reader_who_goes_away_is_no_error(arguments: list[str]) -> None:
    """As in `resnext-search schema | head`; short output is written only when the process ends."""
    reader, writer = os.pipe()
    os.close(reader)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        command(*arguments), stdout=writer, stderr=subprocess.PIPE, text=True, env=environment, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("interrupt", [True, False])
def test_watching_ends_with_the_run_or_with_ctrl_c(shell: Shell, interrupt: bool) -> None:
    folder, journal = new_folder(shell.folder / "run")
    with journal:
        number = started(journal, point(0))
        with locked(folder.lock):
            watcher = subprocess.Popen(
                command("status", "run", "--watch"),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                # a test run in the background of a shell script ignores Ctrl-C, and its children would too
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
            assert watcher.stdout is not None
            assert watcher.stdout.readline() == "tiny: running; trials: 1 running, of 4\n"
            assert watcher.stdout.readline() == "  trial 0000 1x6d-8 (1-1) lr=0.1  epoch 0/2\n"
            journal.record_epoch(number, epoch_row(1, 5.0), device="cpu", host="here", final=True)
            if interrupt:
                watcher.send_signal(signal.SIGINT)
                out, err = watcher.communicate(timeout=30)
        if not interrupt:
            out, err = watcher.communicate(timeout=30)
    if interrupt:
        assert watcher.returncode == 130
        assert err == "resnext-search: interrupted\nGive the same command again to continue.\n"
    else:
        assert (watcher.returncode, err) == (0, "")
        assert "tiny: not running; trials: 1 completed, of 4\nbest in band: trial 0000" in out
