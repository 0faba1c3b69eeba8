"""What `plan` warns of: networks that are no residual ones, groups too narrow, and keys that are not used."""

from __future__ import annotations

import pytest
from resnext_search.search.planning.plan_warnings import warnings_of
from resnext_search.spaces import Study, load_study

from tests.spaces.test_shipped_studies import STUDIES
from tests.support.helpers import TINY_CLAIM, tiny_study


def spend(blocks: str, width: int, *overrides: str) -> Study:
    """A claim of two stages on data with a test split."""
    base = f"{{cardinality: 1, width: {width}, blocks: {blocks}}}"
    given = ["template={planes: 16, stages: 2}", f"budget={{like: {base}, tolerance: 5%}}", "axes.blocks=1"]
    return load_study(
        STUDIES[0].parent / "fashion_mnist.yaml", [*given, f"claim={{kind: spend, base: {base}}}", *overrides]
    )


def test_arms_without_one_identity_shortcut_are_named() -> None:
    [warning] = warnings_of(spend("[1, 1]", 16))
    assert warning == (
        "arms cardinality, width, base without one identity shortcut: the first block of a stage has a projection, "
        "and no stage has a second one. Give claim.base more blocks, or consider template.shortcut: identity."
    )


def test_a_second_block_in_some_stage_or_identity_shortcuts_are_enough() -> None:
    assert warnings_of(spend("[1, 2]", 16)) == []
    assert warnings_of(spend("[1, 1]", 16, "template.shortcut=identity")) == []


def test_networks_without_any_shortcut_are_named_whatever_their_blocks() -> None:
    [warning] = warnings_of(spend("[2, 2]", 16, "template.shortcut=none"))
    assert warning == (
        "no arm has a shortcut: template.shortcut is none. What is claimed holds for such networks alone."
    )


@pytest.mark.parametrize("multiples", ["", ", cardinality: [2, 4, 8]"])
def test_arms_with_narrower_groups_than_the_paper_s_are_named(multiples: str) -> None:
    study = spend("[2, 2]", 8, f"claim={{kind: spend, base: {{cardinality: 1, width: 8, blocks: [2, 2]}}{multiples}}}")
    expected = [
        "arm cardinality-x8 (d = 2) with d below 4 in the first stage: narrower groups than any of the paper's. Give "
        "claim.base a larger width."
    ]
    assert warnings_of(study) == (expected if multiples else [])


def test_images_for_validation_are_not_used_where_there_are_folds() -> None:
    words = (
        "data.validation_images is not used: digits has no test split of its own, so that a fold of 5 is validated on "
        "or tested, and the others are trained on."
    )
    assert words in warnings_of(tiny_study(TINY_CLAIM))
    assert words not in warnings_of(tiny_study(TINY_CLAIM, "data={name: digits}"))


def test_there_is_nothing_to_say_without_a_claim_or_of_the_first_rules() -> None:
    assert warnings_of(tiny_study()) == []
    assert warnings_of(tiny_study(TINY_CLAIM, "rules=1")) == []
