"""What in a study makes its claim weaker than it looks, seen before anything is trained? Sentences, shown by `plan`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from resnext_search.spaces.claim.arms import Arm, claim_arms
from resnext_search.spaces.claim.populations import mean_costs, populations, space_of
from resnext_search.spaces.folds import FOLDS
from resnext_search.spaces.study.sections import FEWEST_SEEDS
from resnext_search.spaces.study.study import Study

# The narrowest paths of the paper's networks have 4 channels (arXiv:1611.05431, Tables 2 and 3).
NARROWEST = 4


def warnings_of(study: Study) -> list[str]:
    """What to know about a study's claim; nothing without a claim, or under the first rules.

    Raises:
        EmptyFeasibleSet: An arm cannot be matched.
    """
    if study.claim is None or study.rules == 1:
        return []
    arms = claim_arms(study)
    each = "networks a space" if study.claim.kind == "spaces" else "seeds an arm"
    few = [f"claim.seeds is {study.claim.seeds}: with fewer than {FEWEST_SEEDS} {each} there is no word."]
    few = few if study.claim.seeds < FEWEST_SEEDS else []
    return [
        *few,
        *_shortcut_warnings(study, arms),
        *_width_warnings(arms, study.claim.kind == "spaces"),
        *_cost_warnings(study, study.claim.tolerance),
        *_fold_warnings(study),
    ]


def _shortcut_warnings(study: Study, arms: tuple[Arm, ...]) -> Iterator[str]:
    """Without one identity among its shortcuts a network is no residual one: it errs more the deeper it is.

    Source:
        He et al. 2016, arXiv:1603.05027, section 3: what a shortcut that is no identity does to training.
    """
    if study.template.shortcut == "none":
        yield "no arm has a shortcut: template.shortcut is none. What is claimed holds for such networks alone."
    elif study.template.shortcut == "projection":
        names = [arm.name for arm in arms if max(arm.architecture.blocks) == 1]
        if names:
            yield (
                f"{_arms(names)} without one identity shortcut: the first block of a stage has a projection, and no "
                "stage has a second one. Give claim.base more blocks, or consider template.shortcut: identity."
            )


def _width_warnings(arms: tuple[Arm, ...], of_spaces: bool) -> Iterator[str]:
    names = [f"{arm.name} (d = {arm.architecture.width})" for arm in arms if arm.architecture.width < NARROWEST]
    if names:
        yield (
            f"{_arms(names)} with d below {NARROWEST} in the first stage: narrower groups than any of the paper's. "
            f"Give {'axes.width a larger min' if of_spaces else 'claim.base a larger width'}."
        )


def _cost_warnings(study: Study, tolerance: float) -> Iterator[str]:
    """Of spaces whose networks do not cost the same on average."""
    costs = {of.name: mean_costs(study, of)["multiply_adds"] for of in populations(study)}
    if costs and abs(max(costs.values()) / min(costs.values()) - 1) > tolerance:
        cheap, dear = sorted(costs, key=costs.__getitem__)
        yield (
            f"{dear} costs {100 * (costs[dear] / costs[cheap] - 1):.1f} % more than {cheap} on average, and the "
            f"verdict allows {100 * tolerance:g} %: narrow budget.tolerance."
        )


def _fold_warnings(study: Study) -> Iterator[str]:
    if study.has_folds and study.data.validation_images is not None:
        yield (
            f"data.validation_images is not used: {study.data.name} has no test split of its own, so that a fold of "
            f"{FOLDS} is validated on or tested, and the others are trained on."
        )


def _arms(names: list[str]) -> str:
    """The arms named; of spaces how many of their networks."""
    spaces = Counter(space for name in names if (space := space_of(name.partition(" (d = ")[0])))
    if spaces:
        return " and ".join(f"{count} of the networks of {space}" for space, count in spaces.items())
    return f"arm{'s' * (len(names) > 1)} {', '.join(names)}"
