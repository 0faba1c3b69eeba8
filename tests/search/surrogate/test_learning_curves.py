"""What a stopped trial would have reached: lines through learning curves, with numbers that can be checked by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from resnext_search.search.surrogate.learning_curves import Curve, Stopped, line
from resnext_search.search.surrogate.learning_curves import observe as observe_features
from resnext_search.search.surrogate.observations import Observations


def curves(*ends: tuple[float, float], weight: float = 1.0) -> list[Curve]:
    """Curves of two epochs."""
    return [Curve(both, weight) for both in ends]


def observe(outcomes: Mapping[int, float | Stopped], curves: Mapping[int, Curve]) -> tuple[list[int], Observations]:
    """With the number of a trial for its feature."""
    return observe_features(outcomes, curves, lambda numbers: np.array(numbers, dtype=float)[:, None])


def test_without_a_completed_trial_nothing_is_known_of_a_stopped_one() -> None:
    assert observe({0: Stopped(1, 50.0)}, {})[0] == []


@pytest.mark.parametrize("ends", [[(50.0, 20.0)], [(50.0, 20.0), (80.0, 50.0)]])
def test_after_one_or_two_trials_curves_fall_alike_and_by_as_much_as_that_is_it_uncertain(
    ends: list[tuple[float, float]],
) -> None:
    assert line(1, curves(*ends)).at(70.0) == (40.0, 900.0)


def test_a_line_through_three_trials_is_that_of_the_docstring_taken_apart() -> None:
    """Slope 1/2 and no residuals; the last errors' variance of 50/3 counts as one more residual, of three less two."""
    found = line(1, curves((40.0, 10.0), (50.0, 15.0), (60.0, 20.0)))
    assert (found.centre, found.height, found.slope) == pytest.approx((50.0, 15.0, 0.5))
    assert found.scatter == pytest.approx(50 / 3 / 2 * 4 / 3)
    assert found.slope_variance == pytest.approx(50 / 3 / 2 / 200)
    assert found.at(70.0)[1] == pytest.approx(100 / 9 + 400 / 24)


@pytest.mark.parametrize(
    ("ends", "slope"),
    [
        ([(40.0, 20.0), (50.0, 15.0), (60.0, 10.0)], 0.0),  # who was behind came out ahead: by luck
        ([(40.0, 10.0), (50.0, 40.0), (60.0, 70.0)], 1.0),  # distances grow threefold: by luck
        ([(50.0, 10.0), (50.0, 40.0), (50.0, 70.0)], 0.5),  # nothing to tell a slope from
    ],
)
def test_a_slope_lies_between_none_and_one(ends: list[tuple[float, float]], slope: float) -> None:
    found = line(1, curves(*ends))
    assert found.slope == slope
    assert found.slope_variance <= 1 / 12


def test_a_trial_of_the_audit_stands_for_those_that_were_stopped() -> None:
    """Weight 2 is the same trial twice, for the line if not for its variance."""
    good = curves((40.0, 10.0), (50.0, 12.0))
    [bad] = curves((80.0, 45.0))
    once, twice = line(1, [*good, Curve(bad.errors, 2.0)]), line(1, [*good, bad, bad])
    assert (once.centre, once.height) == (pytest.approx(twice.centre), pytest.approx(twice.height))
    assert once.slope == pytest.approx(twice.slope)
    assert once.slope_variance > twice.slope_variance


def test_the_audit_takes_the_bias_out_of_what_is_learned() -> None:
    """Two looks: of those that are stopped at the second, a tenth is trained on; 200 searches of 400 trials.

    The trials that complete are those that got better after the first look. A line through them alone, however many
    they are, says that those stopped at the first look would have done better than they would have.
    """
    weighted, alone = [], []
    for seed in range(200):
        generator = np.random.default_rng(seed)
        quality = generator.normal(30, 5, 400)
        first, second = quality + generator.normal(20, 5, 400), quality + generator.normal(10, 5, 400)
        last = quality + generator.normal(0, 1, 400)
        audited = generator.random(400) < 0.1
        dropped = (first > np.percentile(first, 50)) | (second > np.percentile(second, 30))
        rows = [
            Curve(errors, 10.0 if gone else 1.0)
            for *errors, gone, kept in zip(first, second, last, dropped, ~dropped | audited, strict=True)
            if kept
        ]
        stopped_first = (first > np.percentile(first, 50)) & ~audited
        truth = last[stopped_first].mean()
        for found, used in ((weighted, rows), (alone, [row for row in rows if row.weight == 1.0])):
            of = line(1, used)
            found.append(of.height + of.slope * (first[stopped_first].mean() - of.centre) - truth)
    error = np.std(weighted, ddof=1) / np.sqrt(len(weighted))
    assert abs(np.mean(weighted)) < 3 * error + 0.1
    assert np.mean(alone) < -2


def test_completed_trials_keep_their_errors_and_every_epoch_has_a_line_of_its_own() -> None:
    outcomes = {3: 20.0, 1: Stopped(1, 70.0), 0: 10.0, 2: 15.0, 4: Stopped(2, 41.0)}
    ends = {0: (40.0, 11.0, 10.0), 2: (50.0, 16.0, 15.0), 3: (60.0, 21.0, 20.0)}
    numbers, told = observe(outcomes, {number: Curve(errors) for number, errors in ends.items()})
    assert numbers == [0, 1, 2, 3, 4]
    assert told.features.ravel().tolist() == numbers
    assert told.errors.tolist() == [10.0, 25.0, 15.0, 20.0, 40.0]
    assert isinstance(told.variances, np.ndarray)
    assert told.variances[[0, 2, 3]].tolist() == [0.0, 0.0, 0.0]
    assert told.variances[1] == pytest.approx(100 / 9 + 400 / 24)


def test_a_completed_trial_of_unknown_curve_counts_and_teaches_nothing_about_curves() -> None:
    assert observe({0: 10.0, 1: Stopped(1, 70.0)}, {})[0] == [0]
