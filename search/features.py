"""What does the model see of an architecture? Numbers that say what the network is like. Imports numpy alone.

At fixed multiply-adds d follows from C and the blocks, and blocks are as many parameters as there are stages though a
network is above all as deep as their sum: three numbers of a few values each, which say little one by one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from resnext_search.spaces.complexity import Integers
from resnext_search.spaces.knobs import Floats

# Takes cardinalities `(n,)`, widths `(n,)` and blocks `(n, stages)`; gives `(n,)` arrays by the name of the feature.
Describe = Callable[[Integers, Integers, Integers], dict[str, Floats]]


def network_features(cardinality: Integers, width: Integers, blocks: Integers) -> dict[str, Floats]:
    """What ResNeXts are like: in logarithms where the network has products.

    >>> features = network_features(np.array([8]), np.array([16]), np.array([[2, 1, 1]]))
    >>> {name: float(values[0]) for name, values in features.items()}
    {'cardinality': 3.0, 'channels': 7.0, 'depth': 2.0, 'share_2': 0.25, 'share_3': 0.25}
    """
    total = blocks.sum(axis=1)
    return {
        "cardinality": np.log2(cardinality),
        "channels": np.log2(cardinality * width),  # of the first stage's 3x3 convolutions
        "depth": np.log2(total),
        # of the blocks, in every stage but the first
        **{f"share_{stage}": part / total for stage, part in enumerate(blocks.T[1:], start=2)},
    }
