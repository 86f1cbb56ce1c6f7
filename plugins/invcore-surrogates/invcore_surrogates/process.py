"""The surrogate ``gaussian-process``."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from invcore.learning import (
    GaussianProcess,
    Parameters,
    Scaling,
    fit_process,
    has_embedding,
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
from invcore_surrogates.process_rows import ProcessConfig, ProcessRows
from invcore_surrogates.rows import inputs, prefixed
from invcore_surrogates.warping import Warp

_FEW, _MANY = 100, 300  # rows


class ProcessSurrogate(SurrogateModel[ProcessConfig]):
    """A Gaussian process of each response over the designs' features and what is known.

    Responses are taken for independent of each other, given the designs. ``weights`` divide the
    noise of rows, ``noise`` is added to it; ``groups`` make no difference, since no row is held
    out. Of more than 25 features it sees the principal components. Beside up to 25 it sees
    curves of them, where these make it better: responses often change faster at one end of a
    range.

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

    Config = ProcessConfig
    uses_context = True

    def fit(
        self, problem: Problem, pairs: Pairs, env: FitEnvironment, *,
        weights: Tensor | None = None, noise: Tensor | None = None, groups: Tensor | None = None,
    ) -> FittedProcess:  # fmt: skip
        """Find lengths and noise, and solve for the rows."""
        rows = ProcessRows.of(problem, pairs, env, weights, noise)
        with env.progress.stage("gaussian process"):
            process, rows = rows.fit(self.config, env.generator("rows"))
        return FittedProcess(process, rows.scaling, rows.principal, rows.warp, rows.typical)

    def refit(
        self, problem: Problem, pairs: Pairs, env: FitEnvironment, start: FittedSurrogate | None, *,
        weights: Tensor | None = None, noise: Tensor | None = None, groups: Tensor | None = None,
    ) -> FittedProcess:  # fmt: skip
        """Find lengths and noise from where those of fewer rows were; the warp stays."""
        if not isinstance(start, FittedProcess):
            return self.fit(problem, pairs, env, weights=weights, noise=noise, groups=groups)
        rows = ProcessRows.of(problem, pairs, env, weights, noise)
        rows = rows if start.warp is not None else replace(rows, warp=None)
        if rows.x.shape[1] != start.parameters.length.shape[1]:
            return self.fit(problem, pairs, env, weights=weights, noise=noise, groups=groups)
        process = fit_process(
            self.config, rows.x, rows.y, noise=rows.noise, extra=rows.extra,
            generator=env.generator("rows"), start=start.parameters,
        )  # fmt: skip
        return FittedProcess(process, rows.scaling, rows.principal, rows.warp, rows.typical)

    def held_out(
        self, problem: Problem, pairs: Pairs, env: FitEnvironment, folds: Tensor, *,
        weights: Tensor | None = None, noise: Tensor | None = None,
        fitted: FittedSurrogate | None = None,
    ) -> Prediction:  # fmt: skip
        """Predictions by processes that did not see the fold.

        Up to 100 rows each fold's process is tuned anew; up to 300 with 15 steps from the
        parameters of the whole one, and beyond that not at all, since they hardly depend on a fold.
        What was chosen for all rows, as the warp, stays. Where many categories are embedded, each
        fold has a fit of its own: an embedding knows the responses of its rows.

        Raises:
            DataError: a response that is known in one fold alone.
        """
        if has_embedding(problem.designs):
            return super().held_out(problem, pairs, env, folds, weights=weights, noise=noise)
        if not isinstance(fitted, FittedProcess):
            fitted = self.fit(problem, pairs, env, weights=weights, noise=noise)
        start = fitted.parameters if len(pairs) > _FEW else None
        steps = (15 if len(pairs) <= _MANY else 0) if start else None
        rows = ProcessRows.of(problem, pairs, env, weights, noise)
        rows = rows if fitted.warp is not None else replace(rows, warp=None)
        mean, variance = torch.empty_like(rows.y), torch.empty_like(rows.y)
        for fold in folds.unique().tolist():
            out = (folds == fold).to(rows.x.device)
            rest = rows[~out]
            process = fit_process(
                self.config, rest.x, rest.y, noise=rest.noise, extra=rest.extra,
                generator=env.generator("rows", fold), start=start, steps=steps,
            )  # fmt: skip
            mean[out], variance[out] = process.predict(rows[out].x)
        y = rows.scaling.y
        scale = y.scale.to(variance)
        device = pairs.y.device
        return Prediction(y.inverse(mean).to(device), (variance * scale**2).to(device))

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> FittedProcess:
        """Solve for the rows again."""
        scaling = Scaling.restore(problem.designs, substate(state, "scaling."))
        process = GaussianProcess.restore(self.config.kernel, substate(state, "process."))
        principal, warp = (substate(state, f"{name}.") for name in ("principal", "warp"))
        return FittedProcess(
            process, scaling, Principal(**principal) if principal else None,
            Warp(**warp) if warp else None, state["typical"],
        )  # fmt: skip


class FittedProcess(FittedSurrogate):
    """A Gaussian process with its scaling.

    Args:
        process: of scaled features and responses.
        scaling: of both.
        principal: components of the features that it sees; None: the features.
        warp: what stands beside the features; None: nothing.
        typical: (Dy,), variance of the noise that was known of measurements, in scaled units.
    """

    def __init__(
        self, process: GaussianProcess, scaling: Scaling, principal: Principal | None,
        warp: Warp | None, typical: Tensor,
    ) -> None:  # fmt: skip
        self._process, self._scaling, self._principal = process, scaling, principal
        self.warp, self._typical = warp, typical

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
        features = features if self._principal is None else self._principal(features)
        return features if self.warp is None else self.warp(features)

    def state(self) -> dict[str, Tensor]:
        """Rows, parameters and scaling."""
        state = prefixed("process.", self._process.state()) | {"typical": self._typical}
        if self._principal is not None:
            state |= prefixed("principal.", self._principal.state())
        if self.warp is not None:
            state |= prefixed("warp.", self.warp.state())
        return state | prefixed("scaling.", self._scaling.state())
