"""What is asked of the runs: which arms are compared, and with which? Imports numpy alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from resnext_search.results.statistics.estimates import trend_weights
from resnext_search.spaces.architecture.complexity import Floats
from resnext_search.spaces.claim.arms import BASE
from resnext_search.spaces.claim.populations import spaces_of
from resnext_search.spaces.errors import UsageError, visible

Kind = Literal["spend", "trade", "pair", "spaces"]
Word = Literal["supported", "partly supported", "no practical difference", "contradicted", "inconclusive", "invalid"]

CLAIMANT = "cardinality"
# An arm with a larger multiple of the base's C than the claimant's: reported beside it, and not part of the word.
MULTIPLE = re.compile(r"cardinality-x[1-9][0-9]{0,8}(@[1-9][0-9]{0,8})?", re.ASCII)
# An arm of a *spend* at several budgets: how it spends, and how many times the base's groups its budget pays for.
AT_A_BUDGET = re.compile(r"(?P<way>.+)@(?P<times>[1-9][0-9]{0,8})", re.ASCII | re.DOTALL)


@dataclass(frozen=True)
class Question:
    """Which arms are compared, and how.

    Args:
        kind: `spend`: does the claimant beat every rival? `trade`: do more groups err less? `pair`: like `spend`, with
            a claimant of the user's choice. `spaces`: the same, of two spaces, whose runs are of many networks.
        claimant: The arm that the claim is about; at several budgets the name that it has there without the budget.
        arms: All of them, the claimant first; of a `trade`, by ascending cardinality, at several budgets by budget.
        cardinalities: Of the arms of a `trade`; otherwise empty.
        base: Of a `spend`, the arm that the others started from, at about half the cost; None where there is none.
        multiples: Of a `spend`, arms with still more groups than the claimant.
        budgets: Of a `spend` at several budgets, how many times the base's groups each pays for, ascending; else empty.
    """

    kind: Kind
    claimant: str
    arms: tuple[str, ...]
    cardinalities: tuple[int, ...] = ()
    base: str | None = None
    multiples: tuple[str, ...] = ()
    budgets: tuple[int, ...] = ()

    def parts(self) -> list[Question]:
        """The same question at every budget, each with the base; itself where there is one budget."""
        return [self._at(times) for times in self.budgets] or [self]

    def _at(self, times: int) -> Question:
        arms = tuple(arm for arm in self.arms if arm == self.base or arm.endswith(f"@{times}"))
        multiples = tuple(arm for arm in self.multiples if arm in arms)
        return Question(self.kind, f"{self.claimant}@{times}", arms, base=self.base, multiples=multiples)

    def claimants(self) -> list[str]:
        """The claimant, as it is named at every budget."""
        return [part.claimant for part in self.parts()]

    def rivals(self) -> list[str]:
        """The arms that the claimant is to beat: all that cost the same, and are no multiple of it."""
        none = {*self.claimants(), *self.multiples}
        return [arm for arm in self.matched() if arm not in none]

    def ways(self) -> list[str]:
        """The rivals without the budget, each once."""
        if not self.budgets:
            return self.rivals()
        return list(dict.fromkeys(rival.rpartition("@")[0] for rival in self.rivals()))

    def matched(self) -> list[str]:
        """The arms that are to cost the same: all but the base."""
        return [arm for arm in self.arms if arm != self.base]

    def pairs(self) -> list[tuple[str, str]]:
        """The plain comparisons, (claimant, rival): of a `trade` each cardinality against the smallest."""
        if self.kind == "trade":
            return [(arm, self.arms[0]) for arm in self.arms[1:]]
        return [(part.claimant, rival) for part in self.parts() for rival in part.rivals()]

    def weights(self, claimant: str, rival: str) -> Floats:
        """Contrast of a comparison, `(arms,)`: what the claimant errs less than the rival."""
        return np.array([float(arm == rival) - float(arm == claimant) for arm in self.arms])

    def further_pairs(self) -> list[tuple[str, str]]:
        """The multiples, each against every rival."""
        return [(arm, rival) for part in self.parts() for arm in part.multiples for rival in part.rivals()]

    def trend(self) -> Floats | None:
        """Contrast of the trend over log2 C, `(arms,)`; None if the question is no `trade`."""
        return trend_weights(self.cardinalities) if self.kind == "trade" else None

    def gains(self) -> Floats:
        """Mean errors, `(arms,)`, under which every primary contrast is 1."""
        if self.kind != "trade":
            claimants = self.claimants()
            return np.array([float(arm not in claimants) for arm in self.arms])
        steps = np.log2(np.array(self.cardinalities, dtype=float))
        return np.asarray((steps[-1] - steps) / (steps[-1] - steps[0]))


def ask(arms: Iterable[str], claimant: str | None = None, *, rules: int = 2) -> Question:
    """Tell from the names of the arms what is asked.

    Args:
        arms: Names; at least two different ones.
        claimant: Compared with all others, whatever the names say. Of networks of two spaces, `more groups/017`, one
            of these; it is needed.
        rules: Under the first, every arm but the claimant is a rival.

    Raises:
        UsageError: The claimant is no arm, is needed or has no rival, or there is one arm only.

    >>> ask(["width", "depth", "cardinality", "base"]).pairs()
    [('cardinality', 'depth'), ('cardinality', 'width')]
    >>> ask(["32x4d-50", "8x14d-50", "1x64d-50"]).pairs()
    [('8x14d-50', '1x64d-50'), ('32x4d-50', '1x64d-50')]
    """
    names = sorted(set(arms))
    spaces = spaces_of(names)
    if spaces and claimant not in names:
        return _of_spaces(spaces, claimant, rules)
    listed = visible(", ".join(names))
    if len(names) < 2:
        raise UsageError(f"arm: only {listed}; a comparison needs two arms", hint="Give the runs of its rivals too.")
    if claimant is not None and claimant not in names:
        raise UsageError(f"claimant {claimant!r} is no arm of these runs; allowed: {listed}", hint="Change --claimant.")
    if claimant is None and rules > 1 and (several := _at_several_budgets(names)):
        return several
    if claimant is None and CLAIMANT not in names:
        groups = {name: re.match(r"([1-9][0-9]{0,8})x[1-9][0-9]{0,8}d", name, re.ASCII) for name in names}
        cardinalities = {name: int(match[1]) for name, match in groups.items() if match}
        if len(set(cardinalities.values())) < len(names):
            raise UsageError(
                f"arm: neither an arm 'cardinality', nor one cardinality an arm as in 1x64d and 32x4d: {listed}",
                hint=f"Say which arm the claim is about, e.g. --claimant {visible(names[0])}.",
            )
        ordered = sorted(names, key=cardinalities.__getitem__)
        return Question("trade", ordered[-1], tuple(ordered), tuple(cardinalities[name] for name in ordered))
    chosen = claimant or CLAIMANT
    is_spend = rules > 1 and CLAIMANT in names
    question = Question(
        "spend" if chosen == CLAIMANT else "pair",
        chosen,
        (chosen, *(name for name in names if name != chosen)),
        base=BASE if is_spend and BASE in names and chosen != BASE else None,
        multiples=tuple(name for name in names if is_spend and MULTIPLE.fullmatch(name) and name != chosen),
    )
    if not question.rivals():
        raise UsageError(
            f"arm: only {listed}; {chosen} needs a rival that costs the same", hint="Give the runs of its rivals too."
        )
    return question


def _of_spaces(spaces: Sequence[str], claimant: str | None, rules: int) -> Question:
    """The question of runs whose arms are networks of two spaces; nothing in their names says which is to err less."""
    listed = ", ".join(spaces)
    if rules == 1:
        raise UsageError(f"arm: networks of {listed}: rules 1 know no spaces", hint="Judge them by rules 2.")
    if len(spaces) != 2:
        raise UsageError(
            f"arm: networks of {listed}; allowed: of two spaces", hint="Give the runs of two spaces alone."
        )
    if claimant is None or claimant not in spaces:
        found = "which space is to err less is not said" if claimant is None else f"claimant {claimant!r} is no space"
        raise UsageError(f"{found}; allowed: {listed}", hint=f"Say it, e.g. --claimant {spaces[-1]!r}.")
    return Question("spaces", claimant, (claimant, *(name for name in spaces if name != claimant)))


def _at_several_budgets(names: Sequence[str]) -> Question | None:
    """The question of a `spend` whose arms are `base` and, at each of at least two budgets, the claimant and a rival.

    Every budget has the same arms. None where the names are others.
    """
    found = {name: AT_A_BUDGET.fullmatch(name) for name in names if name != BASE}
    ways: dict[int, set[str]] = {}
    for match in found.values():
        if match is None:
            return None
        ways.setdefault(int(match["times"]), set()).add(match["way"])
    budgets = sorted(ways)
    plain = {way for of in ways.values() for way in of if not MULTIPLE.fullmatch(way)}
    same = all({way for way in of if not MULTIPLE.fullmatch(way)} == plain for of in ways.values())
    if len(budgets) < 2 or not same or CLAIMANT not in plain or len(plain) < 2:
        return None
    arms = [
        f"{way}@{times}" for times in budgets for way in sorted(ways[times], key=lambda way: (way != CLAIMANT, way))
    ]
    base = BASE if BASE in names else None
    multiples = tuple(arm for arm in arms if MULTIPLE.fullmatch(arm))
    return Question(
        "spend", CLAIMANT, (*arms, *([BASE] if base else [])), base=base, multiples=multiples, budgets=tuple(budgets)
    )


def have_rivals(arms: Iterable[str]) -> bool:
    """Whether there is anything to compare: more than one arm besides the base and the multiples.

    >>> have_rivals(["cardinality", "base"]), have_rivals(["cardinality", "width"])
    (False, True)
    """
    return len({arm for arm in arms if arm != BASE and not MULTIPLE.fullmatch(arm)}) > 1
