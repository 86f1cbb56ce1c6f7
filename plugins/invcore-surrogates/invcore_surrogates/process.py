"""The surrogate ``gaussian-process``."""

from __future__ import annotations

import torch
from torch import Tensor

from invcore.learning import (
    GaussianProcess,
    GaussianProcessConfig,
    Scaling,
    fit_process,
    substate,
)
from invcore.numerics import row_jacobian
from invcore.plugin import (
    Context,
    FitEnvironment,
    FittedSurrogate,
    Pairs,
    Prediction,
    Problem,
    SurrogateModel,
)


class ProcessSurrogate(SurrogateModel[GaussianProcessConfig]):
    """A Gaussian process of each response over the designs' features and what is known.

    Responses are taken for independent of each other, given the designs. ``weights`` divide the
    noise of rows, ``noise`` is added to it; ``groups`` make no difference, since no row is held
    out.

    References:
        Rasmussen, Williams, Gaussian processes for machine learning, MIT Press 2006.

    Example:
        >>> from invcore.plugin import Space, Uniform, Variable
        >>> designs = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=1.0)))
        >>> problem = Problem("sine", designs, Space.of(Variable(name="y")))
        >>> x = torch.linspace(0, 1, 12, dtype=torch.float64)[:, None]
        >>> fitted = ProcessSurrogate().fit(problem, Pairs(x, (6 * x).sin()), FitEnvironment())
        >>> bool((fitted.predict(x).mean - (6 * x).sin()).abs().max() < 0.01)
        True
    """

    Config = GaussianProcessConfig
    uses_context = True

    def fit(
        self, problem: Problem, pairs: Pairs, env: FitEnvironment, *,
        weights: Tensor | None = None, noise: Tensor | None = None, groups: Tensor | None = None,
    ) -> FittedProcess:  # fmt: skip
        """Find lengths and noise, and solve for the rows."""
        pairs = Pairs(pairs.x.double(), pairs.y.double(), pairs.context).to(env.device)
        scaling = Scaling.fit(problem.designs, pairs)
        scale = scaling.y.scale.to(env.device)
        extra = None if noise is None else noise.to(env.device) / scale**2
        shares = None if weights is None else weights.double().to(env.device)
        if shares is not None:
            shares = (shares.mean() / shares)[:, None].expand(-1, pairs.y.shape[1])
        x, y = _inputs(scaling, pairs.x, pairs.context), scaling.y(pairs.y)
        generator = env.generator("rows")
        with env.progress.stage("gaussian process"):
            process = fit_process(self.config, x, y, noise=shares, extra=extra, generator=generator)
        return FittedProcess(process, scaling)

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> FittedProcess:
        """Solve for the rows again."""
        scaling = Scaling.restore(problem.designs, substate(state, "scaling."))
        process = GaussianProcess.restore(self.config.kernel, substate(state, "process."))
        return FittedProcess(process, scaling)


class FittedProcess(FittedSurrogate):
    """A Gaussian process with its scaling."""

    def __init__(self, process: GaussianProcess, scaling: Scaling) -> None:
        self._process, self._scaling = process, scaling

    @torch.no_grad()
    def predict(self, x: Tensor, context: Context | None = None) -> Prediction:
        """Mean and variance of the processes, without the noise of measurements."""
        mean, variance = self._process.predict(self._inputs(x, context))
        y = self._scaling.y
        scale = y.scale.to(mean)
        return Prediction(y.inverse(mean).to(x.device), (variance * scale**2).to(x.device))

    def gradient(self, x: Tensor, context: Context | None = None) -> Tensor:
        """Slopes of the means."""

        def mean(x: Tensor) -> Tensor:
            return self._scaling.y.inverse(self._process.predict(self._inputs(x, context))[0])

        return row_jacobian(mean, x.double()).to(x.device)

    def _inputs(self, x: Tensor, context: Context | None) -> Tensor:
        return _inputs(self._scaling, x, context).to(self._process.x.device)

    def state(self) -> dict[str, Tensor]:
        """Rows, parameters and scaling."""
        state = {f"process.{name}": value for name, value in self._process.state().items()}
        state |= {f"scaling.{name}": value for name, value in self._scaling.state().items()}
        return {name: value.contiguous() for name, value in state.items()}


def _inputs(scaling: Scaling, x: Tensor, context: Context | None) -> Tensor:
    """Features of designs, scaled, and of what is known (N, F + C), float64."""
    features = scaling.x(scaling.designs.encode(x.double()))
    known = scaling.context_features(context, len(x)).double().to(features.device)
    return torch.cat([features, known], dim=1)
