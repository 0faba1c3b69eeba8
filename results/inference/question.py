"""What is asked of the runs: which arms are compared, and with which? Imports numpy alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from resnext_search.results.statistics.estimates import trend_weights
from resnext_search.spaces.architecture.complexity import Floats
from resnext_search.spaces.claim.arms import BASE
from resnext_search.spaces.errors import UsageError

Kind = Literal["spend", "trade", "pair"]
Word = Literal["supported", "partly supported", "no practical difference", "contradicted", "inconclusive", "invalid"]

CLAIMANT = "cardinality"
# An arm with a larger multiple of the base's C than the claimant's: reported beside it, and not part of the word.
MULTIPLE = re.compile(r"cardinality-x[1-9][0-9]{0,8}", re.ASCII)


@dataclass(frozen=True)
class Question:
    """Which arms are compared, and how.

    Args:
        kind: `spend`: does the claimant beat every rival? `trade`: do more groups err less? `pair`: like `spend`, with
            a claimant of the user's choice.
        claimant: The arm that the claim is about.
        arms: All of them, the claimant first; of a `trade`, by ascending cardinality.
        cardinalities: Of the arms of a `trade`; otherwise empty.
        base: Of a `spend`, the arm that the others started from, at about half the cost; None where there is none.
        multiples: Of a `spend`, arms with still more groups than the claimant.
    """

    kind: Kind
    claimant: str
    arms: tuple[str, ...]
    cardinalities: tuple[int, ...] = ()
    base: str | None = None
    multiples: tuple[str, ...] = ()

    def rivals(self) -> list[str]:
        """The arms that the claimant is to beat: all that cost the same, and are no multiple of it."""
        return [arm for arm in self.matched() if arm != self.claimant and arm not in self.multiples]

    def matched(self) -> list[str]:
        """The arms that are to cost the same: all but the base."""
        return [arm for arm in self.arms if arm != self.base]

    def pairs(self) -> list[tuple[str, str]]:
        """The plain comparisons, (claimant, rival): of a `trade` each cardinality against the smallest."""
        if self.kind == "trade":
            return [(arm, self.arms[0]) for arm in self.arms[1:]]
        return [(self.claimant, rival) for rival in self.rivals()]

    def weights(self, claimant: str, rival: str) -> Floats:
        """Contrast of a comparison, `(arms,)`: what the claimant errs less than the rival."""
        return np.array([float(arm == rival) - float(arm == claimant) for arm in self.arms])

    def further_pairs(self) -> list[tuple[str, str]]:
        """The multiples, each against every rival."""
        return [(arm, rival) for arm in self.multiples for rival in self.rivals()]

    def trend(self) -> Floats | None:
        """Contrast of the trend over log2 C, `(arms,)`; None if the question is no `trade`."""
        return trend_weights(self.cardinalities) if self.kind == "trade" else None

    def gains(self) -> Floats:
        """Mean errors, `(arms,)`, under which every primary contrast is 1."""
        if self.kind != "trade":
            return np.array([float(arm != self.claimant) for arm in self.arms])
        steps = np.log2(np.array(self.cardinalities, dtype=float))
        return np.asarray((steps[-1] - steps) / (steps[-1] - steps[0]))


def ask(arms: Iterable[str], claimant: str | None = None, *, rules: int = 2) -> Question:
    """Tell from the names of the arms what is asked.

    Args:
        arms: Names; at least two different ones.
        claimant: Compared with all others, whatever the names say.
        rules: Under the first, every arm but the claimant is a rival.

    Raises:
        UsageError: The claimant is no arm, is needed or has no rival, or there is one arm only.

    >>> ask(["width", "depth", "cardinality", "base"]).pairs()
    [('cardinality', 'depth'), ('cardinality', 'width')]
    >>> ask(["32x4d-50", "8x14d-50", "1x64d-50"]).pairs()
    [('8x14d-50', '1x64d-50'), ('32x4d-50', '1x64d-50')]
    """
    names = sorted(set(arms))
    listed = ", ".join(names)
    if len(names) < 2:
        raise UsageError(f"arm: only {listed}; a comparison needs two arms", hint="Give the runs of its rivals too.")
    if claimant is not None and claimant not in names:
        raise UsageError(f"claimant {claimant!r} is no arm of these runs; allowed: {listed}", hint="Change --claimant.")
    if claimant is None and CLAIMANT not in names:
        groups = {name: re.match(r"([1-9][0-9]{0,8})x[1-9][0-9]{0,8}d", name, re.ASCII) for name in names}
        cardinalities = {name: int(match[1]) for name, match in groups.items() if match}
        if len(set(cardinalities.values())) < len(names):
            raise UsageError(
                f"arm: neither an arm 'cardinality', nor one cardinality an arm as in 1x64d and 32x4d: {listed}",
                hint=f"Say which arm the claim is about, e.g. --claimant {names[0]}.",
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


def have_rivals(arms: Iterable[str]) -> bool:
    """Whether there is anything to compare: more than one arm besides the base and the multiples.

    >>> have_rivals(["cardinality", "base"]), have_rivals(["cardinality", "width"])
    (False, True)
    """
    return len({arm for arm in arms if arm != BASE and not MULTIPLE.fullmatch(arm)}) > 1
