"""The tables of a study, made from its journal alone: `trials.csv` and `pareto.csv`.

The columns are explained in `columns.py`; they are read by scripts and stay as they are. A training step takes as long
as those of the trial took: a step measured apart would leave out what feeds it, and would be taken at one moment
instead of over a whole training.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import EpochRow, LatencyRow, Trial, last_line
from resnext_search.results.statistics.pareto import hypervolume_trace, pareto_front
from resnext_search.spaces.architecture.architecture import dashed
from resnext_search.spaces.architecture.complexity import Complexity, complexity
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.search_space.feasible import FeasibleSet
from resnext_search.spaces.search_space.knobs import KNOBS
from resnext_search.spaces.search_space.objectives import OBJECTIVES
from resnext_search.spaces.study.study import Study

PARETO_COLUMNS = (
    "trial",
    "architecture",
    "cardinality",
    "width",
    "blocks",
    "depth",
    "learning_rate",
    *Complexity._fields,
    "validation_error",
    "validation_error_sem",
    "test_error",
    *LatencyRow._fields,
    "training_step_ms",
    "seeds",
)

# In milliseconds; filled from other tables of the journal.
MEASURED_COLUMNS = ("training_step_ms", *LatencyRow._fields)

# What may be minimised: the numbers that say something about a configuration.
NUMERIC_COLUMNS = tuple(
    name
    for name in PARETO_COLUMNS
    if name not in ("trial", "architecture", "blocks", "validation_error_sem", "latency_ms_spread", "seeds")
)


def trials_table(journal: Journal) -> pd.DataFrame:
    """One row a trial, in the order of the proposals; cells without a value are empty."""
    study = journal.study()
    trials, epochs = journal.trials(), journal.epochs_of_all()
    processors = {key: machine.computes for key, machine in journal.machines().items()}
    latencies = journal.latencies(trials)
    rows = [
        _trial_row(study, trial, processors)
        | _measured(study, trial, latencies.get(trial.trial_id), epochs.get(trial.trial_id, []))
        for trial in trials
    ]
    table = pd.DataFrame(rows, columns=list(_trial_row(study, None, {})))
    table["hypervolume"] = _hypervolumes(study, table)
    return table


def pareto_table(
    journal: Journal, objectives: Sequence[str] | None = None, trials: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The non-dominated configurations of the search, best validation error first.

    Trials of one configuration under several seeds make one row: their mean, its standard error and their number.
    A configuration that was confirmed on fresh seeds has its mean test error.

    Args:
        journal: Of the study.
        objectives: What is minimised, of `NUMERIC_COLUMNS`; the study's own objectives without it.
        trials: The trials table, if it is there already.

    Raises:
        UsageError: A given objective is not such a column, or has no value in any configuration (where the study's own
            have none, the front is empty), or is a latency that was measured on different devices.
    """
    wanted = list(objectives or journal.study().objectives)
    unknown = [name for name in wanted if name not in NUMERIC_COLUMNS]
    if unknown:
        raise UsageError(
            f"objectives: {', '.join(map(repr, unknown))}; allowed: {', '.join(NUMERIC_COLUMNS)}",
            hint="For example --objectives validation_error,parameters.",
        )
    trials = trials_table(journal) if trials is None else trials
    completed = trials[(trials.state == "completed") & (trials.phase == "search")]
    keys = ["architecture", "group_widths", "blocks", *KNOBS]
    confirmed = trials[(trials.state == "completed") & (trials.phase == "confirm")]
    test_errors = confirmed.astype({"test_error": float}).groupby(keys).test_error.mean().to_dict()
    measured = completed.astype({"validation_error": float, "training_step_ms": float})
    replicates = measured.groupby(keys, sort=False, dropna=False)
    points = completed[keys].itertuples(index=False, name=None)
    table = completed.assign(
        validation_error=replicates.validation_error.transform("mean"),
        validation_error_sem=replicates.validation_error.transform("sem"),
        training_step_ms=replicates.training_step_ms.transform("mean"),
        seeds=replicates.validation_error.transform("size"),
        test_error=pd.Series(map(test_errors.get, points), completed.index, dtype=float),
    ).drop_duplicates(keys)[list(PARETO_COLUMNS)]
    values = table[wanted].astype(float).to_numpy()
    unmeasured = [name for name, column in zip(wanted, values.T, strict=True) if len(column) and np.isnan(column).all()]
    if objectives and unmeasured:
        raise UsageError(f"objectives: {', '.join(unmeasured)}: not measured in this study")
    models = completed.processor[completed.latency_ms.notna()].dropna().unique()
    if objectives and "latency_ms" in wanted and len(models) > 1:
        raise UsageError(
            f"objectives: latency_ms: measured on {', '.join(models)}; those of different devices cannot be compared"
        )
    return table[pareto_front(values)].sort_values(["validation_error", "trial"]).reset_index(drop=True)


def _hypervolumes(study: Study, trials: pd.DataFrame) -> pd.Series[float]:
    """What every completed search trial dominates with those above it, as a share of all that can be.

    The reference point is an error of 100 % and a tenth more than the dearest architecture of the feasible set has, so
    that this one counts too; of latencies, than the slowest that was measured. The table's order is used, not that in
    which trials ended, which differs from run to run. Trials whose latency is wanted and missing are left out.
    """
    names = list(study.objectives)
    if len(names) == 1:
        return pd.Series(dtype=float)
    completed = trials[(trials.phase == "search") & (trials.state == "completed")][names].astype(float).dropna()
    feasible = study.feasible_set()
    reference = [_worst(name, feasible, completed[name]) for name in names]
    return pd.Series(hypervolume_trace(completed.to_numpy() / reference).round(6), index=completed.index)


def _worst(objective: str, feasible: FeasibleSet, seen: pd.Series[float]) -> float:
    """A coordinate of the reference point, from the values in completed trials where no others are known."""
    facts = OBJECTIVES[objective]
    return facts.worst or float(1.1 * np.max(facts.known(feasible) if facts.known else seen))


def _measured(study: Study, trial: Trial, latency: LatencyRow | None, epochs: Sequence[EpochRow]) -> dict[str, float]:
    """What else is known of a trial, of `MEASURED_COLUMNS`."""
    step = training_step_ms(study, trial, epochs)
    times = {} if latency is None else latency._asdict()
    if step is not None:
        times["training_step_ms"] = step
    return {name: round(time, 4) for name, time in times.items()}


def _trial_row(study: Study, trial: Trial | None, processors: Mapping[str, str]) -> dict[str, Any]:
    """The cells of a trial, with the processors by the keys of their machines; with None the columns alone."""
    if trial is None:
        architecture, counts, recipe = None, None, study.trainer
    else:
        architecture = trial.configuration.architecture
        counts = complexity(study.network_template(), architecture)
        recipe = trial.configuration.recipe(study.trainer)
    return {
        "trial": trial and trial.trial_id,
        "phase": trial and trial.phase,
        "arm": trial and trial.arm,
        "state": trial and trial.state,
        "seed": trial and trial.seed,
        "fold": trial and study.fold_of(trial.seed),
        "architecture": architecture and architecture.name,
        "cardinality": architecture and architecture.cardinality,
        "width": architecture and architecture.width,
        "group_widths": architecture and dashed(architecture.group_widths),
        "blocks": architecture and dashed(architecture.blocks),
        "depth": architecture and architecture.depth,
        **{name: getattr(recipe, name) for name in KNOBS},
        **(counts._asdict() if counts else dict.fromkeys(Complexity._fields)),
        "validation_images": study.images_to_validate() if trial and trial.phase == "tune" else None,
        "validation_error": trial and trial.validation_error,
        "test_error": trial and trial.test_error,
        "epochs": trial and trial.epochs,
        "seconds": trial and round(trial.seconds, 3),
        **dict.fromkeys(MEASURED_COLUMNS),
        "proposed_by": trial and trial.proposed_by,
        "attempts": trial and trial.attempts,
        "micro_batches": trial and trial.micro_batches,
        "device": trial and trial.device,
        "host": trial and trial.host,
        "processor": trial and processors.get(trial.machine or ""),
        "failure_class": trial and trial.failure_class,
        "failure_message": trial and trial.failure_message and last_line(trial.failure_message),
        "data": trial and study.data.name,
        "correct": trial and trial.test_correct,
    }


def training_step_ms(study: Study, trial: Trial, epochs: Sequence[EpochRow]) -> float | None:
    """Wall time of a training step at the trial's batch size, in milliseconds: the median over its epochs.

    An epoch's validation is spread over its steps. With a tenth of the images kept for it, it is some 4 % of the time,
    since training an image takes three passes.

    Args:
        study: Says how many images there are.
        trial: Its configuration says how many make a step.
        epochs: Those it was trained for.

    Returns:
        None before the first epoch, or for an `image_folder` whose study does not say how many images it takes.
    """
    images = study.images_per_epoch(trial.phase)
    if images is None or not epochs:
        return None
    steps = images // trial.configuration.recipe(study.trainer).batch_size
    return 1_000 * statistics.median(row.seconds for row in epochs) / steps
