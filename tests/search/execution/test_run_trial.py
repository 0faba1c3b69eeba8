"""What a worker makes of what a trainer yields: its reports are caught here."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from resnext_search.results.journal import Machine
from resnext_search.search.execution.run_trial import run_trial
from resnext_search.trainers import Epoch, Latency
from resnext_search.trainers.hardware import hardware

from tests.support.helpers import tiny_study
from tests.support.journals import point

STUDY = tiny_study()  # of two epochs
FIRST = Epoch(1, 0.1, 2.0, 2.0, 60.0, 0.01)
LAST = Epoch(2, 0.1, 1.0, 1.0, 50.0, 0.01)
CONFIRMED = Epoch(2, 0.1, 1.0, None, None, 0.01, test_error=50.0)


def reports(*facts: Any, confirm: bool = False) -> list[dict[str, Any]]:
    """What is reported of a trial whose trainer yields these."""
    caught: list[dict[str, Any]] = []

    def train(*_: Any, **__: Any) -> Iterator[Any]:
        for fact in facts:
            if isinstance(fact, Exception):
                raise fact
            yield fact

    order = {"trial_id": 0, "configuration": point(0).to_json(), "seed": "1", "alone": False}
    order |= {"micro_batches": 1, "birth": "a study's", "measured_on": []}
    text = STUDY.model_dump_json()
    run_trial(order, text, Path(), train, gpu=0, confirm=confirm, device="cpu", report=caught.append)
    return caught


def test_epochs_and_a_latency_are_reported_with_where_they_were_made() -> None:
    found = reports(Latency(2.0, 0.1), FIRST, LAST)
    assert [(fact.get("latency_ms"), fact.get("epoch"), fact["device"]) for fact in found] == [
        (2.0, None, "cpu"),
        (None, 1, "cpu"),
        (None, 2, "cpu"),
    ]


@pytest.mark.parametrize("facts", [(FIRST, LAST), (Latency(2.0, 0.1), FIRST, LAST), (ValueError("no such colour"),)])
def test_the_first_report_alone_says_on_what_machine(facts: tuple[Any, ...]) -> None:
    first, *others = reports(*facts)
    assert Machine(**json.loads(first["machine"])).versions["torch"] == torch.__version__
    assert not any("machine" in fact for fact in others)


@pytest.mark.parametrize(
    ("facts", "failure", "message"),
    [
        ((), "WrongResult", "the trainer ended after epoch 0 of 2"),
        ((FIRST,), "WrongResult", "the trainer ended after epoch 1 of 2"),
        ((FIRST._replace(validation_error=None),), "WrongResult", "epoch 1: the trainer yielded no validation_error"),
        (
            (FIRST._replace(train_loss=None, validation_loss=None),),
            "WrongResult",
            "epoch 1: the trainer yielded no train_loss and no validation_loss",
        ),
        (
            (FIRST, LAST._replace(test_error=9.0)),
            "WrongResult",
            "epoch 2: the trainer yielded a test_error; this trial must not look at the test images",
        ),
        ((FIRST._replace(validation_error=math.nan),), "NotFinite", "epoch 1: the validation error is nan"),
        ((FIRST, LAST._replace(validation_error=math.inf)), "NotFinite", "epoch 2: the validation error is inf"),
        ((FIRST._replace(train_loss=math.nan),), "NotFinite", "epoch 1: the train loss is nan"),
        ((FIRST._replace(seconds=-math.inf),), "NotFinite", "epoch 1: the seconds is -inf"),
        ((Latency(math.nan, 0.1),), "NotFinite", "the latency ms is nan"),
        ((FIRST, MemoryError("of this machine")), "MemoryError", "MemoryError: of this machine"),
        ((FIRST, OSError("caf\udce9.png")), "OSError", "OSError: caf\\udce9.png"),  # which no database would take
        (({"epoch": 1},), "AttributeError", "'dict' object has no attribute '_asdict'"),
    ],
)
def test_what_a_trial_cannot_have_given_is_its_failure(facts: tuple[Any, ...], failure: str, message: str) -> None:
    *_, last = reports(*facts)
    assert last["failure_class"] == failure
    assert last["failure_message"].rstrip().endswith(message)
    assert ("\n" in last["failure_message"]) == last["failure_message"].startswith("Traceback")  # lines stay lines


def test_a_trial_that_confirms_has_a_test_error_at_its_end_and_no_validation_error() -> None:
    first = FIRST._replace(validation_loss=None, validation_error=None)
    assert "failure_class" not in reports(first, CONFIRMED, confirm=True)[-1]
    [_, missing] = reports(first, CONFIRMED._replace(test_error=None), confirm=True)
    assert missing["failure_message"] == "epoch 2: the trainer yielded no test_error"
    [told] = reports(FIRST, confirm=True)
    assert told["failure_message"] == (
        "epoch 1: the trainer yielded a validation_loss; this trial trains on the validation images"
    )


HERE = Machine(**hardware("cpu")).computes


@pytest.mark.parametrize(
    ("measured_on", "wanted"),
    [
        ([], True),
        ([HERE], False),
        (["NVIDIA H200"], True),  # says nothing of this processor
        (["cpu"], False),  # of an older journal, which does not say which
        (["cuda"], True),
    ],
)
def test_a_latency_is_wanted_where_none_is_known_of_this_model(measured_on: list[str], wanted: bool) -> None:
    asked, told = [], list[dict[str, Any]]()

    def train(*_: Any, latency: bool, **__: Any) -> Iterator[Any]:
        asked.append(latency)
        yield from (FIRST._replace(validation_loss=None, validation_error=None), CONFIRMED)

    order = {"trial_id": 0, "configuration": point(0).to_json(), "seed": "1", "alone": False}
    order |= {"micro_batches": 1, "birth": "", "measured_on": measured_on}
    run_trial(order, STUDY.model_dump_json(), Path(), train, gpu=0, confirm=True, device="cpu", report=told.append)
    assert asked == [wanted]
    assert {fact["computes"] for fact in told} == {HERE}
