"""How does Ax propose inside the FLOP band? Its generator, around a model and an acquisition of our own.

What of Ax and BoTorch decides a proposal: the kernel and the priors of BoTorch's standard Gaussian process, and Ax's
order of things (a surrogate is fitted, an acquisition is asked). Ours are the fit and the posterior, in closed form
(`search/surrogate/gaussian_process.py`), the acquisition, evaluated exactly at every candidate (`acquisition.py`), and
the candidates themselves: the feasible set, which no continuous optimizer of an acquisition can be held to. With
BoTorch's own fit and posterior and Ax's adapter a proposal took 0.7 to 1.2 s of one core at 100 trials and 3,658
candidates, against 0.03 s.

Ax's client and adapter are not used: they keep a second record of every trial beside the journal, which takes 28 ms a
trial to make again, and transform all of it for every proposal (0.1 s at 100 trials, under a profiler).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from ax.core.search_space import SearchSpaceDigest
from ax.generators.torch.botorch_modular.acquisition import Acquisition
from ax.generators.torch.botorch_modular.generator import BoTorchGenerator
from ax.generators.torch.botorch_modular.surrogate import SurrogateSpec
from ax.generators.torch.botorch_modular.utils import ModelConfig
from ax.generators.torch_base import TorchOptConfig
from botorch.acquisition.analytic import LogExpectedImprovement
from botorch.models import SingleTaskGP
from botorch.models.utils.gpytorch_modules import get_covar_module_with_dim_scaled_prior
from botorch.utils.datasets import SupervisedDataset
from gpytorch.mlls import MarginalLogLikelihood
from resnext_search.results.statistics.pareto import pareto_front
from resnext_search.search.optimizer.acquisition import log_expected_gain
from resnext_search.search.surrogate.gaussian_process import GaussianProcess, Hyperparameters, fit
from resnext_search.search.surrogate.observations import Observations, Standardized
from resnext_search.spaces.search_space.knobs import Floats
from torch import Tensor

OUTCOME = "validation_error"


@dataclass
class Choice:
    """What passes between `Optimizer.ask` and the acquisition that Ax builds deep inside: choices in, one out."""

    places: Floats  # (m, d) candidates to choose from
    costs: Floats  # (m, k) their other objectives
    cost_deviations: Floats  # (m, k) of the logarithms of these, 0 where they are known
    observed_places: Floats  # (n, d) completed trials
    observed_costs: Floats  # (n, k) their other objectives, known
    pending_places: Floats  # (p, d) running trials, and stopped ones of which nothing can be said yet
    failed_places: Floats  # (f, d) failed trials
    best: int = -1  # position of the choice that was made


class BandAcquisition(Acquisition):
    """Scores the enumerated candidates, and nothing else.

    Overrides the two steps of Ax's `Acquisition` that would leave the band: instead of optimizing over a box, the
    expected gain of every candidate is computed in one batch and the largest taken.
    """

    def _instantiate_acquisition(self) -> None:
        # Ax wants some acquisition function to stand here; the choice is made in `optimize`
        self.acqf = LogExpectedImprovement(model=self._model, best_f=0.0, maximize=False)
        self.models_used = [self.surrogate.model_name_by_metric]
        self.acq_function_sequence = None

    def optimize(
        self, n: int, search_space_digest: SearchSpaceDigest, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Pick the candidate with the largest expected gain; ties go to the first.

        Returns:
            `(1, d)` tensor of the candidate, its `(1,)` log gain, and a weight of one.
        """
        choice: Choice = self.options["choice"]
        assert isinstance(self._model, Surrogate)
        process = self._model.process()
        errors = process.predict_mean(choice.observed_places)
        # trials that are dominated change nothing, and with three objectives cells are as many as their square
        front = pareto_front(np.column_stack([errors, choice.observed_costs]))
        mean, variance = _with_fantasies(process, choice.pending_places, choice.failed_places).predict(choice.places)
        gains = log_expected_gain(
            torch.tensor(mean),
            torch.tensor(variance).sqrt(),
            torch.tensor(choice.costs),
            torch.tensor(choice.cost_deviations),
            torch.tensor(errors[front]),
            torch.tensor(choice.observed_costs[front]),
            _reference(torch.tensor(errors)),
        )
        choice.best = int(gains.argmax())
        chosen = slice(choice.best, choice.best + 1)
        return torch.tensor(choice.places[chosen]), gains[chosen], torch.ones(1)


class BandGenerator:
    """Ax's generator over the features of the pool.

    Args:
        features: Their names; each lies in [0, 1].
    """

    def __init__(self, features: Sequence[str]) -> None:
        self.digest = SearchSpaceDigest(feature_names=list(features), bounds=[(0.0, 1.0)] * len(features))
        model = ModelConfig(botorch_model_class=Surrogate, input_transform_classes=None)
        self.generator = BoTorchGenerator(
            surrogate_spec=SurrogateSpec(model_configs=[model]),
            acquisition_class=BandAcquisition,
            botorch_acqf_class=LogExpectedImprovement,
            warm_start_refit=False,  # a fit must not depend on the fits before it, which a replay does not make
            use_p_feasible=False,
        )
        self._fitted: Standardized | None = None
        self._hyperparameters: dict[str, Tensor] = {}

    @property
    def surrogate(self) -> Surrogate:
        """The model that was fitted last."""
        model = self.generator.surrogate.model
        assert isinstance(model, Surrogate)
        return model

    def fit(self, observations: Observations) -> None:
        """Fit the model, or as much of it as these observations ask for; does nothing if they are the last ones."""
        to_fit, to_predict = observations.to_fit(), observations.to_predict()
        if self._fitted is None or not _same(self._fitted, to_fit):
            self.generator.fit([self._dataset(to_fit)], self.digest)
            self._fitted, self._hyperparameters = to_fit, dict(self.surrogate.state_dict())
        if not _same(to_fit, to_predict):
            dataset = self._dataset(to_predict)
            self.generator.fit([dataset], self.digest, state_dict=self._hyperparameters, refit=False)  # type: ignore[arg-type]
            self.surrogate.recenter()

    def choose(self, choice: Choice) -> int:
        """Position of the candidate that Ax proposes."""
        self.generator.acquisition_options = {"choice": choice}
        minimized = TorchOptConfig(objective_weights=torch.tensor([[-1.0]], dtype=torch.float64))
        self.generator.gen(n=1, search_space_digest=self.digest, torch_opt_config=minimized)
        return choice.best

    def _dataset(self, data: Standardized) -> SupervisedDataset:
        return SupervisedDataset(
            X=torch.tensor(data.places),
            Y=torch.tensor(data.outcomes)[:, None],
            Yvar=torch.tensor(data.variances)[:, None],
            feature_names=self.digest.feature_names,
            outcome_names=[OUTCOME],
        )


def _same(these: Standardized, those: Standardized) -> bool:
    return all(
        np.array_equal(getattr(these, name), getattr(those, name)) for name in ("places", "outcomes", "variances")
    )


def _with_fantasies(process: GaussianProcess, pending: Floats, failed: Floats) -> GaussianProcess:
    """The model as if running trials had ended as predicted, and failed ones as badly as the worst that did not."""
    if not len(pending) and not len(failed):
        return process
    outcomes = np.append(process.predict_mean(pending), np.full(len(failed), process.outcomes.max()))
    return process.conditioned(np.concatenate([pending, failed]), outcomes)


def _reference(errors: Tensor) -> float:
    """Error from which on a trial gains nothing: somewhat above the median of the trials so far.

    The worst trial would do too, but then cheap networks that hardly learn gain more than good ones.
    """
    return float(errors.median() + 0.1 * (errors.median() - errors.min()))


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
