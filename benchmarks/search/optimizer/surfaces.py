"""Problem (i): a family of made-up error surfaces over a real ResNeXt space.

The space: CIFAR ResNeXts of three stages, C in {1, 2, 4, ..., 64}, d in 4..128, the budget of 8x64d-29 (5.39 G
multiply-adds) +-5 %, widths that double, and a learning rate in [0.001, 1]. `uniform` gives every stage the same 1..6
blocks: 109 architectures, 3,379 candidates with the 31 rates of our grid. `staged` gives each stage 2 or 4 blocks.
`free` gives each 1..6, for timing alone.

An architecture has four coordinates: c = log2 C, w = log2 d, h = log2 of its blocks, each moved and scaled to [-1, 1]
over the feasible set, and s = (blocks of the last stage - of the first) / blocks, scaled to at most 1; 0 in `uniform`.
With z = (c, w, h, s), x = log10 of the learning rate and t = x - m(z), the true error is

    error = 5 + R (g(z) - min g) / (max g - min g) + 20 (1 - exp(-p(t) / 20))
    g(z)  = sum_i b_i z_i + sum_i q_i z_i^2 + sum_{i<j} r_ij z_i z_j + 0.3 sin(u . z + v)
    m(z)  = m_0 + sum_i m_i z_i, clipped to [-2.7, -0.3]
    p(t)  = k t^2 below the best rate (t < 0), and a k t^2 above it

where min and max are over the feasible set, and every surface draws, independently,

    b_i ~ N(0, 1)    q_i ~ N(0.5, 0.5)    r_ij ~ N(0, 0.5)    u_i ~ N(0, 2)    v ~ U(0, 2 pi)    R ~ U(1, 2)
    m_0 ~ U(-1.7, -0.7)    m_i ~ N(0, 0.25)    log k ~ U(log 0.3, log 1.2)    a ~ U(2, 5)

(second parameters of N are standard deviations). A trial reports the true error + N(0, 0.10). Regret is counted from
5, the best architecture at its best rate: the candidates lie on a grid of rates and can be up to 0.05 decades off.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import product

import numpy as np
from resnext_search.spaces import Architecture, Band, Configuration, FeasibleSet, Template, enumerate_feasible
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.search_space.axes import Axes
from resnext_search.spaces.search_space.knobs import Knob

from benchmarks.search.optimizer.problem import Dimension, Point, Problem

TEMPLATE = Template(planes=64, stages=3)
BUDGET = int(complexity(TEMPLATE, Architecture.paper(8, 64, (3, 3, 3))).multiply_adds)
RATE = Knob("learning_rate", 1e-3, 1.0, log=True)
NOISE = 0.10
SPREADS = {
    "uniform": tuple((count,) * 3 for count in range(1, 7)),
    "staged": tuple(product((2, 4), repeat=3)),
    "free": tuple(product(range(1, 7), repeat=3)),
}


@cache
def feasible_set(space: str) -> FeasibleSet:
    """The architectures of `uniform` or `staged`."""
    axes = Axes(tuple(2**power for power in range(7)), tuple(range(4, 129)), SPREADS[space], "paper")
    return enumerate_feasible(TEMPLATE, axes, Band(BUDGET, 0.05))


class Surface(Problem):
    """One member of the family; another seed is another surface."""

    def __init__(self, seed: int, space: str = "uniform") -> None:
        box = [
            Dimension("log2_cardinality", 0, 6, integer=True),
            Dimension("width", 4, 128, log=True, integer=True),
            *(
                [Dimension("blocks", 1, 6, integer=True)]
                if space == "uniform"
                else [Dimension(f"log2_blocks_{stage}", 1, 2, integer=True) for stage in (1, 2, 3)]
                if space == "staged"
                else [Dimension(f"blocks_{stage}", 1, 6, integer=True) for stage in (1, 2, 3)]
            ),
            Dimension("learning_rate", RATE.low, RATE.high, log=True),
        ]
        super().__init__(f"surfaces, {space}", feasible_set(space), [RATE], box, target=0.05)
        self.space = space
        self.band = (math.log2(self.feasible.band.low), math.log2(self.feasible.band.high))
        self.best = 5.0
        raw = np.array([_logs(architecture) for architecture in self.feasible])
        self._middle = (raw.max(axis=0) + raw.min(axis=0)) / 2 * [1, 1, 1, 0]
        self._half = np.where(np.ptp(raw, axis=0) > 0, np.abs(raw - self._middle).max(axis=0), 1.0)
        draw = np.random.default_rng([seed, 1])
        self._linear, self._square = draw.normal(0, 1, 4), draw.normal(0.5, 0.5, 4)
        self._pairs = np.triu(draw.normal(0, 0.5, (4, 4)), 1)
        self._wave, self._phase = draw.normal(0, 2, 4), draw.uniform(0, 2 * math.pi)
        self._range = draw.uniform(1, 2)
        self._rate_middle, self._rate_slopes = draw.uniform(-1.7, -0.7), draw.normal(0, 0.25, 4)
        self._curvature, self._steeper = math.exp(draw.uniform(math.log(0.3), math.log(1.2))), draw.uniform(2, 5)
        shapes = [self._shape(architecture) for architecture in self.feasible]
        self._low, self._high = min(shapes), max(shapes)

    def true(self, configuration: Configuration) -> float:
        """The formula above; also outside the band, where nobody is told it."""
        architecture, rate = configuration.architecture, dict(configuration.knobs)["learning_rate"]
        level = (self._shape(architecture) - self._low) / (self._high - self._low)
        off = math.log10(rate) - self.best_rate(architecture)
        penalty = self._curvature * off**2 * (self._steeper if off > 0 else 1.0)
        return 5.0 + self._range * level + 20 * (1 - math.exp(-penalty / 20))

    def best_rate(self, architecture: Architecture) -> float:
        """log10 of the learning rate at which an architecture errs least."""
        return min(max(self._rate_middle + float(self._rate_slopes @ self._z(architecture)), -2.7), -0.3)

    def observe(self, configuration: Configuration, generator: np.random.Generator) -> float:
        """The true error and noise."""
        return self.true(configuration) + NOISE * generator.standard_normal()

    def point(self, configuration: Configuration) -> Point:
        """Numbers of which every whole one stands for a network of the space, so that a peer misses none."""
        architecture = configuration.architecture
        point: dict[str, float] = {
            "log2_cardinality": architecture.cardinality.bit_length() - 1,
            "width": architecture.width,
            **dict(configuration.knobs),
        }
        if self.space == "uniform":
            return {**point, "blocks": architecture.blocks[0]}
        if self.space == "free":
            return {**point, **{f"blocks_{i}": n for i, n in enumerate(architecture.blocks, 1)}}
        return {**point, **{f"log2_blocks_{i}": n.bit_length() - 1 for i, n in enumerate(architecture.blocks, 1)}}

    def configuration(self, point: Point) -> Configuration:
        """A network with widths that double, at a learning rate on or off our grid."""
        if self.space == "uniform":
            blocks = (int(point["blocks"]),) * 3
        elif self.space == "free":
            blocks = tuple(int(point[f"blocks_{stage}"]) for stage in (1, 2, 3))
        else:
            blocks = tuple(2 ** int(point[f"log2_blocks_{stage}"]) for stage in (1, 2, 3))
        architecture = Architecture.paper(2 ** int(point["log2_cardinality"]), int(point["width"]), blocks)
        return Configuration(architecture, (("learning_rate", float(point["learning_rate"])),))

    def cost(self, point: Point) -> float:
        """log2 of the multiply-adds."""
        return math.log2(complexity(TEMPLATE, self.configuration(point).architecture).multiply_adds)

    def _z(self, architecture: Architecture) -> np.ndarray:
        return (_logs(architecture) - self._middle) / self._half

    def _shape(self, architecture: Architecture) -> float:
        z = self._z(architecture)
        wave = 0.3 * math.sin(float(self._wave @ z) + self._phase)
        return float(self._linear @ z + self._square @ z**2 + z @ self._pairs @ z) + wave


def surface(seed: int, space: str = "uniform") -> Surface:
    """The surface of a seed."""
    return Surface(seed, space)


def _logs(architecture: Architecture) -> np.ndarray:
    blocks = architecture.blocks
    late = (blocks[-1] - blocks[0]) / sum(blocks)
    return np.array([math.log2(architecture.cardinality), math.log2(architecture.width), math.log2(sum(blocks)), late])
