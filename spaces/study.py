"""What does a study ask? The study file as frozen, validated values.

The field comments say what `resnext-search schema` prints. Reading a file, with line numbers in every complaint, is
in `study_file.py`. Imports pydantic and numpy, nothing heavy.
"""

from __future__ import annotations

from itertools import product
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from resnext_search.spaces.architecture import Architecture, Template
from resnext_search.spaces.complexity import complexity
from resnext_search.spaces.datasets import DATASETS, DatasetFacts
from resnext_search.spaces.feasible import Axes, Band, FeasibleSet, WidthRule, enumerate_feasible
from resnext_search.spaces.knobs import Knob
from resnext_search.spaces.quantities import Count, Share

# Ways to spread blocks over the stages that one axis may hold; more than this is a typing error, not a search space.
MOST_SPREADS = 100_000


class Section(BaseModel):
    """A part of the study file: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _range_or_list(value: Any) -> Any:
    """`{min: 1, max: 4}` means every whole number from 1 to 4; one number means a list of one."""
    if isinstance(value, dict) and set(value) == {"min", "max"} and all(isinstance(v, int) for v in value.values()):
        return list(range(value["min"], value["max"] + 1))
    return [value] if isinstance(value, int) else value


_INTEGER_AXIS_SCHEMA = {
    "anyOf": [
        {"type": "array", "items": {"type": "integer", "minimum": 1}},
        {"type": "object", "properties": {"min": {"type": "integer"}, "max": {"type": "integer"}}},
        {"type": "integer", "minimum": 1},
    ]
}
IntegerAxis = Annotated[
    tuple[Annotated[int, Field(ge=1, strict=True)], ...],
    Field(min_length=1),
    BeforeValidator(_range_or_list),
    WithJsonSchema(_INTEGER_AXIS_SCHEMA),
]
Blocks = tuple[Annotated[int, Field(ge=1, le=200, strict=True)], ...]


class LikeConfig(Section):
    """An architecture that stands for a budget."""

    # Groups of its 3x3 convolutions
    cardinality: int = Field(ge=1, strict=True)
    # Channels of one group in the first stage; doubles every stage
    width: int = Field(ge=1, strict=True)
    # Blocks of every stage
    blocks: Blocks = Field(min_length=1)


class BudgetConfig(Section):
    """The FLOP band: one of `like` or `multiply_adds`, and a tolerance."""

    # An architecture whose multiply-adds are the budget
    like: LikeConfig | None = None
    # Multiply-adds of one image, the paper's FLOPs; 8.0M and 4.1G are understood
    multiply_adds: Count | None = Field(default=None, ge=1)
    # Half width of the band, as a share of the budget: 2% or 0.02
    tolerance: Share = Field(default=0.02, ge=0, le=0.5)


class DataConfig(Section):
    """Which images, and how many of them."""

    # digits (embedded) | fashion_mnist | cifar10 | cifar100 | image_folder (root/train/<class>/*, root/test/<class>/*)
    name: Literal["digits", "fashion_mnist", "cifar10", "cifar100", "image_folder"]
    # Where the files lie, relative to the folder the command is started in
    root: str = "data"
    # Images to train on; without it all that validation leaves
    train_images: int | None = Field(default=None, ge=1, strict=True)
    # Images kept from training to choose by; without it a tenth of the training split
    validation_images: int | None = Field(default=None, ge=1, strict=True)
    # image_folder only: side that images are brought to, in pixels
    resolution: int | None = Field(default=None, ge=8, le=1024, strict=True)
    # image_folder only: number of class folders
    classes: int | None = Field(default=None, ge=2, strict=True)


class TemplateConfig(Section):
    """What every architecture of the study shares."""

    # cifar: a 3x3 convolution | imagenet: a 7x7 convolution with stride 2 and a max-pool
    stem: Literal["cifar", "imagenet"] = "cifar"
    # Stride of the cifar stem; the paper has 1
    stride: Literal[1, 2, 4] = 1
    # Channels of the stem; blocks put out 4x this, doubled every stage
    planes: int = Field(default=64, ge=1, le=1024, strict=True)
    # Stages; each but the first halves the map
    stages: int = Field(default=3, ge=1, le=6, strict=True)
    # projection (the paper's) | identity (zero-padded) | none (the paper's ablation)
    shortcut: Literal["projection", "identity", "none"] = "projection"
    # matched: later widths move by a channel or two to meet the budget | paper: they double
    width_rule: WidthRule = "matched"


def _listed(value: Any) -> Any:
    """A list is short for `{listed: ...}`; one number n is short for the list of it."""
    if isinstance(value, int):
        return {"listed": [value]}
    return {"listed": value} if isinstance(value, list | tuple) else value


class BlocksAxis(Section):
    """Blocks per stage: a list of spreads (a number n means n in every stage), or a range."""

    # The spreads to try: [2, [2, 3, 2]]
    listed: tuple[Annotated[int, Field(ge=1, le=200, strict=True)] | Blocks, ...] | None = Field(
        default=None, min_length=1
    )
    # Fewest blocks of a stage
    min: int | None = Field(default=None, ge=1, le=200, strict=True)
    # Most blocks of a stage
    max: int | None = Field(default=None, ge=1, le=200, strict=True)
    # true: the same number in every stage | false: every combination
    uniform: bool = False

    def spreads(self, stages: int) -> tuple[tuple[int, ...], ...]:
        """All ways to spread blocks over so many stages, sorted, each once."""
        if self.listed is not None:
            return tuple(sorted({(n,) * stages if isinstance(n, int) else n for n in self.listed}))
        values = range(self.min or 1, (self.max or 1) + 1)
        return tuple((n,) * stages for n in values) if self.uniform else tuple(product(values, repeat=stages))


class KnobAxis(Section):
    """Values of one knob: a range, or a list."""

    # The only values to try: [32, 64, 128]
    listed: tuple[float, ...] | None = Field(default=None, min_length=1)
    # Smallest value
    min: float | None = Field(default=None, ge=0)
    # Largest value
    max: float | None = Field(default=None, ge=0)
    # log: equal ratios are equally far apart | linear: equal differences are
    scale: Literal["log", "linear"] = "linear"


class AxesConfig(Section):
    """What varies: the architecture's axes and the knobs of the recipe. Knobs left out stay as in `trainer`."""

    # Groups C of the 3x3 convolutions
    cardinality: IntegerAxis
    # Channels d of one group in the first stage
    width: IntegerAxis
    # Blocks per stage: a list of spreads, or {min, max} for every stage
    blocks: Annotated[BlocksAxis, BeforeValidator(_listed)]
    # Step size of SGD at its highest
    learning_rate: Annotated[KnobAxis, BeforeValidator(_listed)] | None = None
    # Images a step
    batch_size: Annotated[KnobAxis, BeforeValidator(_listed)] | None = None
    # L2 penalty on the weights
    weight_decay: Annotated[KnobAxis, BeforeValidator(_listed)] | None = None
    # Momentum of SGD
    momentum: Annotated[KnobAxis, BeforeValidator(_listed)] | None = None
    # Share of the target spread over all classes
    label_smoothing: Annotated[KnobAxis, BeforeValidator(_listed)] | None = None


KNOB_NAMES = ("learning_rate", "batch_size", "weight_decay", "momentum", "label_smoothing")


class Recipe(Section):
    """How a trial is trained. Searched knobs override the values given here."""

    # Passes over the training images
    epochs: int = Field(default=12, ge=1, le=10_000, strict=True)
    # Images a step; an incomplete last batch is left out
    batch_size: int = Field(default=128, ge=2, strict=True)
    # Step size of SGD at its highest
    learning_rate: float = Field(default=0.1, gt=0)
    # Nesterov momentum
    momentum: float = Field(default=0.9, ge=0, lt=1)
    # L2 penalty on the weights; the paper has 5e-4 on CIFAR and 1e-4 on ImageNet
    weight_decay: float = Field(default=5e-4, ge=0, lt=1)
    # Whether norms and biases are decayed too, as in the paper's code
    decay_norms: bool = False
    # Share of the target spread over all classes
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    # cosine: half a cosine to 0 | step: divided by 10 at half and three quarters of the epochs (the paper's CIFAR)
    schedule: Literal["cosine", "step"] = "cosine"
    # Epochs over which the learning rate rises from 0; fractions are allowed
    warmup_epochs: float = Field(default=1.0, ge=0)
    # standard: random crop after padding, and a flip where the data allow it | none
    augment: Literal["standard", "none"] = "standard"


class SearchConfig(Section):
    """How the space is searched."""

    # Trials of the search phase
    trials: int = Field(default=40, ge=1, le=100_000, strict=True)
    # Trials at once: auto (as many as the machine holds), or a number
    parallel: Literal["auto"] | Annotated[int, Field(ge=1, le=10_000, strict=True)] = "auto"
    # ax: Bayesian optimization | sobol: space-filling, the baseline
    optimizer: Literal["ax", "sobol"] = "ax"


class Resources(Section):
    """What one trial gets."""

    # Processor cores of one trial; also its threads
    cpu: int = Field(default=1, ge=1, le=1024, strict=True)
    # GPUs of one trial: auto (one if the machine has any, else none), or a number; 0.25 packs four on a GPU
    gpu: Literal["auto"] | Annotated[float, Field(ge=0, le=64)] = "auto"
    # host:port of a Ray cluster; without it Ray is started on this machine for the time of the run
    cluster: str | None = None


Objective = Literal["validation_error", "parameters", "activations"]


class Study(Section):
    """A study: one space, searched under one FLOP budget by one command."""

    # Names the study folder and the job in the Ray dashboard: letters, digits, "-", "_" and "."
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    # Which images
    data: DataConfig
    # What every architecture shares
    template: TemplateConfig = TemplateConfig()
    # The FLOP band
    budget: BudgetConfig
    # What varies
    axes: AxesConfig
    # What is minimised; the first is always validation_error
    objectives: tuple[Objective, ...] = Field(default=("validation_error",), min_length=1)
    # How a trial is trained
    trainer: Recipe = Recipe()
    # How the space is searched
    search: SearchConfig = SearchConfig()
    # What one trial gets
    resources: Resources = Resources()
    # Seed of everything random in the study
    seed: int = Field(default=0, ge=0, lt=2**63, strict=True)

    def facts(self) -> DatasetFacts:
        """Shape of the images; an `image_folder` says it in the study file."""
        known = DATASETS.get(self.data.name)
        if known is not None:
            return known
        return DatasetFacts(self.data.resolution or 0, 3, self.data.classes or 0, 0, 0, True)

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
        return Axes(
            tuple(sorted(set(self.axes.cardinality))),
            tuple(sorted(set(self.axes.width))),
            self.axes.blocks.spreads(self.template.stages),
            self.template.width_rule,
        )

    def feasible_set(self) -> FeasibleSet:
        """Every architecture inside the band.

        Raises:
            EmptyFeasibleSet: There is none.
        """
        return enumerate_feasible(self.network_template(), self.architecture_axes(), self.band())

    def knobs(self) -> tuple[Knob, ...]:
        """The searched knobs, in the order of `KNOB_NAMES`."""
        return tuple(_knob(name, axis) for name in KNOB_NAMES if (axis := getattr(self.axes, name)) is not None)


def _knob(name: str, axis: KnobAxis) -> Knob:
    values = tuple(sorted(set(axis.listed or ())))
    low, high = (values[0], values[-1]) if values else (axis.min or 0.0, axis.max or 0.0)
    log = axis.scale == "log" or (bool(values) and low > 0)
    return Knob(name, low, high, log=log, values=values, integer=name == "batch_size")
