"""What is searched next to the architecture: learning rate and the other knobs of a training recipe.

A knob maps its values onto [0, 1], in the scale that suits it, for the optimizer and for space-filling designs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from resnext_search.spaces.architecture.complexity import Floats


class KnobFacts(NamedTuple):
    """A knob's name in that of a trial, its meaning in the study file, and whether its values are whole numbers."""

    short: str
    meaning: str
    integer: bool = False


# Every key of `trainer` that can be searched, in the order of the columns of `trials.csv`.
KNOBS = {
    "learning_rate": KnobFacts("lr", "Step size of SGD at its highest"),
    "batch_size": KnobFacts("batch", "Images a step", integer=True),
    "weight_decay": KnobFacts("wd", "L2 penalty on the weights"),
    "momentum": KnobFacts("momentum", "Momentum of SGD"),
    "label_smoothing": KnobFacts("smoothing", "Share of the target spread over all classes"),
}


@dataclass(frozen=True)
class Knob:
    """One searched parameter of the recipe.

    Args:
        name: As in the study file, such as `learning_rate`.
        low: Smallest value.
        high: Largest value; above `low`.
        log: Whether equal ratios, not equal differences, are equally far apart; `low` is then above 0.
        values: The only values allowed, ascending; empty if every value in [low, high] is.
        integer: Whether values are whole numbers.
    """

    name: str
    low: float
    high: float
    log: bool = False
    values: tuple[float, ...] = ()
    integer: bool = False

    def to_unit(self, values: Floats) -> Floats:
        """Map values, a `(...)` array, onto [0, 1], an array of the same shape.

        >>> Knob("learning_rate", 0.01, 1.0, log=True).to_unit(np.array([0.01, 0.1, 1.0])).tolist()
        [0.0, 0.5, 1.0]
        """
        if self.log:
            return np.asarray(np.log10(values / self.low) / np.log10(self.high / self.low))
        return np.asarray((values - self.low) / (self.high - self.low))

    def grid(self, points: int) -> Floats:
        """Values to choose from: all that are allowed, or so many evenly spaced ones with both ends.

        `(values,)`, ascending, each once; of whole numbers there may be fewer than were asked for.

        >>> Knob("learning_rate", 0.01, 1.0, log=True).grid(3).tolist()
        [0.01, 0.1, 1.0]
        """
        if self.values:
            return np.array(self.values)
        unit = np.linspace(0.0, 1.0, points)
        grid = self.low * (self.high / self.low) ** unit if self.log else self.low + (self.high - self.low) * unit
        grid = np.round(grid) if self.integer else np.array([float(f"{value:.4g}") for value in grid])
        return np.unique(np.clip(grid, self.low, self.high))
