"""How does Ax propose inside the FLOP band? Its generator, around a model and an acquisition of our own.

What of Ax and BoTorch decides a proposal: the kernel and the priors of BoTorch's standard Gaussian process, and Ax's
order of things (a surrogate is fitted, an acquisition function is built and its largest value taken). Ours are the fit
and the posterior, in closed form (`search/surrogate/gaussian_process.py`), the acquisition, evaluated exactly at every
candidate (`acquisition.py`), and the candidates themselves: the feasible set, which no continuous optimizer of an
acquisition can be held to. With BoTorch's own fit and posterior and Ax's adapter a proposal takes 0.7 to 1.2 s of one
core at 100 trials and 3,658 candidates, against 0.03 s.

Ax's client and adapter are not used: they keep a second record of every trial beside the journal, which takes 28 ms a
trial to make again, and transform all of it for every proposal (0.1 s at 100 trials, under a profiler).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from ax.core.search_space import SearchSpaceDigest
from ax.generators.torch.botorch_modular.acquisition import Acquisition
from ax.generators.torch.botorch_modular.generator import BoTorchGenerator
from ax.generators.torch.botorch_modular.surrogate import SurrogateSpec
from ax.generators.torch.botorch_modular.utils import ModelConfig
from ax.generators.torch_base import TorchOptConfig
from ax.utils.common.constants import Keys
from botorch.acquisition.acquisition import AcquisitionFunction
from botorch.acquisition.input_constructors import acqf_input_constructor
from botorch.models import SingleTaskGP
from botorch.models.utils.gpytorch_modules import get_covar_module_with_dim_scaled_prior
from botorch.utils.datasets import SupervisedDataset
from gpytorch.mlls import MarginalLogLikelihood
from resnext_search.results.statistics.pareto import pareto_front
from resnext_search.search.optimizer.acquisition import log_expected_hypervolume_improvement
from resnext_search.search.optimizer.methods import proposal_generator
from resnext_search.search.optimizer.state import AcquisitionProblem, SearchState
from resnext_search.search.surrogate.gaussian_process import GaussianProcess, Hyperparameters, fit, one_thread
from resnext_search.search.surrogate.observations import Observations, Standardized
from resnext_search.spaces.architecture.complexity import Floats
from resnext_search.spaces.search_space.objectives import ERROR
from torch import Tensor


class HypervolumeImprovement(AcquisitionFunction):
    """Our acquisition as a function of BoTorch's: of a candidate's position, since it has costs beside its features."""

    _log = True

    def __init__(self, model: Surrogate, problem: AcquisitionProblem) -> None:
        super().__init__(model)
        self.process, self.problem = model.process(), problem

    def forward(self, X: Tensor) -> Tensor:  # noqa: N803  BoTorch's name
        """`(b,)` tensor of the log expected hypervolume improvement at `(b, 1, 1)` positions, whole numbers."""
        problem, positions = self.problem, X.ravel().numpy()
        errors = self.process.predict_mean(problem.observed_features)
        # trials that are dominated change nothing, and with three objectives cells are as many as their square
        front = pareto_front(np.column_stack([errors, problem.observed_costs]))
        process = _with_fantasies(self.process, problem.pending_features, problem.failed_features)
        mean, variance = process.predict(problem.features[positions])
        return log_expected_hypervolume_improvement(
            torch.tensor(mean),
            torch.tensor(variance).sqrt(),
            torch.tensor(problem.costs[positions]),
            torch.tensor(problem.cost_deviations[positions]),
            torch.tensor(errors[front]),
            torch.tensor(problem.observed_costs[front]),
            _reference(torch.tensor(errors)),
        )


@acqf_input_constructor(HypervolumeImprovement)
def _inputs(model: Surrogate, problem: AcquisitionProblem) -> dict[str, Any]:
    """What Ax builds it from, of all that it offers."""
    return {"model": model, "problem": problem}


class FeasibleAcquisition(Acquisition):
    """Scores the enumerated candidates and nothing else: Ax's own step optimizes over a box, and leaves the band."""

    def optimize(
        self, n: int, search_space_digest: SearchSpaceDigest, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor, Tensor]:
        """`(1, 1)` position of the candidate with the largest `(1,)` acquisition, ties to the first; a weight of 1."""
        assert isinstance(self.acqf, HypervolumeImprovement)
        values = self.evaluate(torch.arange(len(self.acqf.problem.features))[:, None, None])
        best = values.argmax()[None]
        return best[:, None], values[best], torch.ones(1)


class AxMethod:
    """Proposes by Ax's generator over the features of the candidates."""

    def __init__(self) -> None:
        model = ModelConfig(botorch_model_class=Surrogate, input_transform_classes=None)
        self.generator = BoTorchGenerator(
            surrogate_spec=SurrogateSpec(model_configs=[model]),
            acquisition_class=FeasibleAcquisition,
            botorch_acqf_class=HypervolumeImprovement,
            warm_start_refit=False,  # a fit must not depend on the fits before it, which a replay does not make
            use_p_feasible=False,
        )
        self._fitted: Standardized | None = None
        self._hyperparameters: dict[str, Tensor] = {}

    def propose(self, state: SearchState) -> int:
        """The candidate with the largest acquisition, of all that were not tried or of a part of very many."""
        candidates = state.pool.sample(proposal_generator(state.seed, len(state.candidates)), state.tried)
        with one_thread():
            observed, observations = state.observe()
            self.fit(observations)
            return int(candidates[self.choose(state.problem(candidates, observed))])

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
            self.generator.fit([_dataset(to_fit)], _digest(to_fit.features))
            self._fitted, self._hyperparameters = to_fit, dict(self.surrogate.state_dict())
        if not _same(to_fit, to_predict):
            dataset, digest = _dataset(to_predict), _digest(to_predict.features)
            self.generator.fit([dataset], digest, state_dict=self._hyperparameters, refit=False)  # type: ignore[arg-type]
            self.surrogate.recenter()

    def choose(self, problem: AcquisitionProblem) -> int:
        """Position of the candidate that Ax proposes."""
        minimized = TorchOptConfig(
            objective_weights=torch.tensor([[-1.0]], dtype=torch.float64),
            model_gen_options={Keys.ACQF_KWARGS: {"problem": problem}},
        )
        return int(self.generator.gen(1, _digest(problem.features), minimized).points)


def _digest(features: Floats) -> SearchSpaceDigest:
    names = [f"feature_{number}" for number in range(features.shape[1])]
    return SearchSpaceDigest(feature_names=names, bounds=[(0.0, 1.0)] * len(names))


def _dataset(data: Standardized) -> SupervisedDataset:
    return SupervisedDataset(
        X=torch.tensor(data.features),
        Y=torch.tensor(data.outcomes)[:, None],
        Yvar=torch.tensor(data.variances)[:, None],
        feature_names=_digest(data.features).feature_names,
        outcome_names=[ERROR],
    )


def _same(these: Standardized, those: Standardized) -> bool:
    names = ("features", "outcomes", "variances")
    return all(np.array_equal(getattr(these, name), getattr(those, name)) for name in names)


def _with_fantasies(process: GaussianProcess, pending: Floats, failed: Floats) -> GaussianProcess:
    """The model as if running trials had ended as predicted, and failed ones as badly as the worst that did not."""
    if not len(pending) and not len(failed):
        return process
    outcomes = np.append(process.predict_mean(pending), np.full(len(failed), process.outcomes.max()))
    return process.conditioned(np.concatenate([pending, failed]), outcomes)


def _reference(errors: Tensor) -> float:
    """Error from which on a trial improves nothing: somewhat above the median of the `(n,)` trials so far.

    The worst trial would do too, but then cheap networks that hardly learn improve more than good ones.
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
