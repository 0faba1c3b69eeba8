"""What is a method of proposing, which one has a name, and the one that needs no model: a space-filling design.

A row of `METHODS` in `spaces/search_space/methods.py` names the class. Imports no Ax and no torch: a class is imported
when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Protocol

import numpy as np
from resnext_search.search.optimizer.state import SearchState
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.spaces.architecture.complexity import Integers
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.search_space.methods import METHODS
from resnext_search.spaces.seeds import derive_seed


class Method(Protocol):
    """Proposes what is tried next; made without arguments, for one study."""

    def propose(self, state: SearchState) -> int:
        """A candidate that was not proposed before, of which one is left; the same for the same state."""


def method_named(name: str) -> Method:
    """The method of a name of `METHODS`; raises `UsageError` if there is none."""
    if name not in METHODS:
        raise UsageError(f"method {name!r} is unknown; there are {', '.join(METHODS)}")
    module, found = METHODS[name].implementation.split(":")
    made: Method = getattr(import_module(module), found)()
    return made


def proposal_generator(seed: int, number: int) -> np.random.Generator:
    """Random numbers for one proposal, whatever was proposed before."""
    return np.random.default_rng(derive_seed(seed, "proposal", number))


class SobolMethod:
    """Covers the space evenly: the start of a method that learns, and the baseline."""

    def propose(self, state: SearchState) -> int:
        """The next point of the design of the study's seed."""
        return spread(state.pool, len(state.candidates), derive_seed(state.seed, "design"), state.tried)


def spread(pool: Candidates, number: int, seed: int, excluded: Integers) -> int:
    """The `number`-th point, from 0, of a space-filling design: the candidate nearest to a scrambled Sobol point.

    `seed` is that of the scrambling, the same for the whole design; the `(n,)` excluded candidates are not all of them.
    """
    from scipy.stats import qmc  # takes half a second to import, and not every method needs it

    sobol = qmc.Sobol(max(1, len(pool.coordinate_names)), scramble=True, rng=np.random.default_rng(seed))
    if number:
        sobol.fast_forward(number)
    point = sobol.random(1)[0]
    split = pool.architecture_coordinates.shape[1]
    to_architectures = ((pool.architecture_coordinates - point[:split]) ** 2).sum(axis=1)
    to_knobs = ((pool.knob_coordinates - point[split : len(pool.coordinate_names)]) ** 2).sum(axis=1)
    distance = (to_architectures[:, None] + to_knobs[None, :]).ravel()
    distance[excluded] = np.inf
    return int(distance.argmin())
