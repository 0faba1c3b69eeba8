"""Which training recipes have a name? What `trainer.recipe` stands for, and where each was published.

A recipe gives every other key of `trainer`, so that no default of ours slips into what is called by another's name.
Its learning rate is where a search may start: a searched knob overrides it, as it does any value of `trainer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args

RecipeName = Literal["paper-cifar", "paper-imagenet", "short"]

# What all of them share.
_COMMON = {"learning_rate": 0.1, "momentum": 0.9, "augment": "standard"}

# Xie et al. 2017, arXiv:1611.05431, appendix A (its results: section 5.3). Nesterov's momentum, and that norms and
# biases are decayed too, stand in the authors' code (facebookresearch/ResNeXt, train.lua: all parameters lie in one
# tensor, and `weightDecay` is applied to it whole). That code divides a little earlier than the paper says: above 0.49
# and 0.74 of the epochs.
_PAPER = {**_COMMON, "decay_norms": True, "label_smoothing": 0.0, "warmup_epochs": 0.0}
_PAPER_CIFAR = {**_PAPER, "epochs": 300, "batch_size": 128, "weight_decay": 5e-4, "schedule": "step"}

# The same paper, section 4, "Implementation details": divided by 10 three times, by the schedule of fb.resnet.torch,
# which is every 30 epochs (train.lua). Here the first 90 epochs, with two divisions (a comment in opts.lua has 90);
# the code trains 10 more after the third. It also jitters colours and lighting (datasets/imagenet.lua), we do not.
_PAPER_IMAGENET = {**_PAPER, "epochs": 90, "batch_size": 256, "weight_decay": 1e-4, "schedule": "step-thirds"}

# For few epochs. Rising in a line: Goyal et al. 2017, arXiv:1706.02677, section 2.2; theirs takes 5 of 90 epochs, He's
# 5 of 120, which is 1.25 to 1.67 of 30. Half a cosine: Loshchilov & Hutter 2017, arXiv:1608.03983. Label smoothing of
# 0.1, no decay of norms and biases: He et al. 2019, arXiv:1812.01187, sections 5.2 and 3.1. Learning rate, batch and
# decay are those of the paper on CIFAR.
#
# No cutout (DeVries & Taylor 2017, arXiv:1708.04552). Over 30 epochs of 2,000 Fashion-MNIST images (4x8d-11 from 16
# planes, stride 4, warm-up of 1 epoch; 10,000 validation images, n=3) the error was 18.6 % without it, 19.9 with
# squares of 8 pixels, 21.9 with 14; and 18.4 without label smoothing too, which is too near to tell.
_SHORT = {
    **_COMMON,
    "epochs": 30,
    "batch_size": 128,
    "weight_decay": 5e-4,
    "decay_norms": False,
    "label_smoothing": 0.1,
    "schedule": "cosine",
    "warmup_epochs": 1.5,
}

_BY_NAME = {"paper-cifar": _PAPER_CIFAR, "paper-imagenet": _PAPER_IMAGENET, "short": _SHORT}
RECIPES = MappingProxyType({name: MappingProxyType(keys) for name, keys in _BY_NAME.items()})


# Epochs of warm-up of a recipe without a name, where its training is ten times as long or longer.
USUAL_WARMUP = 1.0


def usual_warmup(given: Mapping[str, Any]) -> float:
    """The warm-up where none is written, of a recipe with these `epochs`: at most a tenth of them.

    >>> usual_warmup({"epochs": 12}), usual_warmup({"epochs": 4}), usual_warmup({"epochs": 1})
    (1.0, 0.4, 0.1)
    """
    return min(USUAL_WARMUP, float(given["epochs"]) / 10)


def filled(given: Mapping[str, object]) -> dict[str, object]:
    """The keys of `trainer` that were written, checked or not, and those of the recipe that they name.

    Without `recipe`, or with one that is none, nothing is filled in.

    >>> filled({"recipe": "paper-cifar", "epochs": 20})["epochs"], filled({"recipe": "paper-cifar"})["epochs"]
    (20, 300)
    >>> filled({"epochs": 20}), filled({"recipe": "long"})
    ({'epochs': 20}, {'recipe': 'long'})
    """
    known = [RECIPES[name] for name in get_args(RecipeName) if name == given.get("recipe")]
    return {key: value for values in (*known, given) for key, value in values.items()}
