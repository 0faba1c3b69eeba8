"""What concerns more than one section of a study: each check is given the sections that it reads.

A check whose sections are all sound by themselves runs even if others are broken, so that a person sees every problem
of a file at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.errors import shown
from resnext_search.spaces.folds import FOLDS
from resnext_search.spaces.search_space.enumeration import excesses
from resnext_search.spaces.study.axes import MOST_SPREADS, AxesConfig
from resnext_search.spaces.study.claim import WITH_BASE, ClaimConfig
from resnext_search.spaces.study.problems import Problem
from resnext_search.spaces.study.sections import (
    MOST_BUDGET,
    BudgetConfig,
    DataConfig,
    Limits,
    Recipe,
    Resources,
    TemplateConfig,
)
from resnext_search.spaces.study.yaml_reader import Key

# With two learning rates, an arm's best one always lies at the edge of what was tried.
FEWEST_RATES = 3
# Every arm is trained some twenty times; more arms than this are a typing error.
MOST_ARMS = 32
# Ten times what linear scaling gives for a batch of 2,560 images (Goyal et al. 2017, arXiv:1706.02677): SGD diverges.
MOST_LEARNING_RATE = 10.0
# Beside them a spend has arms for width, for depth and for the base.
MOST_MULTIPLES = MOST_ARMS - 3
MOST_BUDGETS = 5


def problems_between_sections(sound: Mapping[str, Any]) -> Iterator[Problem]:
    """All problems between sections; given are those without a problem of their own, by their names in a `Study`."""
    for names, check in _CHECKS.items():
        if all(name in sound for name in names):
            yield from check(*(sound[name] for name in names))


def problems_of_asking(sound: Mapping[str, Any], *, begun: bool) -> Iterator[Problem]:
    """What is wrong with sound sections that somebody asks for, though a journal may hold it; given as above.

    `begun`: a study goes on, whose learning rates are what they were.
    """
    if "trainer" in sound and "resources" in sound:
        yield from _gpu_problems(sound["trainer"], sound["resources"])
    if "trainer" in sound and "axes" in sound and not begun:
        yield from _rate_problems(sound["trainer"], sound["axes"])


def _gpu_problems(trainer: Recipe, resources: Resources) -> Iterator[Problem]:
    """More GPUs than the trainer uses, or parts of more than one, which Ray does not give."""
    gpus = resources.gpu
    if gpus == "auto" or gpus <= 1:
        return
    key, found = ("resources", "gpu"), f"{gpus:g}"
    if trainer.plugin is None:
        fix = "The trainer that is built in uses one GPU: give 1, or less, such as 0.5 for two trials on each."
        yield Problem(key, found, "at most 1", fix)
    elif not gpus.is_integer():
        yield Problem(key, found, "at most 1, or a whole number", f"Give {int(gpus)} or {int(gpus) + 1}.")


def _rate_problems(trainer: Recipe, axes: AxesConfig) -> Iterator[Problem]:
    axis = axes.knob("learning_rate")
    searched = () if axis is None else axis.places()
    rates = [(("axes", "learning_rate", *place), rate) for place, rate in searched]
    for key, rate in [(("trainer", "learning_rate"), trainer.learning_rate), *rates]:
        if rate > MOST_LEARNING_RATE:
            fix = "Training diverges with more; 0.003 to 1 is usual, such as 0.1."
            yield Problem(key, f"{rate:g}", f"at most {MOST_LEARNING_RATE:g}", fix)


def _budget_problems(budget: BudgetConfig, template: TemplateConfig, data: DataConfig) -> Iterator[Problem]:
    like, stages = budget.like, template.stages
    if like is not None and len(like.blocks) != stages:
        yield Problem(("budget", "like", "blocks"), shown(like.blocks), _one_number_a_stage(stages))
    elif (target := budget.band(template.network_template(data.facts())).target) > MOST_BUDGET:
        yield Problem(("budget", "like"), f"{target:.1e} multiply-adds", f"at most {MOST_BUDGET:.0e}")


def _axes_problems(axes: AxesConfig, template: TemplateConfig, data: DataConfig) -> Iterator[Problem]:
    axis, stages = axes.blocks, template.stages
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
        limits = excesses(template.network_template(data.facts()), axes.architecture_axes(template))
        wrong = [Problem(("axes",), found, allowed, fix) for found, allowed in limits]
    yield from wrong


def _batch_problems(
    trainer: Recipe, data: DataConfig, axes: AxesConfig, claim: ClaimConfig | None, rules: int
) -> Iterator[Problem]:
    """A batch that is larger than the training set would leave an epoch without a step."""
    train = data.images_per_epoch(confirm=False, folds=data.has_folds(claim, rules))
    axis = axes.knob("batch_size")
    if train is None:
        return
    batches = [(("trainer", "batch_size"), float(trainer.batch_size))]
    for key, size in (
        batches if axis is None else [(("axes", "batch_size", *place), size) for place, size in axis.places()]
    ):
        if size > train:
            fix = "Lower it, or raise data.train_images."
            yield Problem(key, f"{size:g}", f"at most the {train:,} images to train on", fix)


def _view_problems(trainer: Recipe, data: DataConfig) -> Iterator[Problem]:
    """What is drawn for training, and what is seen in validation and test, have to be of one kind."""
    if data.resolution is None:  # no folder of images
        return
    if trainer.augment == "crop" and data.view == "middle":
        fix = "Set data.view: whole."
        yield Problem(("trainer", "augment"), shown("crop"), "standard or none with data.view: middle", fix)
    elif trainer.augment == "standard" and data.view == "whole":
        fix = "Set trainer.augment: crop, or data.view: middle."
        yield Problem(("data", "view"), shown("whole"), "middle with trainer.augment: standard", fix)


def _deterministic_problems(trainer: Recipe, template: TemplateConfig) -> Iterator[Problem]:
    """The gradient of a max-pool is summed in any order on a GPU, and torch has no other kernel for it."""
    if trainer.deterministic and template.stem == "imagenet":
        fix = "Remove it: the max-pool of that stem is not deterministic on a GPU."
        yield Problem(("trainer", "deterministic"), "true", "only with template.stem: cifar", fix)


def _warmup_problems(trainer: Recipe) -> Iterator[Problem]:
    warmup, epochs = trainer.warmup_epochs, trainer.epochs
    if warmup >= epochs:
        fix = "Set trainer.warmup_epochs to a smaller number, such as 0."
        yield Problem(("trainer", "warmup_epochs"), f"{warmup:g}", f"below trainer.epochs ({epochs})", fix)


def _limits_problems(limits: Limits, data: DataConfig) -> Iterator[Problem]:
    """Operations cannot be counted where nobody knows how many images there are."""
    if limits.training_flops is not None and data.images_per_epoch(confirm=False, folds=False) is None:
        fix = "Say how many images there are to train on: data.train_images."
        yield Problem(("limits", "training_flops"), f"{limits.training_flops:.3g}", "nothing", fix)


def _claim_base_problems(claim: ClaimConfig | None, template: TemplateConfig, data: DataConfig) -> Iterator[Problem]:
    if claim is None or claim.base is None:
        return
    base, stages = claim.base, template.stages
    if len(base.blocks) != stages:
        yield Problem(("claim", "base", "blocks"), shown(base.blocks), _one_number_a_stage(stages))
        return
    multiply_adds = complexity(template.network_template(data.facts()), base.architecture()).multiply_adds
    if multiply_adds > MOST_BUDGET:
        yield Problem(("claim", "base"), f"{multiply_adds:.1e} multiply-adds", f"at most {MOST_BUDGET:.0e}")


def _claim_axes_problems(claim: ClaimConfig | None, axes: AxesConfig) -> Iterator[Problem]:
    """A claim without arms to compare, or without learning rates to tune them with."""
    if claim is None:
        return
    rates = axes.knob("learning_rate")
    if rates is None or len(set(rates.listed or range(FEWEST_RATES))) < FEWEST_RATES:
        found = "nothing" if rates is None else f"{len(set(rates.listed or ()))} values"
        allowed = f"min and max, or a list of at least {FEWEST_RATES} values"
        fix = "A claim tunes every arm: give learning_rate: {min: 0.01, max: 1.0, scale: log}."
        yield Problem(("axes", "learning_rate"), found, allowed, fix)
    if claim.kind == "spaces" and claim.spaces is None and not (1 in axes.cardinality and max(axes.cardinality) > 1):
        allowed = "1 and more than 1, where claim.spaces does not say what is compared"
        fix = "Give claim.spaces: [{name: narrow, width: {min: 1, max: 8}}, {name: wide, width: {min: 9, max: 64}}]."
        yield Problem(("axes", "cardinality"), shown(axes.cardinality), allowed, fix)
    if claim.kind == "trade" and claim.base is not None:
        key = ("axes", "cardinality") if claim.cardinality is None else ("claim", "cardinality")
        arms = {claim.base.cardinality, *(claim.cardinality or axes.cardinality)}
        if not 2 <= len(arms) <= MOST_ARMS:
            fix = "Give claim.cardinality: [1, 2, 4, 8, 16, 32]."
            found = f"{len(arms):,} arm{'s' * (len(arms) != 1)}"
            yield Problem(key, found, f"2 to {MOST_ARMS}, the base among them", fix)


def _claim_spaces_problems(claim: ClaimConfig | None, template: TemplateConfig) -> Iterator[Problem]:
    """Blocks of a space that are not for the template's stages."""
    for number, space in enumerate((claim.spaces if claim is not None else None) or ()):
        for index, spread in enumerate((space.blocks.listed if space.blocks is not None else None) or ()):
            if not isinstance(spread, int) and len(spread) != template.stages:
                key = ("claim", "spaces", number, "blocks", "listed", index)
                yield Problem(key, shown(spread), _one_number_a_stage(template.stages))


def _claim_rules_problems(claim: ClaimConfig | None, rules: int) -> Iterator[Problem]:
    """What one of the rules knows and the other does not, and what the second ask of it."""
    if claim is None:
        return
    spent = claim.cardinality if claim.kind == "spend" else None
    if claim.multiples is not None:
        yield from _budgets_problems(claim, claim.multiples, rules)
    if rules == 1:
        if claim.kind not in WITH_BASE:
            allowed = f"{' or '.join(WITH_BASE)} under rules: 1"
            yield Problem(("claim", "kind"), claim.kind, allowed, "Remove rules: 1.")
        if spent is not None:
            fix = "Remove it: the arm doubles the base's C."
            yield Problem(("claim", "cardinality"), shown(spent), "only for kind: trade", fix)
        if claim.looks is not None:
            allowed = "nothing under rules: 1"
            yield Problem(("claim", "looks"), shown(claim.looks), allowed, "Remove it: all seeds are judged together.")
        return
    if spent is not None and claim.base is not None:
        yield from _multiples_problems(spent, claim.base.cardinality)
    if claim.looks is not None:
        yield from _looks_problems(claim.looks, claim.seeds)


def _multiples_problems(values: Sequence[int], base: int) -> Iterator[Problem]:
    """Multiples of the base's C that a spend has arms for, under the second rules."""
    rising = all(low < high for low, high in pairwise(values))
    if values[0] != 2 * base or any(value % base for value in values) or not rising:
        allowed = f"multiples of the base's C, {base:,}: first twice it, then larger ones"
        fix = f"Give claim.cardinality: [{2 * base}, {4 * base}], or remove it: one arm doubles the base's C."
        yield Problem(("claim", "cardinality"), shown(values), allowed, fix)
    elif len(values) > MOST_MULTIPLES:
        fix = "Leave some of them out."
        yield Problem(("claim", "cardinality"), f"{len(values):,} values", f"at most {MOST_MULTIPLES}", fix)


def _budgets_problems(claim: ClaimConfig, multiples: Sequence[int], rules: int) -> Iterator[Problem]:
    """Several budgets of a spend, at which arms with more groups have as many times more of them."""
    key, found = ("claim", "multiples"), shown(multiples)
    twice = 2 * (claim.base.cardinality if claim.base is not None else 1)
    if claim.kind != "spend" or rules == 1:
        allowed = "only for kind: spend" if claim.kind != "spend" else "nothing under rules: 1"
        yield Problem(key, found, allowed, "Remove it.")
    elif any(low >= high for low, high in pairwise(multiples)):
        rising = sorted(set(multiples))
        fix = f"Give {shown(rising)}." if len(rising) > 1 else "Give two or more, such as [2, 4], or remove it."
        yield Problem(key, found, "each larger than the one before", fix)
    elif len(multiples) > MOST_BUDGETS:
        yield Problem(key, f"{len(multiples):,} values", f"at most {MOST_BUDGETS}", "Leave some of them out.")
    elif any(value % twice for value in claim.cardinality or ()):
        allowed = f"multiples of {twice:,}, twice the base's C, where there are several budgets"
        yield Problem(("claim", "cardinality"), shown(claim.cardinality), allowed, "Leave the others out.")


def _looks_problems(looks: Sequence[int], seeds: int) -> Iterator[Problem]:
    if any(low >= high for low, high in pairwise(looks)):
        allowed, rising = "numbers of seeds, each larger than the one before", sorted(set(looks))
        rising = rising if len(rising) > 1 else [*rising, 2 * rising[0]]
        yield Problem(("claim", "looks"), shown(looks), allowed, f"Give {shown(rising)}.")
    elif seeds != looks[-1]:
        allowed = f"{looks[-1]:,}, the last of claim.looks {shown(looks)}"
        yield Problem(("claim", "seeds"), f"{seeds:,}", allowed, "Remove it: the last look says it.")


def _claim_folds_problems(claim: ClaimConfig | None, data: DataConfig, rules: int) -> Iterator[Problem]:
    """Where seeds go round the folds, every fold has to be tested equally often."""
    if claim is None or not data.has_folds(claim, rules):
        return
    given: list[tuple[Key, int]] = [(("claim", "looks", number), look) for number, look in enumerate(claim.looks or ())]
    for key, seeds in given or [(("claim", "seeds"), claim.seeds)]:
        if seeds % FOLDS:
            why = f"{data.name} has no test split of its own, so that {FOLDS} folds of its images are tested in turn"
            below = seeds - seeds % FOLDS
            fix = f"Give {f'{below} or ' * (below > 0)}{below + FOLDS}: {why}."
            yield Problem(key, f"{seeds:,}", f"a multiple of {FOLDS}", fix)


def _one_number_a_stage(stages: int) -> str:
    return f"one number for each of {stages} stages"


_CHECKS: dict[tuple[str, ...], Callable[..., Iterator[Problem]]] = {
    ("budget", "template", "data"): _budget_problems,
    ("axes", "template", "data"): _axes_problems,
    ("trainer", "data", "axes", "claim", "rules"): _batch_problems,
    ("trainer",): _warmup_problems,
    ("trainer", "data"): _view_problems,
    ("trainer", "template"): _deterministic_problems,
    ("limits", "data"): _limits_problems,
    ("claim", "template", "data"): _claim_base_problems,
    ("claim", "axes"): _claim_axes_problems,
    ("claim", "template"): _claim_spaces_problems,
    ("claim", "rules"): _claim_rules_problems,
    ("claim", "data", "rules"): _claim_folds_problems,
}
