"""How does Ax propose inside the FLOP band? Its generator, with an acquisition that scores the candidates alone.

The only file that imports Ax. It uses Ax's `BoTorchGenerator` (model, acquisition, generation) and neither its `Client`
nor its adapter: those keep a second record of every trial beside the journal, which takes 28 ms a trial to make again,
and transform all of it for every proposal (0.1 s at 100 trials, under a profiler).
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
from botorch.utils.datasets import SupervisedDataset
from resnext_search.results.pareto import pareto_front
from resnext_search.search.expected_gain import log_expected_gain
from resnext_search.search.gaussian_process import GaussianProcess
from resnext_search.search.observations import Observations, Standardized
from resnext_search.search.surrogate import Surrogate
from resnext_search.spaces.knobs import Floats
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
