"""What tests of the journal have in common."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from resnext_search.results import Journal

from tests.support.journals import new_folder


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """The tiny study's, without trials, open for writing."""
    with new_folder(tmp_path)[1] as journal:
        yield journal
