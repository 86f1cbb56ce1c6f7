"""Rows as the surrogate ``gaussian-process`` sees them, and whether it warps their features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from invcore.learning import GaussianProcess, GaussianProcessConfig, Scaling, fit_process
from invcore.plugin import Field, FitEnvironment, Pairs, Problem
from invcore_surrogates.principal import Principal
from invcore_surrogates.rows import inputs
from invcore_surrogates.warping import Warp, numbers

_FEATURES = 25  # of more, principal components
_DECIDING = 300  # rows, at most, that decide about the warp
_FOLDS = 20
_MARGIN = 2.0  # of the logarithm of a mean square, over the number of rows
_NOTHING = 1e-6  # a mean square, in variances of the response, that none need fall below


class ProcessConfig(GaussianProcessConfig):
    """Settings of the surrogate ``gaussian-process``."""

    warp: Literal["none", "log", "auto"] = Field(
        "auto", description="none: features as they are; log: beside each number two curves, each "
        "steep at one end of its range, as logarithms; auto: these where they predict rows better "
        "that are left out, of at most 300.",
    )  # fmt: skip


@dataclass(frozen=True)
class ProcessRows:
    """What a process is fitted to.

    Args:
        scaling: of designs and responses.
        principal: components of the features; None: the features.
        warp: what may stand beside the features; None: nothing.
        features: (N, F), or their components.
        y: (N, Dy).
        noise: (N, Dy), factors of the common noise; None: 1.
        extra: (N, Dy), further variance of the noise; None: 0.
    """

    scaling: Scaling
    principal: Principal | None
    warp: Warp | None
    features: Tensor
    y: Tensor
    noise: Tensor | None
    extra: Tensor | None

    @classmethod
    def of(
        cls, problem: Problem, pairs: Pairs, env: FitEnvironment, weights: Tensor | None,
        noise: Tensor | None,
    ) -> ProcessRows:  # fmt: skip
        """The rows of pairs, with a warp where one is possible."""
        pairs = Pairs(pairs.x.double(), pairs.y.double(), pairs.context).to(env.device)
        scaling = Scaling.fit(problem.designs, pairs)
        scale = scaling.y.scale.to(env.device)
        extra = None if noise is None else noise.double().to(env.device).nan_to_num(0.0) / scale**2
        shares = None if weights is None else weights.double().to(env.device)
        if shares is not None:
            shares = (shares.mean() / shares)[:, None].expand(-1, pairs.y.shape[1])
        x, warp = inputs(scaling, pairs.x, pairs.context), None
        principal = Principal.of(x, _FEATURES) if x.shape[1] > _FEATURES else None
        if principal is None:
            warp = Warp.of(x, numbers(scaling, x.shape[1]))
        else:
            x = principal(x)
        return cls(scaling, principal, warp, x, scaling.y(pairs.y), shares, extra)

    @property
    def x(self) -> Tensor:
        """What the process sees (N, F)."""
        return self.features if self.warp is None else self.warp(self.features)

    @property
    def typical(self) -> Tensor:
        """The further variance (Dy,) of half of the rows is at most this."""
        zero = torch.zeros(self.y.shape[1]).to(self.y)
        return zero if self.extra is None else self.extra.median(dim=0).values

    def __getitem__(self, which: Tensor) -> ProcessRows:
        noise, extra = (None if part is None else part[which] for part in (self.noise, self.extra))
        return replace(
            self, features=self.features[which], y=self.y[which], noise=noise, extra=extra
        )

    def fit(
        self, config: ProcessConfig, generator: torch.Generator
    ) -> tuple[GaussianProcess, ProcessRows]:
        """A process of the rows, and the rows with the warp that was chosen for it."""
        plain = replace(self, warp=None)
        if self.warp is None or config.warp != "auto":
            rows = plain if config.warp == "none" else self
            return _fitted(config, rows, generator), rows
        few = torch.arange(len(self.y))
        if len(few) > _DECIDING:
            drawn = torch.randperm(len(few), generator=generator)[:_DECIDING]
            few = drawn.sort().values
        few = few.to(self.y.device)
        if bool(self.y[few].isnan().all(dim=0).any()):
            return _fitted(config, plain, generator), plain
        tried = [(_fitted(config, rows[few], generator), rows) for rows in (plain, self)]
        plain_error, error = (_left_out_error(*each, few) for each in tried)
        process, rows = tried[error < plain_error - _MARGIN / len(few)]
        if len(few) < len(self.y):
            start = process.parameters
            process = fit_process(
                config, rows.x, rows.y, noise=rows.noise, extra=rows.extra, generator=generator,
                start=start,
            )  # fmt: skip
        return process, rows


def _fitted(
    config: ProcessConfig, rows: ProcessRows, generator: torch.Generator
) -> GaussianProcess:
    return fit_process(
        config, rows.x, rows.y, noise=rows.noise, extra=rows.extra, generator=generator
    )


def _left_out_error(process: GaussianProcess, rows: ProcessRows, which: Tensor) -> float:
    """Mean over responses of the logarithm of the mean square at rows that are left out."""
    known = rows[which]
    design = known.features.unique(dim=0, return_inverse=True)[1]  # replicates go together
    if len(process.y) != len(design):  # fewer rows than these were asked for
        design = process.x.unique(dim=0, return_inverse=True)[1]
    mean, _ = process.left_out(design % _FOLDS)
    off = (mean - process.y).square()
    share = torch.ones_like(off) if known.noise is None else 1 / known.noise[: len(off)]
    share = torch.where(off.isnan(), 0.0, share)
    return float(((share * off.nan_to_num(0.0)).sum(0) / share.sum(0) + _NOTHING).log().mean())
