"""What concerns more than one section of a study: each check says which sections it reads.

A check whose sections are all sound by themselves runs even if others are broken, so that a person sees every problem
of a file at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from resnext_search.spaces.architecture.architecture import Architecture
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.errors import shown
from resnext_search.spaces.search_space.enumeration import excesses
from resnext_search.spaces.study.axes import MOST_SPREADS
from resnext_search.spaces.study.problems import Problem
from resnext_search.spaces.study.sections import MOST_BUDGET

if TYPE_CHECKING:
    from resnext_search.spaces.study.study import Study


# With two learning rates, an arm's best one always lies at the edge of what was tried.
FEWEST_RATES = 3

# Every arm is trained some twenty times; more arms than this are a typing error.
MOST_ARMS = 32


def problems_between_sections(study: Study, sound: Collection[str]) -> Iterator[Problem]:
    """All problems between sections.

    Args:
        study: A study, of which only the `sound` sections are looked at.
        sound: Names of the sections that have no problem of their own.
    """
    for sections, check in _CHECKS.items():
        if all(section in sound for section in sections):
            yield from check(study)


def _budget_problems(study: Study) -> Iterator[Problem]:
    like, stages = study.budget.like, study.template.stages
    if like is not None and len(like.blocks) != stages:
        yield Problem(("budget", "like", "blocks"), shown(like.blocks), _one_number_a_stage(stages))
    elif (target := study.band().target) > MOST_BUDGET:
        yield Problem(("budget", "like"), f"{target:.1e} multiply-adds", f"at most {MOST_BUDGET:.0e}")


def _axes_problems(study: Study) -> Iterator[Problem]:
    axis, stages = study.axes.blocks, study.template.stages
    wrong = [
        Problem(("axes", "blocks", "listed", index), shown(spread), _one_number_a_stage(stages))
        for index, spread in enumerate(axis.listed or ())
        if not isinstance(spread, int) and len(spread) != stages
    ]
    if axis.min is not None and axis.max is not None and not axis.uniform:
        spreads = (axis.max - axis.min + 1) ** stages
        if spreads > MOST_SPREADS:
            fix = "Narrow it, or set uniform: true."
            wrong.append(Problem(("axes", "blocks"), f"{spreads:,} spreads", f"at most {MOST_SPREADS:,}", fix))
    if not wrong:
        fix = "Narrow cardinality, width or blocks."
        limits = excesses(study.network_template(), study.architecture_axes())
        wrong = [Problem(("axes",), found, allowed, fix) for found, allowed in limits]
    yield from wrong


def _batch_problems(study: Study) -> Iterator[Problem]:
    """A batch that is larger than the training set would leave an epoch without a step."""
    available = study.data.facts().train_images
    if not available and study.data.train_images is None:
        return
    train, _ = study.data.split_sizes(available)
    axis = study.axes.knob("batch_size")
    batches = [(("trainer", "batch_size"), float(study.trainer.batch_size))]
    for key, size in (
        batches if axis is None else [(("axes", "batch_size", *place), size) for place, size in axis.places()]
    ):
        if size > train:
            fix = "Lower it, or raise data.train_images."
            yield Problem(key, f"{size:g}", f"at most the {train:,} images to train on", fix)


def _warmup_problems(study: Study) -> Iterator[Problem]:
    warmup, epochs = study.trainer.warmup_epochs, study.trainer.epochs
    if warmup >= epochs:
        fix = "Set trainer.warmup_epochs to a smaller number, such as 0."
        yield Problem(("trainer", "warmup_epochs"), f"{warmup:g}", f"below trainer.epochs ({epochs})", fix)


def _limits_problems(study: Study) -> Iterator[Problem]:
    """Operations cannot be counted where nobody knows how many images there are."""
    if study.limits.training_flops is not None and study.data.train_images is None:
        if study.data.facts().train_images:
            return
        fix = "Say how many images there are to train on: data.train_images."
        yield Problem(("limits", "training_flops"), f"{study.limits.training_flops:.3g}", "nothing", fix)


def _claim_base_problems(study: Study) -> Iterator[Problem]:
    if study.claim is None:
        return
    base, stages = study.claim.base, study.template.stages
    if len(base.blocks) != stages:
        yield Problem(("claim", "base", "blocks"), shown(base.blocks), _one_number_a_stage(stages))
        return
    architecture = Architecture.paper(base.cardinality, base.width, base.blocks)
    multiply_adds = complexity(study.network_template(), architecture).multiply_adds
    if multiply_adds > MOST_BUDGET:
        yield Problem(("claim", "base"), f"{multiply_adds:.1e} multiply-adds", f"at most {MOST_BUDGET:.0e}")


def _claim_axes_problems(study: Study) -> Iterator[Problem]:
    """A claim without arms to compare, or without learning rates to tune them with."""
    if study.claim is None:
        return
    rates = study.axes.knob("learning_rate")
    if rates is None or len(set(rates.listed or range(FEWEST_RATES))) < FEWEST_RATES:
        found = "nothing" if rates is None else f"{len(set(rates.listed or ()))} values"
        allowed = f"min and max, or a list of at least {FEWEST_RATES} values"
        fix = "A claim tunes every arm: give learning_rate: {min: 0.01, max: 1.0, scale: log}."
        yield Problem(("axes", "learning_rate"), found, allowed, fix)
    if study.claim.kind == "trade":
        key = ("axes", "cardinality") if study.claim.cardinality is None else ("claim", "cardinality")
        arms = {study.claim.base.cardinality, *(study.claim.cardinality or study.axes.cardinality)}
        if not 2 <= len(arms) <= MOST_ARMS:
            fix = "Give claim.cardinality: [1, 2, 4, 8, 16, 32]."
            yield Problem(
                key, f"{len(arms):,} arm{'s' * (len(arms) != 1)}", f"2 to {MOST_ARMS}, the base among them", fix
            )


def _one_number_a_stage(stages: int) -> str:
    return f"one number for each of {stages} stages"


_CHECKS: dict[tuple[str, ...], Callable[[Study], Iterator[Problem]]] = {
    ("budget", "template", "data"): _budget_problems,
    ("axes", "template", "data"): _axes_problems,
    ("trainer", "data", "axes"): _batch_problems,
    ("trainer",): _warmup_problems,
    ("limits", "data"): _limits_problems,
    ("claim", "template", "data"): _claim_base_problems,
    ("claim", "axes"): _claim_axes_problems,
}
