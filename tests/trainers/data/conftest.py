"""What is kept of folders of images, between studies and within a process, is each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from resnext_search.trainers.data.readers import load_dataset


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder where findings about images are kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield tmp_path / "cache/resnext-search/image_folder"
    load_dataset.cache_clear()
