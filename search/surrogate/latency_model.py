"""How long will an architecture take that was not measured yet? A model of the latencies that were.

At equal multiply-adds latency goes with the number of layers and with what they read and write, not with arithmetic.
Of 60 architectures of `spaces/fixed_flops.yaml`, each predicted from the other 59, this model was off by 3 to 9 % (root
mean square, 4 rounds) with one thread on an AMD EPYC with little else to do, and by 17 to 60 % (8 rounds) where
measurements were disturbed by a load of 3 to 4 on two cores (`benchmarks/search/latency_model.py`). That is too much to
be taken for known: predictions have a deviation, and the acquisition takes it in.

A latency that was measured is not doubted: it is what the journal holds and the Pareto front will show. Imports numpy
and scipy alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from resnext_search.search.surrogate.observations import Observations, can_learn
from resnext_search.search.surrogate.posterior import Posterior
from resnext_search.spaces.architecture.complexity import Floats
from resnext_search.spaces.search_space.feasible import FeasibleSet

# Of a latency of which nothing can be learned: half or twice the others' is nothing strange.
UNKNOWN_DEVIATION = 0.7


def latency_features(feasible: FeasibleSet) -> Floats:
    """`(n, d)` array in the unit cube: what the model sees of the architectures; columns that do not vary are left out.

    Logarithms, since times multiply: of depth, cardinality, activations (what layers read and write) and parameters.
    """
    counts = feasible.counts
    columns = [
        np.log(values) for values in (feasible.depth, feasible.cardinality, counts.activations, counts.parameters)
    ]
    varying = [column for column in columns if np.ptp(column) > 0]
    scaled = [(column - column.min()) / np.ptp(column) for column in varying]
    return np.stack(scaled, axis=1) if scaled else np.empty((len(feasible), 0))


def expected_latencies(features: Floats, measured: Mapping[int, float]) -> tuple[Floats, Floats]:
    """What all architectures take, as far as it is known.

    Args:
        features: `(n, d)` array, as of `latency_features`.
        measured: Latencies in milliseconds, by position of the architecture; at least one.

    Returns:
        `(n,)` medians in milliseconds, and the `(n,)` standard deviations of the logarithms: 0 where it was measured.
        Before two measurements differ, the others are taken to be like those, within a factor.
    """
    positions, latencies = np.array(list(measured)), np.array(list(measured.values()))
    if can_learn(features.shape[1], latencies.tolist()):
        posterior = Posterior.after(Observations(features[positions], latencies))
        outcomes, variances = posterior.process.predict(features)
        medians, deviations = posterior.scale.errors(outcomes), posterior.scale.spread * np.sqrt(variances)
    else:
        medians = np.full(len(features), np.exp(np.log(latencies).mean()))
        deviations = np.full(len(features), UNKNOWN_DEVIATION)
    medians[positions], deviations[positions] = latencies, 0.0
    return medians, deviations
