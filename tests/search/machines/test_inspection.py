"""Machines are asked what they have before trials go there; played by answers that are set by hand."""

from __future__ import annotations

import pytest
from resnext_search.search.machines import inspection as module
from resnext_search.search.machines.inspection import Inspection
from resnext_search.search.machines.room import Node

A, B = Node(2, 0, "aaaa", "machine a (10.0.0.1)"), Node(2, 0, "bbbb", "machine b (10.0.0.2)")
OLDER = "torch 2.8.0 (the driver has 2.9.0)"


class Machines:
    """Those that are there, and what they have answered; a machine without an answer is thinking."""

    def __init__(self, *there: Node, **answers: str) -> None:
        self.there, self.answers, self.asked, self.said = list(there), dict(answers), list[str](), list[str]()
        self.inspection = Inspection(lambda: self.there, self.ask, self.said.append)

    def ask(self, number: str) -> module.Answer:
        self.asked.append(number)
        return lambda: self.answers.get(number)


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked at every look, not once a second."""
    monkeypatch.setattr(module, "ASK_EVERY_SECONDS", 0.0)


def test_one_that_is_not_alike_gets_no_trials_and_is_named_with_the_reason() -> None:
    machines = Machines(A, B, aaaa=OLDER, bbbb="")
    machines.inspection.wait(bool)
    assert machines.said == [f"machine a (10.0.0.1) gets no trials: {OLDER}"]
    assert machines.inspection.left_out() == {"aaaa"}
    assert machines.inspection.fit([A, B]) == (B,)
    assert machines.inspection.why_none_is_fit() == ""


def test_one_that_joins_is_asked_once_and_so_is_one_that_is_gone_meanwhile() -> None:
    machines = Machines(A, aaaa="")
    for _ in range(2):
        machines.inspection.look()
    machines.there = [B]
    machines.inspection.look()
    machines.answers["bbbb"] = "resnext-search is not installed there"
    for _ in range(2):
        machines.inspection.look()
    assert machines.asked == ["aaaa", "bbbb"]
    assert machines.said == ["machine b (10.0.0.2) gets no trials: resnext-search is not installed there"]
    assert machines.inspection.why_none_is_fit() == "", "the first one may come back"


def test_a_start_waits_for_answers_but_not_for_ever_and_not_when_it_is_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.2)
    machines = Machines(A, B, aaaa="")
    machines.inspection.wait(bool)
    assert machines.inspection.left_out() == set(), "b has not answered: a worker looks again"
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 3600.0)
    machines.inspection.wait(lambda: True)


def test_where_all_are_refused_every_reason_is_given() -> None:
    machines = Machines(A, B, aaaa=OLDER, bbbb="the images are not those of the driver")
    machines.inspection.wait(bool)
    assert machines.inspection.why_none_is_fit() == (
        "no machine can be used:\n"
        f"  machine a (10.0.0.1): {OLDER}\n"
        "  machine b (10.0.0.2): the images are not those of the driver"
    )
    machines.there = []
    assert machines.inspection.why_none_is_fit() == "", "others may come"


def test_one_on_which_trials_fail_in_a_row_is_left_out_when_others_train() -> None:
    machines = Machines(A, B, aaaa="", bbbb="")
    machines.inspection.look()
    for _ in range(3):
        machines.inspection.failed("aaaa", "RuntimeError: no kernel image")
    assert machines.inspection.left_out() == {"aaaa"}
    assert machines.said == []
    machines.inspection.gained("bbbb")
    assert machines.said == [
        "machine a (10.0.0.1) gets no trials any more: 3 trials in a row failed on it and none elsewhere, the last by "
        "RuntimeError: no kernel image"
    ]


def test_on_this_machine_nothing_is_asked_and_other_images_end_the_run() -> None:
    said: list[str] = []
    here = Inspection(lambda: [Node(0, 0)], None, said.append)
    here.look()
    here.gained("")
    here.refuse("", "the images are not those of the driver")
    assert said == ["this machine gets no trials: the images are not those of the driver"]
    assert here.why_none_is_fit() == "no machine can be used:\n  this machine: the images are not those of the driver"
