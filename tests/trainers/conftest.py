"""What the tests of this room share: one thread, and a study that trains in a second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from resnext_search.spaces import Architecture, Configuration, Study

# Two stages at 8x8, four channels in the stem: some 0.1 million multiply-adds.
TINY_STUDY = {
    "name": "tiny",
    "data": {"name": "digits", "train_images": 128, "validation_images": 100},
    "template": {"planes": 4, "stages": 2},
    "budget": {"multiply_adds": 100_000},
    "axes": {"cardinality": [2], "width": [2], "blocks": [1]},
    "trainer": {"epochs": 4, "batch_size": 32, "learning_rate": 0.1},
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """These maps are so small that a second thread costs ten times what it gains; and bits depend on the number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def study() -> Study:
    """A study of the smallest useful size."""
    return Study.model_validate(TINY_STUDY)


@pytest.fixture
def configuration() -> Configuration:
    """A point of its space."""
    return Configuration(Architecture.paper(2, 2, (1, 1)))
