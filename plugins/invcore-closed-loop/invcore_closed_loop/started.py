"""The loop at work: what it was told, what it asks for."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import torch
from torch import Tensor

from invcore.plugin import (
    Candidates,
    DataError,
    Pairs,
    Problem,
    Requests,
    Results,
    ShapeError,
    StartedLoop,
    Targets,
)
from invcore.search import stored_targets
from invcore_closed_loop.arrays import Array, Flags, Places
from invcore_closed_loop.config import ClosedLoopConfig
from invcore_closed_loop.learning import learn
from invcore_closed_loop.memory.asked import Asked, Step
from invcore_closed_loop.memory.searches import Searches
from invcore_closed_loop.memory.told import NOBODY, Told
from invcore_closed_loop.problem.aims import Aims
from invcore_closed_loop.problem.contexts import Contexts
from invcore_closed_loop.problem.coordinates import Coordinates
from invcore_closed_loop.rounds import Rounds
from invcore_closed_loop.steps.further_designs import different
from invcore_closed_loop.steps.local_steps import LocalSearches
from invcore_closed_loop.steps.start import start_rows
from invcore_closed_loop.surrogates.network import Network
from invcore_closed_loop.surrogates.noise import replicate_noise
from invcore_closed_loop.surrogates.response_surrogate import Tuning

_WITHIN_NOISE = 0.1  # of what noise makes of an error: less is none
_FEWEST = 2  # rows with a response, before there is a surrogate


class StartedClosedLoop(StartedLoop):
    """T targets, and all that is known for them.

    Args:
        config: of the loop.
        problem: the spaces.
        targets: T of them.
        points: (T, K, L), from which all randomness follows.
        variance: of the responses (Dy,), where it is known.
    """

    def __init__(
        self, config: ClosedLoopConfig, problem: Problem, targets: Targets, points: Tensor,
        variance: Tensor | None = None,
    ) -> None:  # fmt: skip
        self.config, self.problem = config, problem
        self.points = points.detach().cpu().double().clone()
        digest = hashlib.sha256(self.points.numpy().tobytes()).digest()
        self.seed = int.from_bytes(digest[:8], "big") >> 1
        self.coordinates = Coordinates(problem.designs)
        self.variance = None if variance is None else variance.detach().cpu().double().reshape(-1)
        dims = problem.designs.dim, problem.responses.dim
        self.told, self.asked = Told.nothing(*dims), Asked.nothing(dims[0])
        self.tuning = Tuning()
        self.network: Network | None = None
        self.trained, self.process_error = 0, np.inf
        self.rates = np.ones((2, 2))
        """Of global and local steps: how much they gained lately, and how many they were."""
        self.next = self.round = 0
        self.known = 0
        self.spread_known = False
        self.noise: Array | None = None
        self._aim(targets)
        self.start = np.empty((0, dims[0]))
        self._rounds = Rounds(self)

    def _aim(self, targets: Targets) -> None:
        self.targets = targets
        self.contexts = Contexts(targets)
        self.aims = Aims(self._measured(targets))
        dims = self.problem.designs.dim, self.problem.responses.dim
        self.searches = Searches.begin(len(targets), dims[1], dims[0])
        lengths = int(self.coordinates.groups.max()) + 1
        self.local = LocalSearches.begin(len(targets), dims[0], lengths)
        self.errors = np.empty((len(targets), 0))
        self.floor = np.zeros(len(targets))
        self._judge(0)

    def _measured(self, targets: Targets) -> Targets:
        """The targets, their violations in units of what is known of the responses' spread."""
        rows = self.told.y[self.told.whole]
        if targets.exact or (self.variance is None and len(rows) < _FEWEST):
            return targets
        if self.variance is not None:
            return targets.measured_in(self.variance.expand(rows.shape[1]).sqrt())
        return targets.measured_in(torch.from_numpy(rows.std(axis=0)))

    def measure(self) -> None:
        """Take the responses' spread from the rows that fill the space, when these are told."""
        if self.aims.exact or self.variance is not None or self.spread_known:
            return
        self.spread_known = True
        self.aims = Aims(self._measured(self.targets))
        self.searches.error[:], self.searches.row[:] = np.inf, -1
        self._judge(0)

    def _judge(self, first: int) -> None:
        """Take the errors of rows from ``first`` on."""
        y, owner = self.told.y[first:], self.told.owner[first:]
        new = self.aims.objectives_of_all(y)
        new = np.where(self.contexts.serving(owner) & np.isfinite(new), new, np.inf)
        self.errors = np.concatenate([self.errors[:, :first], new], axis=1)
        if new.shape[1]:
            place = new.argmin(axis=1)
            lowest = new[np.arange(len(new)), place]
            better = lowest < self.searches.error
            self.searches.error = np.where(better, lowest, self.searches.error)
            self.searches.row = np.where(better, first + place, self.searches.row)

    @property
    def scale(self) -> float:
        """What errors are measured in: of exact targets the responses' mean variance."""
        if not self.aims.exact:
            return 1.0
        if self.variance is not None:
            value = float(self.variance.mean())
        else:
            rows = self.told.y[self.told.whole][: max(_FEWEST, len(self.start) + self.known)]
            value = float(rows.var(axis=0).mean()) if len(rows) >= _FEWEST else 1.0
        return value if np.isfinite(value) and value > 0 else 1.0

    @property
    def noisy(self) -> bool:
        """Whether measurements of one design differ."""
        if self.config.noise == "auto":
            return self.noise is not None and bool((self.noise > 0).any())
        return self.config.noise == "present"

    def smoothed(self, y: Array, errors: Array, noise: Array) -> Array:
        """Take what is expected of rows in place of what was measured, where that varies.

        Args:
            y: (N, Dy), expected responses.
            errors: (T, N), expected errors.
            noise: (Dy,), variance of measurements.

        Returns:
            The errors (T, N), infinite for rows that answer nothing; the searches go by these.
        """
        errors = np.where(np.isfinite(self.errors) & np.isfinite(errors), errors, np.inf)
        self.searches.error, self.searches.row = errors.min(axis=1), errors.argmin(axis=1)
        self.floor = self.aims.share @ noise
        return errors

    def know(self, pairs: Pairs) -> None:
        """Begin with known pairs, and rows that fill the space where these are too few."""
        if len(pairs) and self.contexts.given:
            pairs = pairs[:0]  # whose problem they are of is not known
        if len(pairs):
            self._take(pairs.x, pairs.y, np.full(len(pairs), NOBODY))
        self.known = len(self.told)
        self.start = start_rows(self)

    def _take(self, x: Tensor, y: Tensor, owner: Places) -> int:
        """Remember rows; the place of the first one."""
        first = len(self.told)
        designs = x.detach().cpu().double().numpy()
        values = y.detach().cpu().double().numpy()
        values = np.where(np.isfinite(values), values, np.nan)
        self.told.add(designs.copy(), self.coordinates.units(designs), values, owner)
        whole = self.told.whole
        self.noise = replicate_noise(self.told.u[whole], self.told.y[whole])
        self._judge(first)
        return first

    @property
    def open(self) -> Flags:
        """Which targets are searched for still (T,)."""
        least = self.config.tolerance * self.scale if self.aims.exact else 0.0
        enough = np.maximum(least, _WITHIN_NOISE * self.floor)
        searched = (self.searches.error > enough) | self.aims.with_goals | self.wants_further
        return searched & ~self.searches.closed

    def met(self, target: int) -> Flags:
        """Which rows meet a target without goals (N,)."""
        return np.asarray(self.errors[target] <= 0.0)

    @property
    def wants_further(self) -> Flags:
        """Which targets are met, by fewer different designs than are wished for (T,)."""
        if self.config.designs == 1 or self.aims.exact:
            return np.zeros(len(self.targets), dtype=bool)
        few = (self.searches.error <= 0.0) & ~self.aims.with_goals
        for target in np.nonzero(few)[0]:
            count = len(different(self.told.u[self.met(int(target))]))
            few[target] = 0 < count < self.config.designs
        return few

    @property
    def room(self) -> int:
        """How many rows may be asked for still."""
        asked = len(self.told) - self.known + len(self.asked)
        return max(0, self.config.calls * len(self.targets) - asked)

    def ask(self, count: int | None = None) -> Requests:
        """Further rows: those that fill the space first, then a step for each open target."""
        most = self.room if count is None else min(count, self.room)
        first = len(self.asked)
        if most and self.open.any():
            self._rounds.ask(most, count is not None)
        return self._requests(self.asked.rows(np.arange(first, len(self.asked))))

    def register(self, u: Array, target: Places, step: Places, base: Places, near: Flags) -> None:
        """Take rows (M, D) as asked for."""
        ids = np.arange(self.next, self.next + len(u))
        self.next += len(u)
        self.asked.add(ids, u, target, step, base, near)
        np.add.at(self.searches.asked, target[step != Step.START], 1)

    def _requests(self, rows: Asked) -> Requests:
        designs = torch.from_numpy(self.coordinates.designs(rows.u))
        target = torch.from_numpy(rows.target.copy()) if self.contexts.given else None
        return Requests(torch.from_numpy(rows.id.copy()), designs, target)

    def pending(self) -> Requests:
        """The rows that were asked for and not told."""
        return self._requests(self.asked)

    def tell(self, results: Results) -> None:
        """Take what came of rows; those made otherwise count as they were made."""
        dims = self.problem.designs.dim, self.problem.responses.dim
        x, y = results.designs, results.responses
        if (x.shape[1:], y.shape[1:]) != (dims[:1], dims[1:]):
            raise ShapeError(f"results: expected {dims[0]} design and {dims[1]} response columns")
        ids = np.full(len(x), NOBODY) if results.id is None else results.id.cpu().numpy()
        mine = ids != NOBODY
        place = self.asked.places(ids[mine])
        if self.contexts.given and not mine.all():
            raise DataError("rows that nobody asked for: whose context they have is not known")
        told = self.asked.rows(place)
        left = np.ones(len(self.asked), dtype=bool)
        left[place] = False
        self.asked = self.asked.rows(left)
        y = torch.where(results.lost.to(y.device)[:, None], torch.nan, y.double())
        owner = np.full(len(x), NOBODY)
        owner[mine] = told.target
        before = self.searches.error.copy()
        first = self._take(x, y, owner)
        learn(self, told, first + np.nonzero(mine)[0], before)

    def retarget(self, targets: Targets) -> None:
        """Go on for other targets, with all rows."""
        if tuple(targets.low.shape) != tuple(self.targets.low.shape):
            shapes = tuple(targets.low.shape), tuple(self.targets.low.shape)
            raise ShapeError(f"targets: {shapes[0]} in the place of {shapes[1]}")
        self._aim(targets)
        self.asked.step = np.full(len(self.asked), int(Step.START))
        self.known = len(self.told)
        self.rates = np.ones((2, 2))

    def best(self, count: int = 1) -> Candidates:
        """The best rows that were told for each target, best first."""
        shape = (len(self.targets), count)
        x = np.full((*shape, self.problem.designs.dim), np.nan)
        y = np.full((*shape, self.problem.responses.dim), np.nan)
        errors = self.errors
        if self.noisy and int(self.told.whole.sum()) >= _FEWEST:
            errors = self._rounds.survey.smoothed()
        for target in range(len(self.targets)):  # of few rows each
            value = errors[target]
            order = np.argsort(value, kind="stable")[:count]
            order = order[np.isfinite(value[order])]
            x[target, : len(order)], y[target, : len(order)] = (
                self.told.x[order],
                self.told.y[order],
            )
        return Candidates(torch.from_numpy(x), torch.from_numpy(y))

    def finished(self) -> Tensor:
        """Targets that are answered, or for which nothing more is to be gained."""
        done = ~self.open
        if not self.room and not len(self.asked):
            done[:] = True
        return torch.from_numpy(done)

    def converged(self) -> Tensor:
        """Targets that are met, or whose error is within the tolerance or what noise makes."""
        enough = self.config.tolerance * self.scale if self.aims.exact else 0.0
        good = self.searches.error <= np.maximum(enough, _WITHIN_NOISE * self.floor)
        settled = self.searches.closed & (self.searches.error <= 0.0)
        return torch.from_numpy(np.where(self.aims.with_goals, settled, good))

    def state(self) -> dict[str, Tensor]:
        """All of it."""
        parts = {name: getattr(self.targets, name) for name in (*Targets.parts, "spread")}
        parts |= {f"context.{name}": v for name, v in (self.targets.context or {}).items()}
        state = {f"targets.{name}": value for name, value in parts.items()}
        groups: dict[str, Any] = {
            "told": self.told, "asked": self.asked, "searches": self.searches,
            "local": self.local, "tuning": self.tuning,
        }  # fmt: skip
        if self.network is not None:
            groups["network"] = self.network
        for group, own in groups.items():
            state |= {f"{group}.{name}": value for name, value in own.state().items()}
        state |= {
            "points": self.points,
            "measured": torch.from_numpy(self.aims.spread.copy()),
            "start": torch.from_numpy(self.start.copy()),
            "network-facts": torch.tensor([float(self.trained), self.process_error]).double(),
            "floor": torch.from_numpy(self.floor.copy()),
            "rates": torch.from_numpy(self.rates.copy()),
            "places": torch.tensor([self.next, self.round, self.known, self.spread_known]),
        }
        if self.variance is not None:
            state["variance"] = self.variance
        return {name: value.detach().cpu().clone().contiguous() for name, value in state.items()}

    @classmethod
    def restored(
        cls, config: ClosedLoopConfig, problem: Problem, state: dict[str, Tensor]
    ) -> StartedClosedLoop:
        """The loop that ``state`` came from."""
        started = cls(
            config, problem, stored_targets(state), state["points"], state.get("variance")
        )
        started.next, started.round, started.known, known = (int(v) for v in state["places"])
        started.spread_known = bool(known)
        started.told = Told.of(state, "told.")
        if started.spread_known:
            spread = state["measured"]
            started.aims = Aims(started.targets.measured_in(spread))
        started.asked = Asked.of(state, "asked.")
        whole = started.told.whole
        started.noise = replicate_noise(started.told.u[whole], started.told.y[whole])
        started.floor = state["floor"].numpy().copy()
        started._judge(0)
        started.searches = Searches.of(state, "searches.")
        started.local = LocalSearches.of(state, "local.")
        started.start = state["start"].numpy().copy()
        started.rates = state["rates"].numpy().copy()
        started.tuning = Tuning.restored(state, "tuning.")
        started.network = Network.restored(state, "network.")
        trained, error = state["network-facts"].tolist()
        started.trained, started.process_error = int(trained), float(error)
        return started
