"""What designs cost for specifications: expected squared violations, and goals where these allow.

A goal counts pessimistically, since a search finds the designs whose errors flatter them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from invcore.plugin import Targets
from invcore_solve.judging.probability.targets import ends_of
from invcore_solve.proposals.aims.aim import Aim
from invcore_solve.proposals.judged import Judged

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

ACCEPTABLE = 0.9
"""Share of the largest probability from which on goals decide between designs."""

CAUTIOUS = 1.0
"""Standard deviations by which a goal is taken to be worse than expected."""

_DIRECTIONS = 8  # in which several goals are weighed against each other
_SURE = 0.995
_HOPELESS = 1e-3  # probability below which designs differ by how much they violate
_WORSE = 1e6  # than any goal: what is not probable enough
_TINY = np.finfo(np.float64).tiny
_ROOT = np.sqrt(2 * np.pi)


@dataclass(frozen=True)
class SpecifiedAim(Aim):
    """Specifications, each as often as its goals are weighed against each other.

    Args:
        low: (B, Dy), of the intervals that count as met; infinite where nothing limits.
        high: (B, Dy).
        weight: (B, Dy), of squared violations.
        goals: (B, Dy), what is made small: 1 or -1 over the response's standard deviation; else 0.
        shares: (B, Dy), of the goals beside each other.
        least: (B,), the probability from which on goals decide.
        ideal: (B, Dy), the best of each goal among designs that are probable enough.
        repeats: how many of them there are of each target, one after the other.
    """

    low: Numbers
    high: Numbers
    weight: Numbers
    goals: Numbers
    shares: Numbers
    least: Numbers
    ideal: Numbers
    repeats: int = 1
    beyond = True

    @classmethod
    def of(cls, targets: Targets) -> SpecifiedAim:
        """From targets that are measured in the spread of the responses."""
        low, high = ends_of(targets)
        weight = targets.weight.double().numpy() / np.square(targets.scale.double().numpy())
        weight = np.where(targets.wanted.numpy(), weight, 0.0)
        total = (weight > 0).sum(axis=1, keepdims=True)
        goals = targets.goals(targets.weight.new_ones(targets.low.shape).double()).numpy()
        goals = goals / targets.spread.double().numpy()
        shares = _shares(goals, targets.weight.double().numpy())
        repeats = shares.shape[1]
        flat = shares.reshape(-1, low.shape[1])

        def each(part: Numbers) -> Numbers:
            return np.repeat(part, repeats, axis=0)

        return cls(
            each(low), each(high), each(weight / np.maximum(total, 1)), each(goals), flat,
            np.zeros(len(flat)), np.zeros_like(flat), repeats,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.low)

    @property
    def has_goals(self) -> bool:
        """Whether something is to be minimised or maximised."""
        return bool(self.goals.any())

    @property
    def weighs(self) -> bool:
        """Whether some target has limits and goals, so that goals wait for what is probable."""
        return bool((self.goals.any(axis=1) & self.weight.any(axis=1)).any())

    def without_goals(self) -> SpecifiedAim:
        """The probability alone, of each target once."""
        own = slice(None, None, self.repeats)
        low, high, weight = self.low[own], self.high[own], self.weight[own]
        none = np.zeros_like(low)
        return SpecifiedAim(low, high, weight, none, none, np.zeros(len(low)), none)

    def informed(self, designs: Judged) -> SpecifiedAim:
        """The same, which knows what is probable and possible from designs for all targets."""
        if not self.has_goals:
            return self
        least, ideal = np.zeros(len(self)), np.zeros_like(self.ideal)
        for b in range(len(self)):
            own = np.array([b])
            chance = self._chance(designs, own)
            least[b] = ACCEPTABLE * chance.max()
            good = designs.rows(np.flatnonzero(chance >= least[b]))
            ideal[b] = self.expected_goals(good, own).min(axis=0)
        return replace(self, least=least, ideal=ideal)

    def costs(self, designs: Judged, rows: slice) -> Numbers:
        """Of N designs for the targets of a slice (b, N)."""
        every = np.arange(len(self))[rows]
        return np.stack([self._cost(designs, np.array([b])) for b in every])

    def own_costs(self, designs: Judged, owner: Places) -> Numbers:
        """Of N designs, each for its own target (N,)."""
        return self._cost(designs, owner)

    def expected_goals(self, designs: Judged, owner: Places, caution: float = CAUTIOUS) -> Numbers:
        """Goals to be made small (N, Dy), in standard deviations of the responses, taken to be
        worse than expected by ``caution`` of the predictions' own.
        """
        sign = self.goals[owner]
        return sign * designs.mean + caution * np.abs(sign) * designs.std

    def _cost(self, designs: Judged, owner: Places) -> Numbers:
        chance = self._chance(designs, owner)
        doubt = self._doubt(designs, owner, chance)
        if not self.has_goals:
            return doubt
        goals = self.expected_goals(designs, owner) - self.ideal[owner]
        weighed = self.shares[owner] * goals
        # The worst of the weighed goals, and a little of all: any part of a front can be the best
        value = np.where(self.shares[owner] > 0, weighed, -np.inf).max(axis=1)
        value = np.where(np.isfinite(value), value, 0.0) + 0.05 * weighed.sum(axis=1)
        probable = chance >= self.least[owner]
        return np.where(probable, value, _WORSE + doubt)

    def _doubt(self, designs: Judged, owner: Places, chance: Numbers) -> Numbers:
        """How improbable it is (N,) to meet all intervals, for a search to follow.

        The logarithm of the probability, which has a slope wherever it can be told; below that, the
        expected violation. What is sure is equally good, wherever it is.
        """
        doubt = -np.log(np.maximum(chance, _HOPELESS))
        far = np.where(chance < _HOPELESS, self.violation(designs, owner), 0.0)
        return np.where(chance >= _SURE, 0.0, doubt + far)

    def violation(self, designs: Judged, owner: Places) -> Numbers:
        """Expected weighted squared violations (N,), errors taken to be normal."""
        total = np.zeros(len(designs))
        for i in np.flatnonzero(self.weight.any(axis=0)):
            mean, std = designs.mean[:, i], np.maximum(designs.std[:, i], _TINY)
            over = _beyond(mean - self.high[owner, i], std) + _beyond(
                self.low[owner, i] - mean, std
            )
            total = total + self.weight[owner, i] * over
        return total

    def _chance(self, designs: Judged, owner: Places) -> Numbers:
        """The probability (N,) of meeting all intervals, errors taken to be normal and apart."""
        total = np.ones(len(designs))
        for i in np.flatnonzero(self.weight.any(axis=0)):
            mean, std = designs.mean[:, i], np.maximum(designs.std[:, i], _TINY)
            with np.errstate(over="ignore"):
                high = (self.high[owner, i] - mean) / std
                low = (mean - self.low[owner, i]) / std
            total = total * np.maximum(ndtr(high) + ndtr(low) - 1, 0.0)
        return total


def _beyond(away: Numbers, std: Numbers) -> Numbers:
    """The expected square of what a normal variable of mean ``away`` has above zero."""
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        z = away / std
        density = np.exp(-0.5 * np.square(z)) / _ROOT
        value = (np.square(away) + np.square(std)) * ndtr(z) + away * std * density
    return np.where(z < -1e3, 0.0, np.where(z > 1e3, np.square(away), value))


def _shares(goals: Numbers, weight: Numbers) -> Numbers:
    """How goals are weighed against each other, in several directions (B, R, Dy)."""
    some = goals != 0
    most = int(some.sum(axis=1).max()) if len(goals) else 0
    if most < 2:
        return np.where(some, 1.0, 0.0)[:, None]
    count = _DIRECTIONS * (most - 1)
    rng = np.random.default_rng(0)
    drawn = rng.dirichlet(np.ones(most), size=count)
    ends = np.linspace(0.02, 0.98, count)
    drawn = np.stack([ends, 1 - ends], axis=1) if most == 2 else drawn
    result = np.zeros((len(goals), count, goals.shape[1]))
    for b, own in enumerate(some):
        places = np.flatnonzero(own)
        if len(places):
            result[b][:, places] = drawn[:, : len(places)] * weight[b, places]
    return result
