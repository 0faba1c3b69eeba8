"""Which networks does a claim compare: its arms, all of which cost the same, and in doubt more where cardinality loses.

*spend* is the paper's Table 4: from a base, what does one buy with about twice the multiply-adds? The budget is what
the base costs with its groups doubled; the rivals, wider or deeper, are matched to it and never cost less, arms with
still more groups never more. The base itself is an arm too: it shows what the budget buys. With `claim.multiples` there
are such arms at several budgets, the paper's Figure 7: `depth@4` spends about four times what the base costs. *trade*
is its Table 3: more groups at the base's cost; arms with more groups never cost more than the base, arms with fewer
never less, and no two arms are further apart than the tolerance. How a match is found stands in `matching.py`. Of
*spaces* every network that is drawn is an arm: `populations.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from resnext_search.spaces.architecture.architecture import Architecture, Template, dashed
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.claim.matching import Match, allowed_differences, best_match, depth_options, width_options
from resnext_search.spaces.claim.populations import populations
from resnext_search.spaces.errors import EmptyFeasibleSet
from resnext_search.spaces.search_space.axes import Band
from resnext_search.spaces.study.sections import MOST_CLAIM_TOLERANCE
from resnext_search.spaces.study.study import Study

# Channels by which a deeper arm's group widths may differ from the base's: it is to be deeper, not wider.
MOST_MOVE = 4


# The arm of a *spend* that is what the others started from, and costs about half of what they do.
BASE = "base"


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: `cardinality`, `width` or `depth` of a *spend*, the paper's `8x14d` of a *trade*.

    A *spend* under the second rules also has `base`, and arms like `cardinality-x4`, if more multiples of the base's C
    are asked for. At several budgets every name but the base's says which: `width@4`.

    Args:
        name: As above.
        architecture: Its network.
        budget: Multiply-adds that it is matched to; of the base what it costs.
    """

    name: str
    architecture: Architecture
    budget: int

    @property
    def is_matched(self) -> bool:
        """Whether it costs what the claim's budget says: all arms do but `base`."""
        return self.name != BASE


@lru_cache(maxsize=16)  # a run asks again whenever a trial ends
def claim_arms(study: Study) -> tuple[Arm, ...]:
    """The arms of a study's claim; without a claim there are none.

    Raises:
        EmptyFeasibleSet: An arm cannot be matched to the budget; the message names every such arm.
    """
    if study.claim is None:
        return ()
    if study.claim.kind == "spaces":
        named = (each for of in populations(study) for each in (of.tuned | of.compared).items())
        return tuple(Arm(name, architecture, study.band().target) for name, architecture in named)
    template, base, tolerance = study.network_template(), _base(study), study.claim.tolerance
    if study.claim.kind == "trade":
        return trade_arms(template, base, study.claim.cardinality or study.axes.cardinality, tolerance)
    if study.rules == 1:
        return spend_arms(template, base, tolerance)
    more = [value // base.cardinality for value in (study.claim.cardinality or ())[1:]]
    itself = Arm(BASE, base, _cost(template, base))
    if study.claim.multiples is None:
        return *spend_arms(template, base, tolerance, more), itself
    of_budgets = (
        replace(arm, name=f"{arm.name}@{times}")
        for times in study.claim.multiples
        for arm in spend_arms(template, base, tolerance, [times * value // 2 for value in more], times=times)
    )
    return *of_budgets, itself


def claim_budgets(study: Study) -> list[int]:
    """Multiply-adds that the arms of a claim are matched to, ascending; none without a claim.

    Raises:
        EmptyFeasibleSet: As `claim_arms`.
    """
    return sorted({arm.budget for arm in claim_arms(study) if arm.is_matched})


def _base(study: Study) -> Architecture:
    assert study.claim is not None  # callers ask first
    assert study.claim.base is not None  # nor has the claim's kind another
    return study.claim.base.architecture()


def _cost(template: Template, architecture: Architecture) -> int:
    return int(complexity(template, architecture).multiply_adds)


def spend_arms(
    template: Template, base: Architecture, tolerance: float, multiples: Sequence[int] = (), *, times: int = 2
) -> tuple[Arm, ...]:
    """Ways to spend what the base costs with so many times its groups: `cardinality`, `width` and `depth`.

    Width and depth cost at least that, and at most `tolerance` more. Width keeps the base's blocks. Depth has at least
    the base's blocks in every stage, more in some, and the base's group widths if that is possible, else widths that
    differ by as few channels as possible, at most `MOST_MOVE`.

    For each of `multiples`, such as 4, an arm `cardinality-x4` follows the first: so many times the base's groups, each
    narrower, with the base's blocks. It costs at most what `cardinality` does, and at most `tolerance` less.

    Raises:
        EmptyFeasibleSet: Some arms cannot be matched.

    Source:
        Xie et al. 2017, arXiv:1611.05431, Table 4. Its rivals cost 1.2 % and 2.9 % less than its best arm.

    >>> for arm in spend_arms(Template(planes=32, stride=2), Architecture.paper(1, 32, (2, 2, 2)), 0.02):
    ...     print(arm.name, arm.architecture.group_widths, arm.architecture.blocks)
    cardinality (32, 64, 128) (2, 2, 2)
    width (49, 101, 201) (2, 2, 2)
    depth (33, 65, 129) (4, 4, 4)
    >>> [arm.name for arm in spend_arms(Template(planes=32, stride=2), Architecture.paper(1, 32, (2, 2, 2)), 0.02, [4])]
    ['cardinality', 'cardinality-x4', 'width', 'depth']
    """
    reference = Architecture(times * base.cardinality, base.group_widths, base.blocks)
    budget = Band(_cost(template, reference), tolerance)
    width = best_match(base.cardinality, width_options(template, base.cardinality, reference), budget, dearer=True)
    depth = _deeper(template, base, reference, budget)
    matches = [("width", width, True), ("depth", depth, True)]
    for multiple in reversed(multiples):
        options = width_options(template, multiple * base.cardinality, reference)
        narrower = best_match(multiple * base.cardinality, options, budget, dearer=False)
        matches.insert(0, (f"cardinality-x{multiple}", narrower, False))
    hint = "Leave that multiple out of claim.cardinality, or choose" if multiples else "Choose"
    hint += f" another claim.base, or a claim.tolerance up to {MOST_CLAIM_TOLERANCE:.0%}."
    _raise_unmatched(budget, matches, hint=hint)
    first = Arm("cardinality", reference, budget.target)
    return first, *(Arm(name, match.architecture, budget.target) for name, match, _ in matches)


def _deeper(template: Template, base: Architecture, reference: Architecture, budget: Band) -> Match:
    """The base with more blocks, its group widths moved by as few channels as the budget allows."""
    for move in range(MOST_MOVE + 1):
        options = depth_options(template, base, reference, move)
        match = best_match(base.cardinality, options, budget, dearer=True, more_blocks_than=sum(base.blocks))
        if match.difference in allowed_differences(budget, dearer=True):
            break
    return match


def trade_arms(
    template: Template, base: Architecture, cardinalities: Iterable[int], tolerance: float
) -> tuple[Arm, ...]:
    """One arm for each cardinality, the base's among them, in ascending order, all with the base's blocks and cost.

    Arms with more groups than the base cost at most what it costs, arms with fewer at least that. If there are both,
    each side has half the tolerance, so that any two arms match.

    Raises:
        EmptyFeasibleSet: Some arms cannot be matched.

    Source:
        Xie et al. 2017, arXiv:1611.05431, Table 3. Its arms with more groups cost 0.5 % to 4.4 % more.

    >>> arms = trade_arms(Template(planes=32, stride=2), Architecture.paper(1, 32, (2, 2, 2)), (2, 4, 8), 0.02)
    >>> [(arm.name, arm.architecture.group_widths) for arm in arms]
    [('1x32d', (32, 64, 128)), ('2x20d', (20, 39, 78)), ('4x12d', (12, 23, 46)), ('8x7d', (7, 13, 26))]
    """
    values = sorted({base.cardinality, *cardinalities})
    two_sided = values[0] < base.cardinality < values[-1]
    budget = Band(_cost(template, base), tolerance / 2 if two_sided else tolerance)
    matches = []
    for cardinality in values:
        dearer, match = cardinality < base.cardinality, Match(base, 0)
        if cardinality != base.cardinality:
            match = best_match(cardinality, width_options(template, cardinality, base), budget, dearer=dearer)
        matches.append((f"{cardinality}x{match.architecture.width}d", match, dearer))
    hint = (
        f"Leave that C out of claim.cardinality, or choose another claim.base or a claim.tolerance up to "
        f"{MOST_CLAIM_TOLERANCE:.0%}." + " With C on both sides of the base's, each side has half of it." * two_sided
    )
    _raise_unmatched(budget, matches, hint=hint)
    return tuple(Arm(name, match.architecture, budget.target) for name, match, _ in matches)


def _raise_unmatched(budget: Band, matches: Iterable[tuple[str, Match, bool]], *, hint: str) -> None:
    """Complain of every arm (its name, its match, and whether it may cost more, not less) that is not matched."""
    lines = []
    for name, match, dearer in matches:
        if match.difference not in allowed_differences(budget, dearer=dearer):
            found = match.architecture
            lines.append(
                f"claim: arm {name}: the nearest is {found.name} with blocks {dashed(found.blocks)} and widths "
                f"{dashed(found.group_widths)}, {budget.target + match.difference:,} multiply-adds, "
                f"{100 * match.difference / budget.target:+.2f} % from {budget.target:,}; "
                f"allowed: 0 to {'+' if dearer else '-'}{100 * budget.tolerance:g} %"
            )
    if lines:
        raise EmptyFeasibleSet("\n".join(lines), hint=hint)
