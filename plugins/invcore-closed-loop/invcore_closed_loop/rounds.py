"""What is asked for, row by row: who is next, and by which step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from invcore_closed_loop.arrays import Array, Flags, Places
from invcore_closed_loop.memory.asked import Step
from invcore_closed_loop.memory.knowledge import Knowledge
from invcore_closed_loop.steps.further_designs import further_step
from invcore_closed_loop.steps.global_steps import global_steps
from invcore_closed_loop.steps.goal_steps import goal_steps
from invcore_closed_loop.steps.polish import polish_steps
from invcore_closed_loop.survey import PRIOR, Survey

if TYPE_CHECKING:
    from invcore_closed_loop.started import StartedClosedLoop

_FEWEST = 2
_POLISHED = 1e-5  # of the variance: below, a target is polished where there are many
_POLISHED_ONE = (1e-2, 1e-3)  # where there is one, of no more responses than variables, or of more
_STUCK = 12  # failures after which a row is measured once more
_ABOVE_NOISE = 10.0  # times what noise makes of an error: below it there is no polish
_LEAST, _LEAST_GOAL = 1e-2, 1e-5  # improvements of the logarithm, and of goals, that are nothing
_TRIED, _CLOSE = 8, 1e-9  # failures until the surrogate is tried again, but not below this error
_LOCAL = (0.1, 0.9)  # least and largest share of local steps


class Rounds:
    """The rounds of a loop.

    Args:
        loop: at work.
    """

    def __init__(self, loop: StartedClosedLoop) -> None:
        self._loop = loop
        self.survey = Survey(loop)

    def ask(self, most: int, exactly: bool) -> None:
        """Ask for at most so many rows; as many as that where it is wanted exactly."""
        loop = self._loop
        first = loop.start[min(loop.next, len(loop.start)) :][:most]
        if len(first):
            self._fill(first)
            most -= len(first)
            if not exactly:
                return
        if int(loop.told.whole.sum()) < _FEWEST:
            if len(first) and most:  # a batch that is larger than what fills the space
                self._fill(self._apart(most))
            elif not len(loop.asked):  # all that was tried has failed
                count = min(most, loop.coordinates.dim + 1)
                self._fill(self.survey.prior[self._random().integers(PRIOR, size=count)])
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

    def _apart(self, count: int) -> Array:
        """Draws of the prior (count, D), each the farthest from all that is known or asked for."""
        draws, known = self.survey.prior, np.concatenate([self._loop.told.u, self._loop.asked.u])
        away = np.full(len(draws), np.inf)
        chosen = []
        for row in known:
            away = np.minimum(away, np.square(draws - row).sum(axis=1))
        for _ in range(count):
            chosen.append(int(away.argmax()))
            away = np.minimum(away, np.square(draws - draws[chosen[-1]]).sum(axis=1))
        return draws[chosen]

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

    def _step(self, who: Places) -> None:
        """One step of each of the targets."""
        loop, searches = self._loop, self._loop.searches
        who = self._repeat(who)
        if not len(who):
            return
        random = self._random()
        error = searches.error[who]
        below = _POLISHED
        if len(searches) == 1:
            below = _POLISHED_ONE[loop.aims.low.shape[1] > loop.coordinates.dim]
        tried = (searches.failures[who] >= _TRIED) & (error >= _CLOSE * loop.scale)
        waits = np.isin(who, loop.asked.target[loop.asked.step == Step.POLISH])
        goals, further = loop.aims.with_goals[who], loop.wants_further[who]
        polished = ~further & (error <= below * loop.scale) & ~tried & ~waits & ~goals
        polished &= loop.told.whole[searches.row[who]]
        if loop.noisy:  # differences of rows say little there
            polished &= error > _ABOVE_NOISE * loop.floor[who]
        searches.slopes[who[~polished & ~waits]] = np.nan
        needed = ~polished.all() or not searches.sloped[who[polished]].all()
        knowledge = self.survey(random) if needed else None
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
            parts += [self._further(knowledge, int(target)) for target in who[further]]
            rest, goals = rest[~further[~polished]], goals[~polished][~further[~polished]]
            gains = loop.rates[:, 0] / loop.rates[:, 1]
            share = np.clip(gains[1] / (gains.sum() + 1e-9), *_LOCAL)
            near = random.random(len(rest)) < share
            near &= np.isfinite(searches.error[rest]) & ~goals
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

    def _further(
        self, knowledge: Knowledge, target: int
    ) -> tuple[Array, Places, Places, Places, Flags]:
        loop = self._loop
        u = further_step(knowledge, target, loop.met(target))
        return (
            u[None], np.array([target]), np.array([int(Step.FURTHER)]),
            loop.searches.row[[target]], np.zeros(1, dtype=bool),
        )  # fmt: skip

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
