"""What a worker sees of its machine, and what is reserved for it."""

from __future__ import annotations

import os

import pytest
from resnext_search.search.ray_backend.worker import LEFT_OUT, resources, show_only

from tests.support.helpers import tiny_study

OFF, SEEN = "RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"


@pytest.mark.parametrize(
    ("told", "gpus", "seen"),
    [
        ("1", [3], "3"),  # Ray sees to nothing: every worker would take the machine's first GPU
        ("1", [2, 3], "2,3"),
        ("1", ["GPU-5ebe9f43"], "GPU-5ebe9f43"),
        ("1", [], "0,1,2,3"),  # a trial on the processor
        (None, [3], "0,1,2,3"),  # what Ray has set stays
    ],
)
def test_a_worker_sees_its_own_gpus_where_ray_leaves_that_to_it(
    monkeypatch: pytest.MonkeyPatch, told: str | None, gpus: list[object], seen: str
) -> None:
    monkeypatch.setenv(SEEN, "0,1,2,3")
    monkeypatch.delenv(OFF, raising=False)
    if told is not None:
        monkeypatch.setenv(OFF, told)
    show_only(gpus)
    assert os.environ[SEEN] == seen


def test_what_is_reserved_is_on_no_machine_that_is_left_out() -> None:
    wanted = resources(tiny_study("resources.cpu=2"), gpu=0.5)
    anywhere = wanted({"alone": False, LEFT_OUT: []})
    assert anywhere.bundles == [{"CPU": 2.0, "GPU": 0.5}]
    assert anywhere._bound.arguments["bundle_label_selector"] is None
    elsewhere = wanted({"alone": True, LEFT_OUT: ["ab12", "cd34"]})
    assert elsewhere.bundles == [{"CPU": 2.0, "GPU": 1.0}]
    assert elsewhere._bound.arguments["bundle_label_selector"] == [{"ray.io/node-id": "!in(ab12,cd34)"}]
    assert wanted({"alone": False, LEFT_OUT: []}) is anywhere
    assert elsewhere != anywhere
