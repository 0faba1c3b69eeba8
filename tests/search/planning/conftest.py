"""The tiny study with its claim, by both rules, and its journal after a search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from resnext_search.results import Journal
from resnext_search.spaces import Study

from tests.support.journals import completed, new_folder, point

After = Callable[[Study], Journal]


@pytest.fixture
def after_search(tmp_path: Path) -> Iterator[After]:
    """Makes the journal of a study whose search has ended: errors of 12.5 and 9.0 percent."""
    journals = []

    def make(study: Study) -> Journal:
        _, journal = new_folder(tmp_path / str(len(journals)), study)
        journals.append(journal)
        completed(journal, point(0), 12.5)
        completed(journal, point(4, 0.2), 9.0)
        return journal

    yield make
    for journal in journals:
        journal.close()
