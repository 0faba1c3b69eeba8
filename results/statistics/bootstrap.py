"""What if the seeds and the test images had been others? Both are drawn anew, crossed: the pigeonhole bootstrap.

It gives the interval of the probability of improvement, and beside each t interval one for comparison. It does not
decide: it counts the residual three times and takes ten seeds for many, which together may err on either side.
Imports numpy alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from resnext_search.spaces.architecture.complexity import Floats

REPLICATES = 4000
# Counts drawn at once: 32 MB.
MOST_CELLS = 4_000_000


def resampled_errors(
    errors: Sequence[Floats],
    wrong: Sequence[Sequence[NDArray[np.bool_]]] | None,
    generator: np.random.Generator,
    *,
    blocked: bool,
    folds: Sequence[NDArray[np.int64]] | None = None,
    replicates: int = REPLICATES,
) -> list[Floats]:
    """Test errors of the arms' runs as they might have been.

    Args:
        errors: One `(runs,)` array an arm: the test error of its runs, in percent; an arm may have none.
        wrong: Of every arm, for every run, an `(examples,)` array: which test images were not recognised. Without it
            they stay the same.
        generator: The only source of chance: the same state gives the same result.
        blocked: Whether run k of every arm has the same seed; seeds are then drawn for all arms together.
        folds: One `(runs,)` array an arm: runs of one fold have the same images. Images are drawn within their fold,
            seeds over all folds: the two seeds of a fold among ten would say too little of how seeds differ.
        replicates: How often everything is drawn.

    Returns:
        One `(replicates, runs)` array an arm.

    Source:
        Owen 2007, The pigeonhole bootstrap, Annals of Applied Statistics 1(2).
    """
    universes = [np.broadcast_to(values, (replicates, len(values))) for values in errors]
    if wrong is not None:
        whose = folds or [np.zeros(len(values), np.int64) for values in errors]
        universes = [np.empty(universe.shape) for universe in universes]
        for fold in np.unique(np.concatenate(whose)):
            places = [(arm, run) for arm, of in enumerate(whose) for run in np.flatnonzero(of == fold).tolist()]
            answers = np.array([wrong[arm][run] for arm, run in places])
            for place, shares in zip(places, _other_images(answers, generator, replicates).T, strict=True):
                universes[place[0]][:, place[1]] = shares
    drawn = None
    resampled = []
    for universe in universes:
        if drawn is None or not blocked:
            runs = universe.shape[1]
            drawn = generator.integers(max(runs, 1), size=(replicates, runs))
        resampled.append(np.take_along_axis(universe, drawn, axis=1))
    return resampled


def _other_images(wrong: NDArray[np.bool_], generator: np.random.Generator, replicates: int) -> Floats:
    """Errors of the same `(runs, examples)` answers on test images drawn anew, a `(replicates, runs)` array.

    Images that the same runs failed on are interchangeable, and most are failed by no run at all: of 10,000 images some
    2,000 patterns remain, and drawing how often each occurs is drawing the images.
    """
    runs, examples = wrong.shape
    packed = np.ascontiguousarray(np.packbits(wrong, axis=0).T)
    whole_rows = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, counts = np.unique(whole_rows, return_index=True, return_counts=True)
    patterns = wrong[:, first].T.astype(np.float32)
    shares = np.empty((replicates, runs))
    at_once = max(1, MOST_CELLS // len(counts))
    for start in range(0, replicates, at_once):
        some = shares[start : start + at_once]
        occurrences = generator.multinomial(examples, counts / examples, size=len(some))
        some[:] = occurrences.astype(np.float32) @ patterns * (100 / examples)
    return shares


def percentile_interval(values: Floats) -> tuple[float, float]:
    """The middle 95 % of some replicates.

    Args:
        values: `(replicates,)` array; a NaN makes both ends NaN.

    >>> percentile_interval(np.arange(201.0))
    (5.0, 195.0)
    """
    low, high = np.quantile(values, [0.025, 0.975])
    return round(float(low), 12), round(float(high), 12)  # 5.0, where interpolation makes 5.000000000000001 of it
