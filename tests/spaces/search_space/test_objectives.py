"""The table of objectives: every row is either known of the architectures or measured, and the error is neither."""

from __future__ import annotations

from typing import get_args

import numpy as np
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.search_space.objectives import COSTS, ERROR, MEASURED, OBJECTIVES, Latency, Objective

from tests.support.journals import tiny_set


def test_a_study_may_name_what_has_a_row() -> None:
    assert get_args(Objective) == tuple(OBJECTIVES) == (ERROR, *COSTS)


def test_a_cost_is_known_or_measured() -> None:
    known = [name for name, facts in OBJECTIVES.items() if facts.known]
    assert sorted(COSTS) == sorted([*known, *MEASURED])
    assert set(MEASURED) <= set(Latency._fields)


def test_a_known_cost_is_that_of_every_architecture() -> None:
    feasible = tiny_set()
    counts = complexity(feasible.template, feasible[2])
    for name in ("parameters", "activations"):
        known = OBJECTIVES[name].known
        assert known is not None
        assert np.asarray(known(feasible))[2] == getattr(counts, name)
