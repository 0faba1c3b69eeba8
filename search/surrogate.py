"""The model as Ax holds it: BoTorch's standard Gaussian process, fitted and asked in closed form.

Nothing but speed sets it apart from `SingleTaskGP`: at 100 trials and 3,658 candidates a proposal took 0.7 to 1.2 s of
one core with BoTorch's own fit and posterior (and Ax's adapter), and takes 0.03 s with these. The formulas are in
`search/gaussian_process.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from botorch.models import SingleTaskGP
from botorch.models.utils.gpytorch_modules import get_covar_module_with_dim_scaled_prior
from gpytorch.mlls import MarginalLogLikelihood
from resnext_search.search.gaussian_process import GaussianProcess, Hyperparameters, fit
from resnext_search.spaces.knobs import Floats
from torch import Tensor


class Surrogate(SingleTaskGP):
    """A `SingleTaskGP` of standardized outcomes with BoTorch's own kernel, likelihood and priors.

    Args:
        train_X: `(n, d)` tensor in the unit cube.
        train_Y: `(n, 1)` tensor.
        train_Yvar: `(n, 1)` tensor of what outcomes are uncertain by beyond the noise that is fitted. BoTorch would
            take it for all of the noise, and fit none: it is kept from BoTorch, whose posterior nothing asks for.
    """

    def __init__(self, train_X: Tensor, train_Y: Tensor, train_Yvar: Tensor) -> None:  # noqa: N803  BoTorch's names
        # the kernel that `SingleTaskGP` takes anyway; given, outcomes may be a part of those that were standardized
        kernel = get_covar_module_with_dim_scaled_prior(ard_num_dims=train_X.shape[-1])
        super().__init__(train_X=train_X, train_Y=train_Y, covar_module=kernel, outcome_transform=None)
        self.variances: Floats = train_Yvar.numpy().ravel()

    def custom_fit(self, mll: MarginalLogLikelihood, **_: Any) -> MarginalLogLikelihood:
        """What `botorch.fit.fit_gpytorch_mll` calls instead of its own fit, if a model has it."""
        found = fit(*self._data(), self.variances)
        self.covar_module.lengthscale = torch.tensor(found.lengthscales)
        self.likelihood.noise = torch.tensor([found.noise])
        self.recenter()
        return mll.eval()

    def recenter(self) -> None:
        """Give the mean its most probable value, which has a closed form whatever the hyperparameters are."""
        most_probable = GaussianProcess(*self._data(), self._hyperparameters(), variances=self.variances).mean
        self.mean_module.constant.data.fill_(most_probable)

    def process(self) -> GaussianProcess:
        """The same model in closed form."""
        mean = float(self.mean_module.constant.detach())
        return GaussianProcess(*self._data(), self._hyperparameters(), mean, self.variances)

    def _data(self) -> tuple[Floats, Floats]:
        return np.asarray(self.train_inputs[0]), np.asarray(self.train_targets)

    def _hyperparameters(self) -> Hyperparameters:
        lengthscales: Floats = self.covar_module.lengthscale.detach().numpy().ravel()
        return Hyperparameters(lengthscales, float(self.likelihood.noise.detach()))
