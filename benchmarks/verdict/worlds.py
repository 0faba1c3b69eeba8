"""Studies whose truth is known, image by image.

Image i is got wrong by run k of arm a if

    threshold[a] + run[a, k] + difficulty[i] + taste[a, i] + waver[a, k, i] > 0,

all normal. Most images are easy for everyone, arms agree on most of the hard ones, and runs of one arm on nearly all.
The true error of an arm, over all runs and all images, is then the normal distribution function of its threshold in
units of the whole standard deviation: the thresholds are chosen for it, and no truth is estimated. The standard
deviation between seeds is that of the test error as a user measures it, on one test set: it contains what wavers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri, owens_t

# What wavers contributes this to the SD between seeds on 10,000 images, in points: two runs of an arm disagree on 5.8 %
# of them. In the published studies it is 0.17 to 0.19 points, and 5.8 to 6.9 %.
WAVERING = 0.17
# Images so easy that fewer than one in two thousand answers is wrong are got right without being drawn: three in five.
EASY = 5e-4


class Population(NamedTuple):
    """Images: how hard each is, `(images,)`, and what every arm makes of it, `(arms, images)`."""

    difficulty: np.ndarray
    taste: np.ndarray


@dataclass(frozen=True)
class World:
    """Standard deviations of the latent effects of the images; what wavers has 1."""

    images: int
    difficulty: float
    taste: float

    @classmethod
    def of(cls, images: int, example_error: float, error: float = 0.08, wavering: float = WAVERING) -> World:
        """The world in which other images make a difference between two arms deviate by so many points.

        `wavering` is the part of the SD between seeds, in points, that comes of answers which differ from run to run.
        """
        own_wrong = error - images * (wavering / 100) ** 2
        own = brentq(lambda rho: both_wrong(error, rho) - own_wrong, 0, 1 - 1e-12)
        other_wrong = own_wrong - images * (example_error / 100) ** 2 / 2
        other = brentq(lambda rho: both_wrong(error, rho) - other_wrong, 0, 1 - 1e-12)
        return cls(images, math.sqrt(other / (1 - own)), math.sqrt((own - other) / (1 - own)))

    def wrong(self, errors: np.ndarray, deviation: float, seeds: int, generator: np.random.Generator) -> np.ndarray:
        """One study's answers, `(arms, seeds, images)`, of arms with these true errors and this SD between seeds."""
        return self.answers(self.population(len(errors), generator), errors, deviation, seeds, generator)

    def population(self, arms: int, generator: np.random.Generator) -> Population:
        """The images of one study: how hard each is, and what every arm makes of it."""
        difficulty = self.difficulty * _normal(generator, self.images)
        return Population(difficulty, self.taste * _normal(generator, arms, self.images))

    def answers(
        self, of: Population, errors: np.ndarray, deviation: float, seeds: int, generator: np.random.Generator
    ) -> np.ndarray:
        """Answers about these images, as in `wrong`; `of` has one taste a network that is trained."""
        arms, runs = len(errors), self._runs(errors, deviation)
        whole = np.sqrt(1 + self.difficulty**2 + self.taste**2 + runs**2)
        thresholds = -(whole * ndtri(errors)).astype(np.float32)
        reach = -ndtri(EASY) * np.sqrt(1 + self.taste**2 + runs.max() ** 2)
        hard = np.flatnonzero(of.difficulty > thresholds.min() - reach)
        latent = _normal(generator, arms, seeds, len(hard))
        latent += runs.astype(np.float32)[:, None, None] * _normal(generator, arms, seeds, 1)
        latent += (of.difficulty[hard] + of.taste[:, hard])[:, None]
        wrong = np.zeros((arms, seeds, self.images), bool)
        wrong[:, :, hard] = latent > thresholds[:, None, None]
        return wrong

    def _runs(self, errors: np.ndarray, deviation: float) -> np.ndarray:
        """Latent standard deviation of an arm's runs, `(arms,)`: what is left of the SD when wavering has its part.

        Where an arm errs so much that wavering alone is more, nothing is.
        """
        whole = 1 + self.difficulty**2 + self.taste**2
        wavering = np.sqrt((errors - both_wrong(errors, 1 - 1 / whole)) / self.images)
        points_per_unit = np.exp(-(ndtri(errors) ** 2) / 2) / math.sqrt(2 * math.pi * whole)
        return np.sqrt(np.maximum((deviation / 100) ** 2 - wavering**2, 0)) / points_per_unit


def both_wrong(error: np.ndarray | float, rho: float) -> np.ndarray | float:
    """Probability that two answers are wrong whose latents are correlated; each is with probability `error`."""
    return error - 2 * owens_t(ndtri(error), math.sqrt((1 - rho) / (1 + rho)))


def _normal(generator: np.random.Generator, *shape: int) -> np.ndarray:
    return generator.standard_normal(shape, dtype=np.float32)
