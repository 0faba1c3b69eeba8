"""With which seeds are the arms of a claim tuned and confirmed, and the search's trials trained?

A seed of the claim is a block: the same for all arms. Networks of spaces are no blocks: each has a seed of its own.

With folds, seed number n is moved into fold n, so that over the seeds every image is validated on, and tested on,
equally often.
"""

from __future__ import annotations

from resnext_search.spaces.folds import seed_in_fold
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study.study import Study


def tuning_seed(study: Study, number: int) -> int:
    """The seed of the first tuning round, which has number 0, or one of the second, from 1.

    Under `rules: 1` there is but one round.
    """
    purpose: tuple[str | int, ...] = ("tune",) if study.rules == 1 else ("tune", number)
    return _in_its_fold(study, derive_seed(study.root_seed, *purpose), number)


def confirming_seed(study: Study, block: int) -> int:
    """The seed with which every arm is confirmed in a block, from 0; no other trial has it."""
    return _in_its_fold(study, derive_seed(study.root_seed, "confirm", block), block)


def network_seed(study: Study, space: str, number: int) -> int:
    """The seed with which a network of a space is trained and tested, by its number from 0: its own."""
    return _in_its_fold(study, derive_seed(study.root_seed, "confirm", space, number), number)


def search_seed(study: Study, number: int) -> int:
    """The seed of a trial of the search, from 0: with folds all are judged by the images of the first tuning round."""
    return _in_its_fold(study, derive_seed(study.root_seed, "trial", number), 0)


def _in_its_fold(study: Study, seed: int, number: int) -> int:
    return seed_in_fold(seed, number) if study.has_folds else seed
