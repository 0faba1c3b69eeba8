"""Reading a study file: every problem at once, each with its place, what was found, what is allowed and what to do.

The file is read with PyYAML's safe loader, bounded in size; pydantic checks types and limits (`study.py`), the second
half of this file what goes beyond a single value.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from resnext_search.spaces.errors import StudyError
from resnext_search.spaces.study import KNOB_NAMES, MOST_SPREADS, BlocksAxis, KnobAxis, Recipe, Study

Path_ = tuple[str | int, ...]

LARGEST_FILE_BYTES = 1_000_000


class Problem(NamedTuple):
    """One thing that is wrong with a study file."""

    key: Path_
    found: str
    allowed: str
    fix: str = ""


def load_study(path: Path | str, overrides: Sequence[str] = ()) -> Study:
    """Read and check a study file.

    Args:
        path: The YAML file.
        overrides: `key=value` with a dotted key, such as `search.trials=80`; the value is read as YAML.

    Raises:
        StudyError: The file cannot be read, or has problems; the message lists all of them.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise StudyError(f"{path}: larger than {LARGEST_FILE_BYTES:,} bytes; a study file has some dozen lines")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError(f"{path}: no such file", hint="Make one with: resnext-search init") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: cannot be read: {error}") from error
    return parse_study(text, str(path), overrides)


def parse_study(text: str, source: str, overrides: Sequence[str] = ()) -> Study:
    """Check the text of a study file; `source` names it in messages. Otherwise as `load_study`."""
    raw, lines = _read_yaml(text, source)
    places = {key: f"{source}:{line}" for key, line in lines.items()}
    for override in overrides:
        places[_apply_override(raw, override)] = "command line"
    problems: list[Problem] = []
    try:
        study = Study.model_validate(raw)
        problems = list(_problems_beyond_values(study))
    except ValidationError as error:
        problems = _merge(_problem(details) for details in error.errors(include_url=False))
    if problems:
        text = "\n".join(_words(problem, places, source) for problem in problems)
        raise StudyError(
            text, hint="The study file is explained in README.md; `resnext-search schema` prints all keys."
        )
    return study


# ------------------------------------------------------------------ YAML, with the line of every key


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader without aliases, which let a few bytes stand for gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # types-PyYAML leaves it out
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not allowed", mark)
        return super().compose_node(parent, index)


def _read_yaml(text: str, source: str) -> tuple[dict[str, Any], dict[Path_, int]]:
    lines: dict[Path_, int] = {(): 1}
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                raise StudyError(f"{source}: the file is empty", hint="Make one with: resnext-search init")
            _walk(node, (), lines, source)
            raw = loader.construct_document(node)
        finally:
            loader.dispose()
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
        what = getattr(error, "problem", None) or "nested too deeply"
        raise StudyError(
            f"{place}: not readable as YAML: {what}", hint="Check indentation, quotes and brackets."
        ) from error
    if not isinstance(raw, dict):
        raise StudyError(f"{source}:1: found {_shown(raw)}; a study file is a mapping of keys to values")
    return raw, lines


def _walk(node: yaml.Node, key: Path_, lines: dict[Path_, int], source: str) -> None:
    """Note the line of every key; refuse one given twice, of which YAML would take the last."""
    if isinstance(node, yaml.MappingNode):
        for name_node, value_node in node.value:
            child = (*key, str(name_node.value))
            line = name_node.start_mark.line + 1
            if child in lines:
                raise StudyError(f"{source}:{line}: {_dotted(child)}: given twice, first in line {lines[child]}")
            lines[child] = line
            _walk(value_node, child, lines, source)
    elif isinstance(node, yaml.SequenceNode):
        for index, value_node in enumerate(node.value):
            lines[(*key, index)] = value_node.start_mark.line + 1
            _walk(value_node, (*key, index), lines, source)


def _apply_override(raw: dict[str, Any], override: str) -> Path_:
    name, equals, text = override.partition("=")
    key = tuple(name.strip().split("."))
    if not equals or not all(key):
        raise StudyError(
            f"command line: {override!r} is not of the form key=value", hint="For example search.trials=80."
        )
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise StudyError(f"command line: {override!r}: the value is not readable as YAML") from error
    section = raw
    for part in key[:-1]:
        inner = section.setdefault(part, {})
        if not isinstance(inner, dict):
            raise StudyError(f"command line: {override!r}: {part} holds a value, not keys")
        section = inner
    section[key[-1]] = value
    return key


# ------------------------------------------------------------------ pydantic's complaints, in our words

_LIMITS = {
    "greater_than_equal": ("at least {ge}", ""),
    "greater_than": ("above {gt}", ""),
    "less_than_equal": ("at most {le}", ""),
    "less_than": ("below {lt}", ""),
    "too_short": ("at least {min_length} element", ""),
    "literal_error": ("{expected}", ""),
    "string_pattern_mismatch": ('letters, digits, "-", "_" and ".", at most 64, starting with a letter or digit', ""),
}
_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "tuple": "a list",
    "list": "a list",
    "model": "keys and values",
    "dict": "keys and values",
}
_UNION_TAGS = {"listed", "int", "float", "constrained-int", "constrained-float"}


def _problem(details: ErrorDetails) -> Problem:
    key = tuple(part for part in details["loc"] if not _is_union_tag(part))
    kind, context = details["type"], details.get("ctx", {})
    found = _shown(details["input"])
    if kind == "extra_forbidden":
        allowed = list(_section(key[:-1]).model_fields)
        guess = difflib.get_close_matches(str(key[-1]), allowed, n=1)
        return Problem(
            key, "an unknown key", ", ".join(allowed), f"Did you mean {guess[0]}?" if guess else "Remove it."
        )
    if kind == "missing":
        return Problem(key, "nothing", "a value", f"Add {key[-1]}.")
    if kind in _LIMITS:
        return Problem(key, found, _LIMITS[kind][0].format(**context))
    allowed_type = _TYPES.get(kind.split("_")[0], details["msg"])
    if key[:1] == ("axes",) and len(key) == 2 and allowed_type != "keys and values":
        allowed_type = "a list, or min and max"
    return Problem(key, found, allowed_type)


def _is_union_tag(part: str | int) -> bool:
    """Whether pydantic, not the user, put this part into the place: names of types in a union, and `listed`."""
    return isinstance(part, str) and ("[" in part or "'" in part or part in _UNION_TAGS)


def _merge(problems: Iterator[Problem]) -> list[Problem]:
    """One problem a place: a value that fits no member of a union is complained about once for each member."""
    merged: dict[Path_, Problem] = {}
    for problem in problems:
        known = merged.get(problem.key)
        if known is None:
            merged[problem.key] = problem
        elif problem.allowed not in known.allowed:
            merged[problem.key] = known._replace(allowed=f"{known.allowed}, or {problem.allowed}")
    return list(merged.values())


def _section(key: Path_) -> type[BaseModel]:
    """The model that holds the keys below this place."""
    model: type[BaseModel] = Study
    for part in key:
        field = model.model_fields.get(str(part))
        choices = [field.annotation, *get_args(field.annotation)] if field else []
        model = next((c for c in choices if isinstance(c, type) and issubclass(c, BaseModel)), model)
    return model


# ------------------------------------------------------------------ what goes beyond a single value


def _problems_beyond_values(study: Study) -> Iterator[Problem]:
    yield from _budget_problems(study)
    yield from _data_problems(study)
    yield from _template_problems(study)
    yield from _blocks_problems(("axes", "blocks"), study.axes.blocks, study.template.stages)
    for name in KNOB_NAMES:
        axis = getattr(study.axes, name)
        if axis is not None:
            yield from _knob_problems(("axes", name), name, axis)
    if study.objectives[0] != "validation_error" or len(set(study.objectives)) < len(study.objectives):
        yield Problem(("objectives",), _shown(list(study.objectives)), "validation_error first, each objective once")
    if study.trainer.warmup_epochs >= study.trainer.epochs:
        yield Problem(
            ("trainer", "warmup_epochs"),
            f"{study.trainer.warmup_epochs:g}",
            f"below trainer.epochs ({study.trainer.epochs})",
        )


def _budget_problems(study: Study) -> Iterator[Problem]:
    like, number = study.budget.like, study.budget.multiply_adds
    if (like is None) == (number is None):
        found = "neither like nor multiply_adds" if like is None else "both like and multiply_adds"
        yield Problem(("budget",), found, "exactly one of them", "Give like: {cardinality, width, blocks}, or 8.0M.")
    if like is not None and len(like.blocks) != study.template.stages:
        yield Problem(
            ("budget", "like", "blocks"),
            f"{len(like.blocks)} numbers",
            f"one for each of {study.template.stages} stages",
        )


def _data_problems(study: Study) -> Iterator[Problem]:
    data, facts = study.data, study.facts()
    for name in ("resolution", "classes"):
        given = getattr(data, name)
        if data.name == "image_folder" and given is None:
            yield Problem(("data", name), "nothing", "a whole number", f"An image_folder needs data.{name}.")
        if data.name != "image_folder" and given is not None:
            yield Problem(("data", name), str(given), "only for image_folder", f"Remove it: {data.name} has its own.")
    wanted = (data.train_images or 0) + (data.validation_images or 0)
    if data.name != "image_folder" and wanted > facts.train_images - (data.train_images is None):
        yield Problem(
            ("data",),
            f"{wanted:,} images to train and validate on",
            f"at most {facts.train_images:,} together, which is the training split of {data.name}",
        )
    if data.train_images is not None and data.train_images < study.trainer.batch_size:
        yield Problem(
            ("data", "train_images"),
            str(data.train_images),
            f"at least trainer.batch_size ({study.trainer.batch_size})",
        )


def _template_problems(study: Study) -> Iterator[Problem]:
    template = study.template
    if template.stem == "imagenet" and template.stride != 1:
        yield Problem(("template", "stride"), str(template.stride), "only for the cifar stem", "Remove it.")


def _blocks_problems(key: Path_, axis: BlocksAxis, stages: int) -> Iterator[Problem]:
    if axis.listed is not None:
        for index, spread in enumerate(axis.listed):
            if not isinstance(spread, int) and len(spread) != stages:
                yield Problem((*key, index), _shown(list(spread)), f"one number for each of {stages} stages")
        return
    if axis.min is None or axis.max is None or axis.min > axis.max:
        yield Problem(key, f"min {axis.min}, max {axis.max}", "a list, or min and max with min <= max")
    elif not axis.uniform and (axis.max - axis.min + 1) ** stages > MOST_SPREADS:
        yield Problem(
            key,
            f"{(axis.max - axis.min + 1) ** stages:,} spreads",
            f"at most {MOST_SPREADS:,}",
            "Narrow it, or uniform: true.",
        )


def _knob_problems(key: Path_, name: str, axis: KnobAxis) -> Iterator[Problem]:
    values = axis.listed if axis.listed is not None else tuple(v for v in (axis.min, axis.max) if v is not None)
    if axis.listed is None and (axis.min is None or axis.max is None or axis.min >= axis.max):
        yield Problem(key, f"min {axis.min}, max {axis.max}", "a list, or min and max with min < max")
        return
    if axis.listed is not None and len(set(axis.listed)) < 2:
        yield Problem(
            key, f"{len(set(axis.listed))} value", "at least two", f"A fixed {name} belongs to trainer.{name}."
        )
    if axis.scale == "log" and min(values) <= 0:
        yield Problem((*key, "min"), f"{min(values):g}", "above 0 with scale: log")
    if name == "batch_size" and any(value != int(value) for value in values):
        yield Problem(key, _shown(list(values)), "whole numbers")
    for value in values:
        try:
            Recipe.model_validate({name: int(value) if name == "batch_size" else value})
        except ValidationError as error:
            limit = _problem(error.errors(include_url=False)[0]).allowed
            yield Problem(key, f"{value:g}", f"values {limit}")


# ------------------------------------------------------------------ words


def _words(problem: Problem, places: Mapping[Path_, str], source: str) -> str:
    """`file:line: key: found ...; allowed: ... Fix.` The line is that of the nearest key that stands in the file."""
    key = problem.key
    while key not in places and key:
        key = key[:-1]
    place = places.get(key, source)
    fix = f" {problem.fix}" if problem.fix else ""
    return f"{place}: {_dotted(problem.key)}: found {problem.found}; allowed: {problem.allowed}.{fix}"


def _dotted(key: Path_) -> str:
    """`axes.cardinality[3]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".") or "study"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
