"""What is known when rows are asked for: the rows, a surrogate fitted to them, and the prior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from invcore_closed_loop.arrays import Array, Flags, Places
from invcore_closed_loop.memory.searches import Searches
from invcore_closed_loop.memory.told import Told
from invcore_closed_loop.problem.aims import Aims, SurrogateAims
from invcore_closed_loop.problem.contexts import Contexts
from invcore_closed_loop.problem.coordinates import Coordinates
from invcore_closed_loop.surrogates.chance import Chance
from invcore_closed_loop.surrogates.response_surrogate import ResponseSurrogate

_APART = 1e-7  # coordinates that differ by less are one design
_SPREAD_OUT = 0.02  # between designs of one batch, where goals, not digits, are looked for
_LABORATORY = 0.05  # the same where measurements vary


@dataclass
class Knowledge:
    """For the steps of one round.

    Args:
        coordinates: of the designs.
        contexts: of the targets.
        aims: what the targets want.
        told: all rows; what is unknown of them, or varies by noise, as it is expected.
        errors: (T, N) of the rows; infinite where one is no answer to a target.
        searches: where they stand.
        scale: the responses' variance, in which errors are measured.
        prior: (P, D), coordinates of draws from the prior.
        random: of this round.
        seed: of this round.
        surrogate: fitted to rows; None before there are enough.
        chance: of a response; None where no row has failed.
        rows: (M,), those that the surrogate rests on.
        noisy: whether measurements of one design differ; then one may be made again.
    """

    coordinates: Coordinates
    contexts: Contexts
    aims: Aims
    told: Told
    errors: Array
    searches: Searches
    scale: float
    prior: Array
    random: np.random.Generator
    seed: int
    surrogate: ResponseSurrogate
    chance: Chance | None
    rows: Places
    noisy: bool = False

    def __post_init__(self) -> None:
        self.wants = SurrogateAims(self.aims, self.surrogate.warp, self.surrogate.components)
        self.taken: list[Array] = []
        """Coordinates (D,) of rows that were asked for and not told, and those of this round."""
        self.hope: dict[int, float] = {}
        """What is expected to be gained by the step of a target."""

    def fresh(self, u: Array) -> Flags:
        """Which of coordinates (M, D) are neither known nor asked for."""
        known = [self.told.u, *([np.array(self.taken)] if self.taken else [])]
        apart = np.ones(len(u), dtype=bool)
        for part in known:
            for first in range(0, len(part), 4096):
                away = np.abs(u[:, None] - part[None, first : first + 4096]).max(axis=2)
                apart &= away.min(axis=1) > _APART
        return apart

    def drawn(self, count: int) -> Array:
        """So many of the draws from the prior (count, D); of a list of designs all."""
        if self.coordinates.listed is not None:
            return self.coordinates.listed
        return self.prior[self.random.integers(len(self.prior), size=count)]

    def best(self, who: Places) -> tuple[Array, Array]:
        """Coordinates (M, D) and responses (M, Dy) of the best rows of targets (M,)."""
        rows = self.searches.row[who]
        return self.told.u[rows], self.told.y[rows]

    def choice(
        self, order: Sequence[int] | Places, u: Array, spread_out: bool = False
    ) -> int | None:
        """The first place in ``order`` whose coordinates (M, D) are fresh; with ``spread_out``, or
        where measurements vary, and not beside another one that is pending.
        """
        spread_out |= self.noisy
        taken = np.array(self.taken) if spread_out and self.taken else np.empty((0, u.shape[1]))
        least = _LABORATORY if self.noisy else _SPREAD_OUT
        for place in order:
            beside = np.abs(taken - u[place]).max(axis=1, initial=0.0) < least
            if not beside.any() and self.fresh(u[place : place + 1])[0]:
                return int(place)
        return None
