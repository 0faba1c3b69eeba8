"""The report is asked for by the command line, too."""

from __future__ import annotations

from tests.search.conftest import shell

__all__ = ["shell"]
