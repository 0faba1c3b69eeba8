"""Where randomness comes from: one seed a study, and from it one seed for every use, by name.

No use shares a stream with another, so adding a trial never moves the random numbers of its neighbours.
"""

from __future__ import annotations

import hashlib


def derive_seed(study_seed: int, *purpose: str | int) -> int:
    """Seed for one purpose of a study: the same on every machine, and unlike that of any other purpose.

    An integer in [0, 2**63), which every generator here accepts.

    >>> derive_seed(0, "trial", 7) == derive_seed(0, "trial", 7) != derive_seed(0, "trial", 8)
    True
    """
    # A cryptographic hash of the whole list: numpy's SeedSequence takes [0, a] and [0, a, 0] for the same.
    words = repr([str(word) for word in (study_seed, *purpose)])
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:8]) >> 1
