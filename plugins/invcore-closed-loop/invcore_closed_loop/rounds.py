"""What is asked for, row by row: who is next, and by which step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from invcore_closed_loop.arrays import Array, Flags, Places
from invcore_closed_loop.memory.asked import Step
from invcore_closed_loop.memory.knowledge import Knowledge
from invcore_closed_loop.memory.told import Told
from invcore_closed_loop.problem.aims import SurrogateAims
from invcore_closed_loop.steps.global_steps import global_steps
from invcore_closed_loop.steps.goal_steps import goal_steps
from invcore_closed_loop.steps.improvement import SAMPLES
from invcore_closed_loop.steps.polish import polish_steps
from invcore_closed_loop.surrogates.chance import Chance
from invcore_closed_loop.surrogates.components import Components
from invcore_closed_loop.surrogates.network import trained_network
from invcore_closed_loop.surrogates.process import Limits
from invcore_closed_loop.surrogates.response_surrogate import ResponseSurrogate

if TYPE_CHECKING:
    from invcore_closed_loop.started import StartedClosedLoop

_NETWORK, _RETRAINED = 300, 2.0  # rows from which a network is tried, and growth until it is again
_BETTER = 0.7  # times the process's error: below, a network is better
_PRIOR = 2000  # draws that searches start from
_FEWEST = 2
_POLISHED_ONE, _POLISHED = 1e-3, 1e-5  # of the variance: below, a target is polished
_STUCK = 12  # failures after which a row is measured once more
_ABOVE_NOISE = 10.0  # times what noise makes of an error: below it there is no polish
_LEAST, _LEAST_GOAL = 1e-2, 1e-5  # improvements of the logarithm, and of goals, that are nothing
_TRIED, _CLOSE = 8, 1e-9  # failures until the surrogate is tried again, but not below this error
_NOISY = Limits(most_noise=1.0, kernels=("matern",))  # what is measured is seldom very smooth
_MOST_EXPECTED = 100_000  # targets times rows whose errors are sampled
_LOCAL = (0.1, 0.9)  # least and largest share of local steps


class Rounds:
    """The rounds of a loop.

    Args:
        loop: at work.
    """

    def __init__(self, loop: StartedClosedLoop) -> None:
        self._loop = loop
        self._prior: Array | None = None

    def ask(self, most: int, exactly: bool) -> None:
        """Ask for at most so many rows; as many as that where it is wanted exactly."""
        loop = self._loop
        begun = min(loop.next, len(loop.start))
        if begun < len(loop.start):
            self._fill(loop.start[begun : begun + most])
            return
        if int(loop.told.whole.sum()) < _FEWEST:
            if not len(loop.asked):  # all that was tried has failed
                count = min(most, loop.coordinates.dim + 1)
                self._fill(self._draws()[self._random().integers(_PRIOR, size=count)])
            return
        loop.measure()
        while most:
            who = self._next(most, exactly)
            if not len(who):
                return
            self._step(who)
            most -= len(who)
            if not exactly:
                return

    def _fill(self, u: Array) -> None:
        count = len(u)
        target = (self._loop.next + np.arange(count)) % len(self._loop.targets)
        none = np.full(count, -1)
        step = np.full(count, int(Step.START))
        self._loop.register(u, target, step, none, np.zeros(count, dtype=bool))

    def _next(self, most: int, exactly: bool) -> Places:
        """The targets that are next: those with the fewest rows pending, and then asked for."""
        loop = self._loop
        steps = loop.asked.step != Step.START
        pending = np.bincount(loop.asked.target[steps], minlength=len(loop.targets))
        who = np.nonzero(loop.open if exactly else loop.open & (pending == 0))[0]
        order = np.lexsort((who, loop.searches.asked[who], pending[who]))
        return np.sort(who[order][:most])

    def _random(self) -> np.random.Generator:
        """Of this round."""
        self._loop.round += 1
        return np.random.default_rng([self._loop.seed, self._loop.round])

    def _draws(self) -> Array:
        if self._prior is None:
            generator = torch.Generator().manual_seed(self._loop.seed % (1 << 62) + 1)
            self._prior = self._loop.coordinates.drawn(_PRIOR, generator)
        return self._prior

    def _step(self, who: Places) -> None:
        """One step of each of the targets."""
        loop, searches = self._loop, self._loop.searches
        who = self._repeat(who)
        if not len(who):
            return
        random = self._random()
        error = searches.error[who]
        below = _POLISHED_ONE if len(searches) == 1 else _POLISHED
        tried = (searches.failures[who] >= _TRIED) & (error >= _CLOSE * loop.scale)
        waits = np.isin(who, loop.asked.target[loop.asked.step == Step.POLISH])
        goals = loop.aims.with_goals[who]
        polished = (error <= below * loop.scale) & ~tried & ~waits & ~goals
        polished &= loop.told.whole[searches.row[who]]
        if loop.noisy:  # differences of rows say little there
            polished &= error > _ABOVE_NOISE * loop.floor[who]
        searches.slopes[who[~polished & ~waits]] = np.nan
        needed = ~polished.all() or not searches.sloped[who[polished]].all()
        knowledge = self._knowledge(random) if needed else None
        parts = []
        if polished.any():
            parts.append(self._polish(who[polished], knowledge))
        rest = who[~polished]
        if len(rest) and self._exhausted(knowledge):
            searches.closed[:] = True
            return
        if len(rest):
            assert knowledge is not None
            knowledge.taken += [u for part in parts for u in part[0]]
            gains = loop.rates[:, 0] / loop.rates[:, 1]
            share = np.clip(gains[1] / (gains.sum() + 1e-9), *_LOCAL)
            near = random.random(len(rest)) < share
            near &= np.isfinite(searches.error[rest]) & ~goals[~polished]
            for target in rest[near]:
                parts.append(self._local(knowledge, int(target)))
            far = rest[~near]
            of_goals = loop.aims.with_goals[far]
            for some, steps in ((far[~of_goals], global_steps), (far[of_goals], goal_steps)):
                if len(some):
                    u, close = steps(knowledge, some)
                    step = np.full(len(some), int(Step.GLOBAL))
                    parts.append((u, some, step, searches.row[some], close))
        if knowledge is not None:
            for target, hope in knowledge.hope.items():
                least = _LEAST_GOAL if loop.aims.with_goals[target] else _LEAST
                dull = hope < least
                searches.hopeless[target] = searches.hopeless[target] + 1 if dull else 0
        for part in parts:
            loop.register(*part)

    def _exhausted(self, knowledge: Knowledge | None) -> bool:
        """Whether all designs of a list are known or asked for."""
        listed = self._loop.coordinates.listed
        return listed is not None and knowledge is not None and not knowledge.fresh(listed).any()

    def _repeat(self, who: Places) -> Places:
        """Ask for the best row of a search that is stuck once more: is the simulator exact? The
        targets that are left.
        """
        loop, searches = self._loop, self._loop.searches
        asked = loop.config.noise == "auto" and loop.noise is None
        asked &= not (loop.asked.step == Step.REPEAT).any()
        stuck = who[(searches.failures[who] >= _STUCK) & (searches.row[who] >= 0)]
        stuck = stuck[searches.error[stuck] >= _CLOSE * loop.scale]
        if not asked or not len(stuck):
            return who
        target = stuck[:1]
        row = searches.row[target]
        step = np.full(1, int(Step.REPEAT))
        loop.register(loop.told.u[row], target, step, row, np.zeros(1, dtype=bool))
        return who[who != target]

    def _polish(
        self, who: Places, knowledge: Knowledge | None
    ) -> tuple[Array, Places, Places, Places, Flags]:
        loop, searches = self._loop, self._loop.searches
        rows = searches.row[who]
        u, y = loop.told.u[rows], loop.told.y[rows]
        bare = ~searches.sloped[who]
        if bare.any():
            assert knowledge is not None
            context = loop.contexts.features[who[bare]]
            searches.slopes[who[bare]] = knowledge.surrogate.response_slopes(
                u[bare], context, y[bare]
            )
        residuals, active = loop.aims.residuals(y, who)
        weight = np.sqrt(loop.aims.share[who]) * active
        slopes = searches.slopes[who] * weight[..., None]
        moves = loop.coordinates.moves & ~loop.coordinates.discrete
        longest = np.maximum(searches.box[who], 1e-3)
        end = loop.coordinates.allowed(polish_steps(slopes, residuals, u, longest, moves))
        still = np.abs(end - u).max(axis=1) < 1e-12
        if still.any():  # nowhere to go: try beside it
            beside = self._random().normal(size=(int(still.sum()), u.shape[1])) * 1e-5
            end[still] = loop.coordinates.allowed(u[still] + np.where(moves, beside, 0.0))
        step = np.full(len(who), int(Step.POLISH))
        return end, who, step, rows, np.ones(len(who), dtype=bool)

    def _local(
        self, knowledge: Knowledge, target: int
    ) -> tuple[Array, Places, Places, Places, Flags]:
        local = self._loop.local
        u = local.step(knowledge, target)
        base = local.centre[target]
        return (
            u[None], np.array([target]), np.array([int(Step.LOCAL)]), np.array([base]),
            np.zeros(1, dtype=bool),
        )  # fmt: skip

    def _knowledge(self, random: np.random.Generator, tune: bool = True) -> Knowledge:
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
            loop.scale, self._draws(), random, loop.seed ^ loop.round, surrogate, chance, rows,
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
        return self._knowledge(np.random.default_rng(self._loop.seed), tune=False).errors

    def _rows(self) -> Places:
        """The rows that a surrogate rests on: all, or those nearest to what is searched for."""
        loop = self._loop
        whole = np.nonzero(loop.told.whole)[0]
        most = loop.config.rows
        if len(whole) <= most:
            return whole
        error = loop.errors[np.nonzero(loop.open)[0]][:, whole]
        rank = error.argsort(axis=1).argsort(axis=1).min(axis=0)
        first = whole[: min(len(whole), loop.known + len(loop.start), most // 2)]
        nearest = whole[rank.argsort(kind="stable")]
        rest = nearest[~np.isin(nearest, first)][: most - len(first)]
        return np.sort(np.concatenate([first, rest]))
