"""In which of five folds does a seed test? For data that nobody has divided into images to train on and to test on.

Every image is in one fold. A training leaves out the fold of its seed, so that over the seeds every image is tested
equally often, and no network is tested on an image that it was trained on.
"""

from __future__ import annotations

FOLDS = 5
# Seeds lie below this: `derive_seed` and the journal hold no larger ones.
_END_OF_SEEDS = 2**63


def fold_of(seed: int) -> int:
    """The fold that a training with this seed leaves out, from 0 to `FOLDS` - 1.

    >>> fold_of(12)
    2
    """
    return seed % FOLDS


def seed_in_fold(seed: int, fold: int) -> int:
    """The seed nearest below or above, by less than two times `FOLDS`, whose fold is this one; in [0, 2**63) like it.

    >>> [seed_in_fold(12, fold) for fold in range(FOLDS)]
    [10, 11, 12, 13, 14]
    """
    moved = seed - seed % FOLDS + fold % FOLDS
    return moved if moved < _END_OF_SEEDS else moved - FOLDS


def fewest_outside(images: int) -> int:
    """Images outside of a largest fold, of so many: what every training has at least, and one less than the others.

    >>> fewest_outside(1_797)
    1437
    """
    return images - -(-images // FOLDS)
