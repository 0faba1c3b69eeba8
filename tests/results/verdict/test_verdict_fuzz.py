"""Whatever table is to be judged: one of the six words, or what is wrong with it in words; never a traceback."""

from __future__ import annotations

import json
import math
from typing import Any, get_args

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from resnext_search.results.inference.question import Word
from resnext_search.results.verdict.answer import Looks
from resnext_search.results.verdict.text import verdict_text
from resnext_search.results.verdict.verdict import judge
from resnext_search.spaces.correctness import pack_correct
from resnext_search.spaces.errors import UsageError

WORDS = get_args(Word)
COLUMNS = ["arm", "seed", "test_error", "phase", "state", "correct", "validation_error", "learning_rate", "seconds"]
COLUMNS += ["epochs", "data", "architecture", "multiply_adds", "parameters", "activations", "cardinality"]
COLUMNS += ["fold", "validation_images", "trial"]
ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.text(max_size=6),
    st.binary(max_size=4),
    st.sampled_from(
        ["confirm", "tune", "search", "completed", "failed", "queued", "8:gA==", "8:", "1:////", "32x4d-50"]
    ),
    st.sampled_from([pd.NA, pd.NaT, np.float32(3), np.int64(2), 1j, [1.0], {}, pd.Timestamp(0)]),
)
OPTIONS = {
    "margin": st.just(0.3) | st.floats(),
    "tolerance": st.just(0.02) | st.floats(),
    "claimant": st.none() | st.sampled_from(["a", "32x4d", "cardinality", "base"]) | st.text(max_size=3),
    "rules": st.sampled_from([1, 2]),
    "looks": st.builds(Looks, st.sampled_from([(), (10,), (10, 20), (3, 6, 12)]), st.sampled_from([(), (10,), (3, 7)])),
}
ARMS = [
    ["a", "b"],
    ["cardinality", "width", "depth"],
    ["cardinality", "width", "depth", "base", "cardinality-x4"],
    ["cardinality", "base"],
    ["cardinality", "width", "base", "runner-up-cardinality", "runner-up-width", "finalist-0001"],
    ["1x64d-50", "2x40d-50", "32x4d-50"],
    ["1x64d-50", "32x4d-50", "runner-up-1x64d-50", "runner-up-32x4d-50"],
]
PATIENT = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def judged(table: pd.DataFrame, **options: Any) -> str:
    """The word, after it was said to people and written for scripts; or nothing, after a complaint in words."""
    try:
        verdict = judge(table, **options)
    except UsageError as error:
        complaint = str(error)
    else:
        json.dumps(verdict.to_json(), allow_nan=False)
        assert verdict_text(verdict).encode()
        assert verdict.verdict in WORDS
        return verdict.verdict
    assert complaint.encode()
    return ""


@PATIENT
@given(data=st.data())
def test_no_cells_whatever_end_in_a_traceback(data: st.DataObject) -> None:
    columns = data.draw(st.lists(st.sampled_from(COLUMNS), unique=True))
    rows = data.draw(st.integers(0, 6))
    cells = {name: data.draw(st.lists(ANYTHING, min_size=rows, max_size=rows)) for name in columns}
    judged(pd.DataFrame(cells, dtype=object), **data.draw(st.fixed_dictionaries({}, optional=OPTIONS)))


@PATIENT
@given(data=st.data())
def test_no_runs_whatever_end_in_a_traceback(data: st.DataObject) -> None:
    """Tables that can be read: arms, seeds and errors of all sizes, with what a study says of them, sound or not."""
    arms = data.draw(st.sampled_from(ARMS))
    folds = data.draw(st.sampled_from([0, 0, 2, 5]))
    wild = st.sampled_from([0.0, 100.0, 8.0, 8.0 + 1e-12, math.nextafter(8, 9)]) | st.floats(0, 100)
    tame = data.draw(st.booleans())  # else no run is like another
    seeds = data.draw(st.lists(st.integers(0, 2**63 - 1) | st.integers(0, 12), unique=True, max_size=14))
    rows: list[dict[str, Any]] = []
    for arm in arms:
        cost, mean = 1e9 if tame else data.draw(st.floats(1, 1e15)), data.draw(st.sampled_from([0.5, 8.0, 8.1, 9.0]))
        error = st.floats(mean - 0.2, mean + 0.2) if tame else wild | st.none()
        for seed in seeds if tame else seeds[: data.draw(st.integers(0, len(seeds)))]:
            row = {"arm": arm, "seed": seed, "test_error": data.draw(error), "multiply_adds": cost}
            row |= {"fold": seed % folds} if folds else {}
            if not tame and data.draw(st.booleans()):
                wrong = data.draw(st.lists(st.booleans(), min_size=8, max_size=8))
                row |= {"correct": pack_correct(~np.array(wrong)), "test_error": 100 * sum(wrong) / 8}
            rows.append(row)
    if rows and data.draw(st.booleans()):
        states = ["completed"] if tame else ["completed", "completed", "failed"]
        for row in rows:
            row |= {"phase": "confirm", "state": data.draw(st.sampled_from(states))}
        rates = st.lists(st.floats(1e-9, 1e9) | st.sampled_from([0.05, 0.1, 0.2, 0.4, 0.8]), unique=True, max_size=6)
        for arm in arms:
            for seed in data.draw(st.lists(st.integers(1, 3), unique=True, max_size=3)):
                for rate in data.draw(rates):
                    trial = {"arm": arm, "seed": seed, "phase": "tune", "state": "completed", "learning_rate": rate}
                    rows.append(trial | {"validation_error": data.draw(wild | st.none())})
        if data.draw(st.booleans()):
            rows = [row | {"trial": number} for number, row in enumerate(rows)]
    damage = data.draw(st.integers(0, 5)) == 5
    if rows and damage:
        row = data.draw(st.sampled_from(rows))
        row[data.draw(st.sampled_from(COLUMNS))] = data.draw(ANYTHING)
    options = data.draw(st.fixed_dictionaries({}, optional=OPTIONS))
    for rules in (1, 2):
        judged(pd.DataFrame(rows), **{**options, "rules": rules} | ({"claimant": arms[0]} if tame else {}))
