"""What does the model see of an architecture? Numbers that say what the network is like. Imports numpy alone.

At fixed multiply-adds d follows from C and the blocks; how many channels C groups of d make is more to the point. The
model of 40 random trials ranked the better part of a table of real trainings (benchmarks/optimizer/digits.py) with a
rank correlation of 0.65 (mean of 40), and of 0.56 when it saw depth and the shares of the stages in it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from resnext_search.spaces.complexity import Integers
from resnext_search.spaces.knobs import Floats

# Takes cardinalities `(n,)`, widths `(n,)` and blocks `(n, stages)`; gives `(n,)` arrays by the name of the feature.
Describe = Callable[[Integers, Integers, Integers], dict[str, Floats]]


def network_features(cardinality: Integers, width: Integers, blocks: Integers) -> dict[str, Floats]:
    """What ResNeXts are like, in logarithms, where doubling is a step: in a network things multiply.

    >>> features = network_features(np.array([8]), np.array([16]), np.array([[4, 2, 1]]))
    >>> {name: float(values[0]) for name, values in features.items()}
    {'cardinality': 3.0, 'channels': 7.0, 'blocks_1': 2.0, 'blocks_2': 1.0, 'blocks_3': 0.0}
    """
    return {
        "cardinality": np.log2(cardinality),
        "channels": np.log2(cardinality * width),  # of the first stage's 3x3 convolutions
        **{f"blocks_{stage}": np.log2(counts) for stage, counts in enumerate(blocks.T, start=1)},
    }
