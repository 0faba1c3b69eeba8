"""Runs commands of the command line in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from resnext_search.search.cli.main import main


class Shell:
    """Runs commands in this process, in a folder of their own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def done(self, *arguments: str) -> str:
        """What a command that succeeds prints; it has nothing to complain of."""
        code, out, err = self.ended(*arguments)
        assert (code, err) == (0, "")
        return out

    def facts(self, *arguments: str) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.done(*arguments, "--json"))

    def refused(self, *arguments: str) -> tuple[int, str]:
        """Exit code and complaint of a command that fails, and prints nothing else."""
        code, out, err = self.ended(*arguments)
        assert out == ""
        assert "Traceback" not in err
        assert "unexpected" not in err
        return code, err

    def ended(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, output and errors."""
        code = main(arguments)
        return code, *self.capsys.readouterr()
