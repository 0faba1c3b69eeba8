"""Problem (ii): a table of real trainings on scikit-learn's digits, made by `benchmarks/search/digits_table.py`.

The true error of a configuration is the mean of its two trainings, and a trial reports one of them, drawn at random:
the noise is that between seeds. Learning rates are the five trained ones, for every method.
"""

from __future__ import annotations

import csv
import math
from functools import cache
from pathlib import Path

import numpy as np
from resnext_search.spaces import Architecture, Configuration, Study
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.study.file import parse_study

from benchmarks.search.optimizer.problem import Dimension, Point, Problem

TABLE = Path("results/reference/optimizer/digits.csv")
COLUMNS = ("cardinality", "group_widths", "blocks", "learning_rate", "seed", "validation_error")
SEEDS = (0, 1)
GUESSING = 90.0

# Two channels a pixel at most, and five epochs: a training takes a second or two, and errors still differ by far more
# than seeds do. Widths double, so that a point of the box stands for one network.
STUDY = """
name: digits-table
data: {name: digits, validation_images: 500}
template: {stem: cifar, stride: 1, planes: 8, stages: 3, width_rule: paper}
budget: {like: {cardinality: 2, width: 8, blocks: [1, 1, 1]}, tolerance: 3%}
axes:
  cardinality: [1, 2, 4, 8]
  width: {min: 1, max: 16}
  blocks: {min: 1, max: 4}
  learning_rate: [0.025, 0.05, 0.1, 0.2, 0.4]
trainer: {epochs: 5, batch_size: 64}
"""


def study() -> Study:
    """What the table's trainings have in common."""
    return parse_study(STUDY, "digits-table")


def row_of(configuration: Configuration, seed: int) -> list[str]:
    """A training as the table writes it, without its error."""
    architecture, rate = configuration.architecture, dict(configuration.knobs)["learning_rate"]
    widths, blocks = ("-".join(map(str, numbers)) for numbers in (architecture.group_widths, architecture.blocks))
    return [str(architecture.cardinality), widths, blocks, f"{rate:g}", str(seed)]


class Digits(Problem):
    """The table, as a problem."""

    def __init__(self, path: Path = TABLE) -> None:
        asked = study()
        [knob] = asked.knobs()
        self._rates = knob.values
        box = [
            Dimension("log2_cardinality", 0, 3, integer=True),
            Dimension("width", 1, 16, log=True, integer=True),
            *(Dimension(f"blocks_{stage}", 1, 4, integer=True) for stage in (1, 2, 3)),
            Dimension("rate", 0, len(self._rates) - 1, integer=True),
        ]
        super().__init__("digits", asked.feasible_set(), [knob], box, target=0.5)
        self._template = asked.network_template()
        band = asked.band()
        self.band = (math.log2(band.low), math.log2(band.high))
        self._errors = read_table(path)
        self.best = min(self.true(self.pool.configuration(number)) for number in range(len(self.pool)))

    def true(self, configuration: Configuration) -> float:
        """Mean over the seeds."""
        return float(np.mean(self._trained(configuration)))

    def observe(self, configuration: Configuration, generator: np.random.Generator) -> float:
        """One of the seeds."""
        return float(generator.choice(self._trained(configuration)))

    def point(self, configuration: Configuration) -> Point:
        """The learning rate as its place in the list; they are evenly spaced on a log scale."""
        architecture, rate = configuration.architecture, dict(configuration.knobs)["learning_rate"]
        return {
            "log2_cardinality": architecture.cardinality.bit_length() - 1,
            "width": architecture.width,
            **{f"blocks_{stage}": count for stage, count in enumerate(architecture.blocks, 1)},
            "rate": self._rates.index(rate),
        }

    def configuration(self, point: Point) -> Configuration:
        """A network with widths that double."""
        blocks = tuple(int(point[f"blocks_{stage}"]) for stage in (1, 2, 3))
        architecture = Architecture.paper(2 ** int(point["log2_cardinality"]), int(point["width"]), blocks)
        return Configuration(architecture, (("learning_rate", self._rates[int(point["rate"])]),))

    def cost(self, point: Point) -> float:
        """log2 of the multiply-adds."""
        return math.log2(complexity(self._template, self.configuration(point).architecture).multiply_adds)

    def _trained(self, configuration: Configuration) -> list[float]:
        return [self._errors[tuple(row_of(configuration, seed))] for seed in SEEDS]


@cache
def read_table(path: Path) -> dict[tuple[str, ...], float]:
    """Validation error of every training of the table."""
    with path.open(newline="") as table:
        return {tuple(row[name] for name in COLUMNS[:-1]): float(row[COLUMNS[-1]]) for row in csv.DictReader(table)}
