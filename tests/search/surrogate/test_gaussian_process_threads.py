"""One thread for the optimizer, and afterwards as many as before."""

from __future__ import annotations

import sys

import pytest
import torch
from resnext_search.search.surrogate.gaussian_process import _libraries, one_thread


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in _libraries().info() if library["user_api"] == "blas"}


def test_within_the_block_there_is_one_thread_and_then_as_many_as_before() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert (torch.get_num_threads(), blas_threads()) == (1, {1})
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_torch_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch")
    with one_thread():
        assert blas_threads() == {1}
        assert "torch" not in sys.modules
