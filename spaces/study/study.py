"""What does a study ask? The study file as one frozen, validated value.

The sections are in `study_sections.py` and `study_axes.py`, checks that span sections in `study_checks.py`; reading a
file, with line numbers in every complaint, is in `study_file.py`. Imports pydantic and numpy, nothing heavy.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from resnext_search.spaces.architecture.architecture import Architecture, Template
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.datasets import DatasetFacts
from resnext_search.spaces.errors import shown
from resnext_search.spaces.search_space.axes import Axes, Band
from resnext_search.spaces.search_space.feasible import FeasibleSet, enumerate_feasible
from resnext_search.spaces.search_space.knobs import KNOBS, Knob
from resnext_search.spaces.search_space.objectives import COSTS, ERROR, Objective
from resnext_search.spaces.study.axes import AxesConfig, KnobAxis
from resnext_search.spaces.study.checks import problems_between_sections
from resnext_search.spaces.study.problems import Problem, raise_problems
from resnext_search.spaces.study.quantities import Whole
from resnext_search.spaces.study.sections import (
    BudgetConfig,
    ClaimConfig,
    DataConfig,
    Limits,
    Recipe,
    Resources,
    SearchConfig,
    Section,
    TemplateConfig,
)

TrackerName = Literal["tensorboard", "mlflow", "wandb"]


class Study(Section):
    """A study: one space, searched under one FLOP budget by one command."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    """Names the study folder and the job in the Ray dashboard"""
    data: DataConfig
    """Which images"""
    template: TemplateConfig = TemplateConfig()
    """What every architecture shares"""
    budget: BudgetConfig
    """The FLOP band"""
    axes: AxesConfig
    """What varies"""
    objectives: tuple[Objective, ...] = Field(
        default=(ERROR,),
        min_length=1,
        max_length=3,
        description=f"What is minimised: {ERROR}, and up to two of {', '.join(COSTS[:-1])} and {COSTS[-1]}",
    )
    trainer: Recipe = Recipe()
    """How a trial is trained"""
    search: SearchConfig = SearchConfig()
    """How the space is searched"""
    claim: ClaimConfig | None = None
    """Which claim of the paper is tested, if any"""
    resources: Resources = Resources()
    """What one trial gets"""
    limits: Limits = Limits()
    """How much the study may use"""
    trackers: tuple[TrackerName, ...] = ()
    """Where else trials are logged: tensorboard | mlflow | wandb; needs the extra `trackers`"""
    seed: Annotated[Whole, Field(ge=0, lt=2**63)] = 0
    """Seed of everything random in the study"""

    @field_validator("objectives")
    @classmethod
    def _error_first(cls, objectives: tuple[Objective, ...]) -> tuple[Objective, ...]:
        if objectives[0] != ERROR or len(set(objectives)) < len(objectives):
            raise_problems([Problem((), shown(objectives), f"{ERROR} first, each objective once")])
        return objectives

    @field_validator("trackers")
    @classmethod
    def _each_once(cls, trackers: tuple[TrackerName, ...]) -> tuple[TrackerName, ...]:
        if len(set(trackers)) < len(trackers):
            raise_problems([Problem((), shown(trackers), "each tracker once")])
        return trackers

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        raise_problems(problems_between_sections(self, type(self).model_fields))
        return self

    def facts(self) -> DatasetFacts:
        """Shape of the images; an `image_folder` says it in the study file."""
        return self.data.facts()

    def network_template(self) -> Template:
        """The template with the shape of the study's images."""
        facts = self.facts()
        return Template(
            stem=self.template.stem,
            stride=self.template.stride,
            planes=self.template.planes,
            stages=self.template.stages,
            shortcut=self.template.shortcut,
            resolution=facts.resolution,
            channels=facts.channels,
            classes=facts.classes,
        )

    def band(self) -> Band:
        """The FLOP band: around the given number, or around the exact cost of `budget.like`."""
        like = self.budget.like
        if like is not None:
            base = Architecture.paper(like.cardinality, like.width, like.blocks)
            return Band(int(complexity(self.network_template(), base).multiply_adds), self.budget.tolerance)
        return Band(self.budget.multiply_adds or 0, self.budget.tolerance)

    def architecture_axes(self) -> Axes:
        """The values of cardinality, width and blocks, sorted, each once."""
        spreads = self.axes.blocks.spreads(self.template.stages)
        return Axes(self.axes.cardinality, self.axes.width, spreads, self.template.width_rule)

    def feasible_set(self) -> FeasibleSet:
        """Every architecture inside the band.

        Raises:
            EmptyFeasibleSet: There is none.
        """
        return enumerate_feasible(self.network_template(), self.architecture_axes(), self.band())

    def knobs(self) -> tuple[Knob, ...]:
        """The searched knobs, in the order of `KNOBS`."""
        return tuple(_knob(name, axis) for name in KNOBS if (axis := self.axes.knob(name)) is not None)


def _knob(name: str, axis: KnobAxis) -> Knob:
    values = tuple(sorted(set(axis.listed or ())))
    low, high = (values[0], values[-1]) if values else (axis.min or 0.0, axis.max or 0.0)
    log = axis.scale == "log" or (bool(values) and low > 0)
    return Knob(name, low, high, log=log, values=values, integer=KNOBS[name].integer)


Phase = Literal["search", "tune", "confirm"]


def train_images(study: Study, *, confirm: bool) -> int | None:
    """How many images an epoch trains on; a trial that confirms trains on those kept for validation too.

    None for an `image_folder` whose study does not say it.
    """
    given = study.data.train_images, study.data.validation_images
    if study.data.name == "image_folder" and None in given[: 2 if confirm else 1]:
        return None
    train, validation = study.data.split_sizes(study.facts().train_images)
    return train + validation if confirm else train
