"""What varies in a study: the axes of the architecture and the knobs of the recipe, as they stand in the study file.

The texts below the fields are what `resnext-search schema` prints.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Annotated, Any, Literal, Self, cast

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    Tag,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    create_model,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails
from resnext_search.spaces.search_space.axes import Axes
from resnext_search.spaces.search_space.knobs import KNOBS
from resnext_search.spaces.study.problems import Problem, raise_problems
from resnext_search.spaces.study.sections import (
    MOST_CHANNELS,
    BlockCount,
    Blocks,
    Channels,
    Recipe,
    Section,
    TemplateConfig,
)
from resnext_search.spaces.study.units import Number

# Ways to spread blocks over the stages that one axis may hold; more than this is a typing error, not a search space.
MOST_SPREADS = 100_000


class IntegerRange(Section):
    """Every whole number from `min` to `max`."""

    min: Channels
    max: Channels

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.min > self.max:
            raise_problems([Problem((), f"min {self.min}, max {self.max}", "min <= max")])
        return self


def _range_or_list(value: Any) -> Any:
    """`{min: 1, max: 4}` means every whole number from 1 to 4; one number means a list of one."""
    if isinstance(value, dict):
        limits = IntegerRange.model_validate(value)
        return tuple(range(limits.min, limits.max + 1))
    return [value] if isinstance(value, int | float) else value


_INTEGER = {"type": "integer", "minimum": 1, "maximum": MOST_CHANNELS}
_LIST = {"type": "array", "items": _INTEGER, "minItems": 1}
_KEYS = {"properties": {"min": _INTEGER, "max": _INTEGER}, "required": ["min", "max"], "additionalProperties": False}
IntegerAxis = Annotated[
    tuple[Channels, ...],
    Field(min_length=1),
    BeforeValidator(_range_or_list),
    WithJsonSchema({"anyOf": [_LIST, {"type": "object", **_KEYS}, _INTEGER]}),
]


class _ListOrRange(Section):
    """An axis that stands in the study file as a list, as one value, or as keys such as `min` and `max`."""

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """A list is short for `{listed: ...}`; one number n is short for the list of it."""
        if isinstance(value, int | float):
            return {"listed": [value]}
        return {"listed": value} if isinstance(value, list | tuple) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        keys = handler.resolve_ref_schema(handler(core_schema))
        listed = next(choice for choice in keys["properties"]["listed"]["anyOf"] if choice.get("type") == "array")
        return {"description": keys.pop("description", ""), "anyOf": [listed, {"type": "number"}, keys]}


class BlocksAxis(_ListOrRange):
    """Blocks per stage: a list of spreads (a number n means n in every stage), or a range."""

    listed: (
        tuple[
            Annotated[
                Annotated[BlockCount, Tag("number")] | Annotated[Blocks, Tag("spread")],
                Discriminator(lambda value: "spread" if isinstance(value, list | tuple) else "number"),
            ],
            ...,
        ]
        | None
    ) = Field(default=None, min_length=1, max_length=MOST_SPREADS)
    """The spreads to try: [2, [2, 3, 2]]"""
    min: BlockCount | None = None
    """Fewest blocks of a stage"""
    max: BlockCount | None = None
    """Most blocks of a stage"""
    uniform: Annotated[bool, Field(strict=True)] = False
    """true: the same number in every stage | false: every combination"""

    @model_validator(mode="after")
    def _list_or_range(self) -> Self:
        raise_problems(_range_problems(self.listed, self.min, self.max, "<="))
        return self

    def spreads(self, stages: int) -> tuple[tuple[int, ...], ...]:
        """All ways to spread blocks over so many stages, sorted, each once."""
        if self.listed is not None:
            return tuple(sorted({(n,) * stages if isinstance(n, int) else n for n in self.listed}))
        values = range(self.min or 1, (self.max or 1) + 1)
        return tuple((n,) * stages for n in values) if self.uniform else tuple(product(values, repeat=stages))


class KnobAxis(_ListOrRange):
    """Values of one knob: a range, or a list."""

    listed: tuple[Number, ...] | None = Field(default=None, min_length=1, max_length=1_000)
    """The only values to try: [32, 64, 128]"""
    min: Number | None = None
    """Smallest value"""
    max: Number | None = None
    """Largest value"""
    scale: Literal["log", "linear"] = "linear"
    """log: equal ratios are equally far apart | linear: equal differences are"""

    @model_validator(mode="after")
    def _list_or_range(self) -> Self:
        raise_problems(_range_problems(self.listed, self.min, self.max, "<"))
        return self

    def places(self) -> Iterator[tuple[tuple[str | int, ...], float]]:
        """Where in the axis a value stands, and the value."""
        if self.listed is not None:
            yield from ((("listed", index), value) for index, value in enumerate(self.listed))
        if self.min is not None and self.max is not None:
            yield from ((("min",), self.min), (("max",), self.max))


def _range_problems(listed: object, low: float | None, high: float | None, relation: str) -> Iterator[Problem]:
    allowed = f"a list, or min and max with min {relation} max"
    if listed is not None:
        if low is not None or high is not None:
            yield Problem((), "both a list and min or max", allowed)
    elif low is None or high is None:
        neither = "neither a list nor min and max"
        yield Problem((), "min alone" if low is not None else "max alone" if high is not None else neither, allowed)
    elif low > high or (low == high and relation == "<"):
        yield Problem((), f"min {low:g}, max {high:g}", allowed)


def _with_knobs(section: type[AxesConfig]) -> type[AxesConfig]:
    """The same section with a key for every row of `KNOBS`."""
    keys: dict[str, Any] = {
        name: (KnobAxis | None, Field(default=None, description=facts.meaning)) for name, facts in KNOBS.items()
    }
    return create_model(section.__name__, __base__=section, __doc__=section.__doc__, __module__=__name__, **keys)


@_with_knobs
class AxesConfig(Section):
    """What varies: the architecture's axes and the knobs of the recipe. Knobs left out stay as in `trainer`."""

    cardinality: IntegerAxis
    """Groups C of the 3x3 convolutions"""
    width: IntegerAxis
    """Channels d of one group in the first stage"""
    blocks: BlocksAxis
    """Blocks per stage: a list of spreads, or {min, max} for every stage"""

    def architecture_axes(self, template: TemplateConfig) -> Axes:
        """The values of cardinality, width and blocks, sorted, each once."""
        return Axes(self.cardinality, self.width, self.blocks.spreads(template.stages), template.width_rule)

    def knob(self, name: str) -> KnobAxis | None:
        """The values of a knob; None if it is not searched."""
        return cast("KnobAxis | None", getattr(self, name))

    @field_validator(*KNOBS, check_fields=False)
    @classmethod
    def _fits_the_recipe(cls, axis: KnobAxis | None, info: ValidationInfo) -> KnobAxis | None:
        """Every value of a knob must be one that `trainer` would take."""
        name = str(info.field_name)
        if axis is None:
            return axis
        if axis.listed is not None and len(set(axis.listed)) < 2:
            raise_problems([Problem((), "one value", "at least two", f"A fixed {name} belongs to trainer.{name}.")])
        errors = []
        for place, value in axis.places():
            try:
                Recipe.model_validate({name: int(value) if KNOBS[name].integer and value.is_integer() else value})
            except ValidationError as error:
                errors += [
                    InitErrorDetails(type=detail["type"], loc=place, input=value, ctx=detail.get("ctx", {}))
                    for detail in error.errors()
                    if detail["loc"] == (name,)  # not what the broken value leaves unknown
                ]
        if errors:
            raise ValidationError.from_exception_data("Study", errors)
        raise_problems(
            Problem(place, f"{value:g}", "above 0 with scale: log")
            for place, value in axis.places()
            if axis.scale == "log" and value <= 0
        )
        return axis
