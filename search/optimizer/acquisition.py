"""How much is a candidate expected to improve? Expected hypervolume improvement in closed form.

The error is uncertain, with a normal prediction. The other objectives, none to two of them, are costs: known exactly
before a trial, or like a latency with a log-normal prediction. All predictions are independent of each other. Then the
hypervolume that a candidate is expected to add is a sum over the cells into which the costs of the front cut the cost
axes: of expected improvements, each over the front's best error in its cell, times how much of the cell the candidate
is expected to cover. Without costs there is one cell, and it is expected improvement. Imports torch alone.
"""

from __future__ import annotations

import math
from itertools import product

import torch
from torch import Tensor

# Costs are shares of the largest in the feasible set; a little above 1, so that the largest can improve too.
COST_REFERENCE = 1.1


def log_improvement(units: Tensor) -> Tensor:
    """Logarithm of E[max(0, u + z)] for a standard normal z, accurate also far below 0.

    `units`, of any shape and double precision, says by how many standard deviations a prediction beats the incumbent.

    Source:
        Ament et al. 2023, arXiv:2310.20708, eq. (9): the expectation is phi(u) + u Phi(u). It is written here with
        the scaled complementary error function, and with its leading term 1 / u² where that loses its digits.

    >>> log_improvement(torch.tensor([0.0], dtype=torch.float64)).exp()  # phi(0) = 1 / sqrt(2 pi)
    tensor([0.3989], dtype=torch.float64)
    """
    log_density = -0.5 * units**2 - 0.5 * math.log(2 * math.pi)
    better = units > 0
    above, below = units[better], units[~better]
    mills = math.sqrt(math.pi / 2) * torch.special.erfcx(-below / math.sqrt(2))
    tail = torch.where(below > -1e4, torch.log1p(below * mills), -2 * below.abs().clamp(min=1.0).log())
    result = torch.empty_like(units)
    result[better] = (log_density[better].exp() + above * torch.special.ndtr(above)).log()
    result[~better] = log_density[~better] + tail
    return result


def lognormal_improvement(edges: Tensor, medians: Tensor, deviations: Tensor) -> Tensor:
    """How far below an edge a log-normal cost is expected to lie: E[max(0, edge - cost)].

    Args:
        edges: `(e,)`, from 0.
        medians: `(m,)`, above 0.
        deviations: `(m,)` standard deviations of the costs' logarithms; 0 where a cost is known.

    Returns:
        `(e, m)` tensor.

    Source:
        Black & Scholes 1973, the price of a put without interest: edge Phi(u) - mean Phi(u - s).

    >>> one, two = torch.ones(1, dtype=torch.float64), torch.tensor([2.0], dtype=torch.float64)
    >>> lognormal_improvement(two, one, 0 * one), lognormal_improvement(two, one, one)
    (tensor([[1.]], dtype=torch.float64), tensor([[0.8861]], dtype=torch.float64))
    """
    edges = edges[:, None]
    if not deviations.any():
        return (edges - medians).clamp(min=0.0)
    units = (edges.log() - medians.log()) / deviations.clamp(min=1e-12)
    means = medians * (0.5 * deviations**2).exp()
    uncertain = edges * torch.special.ndtr(units) - means * torch.special.ndtr(units - deviations)
    return torch.where(deviations > 0, uncertain, edges - medians).clamp(min=0.0)


def log_expected_hypervolume_improvement(
    mean: Tensor,
    deviation: Tensor,
    costs: Tensor,
    cost_deviations: Tensor,
    front_errors: Tensor,
    front_costs: Tensor,
    reference: float,
) -> Tensor:
    """Logarithm of the expected hypervolume improvement of every candidate; everything is minimised.

    Args:
        mean: `(m,)` predicted error of the candidates.
        deviation: `(m,)` standard deviation of that prediction, above 0.
        costs: `(m, k)` other objectives of the candidates, above 0 and rarely above 1; k may be 0. Medians, where
            they are uncertain.
        cost_deviations: `(m, k)` standard deviations of their logarithms; 0 where they are known.
        front_errors: `(f,)` errors of the trials so far; dominated ones change nothing.
        front_costs: `(f, k)` their costs.
        reference: Error from which on a trial improves nothing. Unused when k is 0.

    Returns:
        `(m,)` tensor; -inf where nothing can be improved.

    Source:
        Yang et al. 2019, arXiv:1904.12672: for independent objectives the expectation of a cell's volume is the product
        of those of its sides.
    """
    edges = [torch.unique(torch.cat([column, column.new_tensor([0.0, COST_REFERENCE])])) for column in front_costs.T]
    sides = [
        lognormal_improvement(axis, *columns).diff(dim=0).clamp(min=0.0)
        for axis, *columns in zip(edges, costs.T, cost_deviations.T, strict=True)
    ]
    log_improvements = []
    for cell in product(*(range(len(axis) - 1) for axis in edges)):
        lower = torch.stack([axis[i] for axis, i in zip(edges, cell, strict=True)]) if cell else mean.new_empty(0)
        reached = front_errors[(front_costs <= lower).all(dim=1)]
        incumbent = reached.min() if not cell else torch.cat([reached, reached.new_tensor([reference])]).min()
        volume = torch.ones_like(mean)
        for side, index in zip(sides, cell, strict=True):
            volume = volume * side[index]
        covers = volume > 0  # only what is cheaper than a cell's upper edge improves anything in it
        log_of_cell = torch.full_like(mean, -math.inf)
        improvement = deviation[covers].log() + log_improvement((incumbent - mean[covers]) / deviation[covers])
        log_of_cell[covers] = volume[covers].log() + improvement
        log_improvements.append(log_of_cell)
    return torch.logsumexp(torch.stack(log_improvements), dim=0)
