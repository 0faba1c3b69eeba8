"""A limit of open files under which Ray would abort is said before Ray starts."""

from __future__ import annotations

import resource

import pytest
from resnext_search.search.machines import open_files
from resnext_search.search.machines.cluster import ray_running
from resnext_search.spaces.errors import UsageError

from tests.support.helpers import tiny_study


@pytest.mark.parametrize(
    ("soft", "hard", "hint"),
    [
        (64, 4_096, "Give first: ulimit -n 1024"),
        (127, resource.RLIM_INFINITY, "Give first: ulimit -n 1024"),
        (64, 64, "Ask who runs this machine for more than its hard limit of 64, or start a new shell: ulimit -n 1024"),
    ],
)
def test_ray_is_not_started_with_too_few_open_files(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, hint: str
) -> None:
    monkeypatch.setattr(open_files.resource, "getrlimit", lambda _: (soft, hard))
    with pytest.raises(UsageError) as caught, ray_running(tiny_study()):
        pass
    assert str(caught.value) == (
        f"Ray cannot start: a process may have {soft} files open here (ulimit -n); it needs at least 128"
    )
    assert caught.value.hint == hint


@pytest.mark.parametrize("soft", [128, resource.RLIM_INFINITY])
def test_enough_open_files_pass(monkeypatch: pytest.MonkeyPatch, soft: int) -> None:
    monkeypatch.setattr(open_files.resource, "getrlimit", lambda _: (soft, soft))
    open_files.expect_open_files()
    assert open_files.most_open_files() >= 128
