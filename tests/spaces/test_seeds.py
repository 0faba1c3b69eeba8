"""One seed for every purpose: stable for ever, and never shared."""

from __future__ import annotations

from itertools import product

import numpy as np
from resnext_search.spaces.seeds import derive_seed


def test_seeds_are_the_same_for_ever() -> None:
    """A change here changes every published study."""
    assert derive_seed(0, "split") == 8_053_158_395_096_301_304
    assert derive_seed(0, "trial", 7) == 5_308_475_239_268_504_713
    assert derive_seed(2**63 - 1, "trial", 7) == 8_684_193_129_359_038_346


def test_every_purpose_has_a_seed_of_its_own() -> None:
    purposes = [("split",), ("",), ("", ""), (), ("a", "b"), ("ab",), ("a, b",), ("a', 'b",)]
    purposes += [(name, number) for name, number in product(("trial", "init", "order"), range(20_000))]  # type: ignore[misc]
    seeds = {derive_seed(study, *purpose) for study, purpose in product((0, 1, 2**32, 2**63 - 1), purposes)}
    assert len(seeds) == 4 * len(purposes)


def test_seeds_suit_every_generator() -> None:
    seeds = [derive_seed(0, "trial", number) for number in range(1000)]
    assert all(0 <= seed < 2**63 for seed in seeds)
    np.random.default_rng(max(seeds))


def test_a_number_of_numpy_is_that_number() -> None:
    assert derive_seed(0, "trial", int(np.int64(7))) == derive_seed(0, "trial", np.int64(7))  # type: ignore[arg-type]
