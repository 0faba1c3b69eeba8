"""What pydantic complains about, in the words of the study file: keys and values as they were written.

pydantic names places of its own making (members of unions, the `listed` behind a plain list) and shows values after
conversion; both are translated back with the values that were read from the file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from itertools import takewhile
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from resnext_search.spaces.errors import shown
from resnext_search.spaces.study.axes import AxesConfig, IntegerRange
from resnext_search.spaces.study.checks import problems_between_sections, problems_of_asking
from resnext_search.spaces.study.claim import SpaceConfig
from resnext_search.spaces.study.problems import Problem, dotted
from resnext_search.spaces.study.sections import Section
from resnext_search.spaces.study.study import Study
from resnext_search.spaces.study.units import as_number
from resnext_search.spaces.study.yaml_reader import Key, read_yaml

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
_TIME = "a time, such as 90s, 30m, 8h, 2d or 1h 30m, or seconds"
_FORMS: dict[Key, str] = {
    ("budget", "multiply_adds"): "a whole number, such as 8000000 or 8.0M",
    ("budget", "tolerance"): "a share, such as 2% or 0.02",
    ("claim", "tolerance"): "a share, such as 2% or 0.02",
    ("search", "audit"): "a share, such as 10% or 0.1",
    ("limits", "time"): _TIME,
    ("limits", "training_flops"): "a whole number, such as 1e15 or 1.0P",
    ("limits", "trial_time"): _TIME,
    ("resources", "wait"): _TIME,
}
# What keys are called elsewhere.
_ALIASES = {
    "tol": ("tolerance",),
    "lr": ("learning_rate",),
    "wd": ("weight_decay",),
    "flops": ("multiply_adds", "training_flops"),
    "macs": ("multiply_adds",),
}


def problems_of(
    raw: dict[str, Any], error: ValidationError, typed: Sequence[Key] = (), *, begun: bool = False
) -> list[Problem]:
    """Everything that is wrong with the values of a study file, given what `Study.model_validate` raised for them.

    `typed` are the keys of the command line, and `begun` is as of `problems_of_asking`.
    """
    all_details = (details for details in error.errors(include_url=False) if not _echo(details))
    complaints = _merged(_problem(details, raw, typed) for details in all_details)
    sound = _sound_sections(raw)
    between = [*problems_between_sections(sound), *problems_of_asking(sound, begun=begun)]
    return list(dict.fromkeys([*complaints, *_located(between, raw)]))


def problems_of_sound(raw: dict[str, Any], study: Study, *, begun: bool) -> list[Problem]:
    """The problems of `problems_of_asking` with a study that is sound as such, and was read from these values."""
    return list(_located(problems_of_asking(dict(study), begun=begun), raw))


def _located(problems: Iterable[Problem], raw: dict[str, Any]) -> Iterator[Problem]:
    for problem in problems:
        yield problem._replace(key=_as_written(problem.key, raw, absent=True))


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
    """Whether pydantic only repeats a complaint.

    It calls a list too short when it has dropped the elements that are wrong, and misses a default that depends on
    what is wrong before it.
    """
    if details["type"] == "default_factory_not_called":
        return True
    return details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]


def _problem(details: ErrorDetails, raw: dict[str, Any], typed: Sequence[Key]) -> Problem:
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
        return _unknown_key(key, raw, typed)
    if kind == "string_pattern_mismatch":
        named = tuple(part for part in key if isinstance(part, str))
        return Problem(key, found, _PATTERNS.get(named, "other text"))
    if kind in _LIMITS:
        limits = {name: f"{limit:,}" if isinstance(limit, int) else limit for name, limit in context.items()}
        limits |= {name: f"{limit:g}" for name, limit in context.items() if isinstance(limit, float)}
        limits["s"] = "s" * (context.get("min_length") != 1)
        return Problem(key, found, _LIMITS[kind].format(**limits).replace("'", ""), _fix_of_limit(key, raw, context))
    allowed = _FORMS.get(key) or _TYPES.get(kind.split("_")[0], details["msg"])
    if key[:1] == ("axes",) and len(key) == 2 and kind in ("tuple_type", "model_type"):
        allowed = "a list, or min and max"
    fix = "Put it in quotes." if kind == "string_type" and isinstance(details["input"], int | float) else ""
    if kind in ("int_type", "float_type"):
        number = as_number(_at(raw, key), whole=kind == "int_type", units=key in _FORMS)
        fix = f"Write {number}." if number else ""
    return Problem(key, found, allowed, fix)


def _fix_of_limit(key: Key, raw: dict[str, Any], context: dict[str, Any]) -> str:
    """What to do about a number beyond a limit that was cut by a comma, or is meant in percent."""
    value, section = _at(raw, key), _at(raw, key[:-1])
    after = list(section)[list(section).index(key[-1]) + 1 :] if isinstance(section, dict) else []
    if after and (cut := _cut_number((*key[:-1], after[0]), raw)):
        return cut
    is_percent = _FORMS.get(key, "").startswith("a share") and type(value) in (int, float) and value >= 1
    return f"Write {value:g}% for {value:g} percent." if is_percent and value / 100 <= context.get("le", 0) else ""


def _unknown_key(key: Key, raw: dict[str, Any], typed: Sequence[Key]) -> Problem:
    known = list(_model_at(key[:-1]).model_fields)
    given = next((each for each in typed if each[: len(key)] == key), ())  # more of it, if it was typed
    meant = _meant(given or key, _at(raw, given or key))
    if cut := _cut_number(key, raw):
        fix = cut
    elif meant is None:
        fix = "Remove it."
    elif given:
        fix = f"Did you mean {dotted(meant)}?"
    elif meant[:-1] == key[:-1]:
        fix = f"Did you mean {meant[-1]}?"
    else:
        renamed = f", as {meant[-1]}" if meant[-1] != key[-1] else ""
        fix = f"It belongs to {dotted(meant[:-1])}{renamed}." if len(meant) > 1 else "It belongs at the top level."
    return Problem(given or key, "an unknown key", ", ".join(known), fix)


def _meant(key: Key, value: Any) -> Key | None:
    """The place that is meant by one that is none: one that is spelt almost so, or that of this name elsewhere."""
    if len(key) == 1 and (whole := _of_one_word(str(key[0]))):
        return whole
    place: list[str | int] = []
    for part in key:
        guess = part if isinstance(part, int) else _nearest(part, _model_at(tuple(place)).model_fields)
        if guess is None:
            break
        place.append(guess)
    else:
        return tuple(place)
    name = str(key[-1])
    if len(key) > 1 and name in Study.model_fields:
        return (name,)
    elsewhere = [owner for owner in Study.model_fields if owner != key[0]]
    exact = [(owner, name) for owner in elsewhere if _takes(owner, name, value)]
    almost = [(owner, guess) for owner in elsewhere if (guess := _nearest(name, _keys_of(owner)))]
    return next(((owner, guess) for owner, guess in (*exact, *almost) if _takes(owner, guess, value)), None)


def _of_one_word(word: str) -> Key | None:
    """The place meant by one that has other signs than dots between its parts, or none: `search/trials`."""
    places = _squeezed_places()
    guesses = difflib.get_close_matches(re.sub(r"[\W_]", "", word[:100].casefold()), places, n=1, cutoff=0.9)
    return places[guesses[0]] if guesses and word not in Study.model_fields else None


@cache
def _squeezed_places() -> dict[str, tuple[str, ...]]:
    return {"".join(place).replace("_", ""): place for place in _places(Study)}


def _places(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Keys below those of the top level, with all that lead to them."""
    for name, field in model.model_fields.items():
        if above:
            yield (*above, name)
        for inner in _models_in(field.annotation):
            yield from _places(inner, (*above, name))


def _nearest(word: str, known: Collection[str]) -> str | None:
    """The one of some names that a word is, or almost is, in whatever case; None if it is like none."""
    word = next((name for name in _ALIASES.get(word.casefold(), ()) if name in known), word)
    guesses = difflib.get_close_matches(word[:100].casefold(), known, n=1)
    return word if word in known else next(iter(guesses), None)


def _keys_of(name: str) -> Collection[str]:
    section = _section_of(name)
    return section.model_fields if section is not None else ()


def _takes(name: str, key: str, value: Any) -> bool:
    """Whether a section has such a key, for such a value."""
    section = _section_of(name)
    if section is None or key not in section.model_fields:
        return False
    try:
        section.model_validate({key: value})
    except ValidationError as error:
        return all(details["loc"][:1] != (key,) for details in error.errors())
    return True


def _cut_number(key: Key, raw: dict[str, Any]) -> str:
    """What to write where a file has `{rate: 0,003}`, in which YAML reads `rate: 0` and a key `003` of nothing."""
    section = _at(raw, key[:-1])
    names = list(section)
    place = names.index(key[-1])
    before = list(takewhile(lambda name: _is_cut(name, section), reversed(names[:place])))
    after = takewhile(lambda name: _is_cut(name, section), names[place:])
    name = names[place - len(before) - 1] if place > len(before) else ""
    if not _is_cut(key[-1], section) or type(section.get(name)) is not int:
        return ""
    written = ",".join(map(str, (section[name], *reversed(before), *after)))
    number = as_number(written, units=(*key[:-1], name) in _FORMS)
    if number is None or (len(key) == 2 and not _takes(str(key[0]), name, read_yaml(number, "").value)):
        return "Between braces a comma ends a value."
    return f"Write {name}: {number}. Between braces a comma ends a value."


def _is_cut(name: object, section: dict[str, Any]) -> bool:
    return re.fullmatch(r"[0-9]+[^0-9]{0,10}", str(name)) is not None and section[str(name)] is None


def _model_at(key: Key) -> type[BaseModel]:
    """The model that holds the keys below this place."""
    model: type[BaseModel] = Study
    for part in key:
        field = model.model_fields.get(str(part))
        models = list(_models_in(field.annotation)) if field else []
        if models:
            model = models[0]
        elif model in (AxesConfig, SpaceConfig) and field:  # axes that are tuples hold these keys in the file
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
