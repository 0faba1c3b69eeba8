"""Are all errors in percent? Shares among them are refused; what may be shares or accuracies is said to the reader.

Real errors below 1 % exist, and runs that diverged err by 90 % beside others that err by 1 %: only what 100 times as
much fits is taken for a share.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median

from resnext_search.results.inference.sample import Run
from resnext_search.results.runs.complaints import Complaint, refuse
from resnext_search.spaces.claim.populations import space_of, spaces_of
from resnext_search.spaces.errors import shortened

# Errors of one table seldom lie so far apart; a share and its percentage are 100 apart.
WIDE_GAP = 20.0
# By so much 100 times the shares may differ from the errors in percent: of one arm, and of several.
SAME_ARM, SAME_TABLE = 2.0, 4.0
# An arm that errs by 1 % at most beside others above it by so much may be one in shares, and is no proof.
NOTED_GAP = 3.0
# From here on runs may have learned nothing.
OF_CHANCE = 50.0
# No network for images costs less.
FEWEST_MULTIPLY_ADDS = 10_000

HINT = "Write every error in percent. The state of a run that diverged is failed."


def refuse_mixed_scales(runs: Sequence[Run]) -> None:
    """Raise where some errors are shares and others percent.

    Args:
        runs: As `read_runs` returns them.

    Raises:
        UsageError: It says which.
    """
    tested, validated = _by_arm(runs, "confirm", "test_error"), _by_arm(runs, "tune", "validation_error")
    refuse([*_mixed_in_arms(tested), *_mixed(tested, "test_error"), *_mixed(validated, "validation_error")], HINT)
    columns = {"test_error": _joined(tested), "validation_error": _joined(validated)}
    refuse(_mixed({name: errors for name, errors in columns.items() if errors}, "errors"), HINT)


def on_margin(margin: float, errors: Iterable[float]) -> Iterator[str]:
    """That hardly any difference can matter, by the mean errors of the arms, in percent; NaN is none."""
    largest = max((error for error in errors if not math.isnan(error)), default=0.0)
    if largest and margin > largest / 2:
        yield (
            f"The margin of {margin:g} points is more than half of the largest error, {largest:.3g} %: hardly any "
            "difference between such arms can be as large."
        )


def on_scales(runs: Sequence[Run]) -> Iterator[str]:
    """What may be no error in percent, or no single multiply-add."""
    tested = _by_arm(runs, "confirm", "test_error")
    errors = _joined(tested)
    if errors and max(errors) <= 1:
        yield (
            "No test error is above 1. They are taken as percent, as they stand: if they are shares (0.03 for 3 %), "
            "multiply them by 100."
        )
    above = [arm for arm, of in tested.items() if min(of) > OF_CHANCE]
    if above and len(above) == len(tested):
        yield "Every test error is above 50 %: if these are accuracies, the word is about the wrong side."
    elif above and len(above) < len(tested):
        below = max(median(of) for arm, of in tested.items() if arm not in above)
        if below < OF_CHANCE / 2:
            yield f"Every test error of {_listed(above)} is above 50 %, of others it is not: is it an accuracy?"
    for arm, of in tested.items():
        if (gap := _gap(of)) is not None:
            yield (
                f"The test errors of {shortened(arm)} lie far apart, up to {gap[0]:g} and from {gap[1]:g}: runs that "
                "diverged are `failed`, and shares are no percent."
            )
    yield from _low_arms(tested)
    yield from _zeros(runs, tested)
    costs = [run.multiply_adds for run in runs if run.phase == "confirm" and run.multiply_adds is not None]
    if costs and max(costs) < FEWEST_MULTIPLY_ADDS:
        yield f"At most {max(costs):,.0f} multiply-adds an image: if that is in G or M, write 4.2G or 748M."


def _low_arms(tested: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """Arms that may be in shares, though their errors are far from a hundredth of the others."""
    middles = {arm: median(of) for arm, of in tested.items()}
    low = [arm for arm, of in tested.items() if max(of) <= 1]
    above = [arm for arm, of in tested.items() if min(of) > 1]
    if (gap := _gap(list(middles.values()))) is not None and gap[0] <= 1:
        low = [arm for arm, middle in middles.items() if middle <= gap[0]]
        times = gap[1] / gap[0]
    elif low and above and len(low) + len(above) == len(tested):
        times = min(middles[arm] for arm in above) / max(middles[arm] for arm in low)
    else:
        return
    if times >= NOTED_GAP:
        yield f"{_listed(low)} err less than others by a factor of {times:.0f}: are their errors shares?"


def _zeros(runs: Sequence[Run], tested: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """Runs without an error, where none of their arm, or else of the table, is near that."""
    arms, all_above = Counter(map(_arm_of(runs), _without_error(runs))), _joined(tested)
    for arm, count in sorted(arms.items()):
        least = min(tested.get(arm) or all_above or [math.inf])
        if least > 1:
            beside = f", beside others from {least:.3g} on" if least < math.inf else ""
            who = f"1 run of {shortened(arm)} has" if count == 1 else f"{count} runs of {shortened(arm)} have"
            yield f"{who} an error of exactly 0{beside}: failed, or an empty cell?"


def _without_error(runs: Iterable[Run]) -> list[Run]:
    return [run for run in runs if (run.phase, run.state, run.test_error) == ("confirm", "completed", 0)]


def _arm_of(runs: Iterable[Run]) -> Callable[[Run], str]:
    """The arm of a run or, where arms are networks of spaces, the space."""
    spaces = spaces_of(run.arm for run in runs)
    return lambda run: (space_of(run.arm) if spaces else None) or run.arm


def _by_arm(runs: Sequence[Run], phase: str, column: str) -> dict[str, list[float]]:
    """The errors above 0, by arm or, where arms are networks of spaces, by space: of 0 nobody knows the scale."""
    found, arm_of = defaultdict(list), _arm_of(runs)
    for run in runs:
        error = getattr(run, column)
        if run.phase == phase and run.state == "completed" and error:
            found[arm_of(run)].append(error)
    return dict(found)


def _joined(by_arm: Mapping[str, Sequence[float]]) -> list[float]:
    return [error for of in by_arm.values() for error in of]


def _gap(errors: Sequence[float]) -> tuple[float, float] | None:
    """The two neighbours that lie farthest apart, if that is far."""
    gaps = [(high / low, low, high) for low, high in pairwise(sorted(errors))]
    widest = max(gaps, default=(0.0, 0.0, 0.0))
    return widest[1:] if widest[0] >= WIDE_GAP else None


def _are_shares(low: Sequence[float], high: Sequence[float], alike: float) -> bool:
    typical = median(high)
    return max(low) <= 1 and typical < OF_CHANCE and 1 / alike <= 100 * median(low) / typical <= alike


def _mixed_in_arms(by_arm: Mapping[str, Sequence[float]]) -> Iterator[Complaint]:
    for arm, errors in by_arm.items():
        if (gap := _gap(errors)) is not None:
            low, high = [error for error in errors if error <= gap[0]], [error for error in errors if error >= gap[1]]
            if _are_shares(low, high, SAME_ARM):
                found = f"{_span(low)} and {_span(high)} in the runs of arm {shortened(arm)}"
                yield Complaint("test_error", found, "percent everywhere, no shares")


def _mixed(groups: Mapping[str, Sequence[float]], column: str) -> Iterator[Complaint]:
    """Of groups one of which is in shares: arms, or the columns of a table."""
    middles = {name: median(of) for name, of in groups.items()}
    if (gap := _gap(list(middles.values()))) is None:
        return
    low = [name for name, middle in middles.items() if middle <= gap[0]]
    high = [name for name in groups if name not in low]
    if _are_shares([middles[name] for name in low], [middles[name] for name in high], SAME_TABLE):
        below, above = ([error for name in names for error in groups[name]] for names in (low, high))
        found = f"{_span(below)} in {_listed(low)}, and {_span(above)} in {_listed(high)}"
        yield Complaint(column, found, "percent everywhere, no shares")


def _span(errors: Sequence[float]) -> str:
    low, high = min(errors), max(errors)
    return f"{low:.3g} to {high:.3g}" if low < high else f"{low:.3g}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return ", ".join(shortened(name) for name in names[:3]) + more
