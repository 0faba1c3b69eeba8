"""Anyone's table whose arms are networks of two spaces: what a run of a network may be, and what it may not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from resnext_search.results import judge
from resnext_search.spaces.correctness import pack_correct
from resnext_search.spaces.errors import UsageError

from tests.support.tables import space_table


def networks(count: int = 12) -> pd.DataFrame:
    """Of two spaces, the first of which errs 2 points more, without tuning."""
    return space_table(networks=count, tuned=False).drop(columns=["trial", "phase", "state"])


def refusal(table: pd.DataFrame) -> str:
    with pytest.raises(UsageError) as error:
        judge(table, claimant="more groups")
    return str(error.value)


def test_networks_of_two_spaces_need_a_claimant() -> None:
    table = networks()
    with pytest.raises(UsageError, match="which space is to err less is not said; allowed: more groups, one group"):
        judge(table)
    verdict = judge(table, claimant=" more groups ", margin=0.5)
    assert (verdict.verdict, verdict.kind) == ("supported", "spaces")
    assert "12 networks a space, the tuning of the arms is not covered" in verdict.reasons[0]
    with pytest.raises(UsageError, match="'many groups' is no space"):
        judge(table, claimant="many groups")


def test_a_space_may_have_more_networks_than_a_table_may_have_arms() -> None:
    verdict = judge(networks(40), claimant="more groups", margin=0.5)
    assert verdict.scale.seeds == (40, 40)
    many = pd.DataFrame({"arm": [f"space {n}/{k}" for n in range(33) for k in range(2)], "seed": 0, "test_error": 8.0})
    assert "arm: 33 names; allowed: up to 32 arms" in refusal(many)
    with pytest.raises(UsageError, match="arm: 80 names; allowed: up to 32 arms"):
        judge(networks(40), claimant="more groups/001")


def test_the_seed_of_a_network_may_be_that_of_any_other() -> None:
    table = networks()
    [own], [same] = (judge(of, claimant="more groups", margin=0.5).comparisons for of in (table, table.assign(seed=0)))
    assert (same.difference, same.interval) == (own.difference, own.interval)
    folds = table.assign(seed=0, fold=[number % 5 for number in range(12)] * 2)
    assert judge(folds, claimant="more groups", margin=0.5).scale.seeds == (12, 12)


def test_spaces_whose_names_look_alike_are_refused() -> None:
    table = networks()
    table["arm"] = table.arm.str.replace("one group", "More groups")
    assert "arm: 'More groups' (12 rows) and 'more groups' (12 rows)" in refusal(table)


def test_a_network_that_answers_as_another_one_counts_once() -> None:
    generator = np.random.default_rng(0)
    answers = generator.random((24, 500)) < 0.9
    answers[3] = answers[2]  # of `one group`
    table = networks().assign(
        correct=[pack_correct(row) for row in answers], test_error=100 * (1 - answers.mean(axis=1))
    )
    verdict = judge(table, claimant="more groups", margin=0.5)
    assert [(arm.arm, arm.runs) for arm in verdict.arms] == [("more groups", 12), ("one group", 11)]
    assert any(note.startswith("1 of 12 runs of one group are the same as another one") for note in verdict.notes)


def test_a_space_in_shares_is_refused_as_a_space() -> None:
    table = networks()
    table.loc[table.arm.str.startswith("more"), "test_error"] /= 100
    assert "0.0722 to 0.0881 in more groups, and 8.74 to 10.5 in one group" in refusal(table)
