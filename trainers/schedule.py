"""How fast do the weights move, and which of them decay? What a recipe asks of the optimizer."""

from __future__ import annotations

import math
from typing import Any

from resnext_search.spaces.study.sections import Recipe
from torch import nn

# Where a schedule of steps divides the learning rate by 10, in shares of the epochs.
_STEPS = {"step": (1 / 2, 3 / 4), "step-thirds": (1 / 3, 2 / 3)}


def learning_rate_at(recipe: Recipe, epochs_done: float) -> float:
    """Learning rate when so many epochs, with fractions, are done: a straight rise, then the recipe's schedule.

    Source:
        Loshchilov & Hutter 2017, arXiv:1608.03983 (half a cosine); Xie et al. 2017, appendix A (steps at half and
        three quarters) and the authors' train.lua (at the thirds of 90 epochs).

    >>> recipe = Recipe(epochs=10, warmup_epochs=2, learning_rate=0.4)
    >>> [round(learning_rate_at(recipe, done), 3) for done in (0, 1, 2, 6, 10)]
    [0.0, 0.2, 0.4, 0.2, 0.0]
    """
    if epochs_done < recipe.warmup_epochs:
        return recipe.learning_rate * epochs_done / recipe.warmup_epochs
    if recipe.schedule != "cosine":
        steps_down = sum(epochs_done >= recipe.epochs * share for share in _STEPS[recipe.schedule])
        return recipe.learning_rate / 10.0**steps_down
    share = (epochs_done - recipe.warmup_epochs) / max(recipe.epochs - recipe.warmup_epochs, 1e-9)
    return recipe.learning_rate * (1 + math.cos(math.pi * min(share, 1.0))) / 2


def parameter_groups(network: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Parameters that are decayed, and (unless the recipe decays them too) norms and biases, which are not."""
    parameters = list(network.parameters())
    weights = [p for p in parameters if p.ndim > 1]
    others = [p for p in parameters if p.ndim <= 1]
    return [
        {"params": weights, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": recipe.weight_decay if recipe.decay_norms else 0.0},
    ]
