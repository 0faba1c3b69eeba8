"""How much is a candidate expected to gain? Expected hypervolume improvement in closed form.

One objective is uncertain (the error, with a normal prediction); the others, none to two of them, are known exactly
before a trial. The hypervolume that a candidate adds is then a sum of plain expected improvements, one for every cell
into which the front's known costs cut the cost axes, each with the front's best error in that cell as its incumbent.
Without known objectives there is one cell, and the gain is expected improvement. Imports torch alone.
"""

from __future__ import annotations

import math
from itertools import product

import torch
from torch import Tensor

# Known costs are shares of the largest in the feasible set; a little above 1, so that the largest can gain too.
COST_REFERENCE = 1.1


def log_improvement(units: Tensor) -> Tensor:
    """Logarithm of E[max(0, u + z)] for a standard normal z, accurate also far below 0.

    Args:
        units: Any shape; by how many standard deviations the prediction beats the incumbent. Double precision.

    Source:
        Ament et al. 2023, arXiv:2310.20708, eq. (9): the expectation is phi(u) + u Phi(u). It is written here with
        the scaled complementary error function, and with its leading term 1 / u² where that loses its digits.

    >>> log_improvement(torch.tensor([0.0], dtype=torch.float64)).exp()  # phi(0) = 1 / sqrt(2 pi)
    tensor([0.3989], dtype=torch.float64)
    """
    log_density = -0.5 * units**2 - 0.5 * math.log(2 * math.pi)
    mills = math.sqrt(math.pi / 2) * torch.special.erfcx(-units.clamp(max=0.0) / math.sqrt(2))
    tail = torch.where(units > -1e4, torch.log1p(units * mills), -2 * units.abs().clamp(min=1.0).log())
    above = (log_density.exp() + units * torch.special.ndtr(units)).log()
    return torch.where(units > 0, above, log_density + tail)


def log_expected_gain(
    mean: Tensor, deviation: Tensor, costs: Tensor, front_errors: Tensor, front_costs: Tensor, reference: float
) -> Tensor:
    """Logarithm of the expected hypervolume improvement of every candidate; everything is minimised.

    Args:
        mean: `(m,)` predicted error of the candidates.
        deviation: `(m,)` standard deviation of that prediction, above 0.
        costs: `(m, k)` known objectives of the candidates, in (0, 1]; k may be 0.
        front_errors: `(f,)` errors of the trials so far; dominated ones change nothing.
        front_costs: `(f, k)` their known objectives.
        reference: Error from which on a trial gains nothing. Unused when k is 0.

    Returns:
        `(m,)` tensor; -inf where nothing can be gained.
    """
    edges = [torch.unique(torch.cat([column, column.new_tensor([0.0, COST_REFERENCE])])) for column in front_costs.T]
    log_gains = []
    for cell in product(*(range(len(axis) - 1) for axis in edges)):
        lower = (
            torch.stack([axis[i] for axis, i in zip(edges, cell, strict=True)]) if cell else front_costs.new_empty(0)
        )
        upper = torch.stack([axis[i + 1] for axis, i in zip(edges, cell, strict=True)]) if cell else lower
        reached = front_errors[(front_costs <= lower).all(dim=1)]
        incumbent = reached.min() if not cell else torch.cat([reached, reached.new_tensor([reference])]).min()
        volume = (upper - torch.maximum(costs, lower)).clamp(min=0.0).prod(dim=1)
        log_gains.append(volume.log() + deviation.log() + log_improvement((incumbent - mean) / deviation))
    return torch.logsumexp(torch.stack(log_gains), dim=0)
