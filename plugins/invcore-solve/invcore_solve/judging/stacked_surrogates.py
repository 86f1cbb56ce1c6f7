"""The judge ``stacked-surrogates``: how it is fitted to a table, and restored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from invcore.learning import substate
from invcore.pipeline import build
from invcore.plugin import (
    ConfigError,
    DataError,
    FitEnvironment,
    FittedSurrogate,
    Judge,
    Pairs,
    Problem,
    Space,
    Splits,
    SurrogateModel,
    Variable,
    installed,
)
from invcore_solve.judging.config import StackedConfig
from invcore_solve.judging.error_scale import fit_scale, spread_features
from invcore_solve.judging.fitted_stack import (
    Calibration,
    FittedStack,
    KnownRows,
    combine,
    restore_stack,
)
from invcore_solve.judging.logarithms import learnt_as_logarithms
from invcore_solve.judging.replicates import folds, replicate_noise, same_designs
from invcore_solve.judging.response_codes import ResponseCodes
from invcore_solve.judging.selection import pick_weights
from invcore_solve.judging.stacking import stacking_weights
from invcore_solve.judging.threads import one_thread
from invcore_solve.typicality.neighbourhood import Neighbourhood

Numbers = npt.NDArray[np.float64]
Models = Mapping[str, SurrogateModel[Any]]

_LEAST = 1e-9  # share of an error's variance that is noise where nothing tells of any
_NOISE = 0.8  # most of the mean squared error of held-out rows that is noise of measurement


class StackedSurrogates(Judge[StackedConfig]):
    """Surrogates of several kinds, stacked; errors from held-out rows as a ranking picks them.

    Every row takes part: each is predicted by fits that did not see it, nor any row of its design
    or group. These predictions give the members' weights, the scale of the error (from variance
    and disagreement, never under the measurements' noise) and its quantile, which is taken over
    the rows that a replayed ranking picks, since a design that is chosen for its prediction is
    farther off than a row at random.

    References:
        Breiman, Stacked regressions, Machine Learning 24, 1996.
        Lei, G'Sell, Rinaldo, Tibshirani, Wasserman, JASA 2018, https://arxiv.org/abs/1604.04173.

    Args:
        config: its settings.
        surrogates: further members by name, of one's own.
    """

    Config = StackedConfig

    def __init__(
        self, config: StackedConfig | None = None, surrogates: Models | None = None
    ) -> None:
        super().__init__(config)
        self._own = dict(surrogates or {})

    def members(self) -> dict[str, SurrogateModel[Any]]:
        """The surrogates by name."""
        plugins, settings = installed(), self.config.member_settings
        named = {
            name: build(plugins, "surrogate", name, settings.get(name)).component
            for name in self.config.members
        }
        return named | self._own

    def fit(
        self, problem: Problem, data: Splits, env: FitEnvironment,
        start: FittedStack | None = None,
    ) -> FittedStack:  # fmt: skip
        """Learn from all rows of the three parts.

        Args:
            problem: the spaces.
            data: the rows.
            env: seeds and progress.
            start: a judge of fewer rows of the same table, from which its members start.

        Raises:
            DataError: fewer than four different designs, or a response that is hardly known.
        """
        with one_thread():
            return self._fit(problem, data.pairs, env, start)

    def _fit(
        self, problem: Problem, pairs: Pairs, env: FitEnvironment, start: FittedStack | None
    ) -> FittedStack:
        pairs = pairs.to(torch.device("cpu"), torch.float64)
        x, y = pairs.x.numpy(), pairs.y.numpy()
        design, group = same_designs(x), pairs.together().numpy()
        if int(group.max()) < 3:
            raise DataError(
                "a judge needs four different designs, or groups of rows, to hold some out"
            )
        fold = folds(group, np.random.default_rng(env.derive("folds")))
        models = self.members()
        logs = learnt_as_logarithms(self.config.logarithms, problem, pairs, fold, env)
        logs |= np.isin(problem.responses.names, self.config.positive) & (np.nanmin(y, axis=0) > 0)
        codes = ResponseCodes.of(y, logs)
        coded = _coded(pairs, codes)
        work = _Stack(problem, pairs, coded, codes, design, fold)
        return work.fit(models, env, self.config.coverage, start)

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> FittedStack:
        """The judge that ``state`` came from."""
        codes = ResponseCodes.restore(substate(state, "codes."))
        coded, models = _code_problem(problem, codes), self.members()
        if len(models) != len(state["weights"]):
            raise ConfigError(
                f"this judge has {len(state['weights'])} surrogates, {len(models)} are given "
                f"({', '.join(models)}); give those of one's own too: surrogates={{name: model}}"
            )
        members = [
            model.restore(coded, substate(state, f"{i}."))
            for i, model in enumerate(models.values())
        ]
        return restore_stack(
            state, members, [*models], codes, self.config.coverage, problem.designs
        )


def _code_problem(problem: Problem, codes: ResponseCodes) -> Problem:
    names = [f"code {i + 1}" for i in range(len(codes.loadings))]
    return Problem(problem.name, problem.designs, Space.of(*(Variable(name=n) for n in names)))


def _coded(pairs: Pairs, codes: ResponseCodes) -> Pairs:
    """The pairs with codes in place of responses."""
    facts = pairs.facts
    if pairs.noise is not None:
        slope = np.where(codes.logs, 1 / np.maximum(pairs.y.numpy(), 1e-300), 1.0) / codes.scale
        noise = pairs.noise.numpy() * np.square(slope)
        noise = noise @ np.square(codes.loadings).T if codes.curve else noise
        facts["noise"] = torch.from_numpy(noise)
    return Pairs(pairs.x, torch.from_numpy(codes.encode(pairs.y.numpy())), None, **facts)


class _Stack:
    """The work of fitting: rows in codes, and what follows from predictions of held-out rows."""

    def __init__(
        self, problem: Problem, pairs: Pairs, coded: Pairs, codes: ResponseCodes,
        design: npt.NDArray[np.intp], fold: npt.NDArray[np.intp],
    ) -> None:  # fmt: skip
        self.problem, self.pairs, self.coded, self.codes = problem, pairs, coded, codes
        self.design, self.fold = design, torch.from_numpy(fold)
        count = len(design)
        weights = np.ones(count) if pairs.weights is None else pairs.weights.numpy()
        self.row_weights = weights / weights.sum()

    def fit(
        self, models: Models, env: FitEnvironment, coverage: float, start: FittedStack | None
    ) -> FittedStack:
        """Fit the members, then weights, scale, quantile and known rows."""
        problem, coded = _code_problem(self.problem, self.codes), self.coded
        before = {} if start is None else dict(zip(start.names, start.members, strict=True))
        members, means, variances = [], [], []
        with env.progress.stage("judge", 2 * len(models)) as stage:
            for name, model in models.items():
                facts = {"weights": coded.weights, "noise": coded.noise}
                fitted = model.refit(
                    problem, coded, env, before.get(name), **facts, groups=coded.groups
                )
                stage.advance(1)
                said = model.held_out(problem, coded, env, self.fold, fitted=fitted, **facts)
                stage.advance(1)
                members.append(fitted)
                means.append(said.mean.numpy())
                variances.append(said.std.square().numpy())
        mean, variance = np.stack(means), np.stack(variances)  # (M, N, C)
        weights, coefficients = self._weigh(mean, variance)
        floor = self._noise(np.einsum("mnc,mc->nc", mean, weights))
        code, spread = combine(mean, variance, weights, coefficients, floor, self.codes.zero)
        y = self.pairs.y.numpy()
        response, s = self.codes.decode(code), self.codes.spread(code, spread)
        calibration = self._calibrate(response, s, env)
        each = np.stack([self.codes.decode(m) for m in mean] + [response])
        known = self._known(code, spread, np.maximum(floor, self._guessed_noise(members, code)))
        return FittedStack(
            tuple(members), tuple(models), self.codes, weights, coefficients, floor, calibration,
            known, coverage, each, y, Neighbourhood.of(self.problem.designs, known.x),
        )  # fmt: skip

    def _noise(self, code: Numbers) -> Numbers:
        """Standard deviation of measurements in codes (C,), as replicates tell; else zero.

        A few replicates may tell anything; held-out predictions (N, C) are off by the noise and
        more, so that the noise is no larger than most of their mean square.
        """
        noise = replicate_noise(self.design, self.coded.y.numpy())
        off = np.nanmean(np.square(self.coded.y.numpy() - code), axis=0)
        return np.sqrt(np.minimum(np.nan_to_num(noise), _NOISE * off))

    def _guessed_noise(self, members: list[FittedSurrogate], code: Numbers) -> Numbers:
        """Standard deviation of measurements in codes (C,), as members see it.

        It serves designs that were measured, where nothing better tells how far another
        measurement may be.
        """
        seen = [member.noise.numpy() for member in members if member.noise is not None]
        if not seen:
            return np.zeros(code.shape[1])
        off = np.nanmean(np.square(self.coded.y.numpy() - code), axis=0)
        return np.sqrt(np.minimum(np.max(seen, axis=0), _NOISE * off))

    def _weigh(self, mean: Numbers, variance: Numbers) -> tuple[Numbers, Numbers]:
        """Weights (M, C) and coefficients of the scale (C, 3)."""
        y = self.coded.y.numpy()
        weights, coefficients = np.empty((len(mean), y.shape[1])), np.empty((y.shape[1], 4))
        for c in range(y.shape[1]):
            known = ~np.isnan(y[:, c])
            share = self.row_weights[known] / self.row_weights[known].sum()
            own = mean[:, known, c]
            weights[:, c] = stacking_weights(own, y[known, c], share)
            zero = float(self.codes.zero[c])
            features = spread_features(own, variance[:, known, c], weights[:, c], zero)
            residuals = y[known, c] - weights[:, c] @ own
            coefficients[c] = fit_scale(residuals, features, share)
        return weights, coefficients

    def _calibrate(self, response: Numbers, s: Numbers, env: FitEnvironment) -> Calibration:
        """Residuals over their scale, and how often a ranking picks each row."""
        y = self.pairs.y.numpy()
        residuals = (y - response) / s
        some = ~np.isnan(y).all(axis=1)
        filled = np.where(np.isnan(y), response, y)[some]
        scale = np.where(filled.std(axis=0) > 0, filled.std(axis=0), 1.0)
        rng = np.random.default_rng(env.derive("selection"))
        picks = pick_weights(response[some], s[some], filled, scale, rng)
        return Calibration(residuals[some], picks)

    def _known(self, code: Numbers, spread: Numbers, floor: Numbers) -> KnownRows:
        """Predictions without a design's rows and its measurements, combined by their variances.

        The noise is taken to be the same share of the error everywhere, so that where errors grow
        with the response it does too.
        """
        y, design = self.coded.y.numpy(), self.design
        count = int(design.max()) + 1
        number = np.stack([np.bincount(design[k], minlength=count) for k in (~np.isnan(y)).T], 1)
        total = np.stack([np.bincount(design, np.nan_to_num(c), count) for c in y.T], 1)
        first = np.unique(design, return_index=True)[1]
        mean, s = code[first], spread[first]  # rows of a design share their fold
        share = np.clip(np.square(floor) / np.square(spread).mean(axis=0), _LEAST, _NOISE)
        noise, latent = share * np.square(s), (1 - share) * np.square(s)
        certainty = number / noise + 1 / latent
        combined = (total / noise + mean / latent) / certainty
        around = np.sqrt(1 / certainty + noise)
        x = self.pairs.x.numpy()[first]
        true = np.sqrt(1 / certainty)
        return KnownRows(
            x, self.codes.decode(combined), self.codes.spread(combined, around),
            self.codes.spread(combined, true),
        )  # fmt: skip
