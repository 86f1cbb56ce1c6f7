"""The surrogate ``gaussian-process``."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.learning import (
    GaussianProcess,
    GaussianProcessConfig,
    Parameters,
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
from invcore_surrogates.principal import Principal
from invcore_surrogates.rows import inputs, prefixed

_FEATURES = 25  # of more, principal components
_FEW, _MANY = 100, 300  # rows


class ProcessSurrogate(SurrogateModel[GaussianProcessConfig]):
    """A Gaussian process of each response over the designs' features and what is known.

    Responses are taken for independent of each other, given the designs. ``weights`` divide the
    noise of rows, ``noise`` is added to it; ``groups`` make no difference, since no row is held
    out. Of more than 25 features it sees the principal components.

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
        rows = _rows(problem, pairs, env, weights, noise)
        with env.progress.stage("gaussian process"):
            process = fit_process(
                self.config, rows.x, rows.y, noise=rows.noise, extra=rows.extra,
                generator=env.generator("rows"),
            )  # fmt: skip
        return FittedProcess(process, rows.scaling, rows.principal, rows.typical)

    def held_out(
        self, problem: Problem, pairs: Pairs, env: FitEnvironment, folds: Tensor, *,
        weights: Tensor | None = None, noise: Tensor | None = None,
        fitted: FittedSurrogate | None = None,
    ) -> Prediction:  # fmt: skip
        """Predictions by processes that did not see the fold.

        Up to 100 rows each fold's process is tuned anew; up to 300 with 15 steps from the
        parameters of the whole one, and beyond that not at all, since they hardly depend on a fold.

        Raises:
            DataError: a response that is known in one fold alone.
        """
        start: Parameters | None = None
        if len(pairs) > _FEW:
            if not isinstance(fitted, FittedProcess):
                fitted = self.fit(problem, pairs, env, weights=weights, noise=noise)
            start = fitted.parameters
        steps = (15 if len(pairs) <= _MANY else 0) if start else None
        rows = _rows(problem, pairs, env, weights, noise)
        mean, variance = torch.empty_like(rows.y), torch.empty_like(rows.y)
        for fold in folds.unique().tolist():
            out = (folds == fold).to(rows.x.device)
            factor, extra = (
                None if part is None else part[~out] for part in (rows.noise, rows.extra)
            )
            process = fit_process(
                self.config, rows.x[~out], rows.y[~out], noise=factor, extra=extra,
                generator=env.generator("rows", fold), start=start, steps=steps,
            )  # fmt: skip
            mean[out], variance[out] = process.predict(rows.x[out])
        y = rows.scaling.y
        scale = y.scale.to(variance)
        device = pairs.y.device
        return Prediction(y.inverse(mean).to(device), (variance * scale**2).to(device))

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> FittedProcess:
        """Solve for the rows again."""
        scaling = Scaling.restore(problem.designs, substate(state, "scaling."))
        process = GaussianProcess.restore(self.config.kernel, substate(state, "process."))
        principal = substate(state, "principal.")
        return FittedProcess(
            process, scaling, Principal(**principal) if principal else None, state["typical"]
        )


class FittedProcess(FittedSurrogate):
    """A Gaussian process with its scaling.

    Args:
        process: of scaled features and responses.
        scaling: of both.
        principal: components of the features that it sees; None: the features.
        typical: (Dy,), variance of the noise that was known of measurements, in scaled units.
    """

    def __init__(
        self, process: GaussianProcess, scaling: Scaling, principal: Principal | None,
        typical: Tensor,
    ) -> None:  # fmt: skip
        self._process, self._scaling, self._principal = process, scaling, principal
        self._typical = typical

    @property
    def parameters(self) -> Parameters:
        """Of the processes of scaled responses."""
        return self._process.parameters

    @property
    def noise(self) -> Tensor:
        """Variance of a measurement of usual weight (Dy,): what was found, and what was known."""
        variance = self._process.noise + self._typical
        return variance * self._scaling.y.scale.to(variance) ** 2

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
        features = inputs(self._scaling, x, context).to(self._process.x.device)
        return features if self._principal is None else self._principal(features)

    def state(self) -> dict[str, Tensor]:
        """Rows, parameters and scaling."""
        state = prefixed("process.", self._process.state()) | {"typical": self._typical}
        if self._principal is not None:
            state |= prefixed("principal.", self._principal.state())
        return state | prefixed("scaling.", self._scaling.state())


@dataclass(frozen=True)
class _Rows:
    """Inputs (N, F), responses (N, Dy), factors of their noise and further variance of it."""

    scaling: Scaling
    principal: Principal | None
    x: Tensor
    y: Tensor
    noise: Tensor | None
    extra: Tensor | None

    @property
    def typical(self) -> Tensor:
        """The further variance (Dy,) of half of the rows is at most this."""
        zero = torch.zeros(self.y.shape[1]).to(self.y)
        return zero if self.extra is None else self.extra.median(dim=0).values


def _rows(
    problem: Problem, pairs: Pairs, env: FitEnvironment, weights: Tensor | None,
    noise: Tensor | None,
) -> _Rows:  # fmt: skip
    """Rows as a process sees them."""
    pairs = Pairs(pairs.x.double(), pairs.y.double(), pairs.context).to(env.device)
    scaling = Scaling.fit(problem.designs, pairs)
    scale = scaling.y.scale.to(env.device)
    extra = None if noise is None else noise.double().to(env.device).nan_to_num(0.0) / scale**2
    shares = None if weights is None else weights.double().to(env.device)
    if shares is not None:
        shares = (shares.mean() / shares)[:, None].expand(-1, pairs.y.shape[1])
    x = inputs(scaling, pairs.x, pairs.context)
    principal = Principal.of(x, _FEATURES) if x.shape[1] > _FEATURES else None
    x = x if principal is None else principal(x)
    return _Rows(scaling, principal, x, scaling.y(pairs.y), shares, extra)
