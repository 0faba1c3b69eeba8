"""Which networks stand for two parts of the feasible set? Drawn by chance before anything is trained, at one budget.

The claim is about spaces, not about one network of each: so every run of a space is of another of its networks. First
come those that its learning rates are tuned with, then those that are compared, so that no network is both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from resnext_search.spaces.architecture.architecture import Architecture
from resnext_search.spaces.architecture.complexity import Complexity, complexity
from resnext_search.spaces.errors import EmptyFeasibleSet
from resnext_search.spaces.search_space.feasible import FeasibleSet
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study.claim import SpaceConfig
from resnext_search.spaces.study.study import Study

# A network's name as an arm: `more groups/017` is compared, `more groups/t3` tuned.
_NETWORK = re.compile(r"(?P<space>[^/]+)/(?P<tuned>t?)(?P<number>[0-9]{1,6})", re.ASCII)
# The spaces of a claim that names none.
ONE_GROUP, MORE_GROUPS = "one group", "more groups"


@dataclass(frozen=True)
class Population:
    """The networks of one space.

    Args:
        name: Of the space.
        size: How many networks of it lie in the band.
        tuned: Those that its rates are tuned with, by their names as arms.
        compared: Those that are trained once and tested, in their order.
    """

    name: str
    size: int
    tuned: dict[str, Architecture]
    compared: dict[str, Architecture]


def space_of(arm: str) -> str | None:
    """The space that an arm is a network of; None for other arms.

    >>> space_of("more groups/017"), space_of("more groups/t3"), space_of("width")
    ('more groups', 'more groups', None)
    """
    match = _NETWORK.fullmatch(arm)
    return match["space"] if match else None


def spaces_of(arms: Iterable[str]) -> list[str]:
    """The spaces that arms are networks of, by name; none unless all arms are networks, and some are of one space.

    >>> spaces_of(["wide/001", "wide/002", "narrow/001"]), spaces_of(["resnet/50", "resnext/50"])
    (['narrow', 'wide'], [])
    """
    names = set(arms)
    found = {space_of(name) for name in names}
    return sorted(space for space in found if space) if None not in found and len(found) < len(names) else []


def is_tuned(arm: str) -> bool:
    """Whether an arm is a network that a space's rates are tuned with.

    >>> is_tuned("more groups/t3"), is_tuned("more groups/017")
    (True, False)
    """
    match = _NETWORK.fullmatch(arm)
    return bool(match and match["tuned"])


@lru_cache(maxsize=4)  # a run asks again whenever a trial ends
def populations(study: Study) -> tuple[Population, ...]:
    """The networks of both spaces of a claim, in the order of the spaces; without such a claim there are none.

    Each is a draw without replacement from the networks of the band, by the study's seed: with more `claim.seeds` the
    first ones stay.

    Raises:
        EmptyFeasibleSet: A space has too few networks in the band, or the two share some.
    """
    claim = study.claim
    if claim is None or claim.kind != "spaces":
        return ()
    feasible, spaces = study.feasible_set(), _spaces(study)
    members = [_members(feasible, space, study.template.stages) for space in spaces]
    _expect_enough(study, spaces, members)
    found = []
    for space, of in zip(spaces, members, strict=True):
        generator = np.random.default_rng(derive_seed(study.root_seed, "space", space.name))
        drawn = [feasible[int(index)] for index in generator.permutation(np.flatnonzero(of))]
        compared = drawn[claim.tuning_seeds : claim.tuning_seeds + claim.seeds]
        found.append(
            Population(
                space.name,
                int(of.sum()),
                {f"{space.name}/t{number}": each for number, each in enumerate(drawn[: claim.tuning_seeds])},
                {f"{space.name}/{number:03d}": each for number, each in enumerate(compared)},
            )
        )
    return tuple(found)


def mean_costs(study: Study, of: Population) -> dict[str, float]:
    """What one image costs the networks that are compared, on average: the fields of `Complexity`."""
    counts = [complexity(study.network_template(), each) for each in of.compared.values()]
    return {name: float(np.mean([getattr(one, name) for one in counts])) for name in Complexity._fields}


def _spaces(study: Study) -> tuple[SpaceConfig, ...]:
    assert study.claim is not None  # callers ask first
    if study.claim.spaces is not None:
        return study.claim.spaces
    more = [value for value in study.architecture_axes().cardinality if value > 1]
    return SpaceConfig(name=ONE_GROUP, cardinality=(1,)), SpaceConfig(name=MORE_GROUPS, cardinality=tuple(more))


def _members(feasible: FeasibleSet, space: SpaceConfig, stages: int) -> NDArray[np.bool_]:
    """Which networks of the set belong to a space, `(n,)`."""
    inside = np.ones(len(feasible), dtype=bool)
    if space.cardinality is not None:
        inside &= np.isin(feasible.cardinality, space.cardinality)
    if space.width is not None:
        inside &= np.isin(feasible.width, space.width)
    if space.blocks is not None:
        spreads = set(space.blocks.spreads(stages))
        inside &= np.array([tuple(row) in spreads for row in feasible.blocks.tolist()])
    return inside


def _expect_enough(study: Study, spaces: tuple[SpaceConfig, ...], members: list[NDArray[np.bool_]]) -> None:
    assert study.claim is not None  # the caller asks first
    tuned, seeds = study.claim.tuning_seeds, study.claim.seeds
    lines = [
        f"claim.spaces: {space.name} has {int(of.sum()):,} networks inside the band; allowed: at least "
        f"{tuned + seeds:,}, {tuned} to tune and {seeds} to compare"
        for space, of in zip(spaces, members, strict=True)
        if of.sum() < tuned + seeds
    ]
    shared = int((members[0] & members[1]).sum())
    if shared:
        lines.append(f"claim.spaces: {spaces[0].name} and {spaces[1].name} share {shared:,} networks; allowed: none")
    if lines:
        hint = "Widen the axes, the spaces or budget.tolerance, or lower claim.seeds; spaces may not overlap."
        raise EmptyFeasibleSet("\n".join(lines), hint=hint)
