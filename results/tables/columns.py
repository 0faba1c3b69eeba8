"""What do the columns of the tables mean? The data dictionary, for the report, docs/reference and whoever asks in code.

A key may name several columns. Meanings are Markdown, of which only backticks are used.
"""

from __future__ import annotations

from resnext_search.spaces.architecture.complexity import Complexity
from resnext_search.spaces.search_space.knobs import KNOBS
from resnext_search.spaces.search_space.objectives import LATENCY_MEANING, Latency

# `trials.csv`
TRIALS = {
    "trial": "number, from 0, in the order of the proposals",
    "phase, arm": (
        "`search`, `tune` or `confirm`; the arm of the claim, or `finalist-0039`, the search's trial 39 "
        "confirmed; empty in a search"
    ),
    "state": (
        '`completed` (trained to the end), `stopped` (early, see "Early stopping"), `failed`, `running`, '
        "`interrupted`, `queued`"
    ),
    "seed": "seed of weights, order and augmentation",
    "architecture": "the paper's name: cardinality x width d - depth",
    "cardinality, width, depth": "C; channels of a group in the first stage; weighted layers",
    "group_widths, blocks": "channels of a group, and blocks, of every stage",
    ", ".join(KNOBS): "the recipe of this trial",
    ", ".join(Complexity._fields): "exact counts; multiply-adds and activations for one image",
    "validation_error, test_error": (
        "percent, top-1, after the last epoch of the full training, so empty for a stopped trial; a trial has"
        " one of them: search and tune never read the test images, confirm trains on the validation images"
    ),
    "epochs, seconds": "epochs trained, and the wall time of their training and validation",
    "training_step_ms": (
        "wall time of a training step at this trial's `batch_size`, in milliseconds: median over its epochs, "
        "their validation spread over the steps (a trial that confirms has none); empty for an `image_folder`"
        " whose study gives no number of images"
    ),
    ", ".join(Latency._fields): LATENCY_MEANING,
    "proposed_by": "`sobol` (space-filling start) or `ax` (the model); `plan` in tune and confirm",
    "attempts": "how often it was started",
    "micro_batches": (
        "parts in which a batch went through the network: 1, or more where even a whole GPU had too little memory"
    ),
    "device, host": "where it ended",
    "failure_class, failure_message": "why it failed; the whole message is in the journal",
    "data": "name of the data set",
    "correct": (
        "confirm only: which test images were recognised, as their number, a colon, and one bit an image in base 64"
    ),
    "hypervolume": (
        "completed search trials with two or three objectives: what the trials up to this one dominate, in "
        "their order here, as a share from 0 to 1 of the box below the reference point (an error of 100 %, "
        "and 1.1 times the most parameters or activations in the feasible set, or the highest latency of "
        "these trials); how the front grew"
    ),
}

# `effects.csv`
EFFECTS = {
    "axis, value": "`cardinality`, `depth` or `width` (of a group, in the first stage), and which",
    "validation_error, low, high": (
        "percent, without the noise of a single training: median and 95 % interval of the model"
    ),
    "architecture, blocks, learning_rate": "where the lowest error is expected",
    "trials": "completed trials with this value; stopped ones count with an estimate and are not among these",
}

# `pareto.csv` has columns of `trials.csv`, and these.
PARETO = {
    "validation_error_sem": "standard error over replicates, empty for one",
    "seeds": "replicates",
    "test_error": "mean over the fresh seeds of a finalist, empty for others",
    "training_step_ms": "mean over replicates",
}
