"""A folder that this process may read but not write, also where the tests run as root."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534


@contextmanager
def without_rights_to(make: Callable[[Path], object]) -> Iterator[Path]:
    """Let `make` fill a folder, and give the right to write it away for the time of the block.

    Root may write anywhere, so as root the block runs as `nobody`; what it imports must have been imported before. The
    folder does not lie in pytest's, which only its owner may enter.
    """
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder)
        folder.chmod(0o555)
        if root:
            os.seteuid(NOBODY)
        try:
            if not os.access(folder, os.R_OK | os.X_OK, effective_ids=True):
                pytest.skip(f"{folder} lies where only root may look")
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)
