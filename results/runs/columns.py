"""Which columns of a table are read? Their names as people and trackers write them, and what is wrong with those."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from resnext_search.results.runs.complaints import Complaint
from resnext_search.spaces.errors import shortened

NEEDED = ("arm", "seed", "test_error")
COUNTS = ("multiply_adds", "parameters", "activations")
PERCENT = ("test_error", "validation_error")
OTHERS = ("seconds", "epochs", "data", "architecture", "correct", "fold", "phase", "state", "processor")
OF_TUNING = ("learning_rate", "validation_images")
COLUMNS = frozenset((*NEEDED, *COUNTS, *PERCENT, *OTHERS, *OF_TUNING))
# As MLflow, Ray Tune and others call the column `state`.
STATE_NAMES = ("status", "run_state", "run_status", "trial_state", "trial_status")

# What stands before a name in the tables of trackers: `params.arm`, `metrics/test_error`.
_OF_TRACKERS = frozenset(("param", "params", "metric", "metrics", "config", "cfg", "args", "hparams", "user", "attrs"))
_ERRORS, _ACCURACIES = frozenset(("error", "err", "errors")), frozenset(("acc", "accuracy", "accuracies"))
_OTHER_ERRORS = frozenset(("val", "validation", "train", "training", "message", "std", "type", "class", "code"))
_SAID_ELSEWHERE = {
    "arm": frozenset(("arm", "arms", "model", "method", "variant", "group", "network", "algorithm")),
    "seed": frozenset(("seed", "random_seed", "rng_seed", "seed_id", "rep", "repeat", "replicate")),
}


def column_name(written: object) -> str:
    """The name of a column that this package reads, however it was written; another name without spaces around it.

    >>> column_name(" Test Error (%) "), column_name("Multiply-Adds"), column_name(" Name")
    ('test_error', 'multiply_adds', 'Name')
    """
    text = str(written).strip()
    name = re.sub(r"[\s-]+", "_", re.sub(r"\s*[(\[]\s*%\s*[)\]]$", "", text.casefold()))
    return name if name in COLUMNS else text


def words_of(name: str) -> list[str]:
    """The words of a column's name, in small letters.

    >>> words_of("args/dataSet (test)"), words_of("top1_error")
    (['args', 'data', 'set', 'test'], ['top1', 'error'])
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[\W_]+", apart.casefold()) if word]


def state_column(names: Sequence[str]) -> str:
    """The column that says how runs ended: `state`, or the first of another name for it."""
    return "state" if "state" in names else next(iter(_state_columns(names)), "state")


def _state_columns(names: Sequence[str]) -> list[str]:
    return [name for name in names if name == "state" or "_".join(words_of(name)) in STATE_NAMES]


def wrong_columns(names: Sequence[str]) -> Iterator[Complaint]:
    """Columns that are missing, or there twice; by their names as `column_name` returns them."""
    missing = [name for name in NEEDED if name not in names]
    for name in missing:
        near = _near(name, names)
        yield Complaint(name, f"no such column; {near}" if near else "no such column")
    if missing:
        found = [repr(name[:40]) for name in names if name]
        more = f" and {len(found) - 20:,} more" if len(found) > 20 else ""
        yield Complaint("columns", (", ".join(found[:20]) + more) or "none", ", ".join(NEEDED) + ", and others")
    for name in dict.fromkeys(names):
        if name and names.count(name) > 1:  # without a name: numbers of rows, as pandas and R write them
            yield Complaint(name[:40], f"{names.count(name)} columns of that name", "one")
        numbered = re.fullmatch(r"(.+)\.[0-9]+", name)
        if numbered and (first := column_name(numbered[1])) in COLUMNS and first in names:
            yield Complaint(first, f"another column {name[:40]!r}, as pandas names one that is there twice", "one")
    states = list(dict.fromkeys(_state_columns(names)))
    if len(states) > 1:
        yield Complaint("state", f"columns {' and '.join(repr(name[:40]) for name in states)}", "one of them")


def _near(missing: str, names: Sequence[str]) -> str:
    """What may be a column that is missing, and how to make it that; empty if nothing looks like it."""
    for name in names:
        if column_name(name) in COLUMNS or " - " in name:  # `width - test_error`: of a table with one column an arm
            continue
        words = [word for word in words_of(name) if word not in _OF_TRACKERS]
        if missing == "test_error":
            is_accuracy = not set(words) & _OTHER_ERRORS and (
                bool(set(words) & _ACCURACIES) or words in (["top1"], ["top", "1"])
            )
            if is_accuracy:
                return f"is {shortened(name)!r} an accuracy? Then write 100 - accuracy, in percent, as test_error"
            is_near = words == ["testerror"] or (bool(set(words) & _ERRORS) and not set(words) & _OTHER_ERRORS)
        else:
            is_near = "_".join(words) in _SAID_ELSEWHERE[missing]
        if is_near:
            return f"is it {shortened(name)!r}? Then rename that {missing}"
    return ""
