"""What is known before rows are asked for: surrogates, fitted to all that was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from invcore_closed_loop.arrays import Array, Flags, Places
from invcore_closed_loop.memory.knowledge import Knowledge
from invcore_closed_loop.memory.told import Told
from invcore_closed_loop.problem.aims import SurrogateAims
from invcore_closed_loop.steps.improvement import SAMPLES
from invcore_closed_loop.surrogates.chance import Chance
from invcore_closed_loop.surrogates.components import Components
from invcore_closed_loop.surrogates.network import trained_network
from invcore_closed_loop.surrogates.process import Limits
from invcore_closed_loop.surrogates.response_surrogate import ResponseSurrogate

if TYPE_CHECKING:
    from invcore_closed_loop.started import StartedClosedLoop

PRIOR = 2000
"""Draws of the prior that searches start from."""

_NETWORK, _RETRAINED = 300, 2.0  # rows from which a network is tried, and growth until it is again
_BETTER = 0.7  # times the process's error: below, a network is better
_NOISY = Limits(most_noise=1.0, kernels=("matern",))  # what is measured is seldom very smooth
_MOST_SORTED = 1 << 22  # errors that are sorted at once
_MOST_EXPECTED = 100_000  # targets times rows whose errors are sampled


class Survey:
    """Fits surrogates to what a loop was told.

    Args:
        loop: at work.
    """

    def __init__(self, loop: StartedClosedLoop) -> None:
        self._loop = loop
        self._prior: Array | None = None

    @property
    def prior(self) -> Array:
        """Coordinates (P, D) of draws from the prior, always the same."""
        if self._prior is None:
            generator = torch.Generator().manual_seed(self._loop.seed % (1 << 62) + 1)
            self._prior = self._loop.coordinates.drawn(PRIOR, generator)
        return self._prior

    def __call__(self, random: np.random.Generator, tune: bool = True) -> Knowledge:
        """What is known now, with rows that are pending as they are expected to be."""
        loop, told, asked = self._loop, self._loop.told, self._loop.asked
        rows, noisy = self._rows(), loop.noisy
        context = loop.contexts.of_rows(told.owner)
        limits = _NOISY if noisy else Limits()
        unit = None if loop.aims.exact else loop.aims.spread

        def fitted(u: Array, context: Array, y: Array, tune: bool) -> ResponseSurrogate:
            return ResponseSurrogate(
                loop.coordinates, u, context, y, loop.tuning, random, limits, unit=unit, tune=tune,
                network=loop.network,
            )  # fmt: skip

        surrogate = fitted(told.u[rows], context[rows], told.y[rows], tune)
        if tune and self._network_is_due():
            self._train(surrogate, context)
            surrogate = fitted(told.u[rows], context[rows], told.y[rows], tune)
        partial = np.nonzero(~told.whole & ~told.failed)[0]
        y, errors = told.y, loop.errors
        if len(partial) or len(asked) or noisy:
            own = loop.contexts.of_rows(asked.target)
            y = told.y.copy()
            lacking = surrogate.responses(told.u[partial], context[partial])
            y[partial] = np.where(np.isnan(y[partial]), lacking, y[partial])
            kept = np.sort(np.r_[rows, partial])
            surrogate = fitted(
                np.concatenate([told.u[kept], asked.u]), np.concatenate([context[kept], own]),
                np.concatenate([y[kept], surrogate.responses(asked.u, own)]), False,
            )  # fmt: skip
        if noisy:
            usable = ~told.failed
            y[usable] = surrogate.responses(told.u[usable], context[usable])
            errors = loop.smoothed(y, self._expected_errors(surrogate, y, usable), surrogate.noise)
        chance = None
        if told.failed.any():
            features = np.concatenate([loop.coordinates.features(told.u), context], axis=1)
            chance = Chance(features, ~told.failed)
        expected = Told(told.x, told.u, y, told.owner)
        knowledge = Knowledge(
            loop.coordinates, loop.contexts, loop.aims, expected, errors, loop.searches,
            loop.scale, self.prior, random, loop.seed ^ loop.round, surrogate, chance, rows,
            noisy,
        )  # fmt: skip
        knowledge.taken += list(asked.u)
        return knowledge

    def _expected_errors(self, surrogate: ResponseSurrogate, y: Array, usable: Flags) -> Array:
        """Errors (T, N) to be expected of rows, where what is measured is not the truth.

        Of goals, and where there are very many of them, errors of the expected responses.
        """
        loop, told = self._loop, self._loop.told
        errors = loop.aims.objectives_of_all(y)
        rows = np.nonzero(usable)[0]
        if len(loop.targets) * len(rows) > _MOST_EXPECTED:
            return errors
        context = loop.contexts.of_rows(told.owner[rows])
        z, deviation = (
            part(told.u[rows], context) for part in (surrogate.mean, surrogate.deviation)
        )
        wants = SurrogateAims(loop.aims, surrogate.warp, surrogate.components)
        normals = np.random.default_rng(loop.seed).normal(size=(SAMPLES, z.shape[1]))
        for target in np.nonzero(~loop.aims.with_goals)[0]:
            who = np.full(len(rows), target)
            errors[target, rows] = wants.sampled_errors(z, deviation, who, normals).mean(axis=1)
        return errors

    def _network_is_due(self) -> bool:
        """Whether there are enough rows for a network, and many more than at its last training."""
        loop = self._loop
        if loop.config.network == "never" or loop.noisy:
            return False
        count = int(loop.told.whole.sum())
        return count >= max(_NETWORK, _RETRAINED * loop.trained)

    def _train(self, surrogate: ResponseSurrogate, context: Array) -> None:
        """Train a network on all rows, and keep it where its error on rows held out is smaller than
        that of the process on rows left out.
        """
        loop, told = self._loop, self._loop.told
        whole = np.nonzero(told.whole)[0]
        loop.trained = len(whole)
        if surrogate.network is None:
            errors, _ = surrogate.process.left_out()
            loop.process_error = float(np.square(errors).sum(axis=1).mean())
        features = np.concatenate([loop.coordinates.features(told.u), context], axis=1)
        warp, components = surrogate.warp, surrogate.components
        if surrogate.network is None:
            components = Components.of(warp(told.y[whole]), components.unit)
        network = trained_network(
            features[whole], told.y[whole], warp, components, loop.seed % (1 << 62) + loop.round
        )
        better = network is not None and network.error < _BETTER * loop.process_error
        loop.network = network if better else None

    def smoothed(self) -> Array:
        """Errors (T, N) of the rows as they are expected, where measurements vary."""
        return self(np.random.default_rng(self._loop.seed), tune=False).errors

    def _rows(self) -> Places:
        """The rows that a surrogate rests on: all, or those nearest to what is searched for."""
        loop = self._loop
        whole = np.nonzero(loop.told.whole)[0]
        most = loop.config.rows
        if len(whole) <= most:
            return whole
        first = whole[: min(len(whole), loop.known + len(loop.start), most // 2)]
        # Who asks for the best rows when all is over, too
        searched = np.nonzero(loop.open if loop.open.any() else np.ones_like(loop.open))[0]
        each = max(1, (most - len(first)) // max(1, len(searched)))
        step = max(1, _MOST_SORTED // len(whole))
        nearest = [
            np.argpartition(loop.errors[searched[i : i + step]][:, whole], each, axis=1)[:, :each]
            for i in range(0, len(searched), step)
        ]
        found = np.unique(np.concatenate([part.ravel() for part in nearest]))
        rest = np.setdiff1d(whole[found], first)[: most - len(first)]
        return np.sort(np.concatenate([first, rest]))
