"""What do the columns of the tables mean, and what stands in them? One row a column, for everyone who asks.

Meanings are the data dictionary, for the report, docs/reference and whoever asks in code: Markdown, of which only
backticks are used.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Literal, NamedTuple

from resnext_search.spaces.architecture.complexity import Complexity
from resnext_search.spaces.search_space.knobs import KNOBS
from resnext_search.spaces.search_space.objectives import LATENCY_MEANING, Latency

Kind = Literal["string", "Int64", "Float64"]

# What a cell holds, by the names of pandas.
WORD: Kind = "string"
WHOLE: Kind = "Int64"
NUMBER: Kind = "Float64"


class Column(NamedTuple):
    """One column of a table.

    Args:
        name: As in the file.
        kind: What a cell holds, if it holds anything.
        meaning: Shared by neighbours that are explained together.
    """

    name: str
    kind: Kind
    meaning: str


def meanings(columns: Iterable[Column]) -> dict[str, str]:
    """The meanings, in their order; a key names the columns that share one.

    >>> meanings([Column("device", WORD, "where it ended"), Column("host", WORD, "where it ended")])
    {'device, host': 'where it ended'}
    """
    groups = groupby(columns, key=lambda column: column.meaning)
    return {", ".join(column.name for column in group): meaning for meaning, group in groups}


def _columns(names: str, kind: Kind, meaning: str) -> list[Column]:
    return [Column(name, kind, meaning) for name in names.split(", ")]


# `trials.csv`
TRIALS = (
    *_columns("trial", WHOLE, "number, from 0, in the order of the proposals"),
    *_columns(
        "phase, arm",
        WORD,
        "`search`, `tune` or `confirm`; the arm of the claim, or confirmed beside it: `finalist-0039`, the search's "
        "trial 39, `runner-up-width`, an arm at its second best rate; of a claim about spaces a network, as in "
        "`more groups/017`, or `more groups/t3` where it only tunes; empty in a search",
    ),
    *_columns(
        "state",
        WORD,
        '`completed` (trained to the end), `stopped` (early, see "Early stopping"), `failed`, `running`, '
        "`interrupted`, `queued`",
    ),
    *_columns("seed", WHOLE, "seed of weights, order and augmentation"),
    *_columns(
        "fold",
        WHOLE,
        "with a claim on data without a published test split: which of five parts of all images, from 0, this trial "
        "does not train on: search and tune validate on it, confirm tests on it; empty otherwise",
    ),
    *_columns("architecture", WORD, "the paper's name: cardinality x width d - depth"),
    *_columns("cardinality, width, depth", WHOLE, "C; channels of a group in the first stage; weighted layers"),
    *_columns("group_widths, blocks", WORD, "channels of a group, and blocks, of every stage"),
    *(Column(name, WHOLE if facts.integer else NUMBER, "the recipe of this trial") for name, facts in KNOBS.items()),
    *_columns(", ".join(Complexity._fields), WHOLE, "exact counts; multiply-adds and activations for one image"),
    *_columns("validation_images", WHOLE, "tune only: how many images the validation error is of, where that is known"),
    *_columns(
        "validation_error, test_error",
        NUMBER,
        "percent, top-1, after the last epoch of the full training, so empty for a stopped trial; a trial has"
        " one of them: search and tune never read the test images, confirm trains on the validation images (with "
        "folds, each on what its `fold` leaves)",
    ),
    *_columns("epochs", WHOLE, "epochs trained, and the wall time of their training and validation"),
    *_columns("seconds", NUMBER, "epochs trained, and the wall time of their training and validation"),
    *_columns(
        "training_step_ms",
        NUMBER,
        "wall time of a training step at this trial's `batch_size`, in milliseconds: median over its epochs, "
        "their validation spread over the steps (a trial that confirms has none); empty for an `image_folder`"
        " whose study gives no number of images",
    ),
    *_columns(", ".join(Latency._fields), NUMBER, LATENCY_MEANING),
    *_columns("proposed_by", WORD, "`sobol` (space-filling start) or `ax` (the model); `plan` in tune and confirm"),
    *_columns("attempts", WHOLE, "how often it was started"),
    *_columns(
        "micro_batches",
        WHOLE,
        ("parts in which a batch went through the network: 1, or more where even a whole GPU had too little memory"),
    ),
    *_columns("device, host", WORD, "where it ended"),
    *_columns("processor", WORD, "model of the processor there, or of the GPU, if that trained it"),
    *_columns("failure_class, failure_message", WORD, "why it failed; the whole message is in the journal"),
    *_columns("data", WORD, "name of the data set"),
    *_columns(
        "correct",
        WORD,
        "confirm only: which test images (with folds, those of its `fold`) were recognised, as their number, a colon, "
        "and one bit an image in base 64",
    ),
    *_columns(
        "hypervolume",
        NUMBER,
        "completed search trials with two or three objectives: what the trials up to this one dominate, in "
        "their order here, as a share from 0 to 1 of the box below the reference point (an error of 100 %, "
        "and 1.1 times the most parameters or activations in the feasible set, or the highest latency of "
        "these trials); how the front grew",
    ),
)

# `effects.csv`, in the order of the file
EFFECTS = (
    *_columns("axis", WORD, "`cardinality`, `depth` or `width` (of a group, in the first stage), and which"),
    *_columns("value", WHOLE, "`cardinality`, `depth` or `width` (of a group, in the first stage), and which"),
    *_columns(
        "validation_error, low, high",
        NUMBER,
        ("percent, without the noise of a single training: median and 95 % interval of the model"),
    ),
    *_columns("architecture", WORD, "where the lowest error is expected"),
    *_columns("blocks", WORD, "where the lowest error is expected"),
    *_columns("learning_rate", NUMBER, "where the lowest error is expected"),
    *_columns(
        "trials", WHOLE, "completed trials with this value; stopped ones count with an estimate and are not among these"
    ),
)

# `pareto.csv` has columns of `trials.csv`, and these.
PARETO = (
    *_columns("validation_error_sem", NUMBER, "standard error over replicates, empty for one"),
    *_columns("seeds", WHOLE, "replicates"),
    *_columns("test_error", NUMBER, "mean over the fresh seeds of a finalist, empty for others"),
    *_columns("training_step_ms", NUMBER, "mean over replicates"),
)
