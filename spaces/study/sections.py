"""The sections of a study file, each checked by itself; what concerns several sections is in `checks.py`.

The texts below the fields are what `resnext-search schema` prints.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)
from resnext_search.spaces.architecture.architecture import Architecture, Template
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.datasets import DATASETS, DatasetFacts, dataset_names, dataset_plugin, trainer_names
from resnext_search.spaces.errors import shown
from resnext_search.spaces.folds import fewest_outside
from resnext_search.spaces.search_space.axes import MOST_TOLERANCE, Band, WidthRule
from resnext_search.spaces.search_space.methods import METHODS, MethodName
from resnext_search.spaces.study.problems import Problem, plugin_problems, raise_problems
from resnext_search.spaces.study.recipes import RecipeName, filled, usual_warmup
from resnext_search.spaces.study.units import Bytes, Count, Number, Seconds, Share, Whole
from resnext_search.spaces.uris import uri_problem

# More channels or groups than this are a typing error: the paper's widest layer has 2,048 channels.
MOST_CHANNELS = 4096
MOST_BLOCKS = 200

# Beyond this, arms do not cost the same: the paper's own tables differ by up to 4 % (`architecture/paper.py`).
MOST_CLAIM_TOLERANCE = 0.02
# A quadrillion: a thousand times what the largest published networks cost.
MOST_BUDGET = 10**15
# A hundred times what the largest published models were trained with.
MOST_TRAINING_FLOPS = 10**28
# With fewer seeds an arm there is no word under the second rules: looks at fewer do most of the harm that looking again
# can do.
FEWEST_SEEDS = 10
# Ten terabytes.
MOST_MEMORY = 10**13
# Ten years.
MOST_SECONDS = 10 * 365 * 86_400.0

Channels = Annotated[Whole, Field(ge=1, le=MOST_CHANNELS)]
BlockCount = Annotated[Whole, Field(ge=1, le=MOST_BLOCKS)]
Blocks = tuple[BlockCount, ...]


class Section(BaseModel):
    """A part of the study file: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class LikeConfig(Section):
    """An architecture that stands for a budget."""

    cardinality: Channels
    """Groups of its 3x3 convolutions"""
    width: Channels
    """Channels of one group in the first stage; doubles every stage"""
    blocks: Blocks = Field(min_length=1)
    """Blocks of every stage"""

    def architecture(self) -> Architecture:
        """The network that is named."""
        return Architecture.paper(self.cardinality, self.width, self.blocks)


class BudgetConfig(Section):
    """The FLOP band: one of `like` or `multiply_adds`, and a tolerance."""

    like: LikeConfig | None = None
    """An architecture whose multiply-adds are the budget"""
    multiply_adds: Annotated[Count, Field(ge=1, le=MOST_BUDGET)] | None = None
    """Multiply-adds of one image, the paper's FLOPs; 8.0M and 4.1G are understood"""
    tolerance: Share = Field(default=0.02, ge=0, le=MOST_TOLERANCE)
    """Half width of the band, as a share of the budget: 2% or 0.02"""

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        if (self.like is None) == (self.multiply_adds is None):
            found = "neither like nor multiply_adds" if self.like is None else "both like and multiply_adds"
            fix = "Give like: {cardinality: 2, width: 16, blocks: [1, 1, 1]}, or multiply_adds: 8.0M."
            raise_problems([Problem((), found, "exactly one of them", fix)])
        return self

    def band(self, template: Template) -> Band:
        """The FLOP band: around the given number, or around the exact cost of `like`."""
        if self.like is not None:
            return Band(int(complexity(template, self.like.architecture()).multiply_adds), self.tolerance)
        return Band(self.multiply_adds or 0, self.tolerance)


class DataConfig(Section):
    """Which images, and how many of them."""

    # a list of what is allowed here, on this machine, for editors that read the schema
    name: str = Field(json_schema_extra=lambda schema: schema.update(enum=list(dataset_names())))
    """digits (no download) | fashion_mnist | cifar10 | cifar100 | image_folder (train/<class>/*, test/<class>/*)"""
    root: Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00-\x1f]*$")] = "data"
    """Where the files lie, relative to the folder the command is started in; ~ and $NAME are those of each machine"""
    train_images: Annotated[Whole, Field(ge=1)] | None = None
    """Images to train on; without it all that validation leaves"""
    validation_images: Annotated[Whole, Field(ge=1)] | None = None
    """Images kept from training to choose by; without it a tenth of the training split, at least one a class"""
    resolution: Annotated[Whole, Field(ge=8, le=1024)] | None = None
    """image_folder only: side that images are brought to, in pixels"""
    classes: Annotated[Whole, Field(ge=2, le=1_000_000)] | None = None
    """image_folder only: number of class folders"""
    unreadable: Literal["refuse", "skip"] = "refuse"
    """image_folder only: damaged or missing files are an error (refuse), or are left out of all splits (skip)"""
    view: Literal["middle", "whole"] = "middle"
    """image_folder only: what is seen of an image where no part is drawn: the middle, 7/8 of its shorter side (middle),
    or all of it, squeezed into a square; pixel by pixel if it has the resolution (whole)"""
    memory: Annotated[Bytes, Field(ge=1, le=MOST_MEMORY)] = 10**9
    """image_folder only: most bytes of decoded images that a process keeps, such as 2G or 500 MB; if they are more, or
    with `augment: standard`, files are read as they are needed"""

    @field_validator("name", mode="before")
    @classmethod
    def _known(cls, name: Any) -> Any:
        raise_problems(plugin_problems(name, dataset_names(), dataset_plugin))
        return name

    @model_validator(mode="after")
    def _fits_the_data_set(self) -> Self:
        raise_problems(self._problems())
        return self

    def _problems(self) -> Iterator[Problem]:
        published = self._published()
        for name in ("resolution", "classes"):
            given: int | None = getattr(self, name)
            if published.of_the_study and given is None:
                yield Problem((name,), "nothing", "a whole number", f"An {self.name} needs data.{name}.")
            if not published.of_the_study and given is not None:
                yield Problem((name,), str(given), "only for image_folder", f"Remove it: {self.name} has its own.")
        if not published.of_the_study:
            for name in ("unreadable", "view", "memory"):
                if (chosen := getattr(self, name)) != DataConfig.model_fields[name].default:
                    yield Problem((name,), shown(chosen), "only for image_folder", "Remove it.")
            available = published.train_images
            train, validation = self.split_sizes(available)
            split = f"{available:,} of the training split of {self.name}"
            if train < 1:
                yield Problem(("validation_images",), f"{validation:,}", f"fewer than the {split}")
            elif train + validation > available:
                wanted = f"{train:,} images to train on and {validation:,} to validate on"
                yield Problem((), wanted, f"together at most the {split}")

    def facts(self) -> DatasetFacts:
        """Shape and size of the data set, built in or a plug-in's.

        An `image_folder` has the shape that the study gives it; how many images it has is not known, and 0 here.
        """
        facts = self._published()
        if facts.of_the_study:
            return facts._replace(resolution=self.resolution or 0, classes=self.classes or 0)
        return facts

    def _published(self) -> DatasetFacts:
        return DATASETS.get(self.name) or dataset_plugin(self.name).facts

    def split_sizes(self, available: int) -> tuple[int, int]:
        """Images to train on and to validate on, of so many that a training split has.

        Folders of images may be small: without `validation_images` each of their classes has one to validate on.

        >>> DataConfig(name="cifar10").split_sizes(50_000)
        (45000, 5000)
        """
        validation = self.validation_images or max(available // 10, self.classes or 0)
        return self.train_images or available - validation, validation

    def has_folds(self, claim: Section | None, rules: int) -> bool:
        """As `Study.has_folds`, of a study with this claim under these rules."""
        return rules != 1 and claim is not None and not self.facts().published_test

    def images_per_epoch(self, *, confirm: bool, folds: bool) -> int | None:
        """As `Study.images_per_epoch`, of a study that has folds or not."""
        available = self.facts().train_images
        if folds:
            outside = fewest_outside(available + self.facts().test_images)
            return min(outside, self.train_images or outside)
        given = (self.train_images, self.validation_images) if confirm else (self.train_images,)
        if not available and None in given:
            return None
        train, validation = self.split_sizes(available)
        return train + validation if confirm else train


class TemplateConfig(Section):
    """What every architecture of the study shares."""

    stem: Literal["cifar", "imagenet"] = "cifar"
    """cifar: a 3x3 convolution | imagenet: a 7x7 convolution with stride 2 and a max-pool"""
    stride: Literal[1, 2, 4] = 1
    """Stride of the cifar stem; the paper has 1"""
    planes: Annotated[Whole, Field(ge=1, le=1024)] = 64
    """Channels of the stem; blocks put out 4x this, doubled every stage"""
    stages: Annotated[Whole, Field(ge=1, le=5)] = 3
    """Stages; each but the first halves the map"""
    shortcut: Literal["projection", "identity", "none"] = "projection"
    """projection (the paper's) | identity (zero-padded) | none (the paper's ablation)"""
    width_rule: WidthRule = "matched"
    """matched: later widths move by a channel or two to meet the budget | paper: they double"""

    @model_validator(mode="after")
    def _stride_of_a_cifar_stem(self) -> Self:
        if self.stem == "imagenet" and self.stride != 1:
            raise_problems([Problem(("stride",), str(self.stride), "only for the cifar stem", "Remove it.")])
        return self

    def network_template(self, facts: DatasetFacts) -> Template:
        """The template with the shape of a data set's images."""
        return Template(
            stem=self.stem,
            stride=self.stride,
            planes=self.planes,
            stages=self.stages,
            shortcut=self.shortcut,
            resolution=facts.resolution,
            channels=facts.channels,
            classes=facts.classes,
        )


class Recipe(Section):
    """How a trial is trained. Searched knobs override the values given here."""

    recipe: RecipeName | None = None
    """Gives all keys that are not written here, in place of their defaults: paper-cifar | paper-imagenet | short"""
    epochs: Annotated[Whole, Field(ge=1, le=10_000)] = 12
    """Passes over the training images"""
    batch_size: Annotated[Whole, Field(ge=2, le=1_000_000)] = 128
    """Images a step; an incomplete last batch is left out"""
    learning_rate: Annotated[Number, Field(gt=0)] = 0.1
    """Step size of SGD at its highest"""
    momentum: Annotated[Number, Field(ge=0, lt=1)] = 0.9
    """Nesterov momentum"""
    weight_decay: Annotated[Number, Field(ge=0, lt=1)] = 5e-4
    """L2 penalty on the weights; the paper has 5e-4 on CIFAR and 1e-4 on ImageNet"""
    decay_norms: Annotated[bool, Field(strict=True)] = False
    """Whether norms and biases are decayed too, as in the paper's code"""
    label_smoothing: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """Share of the target spread over all classes"""
    schedule: Literal["cosine", "step", "step-thirds"] = "cosine"
    """cosine: half a cosine to 0 | step: divided by 10 at 1/2 and 3/4 of the epochs | step-thirds: at 1/3 and 2/3"""
    warmup_epochs: Annotated[Number, Field(ge=0)] = Field(default_factory=usual_warmup)
    """Epochs over which the learning rate rises from 0, fractions too; without it 1, or a tenth of `epochs` if less"""
    augment: Literal["standard", "crop", "none"] = "standard"
    """standard: of an image_folder a random part, resized, and a flip; of others as crop | crop: a random crop after
    padding and, where the data allow it, a flip; of an image_folder with data.view: whole | none"""
    deterministic: Annotated[bool, Field(strict=True)] = False
    """On a GPU: only kernels that give the same bits every time, which are slower; on processors that is always so"""
    graph: Annotated[bool, Field(strict=True)] = False
    """On a GPU: the kernels of a training step are sent as one CUDA graph, for small networks, which wait for Python;
    the numbers are the same. Processors, and trials that need their batches in parts, train step by step as ever"""
    plugin: str | None = None
    """Name of another package's trainer, which is given these keys, and trains in place of the one that is built in"""

    @field_validator("plugin", mode="before")
    @classmethod
    def _known(cls, plugin: Any) -> Any:
        if plugin is not None:
            raise_problems(plugin_problems(plugin, trainer_names()))
        return plugin

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, given: Any) -> Any:
        """With all values written, as after a trip through JSON, the name of the recipe changes nothing."""
        return filled(given) if isinstance(given, dict) else given

    @model_serializer(mode="wrap")
    def _as_it_was(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What says nothing of GPUs is written as it always was: plans and checkpoints stay those of their study."""
        written: dict[str, Any] = handler(self)
        return {key: value for key, value in written.items() if key not in ("deterministic", "graph") or value}


class SearchConfig(Section):
    """How the space is searched."""

    trials: Annotated[Whole, Field(ge=1, le=100_000)] = 40
    """Trials of the search phase"""
    parallel: Literal["auto"] | Annotated[Whole, Field(ge=1, le=10_000)] = "auto"
    """Trials at once: auto (as many as the machine holds), or a number"""
    optimizer: MethodName = Field("ax", description=" | ".join(f"{name}: {METHODS[name].meaning}" for name in METHODS))
    early_stopping: Literal["none", "asha", "median"] = "none"
    """none: every trial is trained to the end | asha, median: Ray Tune stops those that fall behind the others"""
    audit: Share = Field(default=0.1, ge=0, le=1)
    """Share of the trials to be stopped that is trained to the end all the same, drawn by chance, as a check"""


class Resources(Section):
    """What one trial gets."""

    cpu: Annotated[Whole, Field(ge=1, le=1024)] = 1
    """Processor cores of one trial; also its threads"""
    gpu: Literal["auto"] | Annotated[Number, Field(ge=0, le=64)] = "auto"
    """GPUs of one trial: auto (if the machine has any, a whole one or, for small networks, a share, as `plan` says;
    else none; on a cluster without GPUs say which), or a number; 0.25 packs four on a GPU"""
    cluster: Annotated[str, Field(pattern=r"^[^\s]{1,1000}$")] | None = None
    """host:port of a Ray cluster | auto: the one that this machine belongs to | local: this machine alone, whatever
    RAY_ADDRESS says; without it the cluster of RAY_ADDRESS, and this machine where the environment has none"""
    checkpoints: str = "auto"
    """Where trials keep their state: auto (in the study folder; workers of this machine write it, those of a cluster
    send it and need not see the folder) | driver (all send it) | s3://bucket/path, gs://bucket/path or file:///folder
    (workers write it there, and all machines see it)"""
    wait: Annotated[Seconds, Field(gt=0, le=MOST_SECONDS)] = 900.0
    """How long a cluster may hold no trial, as while its machines start: 90s, 15m, or seconds; this machine is not
    waited for"""

    @field_validator("checkpoints")
    @classmethod
    def _known_place(cls, checkpoints: str) -> str:
        if checkpoints not in ("auto", "driver") and (problem := uri_problem(checkpoints)):
            raise_problems([Problem((), problem.found, f"auto, driver or {problem.allowed}", problem.fix)])
        return checkpoints


class Limits(Section):
    """How much a study may use; with a higher limit it goes on. Nothing is limited that is not named."""

    time: Annotated[Seconds, Field(gt=0, le=MOST_SECONDS)] | None = None
    """Time at work, over all sittings: 90s, 30m, 8h, 2d, or seconds; trials that run at its end are interrupted"""
    training_flops: Annotated[Count, Field(ge=1, le=MOST_TRAINING_FLOPS)] | None = None
    """Floating-point operations of all training, as `plan` counts them; what the claim needs is kept for it"""
    trial_time: Annotated[Seconds, Field(gt=0, le=MOST_SECONDS)] | None = None
    """Longest time of a trial in one go; one that takes longer fails, and another trial takes its worker's place"""
