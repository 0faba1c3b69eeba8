"""Which configurations can be proposed? The feasible set times a grid over the searched knobs, in two unit cubes.

One has the parameters of the space for `coordinates`: a space-filling design covers it. The other has `features`, which
say what a network is like: the model lives there. Both are looked up by number.

A candidate is a pair (architecture index, knob index) and is numbered `architecture * len(knob_rows) + knob`. Nothing
outside the FLOP band has a number, so nothing outside it can be proposed. Imports numpy alone.

At fixed multiply-adds d follows from C and the blocks; how many channels C groups of d make is more to the point. The
model of 40 random trials ranked the better part of a table of real trainings (`benchmarks/search/optimizer/digits.py`)
with a rank correlation of 0.65 (mean of 40); of depth and the shares of the stages in it, with 0.56.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from resnext_search.spaces.architecture.complexity import Floats, Integers
from resnext_search.spaces.search_space.feasible import FeasibleSet
from resnext_search.spaces.search_space.knobs import Knob
from resnext_search.spaces.study.configuration import Configuration

# Takes cardinalities `(n,)`, widths `(n,)` and blocks `(n, stages)`; gives `(n,)` arrays by the name of the feature.
Describe = Callable[[Integers, Integers, Integers], dict[str, Floats]]


def network_features(cardinality: Integers, width: Integers, blocks: Integers) -> dict[str, Floats]:
    """What n ResNeXts are like, `(n,)` arrays of logarithms, where doubling is a step: in a network things multiply.

    >>> features = network_features(np.array([8]), np.array([16]), np.array([[4, 2, 1]]))
    >>> {name: float(values[0]) for name, values in features.items()}
    {'cardinality': 3.0, 'channels': 7.0, 'blocks_1': 2.0, 'blocks_2': 1.0, 'blocks_3': 0.0}
    """
    return {
        "cardinality": np.log2(cardinality),
        "channels": np.log2(cardinality * width),  # of the first stage's 3x3 convolutions
        **{f"blocks_{stage}": np.log2(counts) for stage, counts in enumerate(blocks.T, start=1)},
    }


# Values of a continuous knob on the grid, by how many continuous knobs there are.
GRID_POINTS = {0: 1, 1: 31, 2: 15, 3: 9, 4: 6, 5: 4}
# Candidates scored for one proposal; a larger pool is sampled, afresh for every proposal. Of 118,885 candidates twice
# as many were no better (made-up surfaces, `free`: regret of the best of 40 trials 0.039 and 0.047 points, paired
# difference -0.009 +- 0.014, n=60), and a worker waits for them: 4 ms more of the 50 between two of its trials.
SCORED_AT_ONCE = 5_000


class Candidates:
    """All candidates of a study.

    Args:
        feasible: The architectures.
        knobs: The searched knobs; may be empty.
        describe: What the model sees of an architecture.
    """

    def __init__(self, feasible: FeasibleSet, knobs: Sequence[Knob], describe: Describe = network_features) -> None:
        self.feasible = feasible
        self.knobs = tuple(knobs)
        points = GRID_POINTS[min(sum(not knob.values for knob in knobs), max(GRID_POINTS))]
        self.knob_rows: Floats = np.array(list(product(*(knob.grid(points) for knob in knobs))), dtype=float)
        columns = _architecture_columns(feasible)
        for knob, values in zip(knobs, self.knob_rows.T, strict=True):
            columns[knob.name] = (np.array([knob.low, knob.high]), values, knob.log)
        varying = {name: column for name, column in columns.items() if column[0][0] < column[0][1]}
        self.coordinate_names = tuple(varying)
        knob_names = {knob.name for knob in knobs}
        self.architecture_coordinates = _coordinates(
            [varying[name] for name in self.coordinate_names if name not in knob_names], len(feasible)
        )
        self.knob_coordinates = _coordinates(
            [varying[name] for name in self.coordinate_names if name in knob_names], len(self.knob_rows)
        )
        self._describe = describe
        described = describe(feasible.cardinality, feasible.width, feasible.blocks)
        self._limits = {name: (values.min(), values.max()) for name, values in _telling(described).items()}
        self.feature_names = (*self._limits, *(name for name in self.coordinate_names if name in knob_names))
        self._architecture_features = self._scaled(described)

    def __len__(self) -> int:
        return len(self.feasible) * len(self.knob_rows)

    def coordinates(self, candidates: Integers) -> Floats:
        """`(n, len(coordinate_names))` array: where these candidates lie in the unit cube."""
        architectures, knobs = np.divmod(candidates, len(self.knob_rows))
        return np.concatenate([self.architecture_coordinates[architectures], self.knob_coordinates[knobs]], axis=1)

    def features(self, candidates: Integers) -> Floats:
        """`(n, len(feature_names))` array: where these candidates lie for the model, in a unit cube too."""
        architectures, knobs = np.divmod(candidates, len(self.knob_rows))
        return np.concatenate([self._architecture_features[architectures], self.knob_coordinates[knobs]], axis=1)

    def features_of(self, configurations: Sequence[Configuration]) -> Floats:
        """The same of any n configurations with these knobs, candidates or not; `(n, len(feature_names))` array.

        What lies outside the band or the grid may lie outside the unit cube.
        """
        architectures = [configuration.architecture for configuration in configurations]
        described = self._describe(
            np.array([architecture.cardinality for architecture in architectures]),
            np.array([architecture.width for architecture in architectures]),
            np.array([architecture.blocks for architecture in architectures]),
        )
        rows = [dict(configuration.knobs) for configuration in configurations]
        columns = [
            knob.to_unit(np.array([row[knob.name] for row in rows]))[:, None]
            for knob in self.knobs
            if knob.name in self.feature_names
        ]
        return np.concatenate([self._scaled(described), *columns], axis=1)

    def configuration(self, candidate: int) -> Configuration:
        """The architecture and the knob values of a candidate."""
        architecture, row = divmod(candidate, len(self.knob_rows))
        values = self.knob_rows[row].tolist()
        return Configuration(
            self.feasible[architecture],
            tuple((knob.name, value) for knob, value in zip(self.knobs, values, strict=True)),
        )

    def find(self, configuration: Configuration) -> int:
        """Number of a configuration.

        Raises:
            ValueError: It is not a candidate, as after a change of the study.
        """
        architecture = self.feasible.index(configuration.architecture)
        names = [name for name, _ in configuration.knobs]
        if names != [knob.name for knob in self.knobs]:
            raise ValueError(f"{configuration} has other knobs than {[knob.name for knob in self.knobs]}")
        values = np.array([value for _, value in configuration.knobs])
        rows = np.flatnonzero((self.knob_rows == values).all(axis=1))
        if not len(rows):
            raise ValueError(f"{configuration} is not on the grid of knobs")
        return architecture * len(self.knob_rows) + int(rows[0])

    def sample(self, generator: np.random.Generator, excluded: Integers) -> Integers:
        """Candidates to score for one proposal, ascending `(m,)` array; of a large pool a random part.

        Args:
            generator: Draws that part.
            excluded: `(n,)` candidates that are not scored.
        """
        scored = np.full(len(self), len(self) <= SCORED_AT_ONCE)
        if len(self) > SCORED_AT_ONCE:
            scored[generator.integers(len(self), size=SCORED_AT_ONCE)] = True
        scored[excluded] = False
        return np.flatnonzero(scored)

    def _scaled(self, described: Mapping[str, Floats]) -> Floats:
        columns = [(described[name] - low) / (high - low) for name, (low, high) in self._limits.items()]
        return np.stack(columns, axis=1) if columns else np.empty((len(next(iter(described.values()))), 0))


Column = tuple[NDArray[np.float64], NDArray[np.float64], bool]  # limits, values, whether on a log scale


def _architecture_columns(feasible: FeasibleSet) -> dict[str, Column]:
    columns: dict[str, tuple[Integers, bool]] = {
        "cardinality": (feasible.cardinality, True),
        "width": (feasible.width, True),
        **{f"blocks_{stage + 1}": (blocks, False) for stage, blocks in enumerate(feasible.blocks.T)},
    }
    return {
        name: (np.array([values.min(), values.max()], dtype=float), values.astype(float), log)
        for name, (values, log) in columns.items()
    }


def _telling(described: Mapping[str, Floats]) -> dict[str, Floats]:
    """The features that vary, and of those that are the same everywhere the first."""
    telling: dict[str, Floats] = {}
    for name, values in described.items():
        if np.ptp(values) > 1e-12 and not any(np.array_equal(values, others) for others in telling.values()):
            telling[name] = values
    return telling


def _coordinates(columns: Sequence[Column], rows: int) -> Floats:
    units = [Knob("", limits[0], limits[1], log=log).to_unit(values) for limits, values, log in columns]
    return np.stack(units, axis=1) if units else np.empty((rows, 0))
