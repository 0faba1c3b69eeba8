"""Tables of runs to be judged: anyone's, and a whole study's, without anything being trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from resnext_search.spaces.correctness import pack_correct


def errors_with(mean: float, deviation: float, runs: int, seed: int = 0) -> list[float]:
    """Test errors with exactly this mean and standard deviation."""
    draw = np.random.default_rng(seed).normal(size=runs)
    draw = (draw - draw.mean()) / draw.std(ddof=1)
    return [float(error) for error in mean + deviation * draw]


def runs_table(errors: Mapping[str, Sequence[float | None]], **more: Sequence[Any]) -> pd.DataFrame:
    """Anyone's runs with seeds from 0; further columns have one value an arm."""
    rows = []
    for position, (arm, values) in enumerate(errors.items()):
        facts = {column: of_arms[position] for column, of_arms in more.items()}
        rows += [{"arm": arm, "seed": seed, "test_error": error, **facts} for seed, error in enumerate(values)]
    return pd.DataFrame(rows)


def spend_table(
    gain: float = 0.6, deviation: float = 0.1, runs: int = 10, *, base: float | None = None, **more: Sequence[Any]
) -> pd.DataFrame:
    """A claimant that errs less than both its rivals by the same amount; with `base`, an arm that errs so much."""
    means = {"cardinality": 8.0, "depth": 8.0 + gain, "width": 8.0 + gain} | ({"base": base} if base else {})
    drawn = {arm: errors_with(mean, deviation, runs, seed) for seed, (arm, mean) in enumerate(means.items())}
    return runs_table(drawn, **more)


def answers_table(wrong: Mapping[str, NDArray[np.bool_]]) -> pd.DataFrame:
    """Runs that say which test images they got wrong: one `(seeds, examples)` array an arm."""
    return pd.DataFrame(
        [
            {"arm": arm, "seed": seed, "test_error": 100 * float(row.mean()), "correct": pack_correct(~row)}
            for arm, rows in wrong.items()
            for seed, row in enumerate(rows)
        ]
    )


RATES = (0.01, 0.03, 0.1, 0.3, 1.0)
CURVE = (9.0, 8.0, 7.0, 8.0, 9.0)


def study_table(
    table: pd.DataFrame, *, curves: Mapping[str, Sequence[float | None]] | None = None, rates: Sequence[float] = RATES
) -> pd.DataFrame:
    """A study's trials: two of its search, tuning with the best rate in the middle, and `table` as its confirmation."""
    arms = list(dict.fromkeys(table.arm))
    rows: list[dict[str, Any]] = [
        {"phase": "search", "arm": None, "state": "completed", "seed": 1, "validation_error": 3.0},
        {"phase": "search", "arm": None, "state": "failed", "seed": 2, "failure_class": "TrainingDiverged"},
    ]
    for arm in arms:
        for rate, error in zip(rates, (curves or {}).get(arm, CURVE), strict=True):
            state = "completed" if error is not None else "failed"
            rows.append(
                {
                    "phase": "tune",
                    "arm": arm,
                    "state": state,
                    "seed": 3,
                    "learning_rate": rate,
                    "validation_error": error,
                }
            )
    confirmed = table.assign(phase="confirm", state="completed", learning_rate=0.1)
    return pd.concat([pd.DataFrame(rows), confirmed], ignore_index=True)


SECOND_RATES = (0.05, 0.07, 0.1, 0.14, 0.2)


def tuned_twice(table: pd.DataFrame, second: Mapping[str, Sequence[float]] | None = None) -> pd.DataFrame:
    """A study's trials with a second round: five rates of every arm's own on seeds 4 and 5, best in the middle."""
    rows = [
        {
            "phase": "tune",
            "arm": arm,
            "state": "completed",
            "seed": seed,
            "learning_rate": rate,
            "validation_error": 7.0 + 0.1 * abs(place - 2) + 0.02 * (seed == 5),
        }
        for arm in dict.fromkeys(table.arm.dropna())
        for seed in (4, 5)
        for place, rate in enumerate((second or {}).get(arm, SECOND_RATES))
    ]
    return pd.concat([table, pd.DataFrame(rows)], ignore_index=True)


def space_table(gain: float = 2.0, deviation: float = 0.5, networks: int = 12, *, tuned: bool = True) -> pd.DataFrame:
    """A study's trials of two spaces, the first of which errs more: three networks of each tune, at five rates."""
    rows: list[dict[str, Any]] = []
    for space, cardinality, mean in (("one group", 1, 8.0 + gain), ("more groups", 4, 8.0)):
        for number in range(3 if tuned else 0):
            for rate, error in zip(RATES, CURVE, strict=True):
                row = {"phase": "tune", "arm": f"{space}/t{number}", "seed": number, "learning_rate": rate}
                rows.append({**row, "validation_error": error, "architecture": f"{cardinality}x8d-{11 + 3 * number}"})
        for number, error in enumerate(errors_with(mean, deviation, networks, cardinality)):
            row = {"phase": "confirm", "arm": f"{space}/{number:03d}", "seed": 100 * cardinality + number}
            cost = 1000 - 10 * (cardinality > 1) + number
            facts = {"architecture": f"{cardinality}x8d-{11 + 3 * (number % 4)}", "multiply_adds": cost}
            rows.append({**row, "learning_rate": 0.1 + number / 1000, "test_error": error, **facts})
    return pd.DataFrame(rows).assign(state="completed", trial=range(len(rows)))
