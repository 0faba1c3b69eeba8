"""The claim of a study file: what is compared, and how much evidence is collected.

What concerns other sections too is in `checks.py`. Arms are made in `claim/arms.py`, the networks of spaces drawn in
`claim/populations.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from resnext_search.spaces.study.axes import BlocksAxis, IntegerAxis
from resnext_search.spaces.study.problems import Problem, raise_problems
from resnext_search.spaces.study.sections import (
    FEWEST_SEEDS,
    MOST_CLAIM_TOLERANCE,
    Channels,
    LikeConfig,
    Section,
)
from resnext_search.spaces.study.units import Number, Share, Whole

# Kinds of claim whose arms are made from a base.
WITH_BASE = ("spend", "trade")
# What a key that was left out is, where it is another than below.
DEFAULTS_OF_SPACES = {"seeds": 40, "tuning_seeds": 6, "finalists": 0}
# A fit of the best rate over the networks of a space says how sure it is from what it would be without each of them.
FEWEST_TUNED_NETWORKS = 3


class SpaceConfig(Section):
    """A part of the feasible set: all architectures whose values are among these; what is left out may be anything."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._]{0,39}$")]
    """Names it in tables and sentences, such as `more groups`"""
    cardinality: IntegerAxis | None = None
    """Groups C"""
    width: IntegerAxis | None = None
    """Channels d of one group in the first stage"""
    blocks: BlocksAxis | None = None
    """Blocks per stage: a list of spreads, or {min, max} for every stage"""


class ClaimConfig(Section):
    """A claim of the paper, tested: what its arms are, and how much evidence is collected."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"kind": {"enum": list(WITH_BASE)}}, "required": ["kind"]},
            "then": {"required": ["base"]},
        }
    )

    kind: Literal["spend", "trade", "spaces"]
    """spend: what to buy with twice the FLOPs (the paper's Table 4) | trade: more groups at the same FLOPs (Table 3) |
    spaces: networks drawn from two parts of the feasible set"""
    base: LikeConfig | None = None
    """spend, trade: the architecture that the arms start from"""
    spaces: tuple[SpaceConfig, ...] | None = Field(default=None, min_length=2, max_length=2)
    """spaces: the two that are compared, the one that is to err less last; without it those with C = 1 and C > 1"""
    cardinality: tuple[Channels, ...] | None = Field(default=None, min_length=1)
    """trade: values of C, one arm each, the base's is added; without it axes.cardinality | spend: multiples of the
    base's C, one arm each, the first twice the base's; without it that one alone"""
    multiples: tuple[Annotated[Whole, Field(ge=2, le=64)], ...] | None = Field(default=None, min_length=2)
    """spend: budgets, as multiples of the base: at each of them C is so many times the base's, and the other arms cost
    the same; without it one budget, at twice the base's C"""
    tolerance: Share = Field(default=0.02, ge=0, le=MOST_CLAIM_TOLERANCE)
    """How far an arm's multiply-adds may lie from the budget of the claim: 2% or 0.02"""
    tuning_seeds: Annotated[Whole, Field(ge=1, le=100)] = 2
    """Seeds on which the rates around each arm's best one are tried again; none under `rules: 1` | spaces: networks of
    each that are tried at every rate, one a seed; 6 without it"""
    tuning_trials: Annotated[Whole, Field(ge=3, le=1_000)] = 7
    """Learning rates tried for every arm, evenly spaced over the range on its scale; of a list, all its values are.
    Under `rules: 1` the default is 8"""
    seeds: Annotated[Whole, Field(ge=2, le=10_000)] = 10
    """Fresh seeds on which every arm is trained and tested; with looks the last of them | spaces: networks of each that
    are trained and tested, one a seed; 40 without it"""
    looks: tuple[Annotated[Whole, Field(ge=FEWEST_SEEDS, le=10_000)], ...] | None = Field(default=None, min_length=2)
    """Seeds an arm after which the runs are judged, and the study ends if they say a word; without it after all"""
    margin: Annotated[Number, Field(gt=0, le=100)] = 0.3
    """Difference of test errors, in percentage points, below which nobody cares; fixed before the run"""
    finalists: Annotated[Whole, Field(ge=0, le=100)] = 1
    """Best configurations of the search that are trained and tested on the same fresh seeds; none with spaces"""

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, given: Any) -> Any:
        """Those of spaces; and with looks the seeds of the last."""
        if not isinstance(given, dict):
            return given
        defaults = DEFAULTS_OF_SPACES if given.get("kind") == "spaces" else {}
        looks = given.get("looks")
        if isinstance(looks, list | tuple) and looks and isinstance(looks[-1], int):
            defaults = {**defaults, "seeds": looks[-1]}
        return {**defaults, **given}

    @model_validator(mode="after")
    def _keys_of_its_kind(self) -> Self:
        raise_problems(self._problems())
        return self

    def _problems(self) -> Iterator[Problem]:
        if self.kind in WITH_BASE:
            if self.base is None:
                fix = "Give base: {cardinality: 1, width: 16, blocks: [1, 1, 1]}."
                yield Problem(("base",), "nothing", f"an architecture, with kind: {self.kind}", fix)
            if self.spaces is not None:
                yield Problem(("spaces",), "two spaces", "only for kind: spaces", "Remove it.")
            return
        for name in ("base", "cardinality"):
            if getattr(self, name) is not None:
                fix = "Remove it: claim.spaces says which networks are compared."
                yield Problem((name,), "a value", "only for kind: spend and kind: trade", fix)
        if self.finalists:
            fix = "Remove it: networks of a space are drawn, not chosen."
            yield Problem(("finalists",), f"{self.finalists}", "0 with kind: spaces", fix)
        if self.tuning_seeds < FEWEST_TUNED_NETWORKS:
            yield Problem(
                ("tuning_seeds",), f"{self.tuning_seeds}", f"at least {FEWEST_TUNED_NETWORKS} with kind: spaces"
            )
        names = [space.name for space in self.spaces or ()]
        # a table of runs may not have names that differ by case or inner spaces alone
        if len({"".join(name.casefold().split()) for name in names}) < len(names):
            found = f"two spaces called {names[0]}" if len(set(names)) < len(names) else f"spaces {' and '.join(names)}"
            yield Problem(("spaces",), found, "two names that differ by more than case or spaces")
