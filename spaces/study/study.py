"""What does a study ask? The study file as one frozen, validated value.

The sections are in `sections.py` and `axes.py`, checks that span sections in `checks.py`; reading a file, with line
numbers in every complaint, is in `file.py`. Imports pydantic and numpy, nothing heavy.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from resnext_search.spaces.architecture.architecture import Template
from resnext_search.spaces.datasets import DatasetFacts
from resnext_search.spaces.errors import shown
from resnext_search.spaces.folds import FOLDS, fold_of
from resnext_search.spaces.search_space.axes import Axes, Band
from resnext_search.spaces.search_space.feasible import FeasibleSet, enumerate_feasible
from resnext_search.spaces.search_space.knobs import KNOBS, Knob
from resnext_search.spaces.search_space.objectives import COSTS, ERROR, MEASURED, Objective
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study.axes import AxesConfig, KnobAxis
from resnext_search.spaces.study.checks import problems_between_sections
from resnext_search.spaces.study.claim import ClaimConfig
from resnext_search.spaces.study.problems import Problem, raise_problems
from resnext_search.spaces.study.sections import (
    BudgetConfig,
    DataConfig,
    Limits,
    Recipe,
    Resources,
    SearchConfig,
    Section,
    TemplateConfig,
)
from resnext_search.spaces.study.units import Whole

TrackerName = Literal["tensorboard", "mlflow", "wandb"]

Phase = Literal["search", "tune", "confirm"]

# Of a claim; the other keys have one default under both.
DEFAULTS_OF_RULES_1 = {"tuning_trials": 8}


# As `resources.cluster`, and for Ray itself: this machine, whatever RAY_ADDRESS says.
LOCAL = "local"
# As `resources.cluster`: the cluster of which this machine is a part.
AUTO = "auto"


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
    rules: Literal[1, 2] = 2
    """By which the arms are tuned and judged: 2; studies that were begun under 1 go on under it"""

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_its_rules(cls, given: Any) -> Any:
        """A file that left a key out says the same of the study that was begun with it."""
        claim = given.get("claim") if isinstance(given, dict) and given.get("rules") == 1 else None
        return {**given, "claim": DEFAULTS_OF_RULES_1 | claim} if isinstance(claim, dict) else given

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
        raise_problems(problems_between_sections(dict(self)))
        return self

    @property
    def root_seed(self) -> int:
        """What everything random in the study is derived from; studies of two names share nothing by accident.

        Under `rules: 1` it is `seed` itself.
        """
        return self.seed if self.rules == 1 else derive_seed(self.seed, "study", self.name)

    @property
    def has_measured_objectives(self) -> bool:
        """Whether an objective is known from measurements alone, which differ from device to device."""
        return not set(MEASURED).isdisjoint(self.objectives)

    @property
    def has_folds(self) -> bool:
        """Whether its trials choose and are tested in folds of all images: with a claim on data without a test split.

        Never under `rules: 1`.
        """
        return self.data.has_folds(self.claim, self.rules)

    def facts(self) -> DatasetFacts:
        """Shape of the images; an `image_folder` says it in the study file."""
        return self.data.facts()

    def images_per_epoch(self, phase: Phase) -> int | None:
        """Images of an epoch of training; a trial that confirms trains on those kept for validation too.

        None where nobody knows: for an `image_folder` of which the study does not say it. With folds, every trial
        trains on what its fold leaves, or on `data.train_images` of it.
        """
        return self.data.images_per_epoch(confirm=phase == "confirm", folds=self.has_folds)

    def fold_of(self, seed: int) -> int | None:
        """The fold that a trial with this seed does not train on; None where the study has no folds."""
        return fold_of(seed) if self.has_folds else None

    def images_to_validate(self) -> int | None:
        """Images that a trial of the tuning is judged by; None where nobody knows, as in `images_per_epoch`."""
        facts = self.facts()
        if self.has_folds:
            return (facts.train_images + facts.test_images) // FOLDS
        if not facts.train_images:
            return self.data.validation_images
        return self.data.split_sizes(facts.train_images)[1]

    def network_template(self) -> Template:
        """The template with the shape of the study's images."""
        return self.template.network_template(self.facts())

    def band(self) -> Band:
        """The FLOP band: around the given number, or around the exact cost of `budget.like`."""
        return self.budget.band(self.network_template())

    def architecture_axes(self) -> Axes:
        """The values of cardinality, width and blocks, sorted, each once."""
        return self.axes.architecture_axes(self.template)

    def feasible_set(self) -> FeasibleSet:
        """Every architecture inside the band.

        Raises:
            EmptyFeasibleSet: There is none.
        """
        return _enumerated(self.network_template(), self.architecture_axes(), self.band())

    def knobs(self) -> tuple[Knob, ...]:
        """The searched knobs, in the order of `KNOBS`."""
        return tuple(_knob(name, axis) for name in KNOBS if (axis := self.axes.knob(name)) is not None)


# A study is read again wherever it is needed, and takes a moment to enumerate; nobody changes a feasible set.
_enumerated = lru_cache(maxsize=1)(enumerate_feasible)


def _knob(name: str, axis: KnobAxis) -> Knob:
    values = tuple(sorted(set(axis.listed or ())))
    low, high = (values[0], values[-1]) if values else (axis.min or 0.0, axis.max or 0.0)
    log = axis.scale == "log" or (bool(values) and low > 0)
    return Knob(name, low, high, log=log, values=values, integer=KNOBS[name].integer)
