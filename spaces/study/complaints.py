"""What pydantic complains about, in the words of the study file: keys and values as they were written.

pydantic names places of its own making (members of unions, the `listed` behind a plain list) and shows values after
conversion; both are translated back with the values that were read from the file.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from resnext_search.spaces.errors import shown
from resnext_search.spaces.study.axes import AxesConfig, IntegerRange
from resnext_search.spaces.study.checks import problems_between_sections
from resnext_search.spaces.study.problems import Problem
from resnext_search.spaces.study.sections import Section
from resnext_search.spaces.study.study import Study
from resnext_search.spaces.study.yaml_reader import Key

_LIMITS = {
    "greater_than_equal": "at least {ge}",
    "greater_than": "above {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "below {lt}",
    "too_short": "at least {min_length} element{s}",
    "too_long": "at most {max_length} elements",
    "string_too_short": "at least {min_length} character",
    "string_too_long": "at most {max_length} characters",
    "literal_error": "{expected}",
    "finite_number": "a finite number",
}
_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "tuple": "a list",
    "model": "keys and values",
}
_PATTERNS: dict[Key, str] = {
    ("name",): 'letters, digits, "-", "_" and ".", at most 64, starting with a letter or digit',
    ("data", "root"): "text without control characters",
    ("resources", "cluster"): "an address such as host:6379",
    ("claim", "spaces", "name"): 'letters, digits, " ", "_" and ".", at most 40, starting with a letter or digit',
}
_FORMS: dict[Key, str] = {
    ("budget", "multiply_adds"): "a whole number, such as 8000000 or 8.0M",
    ("budget", "tolerance"): "a share, such as 2% or 0.02",
    ("claim", "tolerance"): "a share, such as 2% or 0.02",
    ("search", "audit"): "a share, such as 10% or 0.1",
    ("limits", "time"): "a time, such as 90s, 30m, 8h, 2d or 1h 30m, or seconds",
    ("limits", "training_flops"): "a whole number, such as 1e15 or 1.0P",
    ("limits", "trial_time"): "a time, such as 90s, 30m, 8h, 2d or 1h 30m, or seconds",
}


def problems_of(raw: dict[str, Any], error: ValidationError) -> list[Problem]:
    """Everything that is wrong with the values of a study file, given what `Study.model_validate` raised for them."""
    complaints = _merged(_problem(details, raw) for details in error.errors(include_url=False) if not _echo(details))
    between = problems_between_sections(_sound_sections(raw))
    located = (problem._replace(key=_as_written(problem.key, raw, absent=True)) for problem in between)
    return list(dict.fromkeys([*complaints, *located]))


def _sound_sections(raw: dict[str, Any]) -> dict[str, Any]:
    """The sections that have no problem of their own, and the rules that they are checked by, by name."""
    sections: dict[str, Any] = {}
    for name, field in Study.model_fields.items():
        section = _section_of(name)
        if name == "rules" and raw.get(name, field.default) in get_args(field.annotation):
            sections[name] = raw.get(name, field.default)
        if section is None or (name not in raw and field.is_required()):
            continue
        if name not in raw or (raw[name] is None and not field.is_required() and field.default is None):
            sections[name] = field.get_default()
            continue
        try:
            sections[name] = section.model_validate(raw[name])
        except ValidationError:
            continue
    return sections


def _section_of(name: str) -> type[Section] | None:
    """The model of a section of the study file, optional or not; None for other keys."""
    annotation = Study.model_fields[name].annotation
    choices = (annotation, *get_args(annotation))
    return next((each for each in choices if isinstance(each, type) and issubclass(each, Section)), None)


def _echo(details: ErrorDetails) -> bool:
    """Whether pydantic calls a list too short only because it has dropped the elements that are wrong."""
    return details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]


def _problem(details: ErrorDetails, raw: dict[str, Any]) -> Problem:
    kind, context = details["type"], details.get("ctx", {})
    absent = kind in ("missing", "problem")
    key = _as_written(details["loc"], raw, absent=absent)
    found = "nothing" if absent else shown(_at(raw, key))
    if kind == "problem":
        return Problem(key, context["found"], context["allowed"], context["fix"])
    if kind == "missing":
        described = " ".join((_model_at(key[:-1]).model_fields[str(key[-1])].description or "").split())
        purpose = f": {described[0].lower()}{described[1:]}" if described else ""
        return Problem(key, found, "a value", f"Add {key[-1]}{purpose}.")
    if kind == "extra_forbidden":
        return _unknown_key(key)
    if kind == "string_pattern_mismatch":
        named = tuple(part for part in key if isinstance(part, str))
        return Problem(key, found, _PATTERNS.get(named, "other text"))
    if kind in _LIMITS:
        limits = {name: f"{limit:,}" if isinstance(limit, int) else limit for name, limit in context.items()}
        limits |= {name: f"{limit:g}" for name, limit in context.items() if isinstance(limit, float)}
        limits["s"] = "s" * (context.get("min_length") != 1)
        return Problem(key, found, _LIMITS[kind].format(**limits).replace("'", ""))
    allowed = _FORMS.get(key) or _TYPES.get(kind.split("_")[0], details["msg"])
    if key[:1] == ("axes",) and len(key) == 2 and kind in ("tuple_type", "model_type"):
        allowed = "a list, or min and max"
    fix = "Put it in quotes." if kind == "string_type" and isinstance(details["input"], int | float) else ""
    return Problem(key, found, allowed, fix)


def _unknown_key(key: Key) -> Problem:
    name = str(key[-1])
    known = list(_model_at(key[:-1]).model_fields)
    guesses = difflib.get_close_matches(name[:100], known, n=1)
    owners = [f"to {owner}" for owner in Study.model_fields if owner != key[0] and name in _keys_of(owner)]
    if len(key) > 1 and name in Study.model_fields:
        owners.insert(0, "at the top level")
    if guesses:
        fix = f"Did you mean {guesses[0]}?"
    elif owners:
        fix = f"It belongs {owners[0]}."
    else:
        fix = "Remove it."
    return Problem(key, "an unknown key", ", ".join(known), fix)


def _keys_of(name: str) -> Collection[str]:
    section = _section_of(name)
    return section.model_fields if section is not None else ()


def _model_at(key: Key) -> type[BaseModel]:
    """The model that holds the keys below this place."""
    model: type[BaseModel] = Study
    for part in key:
        field = model.model_fields.get(str(part))
        models = list(_models_in(field.annotation)) if field else []
        if models:
            model = models[0]
        elif model is AxesConfig:  # the axes that are tuples hold these keys in the file
            model = IntegerRange
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _as_written(place: Key, raw: Any, *, absent: bool) -> Key:
    """A place without the parts that pydantic put in; `absent` says that it may be one that the file lacks."""
    key: list[str | int] = []
    for part in place:
        if part in (raw if isinstance(raw, dict) else range(len(raw)) if isinstance(raw, list) else ()):
            raw = raw[part]
        elif absent and isinstance(raw, dict) and part != "listed":
            raw = {}
        else:
            continue
        key.append(part)
    return tuple(key)


def _at(raw: Any, key: Key) -> Any:
    for part in key:
        raw = raw[part]
    return raw


def _merged(problems: Iterable[Problem]) -> Iterator[Problem]:
    """One problem a place: a value that fits no member of a union is complained about once for each member."""
    merged: dict[tuple[Key, str], Problem] = {}
    for problem in problems:
        place = (problem.key, problem.found)
        known = merged.setdefault(place, problem)
        if problem.allowed not in known.allowed:
            merged[place] = known._replace(allowed=f"{known.allowed}, or {problem.allowed}")
    yield from merged.values()
