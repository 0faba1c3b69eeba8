"""Which machines get no trials, by what becomes of trials on them."""

from __future__ import annotations

import pytest
from resnext_search.search.machines.left_out import LeftOut


def told(*events: str) -> tuple[LeftOut, list[str]]:
    """What is known after trials failed (`-a`) or gained an epoch (`+a`) on machines, and who was left out for it."""
    account, found = LeftOut(), list[str]()
    for sign, machine in events:
        if sign == "-":
            account.failed(machine, "OSError: no such disk")
        else:
            found += account.gained(machine)
    return account, found


@pytest.mark.parametrize(
    ("events", "left_out"),
    [
        ("-a -a -a +b", ["a"]),  # three in a row, and an epoch elsewhere
        ("-a -a +b", []),  # two may be chance
        ("+b -a -a -a", []),  # what b did before says nothing of the time since
        ("+b -a -a -a +b", ["a"]),
        ("-a -a +a -a +b", []),  # a has trained in between
        ("-a -a -a -b +b -b +c", ["a"]),  # b has failed before it had trained anything, which excuses nobody
        ("+b -a -a -b -a +b", []),  # b trains, and trials fail there too: it is the trials
        ("-a -b -a -b -a -b +c", ["a", "b"]),
        ("-a -a -a +b +b", ["a"]),  # once
    ],
)
def test_a_machine_on_which_trials_fail_in_a_row_while_others_train_is_left_out(
    events: str, left_out: list[str]
) -> None:
    account, found = told(*events.split())
    assert sorted(found) == left_out
    assert sorted(account.reasons) == left_out


def test_the_reason_names_how_many_failed_and_the_last_failure() -> None:
    account, _ = told("-a", "-a", "-a", "-a", "+b")
    assert account.reasons == {
        "a": "4 trials in a row failed on it and none elsewhere, the last by OSError: no such disk"
    }


def test_a_suspect_gets_no_trials_as_long_as_there_is_another_machine() -> None:
    account, _ = told("-a", "-a", "-a")
    assert account.among(["a", "b"]) == {"a"}
    assert account.among(["a"]) == set()
    account, _ = told("-a", "-a", "-a", "-b", "-b", "-b")
    assert account.among(["a", "b"]) == set(), "it is the trials"
    assert account.among(["a", "b", "c"]) == {"a", "b"}


def test_a_machine_that_is_refused_gets_no_trials_even_if_it_is_the_only_one() -> None:
    account = LeftOut()
    assert account.refuse("a", "torch 2.8.0") is True
    assert account.refuse("a", "no images") is False
    assert account.reasons == {"a": "torch 2.8.0"}
    assert account.among(["a"]) == {"a"}
    assert account.among(["b"]) == set()
