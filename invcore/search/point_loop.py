"""What the loops share: one search for each point, the rows it has asked for, and what came."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from invcore.base.errors import DataError, ShapeError
from invcore.contracts.candidates import Candidates
from invcore.contracts.loop import Requests, Results, StartedLoop
from invcore.contracts.problem import Problem, Targets
from invcore.data.pairs import Pairs
from invcore.numerics.point_randomness import scattered

_NUMBERS = 1 << 20  # of rows that are remembered for other targets
_NOBODY = -1


class PointLoop(StartedLoop):
    """B targets with K searches each: N = B K, one below the other.

    A subclass says what to ask for, by ``further``, and learns from what came, by ``learn``; its
    own tensors are ``tensors``. What it is told as errors is what ``Targets.objective`` says: of
    exact targets the mean squared difference, of others the violation and then the goals. Where
    there are several goals, each search weighs them in its own way, and so comes to another end.

    Args:
        problem: the spaces.
        targets: B of them.
        points: (B, K, L), in the unit cube.
    """

    def __init__(self, problem: Problem, targets: Targets, points: Tensor) -> None:
        self.problem, self.targets, self.points = problem, targets, points.double()
        self.each = points.shape[1]
        count, dims = len(targets) * self.each, (problem.designs.dim, problem.responses.dim)
        self.owner = torch.arange(len(targets)).repeat_interleave(self.each)
        self._aim()
        # Of each search, and below them the best rows that no search has asked for
        self.best_error = torch.full((2, count), torch.inf, dtype=torch.float64)
        self.best_x, self.best_y = (torch.full((2, count, d), torch.nan).double() for d in dims)
        self._asked = {
            "id": torch.empty(0).long(), "row": torch.empty(0).long(),
            "tag": torch.empty(0).long(), "x": torch.empty(0, dims[0]).double(),
        }  # fmt: skip
        self._next = 0
        self._told = {
            "x": torch.empty(0, dims[0]).double(), "y": torch.empty(0, dims[1]).double(),
            "owner": torch.empty(0).long(),
        }  # fmt: skip

    def _aim(self) -> None:
        """What each search is to come to."""
        self.exact = self.targets.exact
        self._y = self.targets.low.double()
        if self.exact:
            return
        parts = {name: getattr(self.targets, name)[self.owner] for name in Targets.parts}
        goals = self.targets.goals(torch.ones_like(self._y))[self.owner] != 0
        width, dim = goals.shape[1], self.points.shape[2]
        if bool((goals.sum(dim=1) > 1).any()) and dim:
            flat = self.points.flatten(0, 1)
            shares = scattered(flat, 1, 1 - (-width // dim)).transpose(0, 1).flatten(1)[:, :width]
            parts["weight"] = torch.where(goals, -shares.log(), 1.0) * parts["weight"]
        self._own = Targets.of_parts(*parts.values()).measured_in(self.targets.spread)

    def _error(self, y: Tensor, row: Tensor) -> Tensor:
        """What searches (M,) make small of responses (M, Dy): (M,)."""
        if self.exact:
            return (y - self._y[self.owner[row]]).square().mean(dim=1)
        return self._own[row].objective(y)

    @abstractmethod
    def further(self, count: int | None) -> tuple[Tensor, Tensor, Tensor]:
        """What to ask for next: searches (M,), whole numbers of their own (M,), designs (M, Dx)."""

    @abstractmethod
    def learn(self, row: Tensor, tag: Tensor, asked: Tensor, made: Tensor, error: Tensor) -> None:
        """Take the errors (M,), infinite where there is no response, of rows asked for."""

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """What a subclass has beside this."""

    @abstractmethod
    def begin_again(self) -> None:
        """Start searches for other targets; ``best_x[1]`` are the best designs that are known."""

    def know(self, pairs: Pairs) -> None:
        """Take known pairs, as if they had been told."""
        if len(pairs):
            self._remember(pairs.x.double(), pairs.y.double(), torch.tensor(_NOBODY))
            self._recall()

    def ask(self, count: int | None = None) -> Requests:
        """Further rows of all searches that can go on."""
        row, tag, x = self.further(count)
        ids = torch.arange(self._next, self._next + len(row))
        self._next += len(row)
        new = {"id": ids, "row": row, "tag": tag, "x": x}
        self._asked = {name: torch.cat([self._asked[name], new[name]]) for name in new}
        return Requests(ids, x, self.owner[row])

    def pending(self) -> Requests:
        """What was asked for and not told."""
        asked = self._asked
        row = asked["row"]
        return Requests(asked["id"], asked["x"], self.owner[row])

    def tell(self, results: Results) -> None:
        """Take what came; a row made otherwise counts as it was made."""
        dims = self.problem.designs.dim, self.problem.responses.dim
        x, y = results.designs.detach().cpu().double(), results.responses.detach().cpu().double()
        if (x.shape[1:], y.shape[1:]) != (dims[:1], dims[1:]):
            raise ShapeError(f"results: expected {dims[0]} design and {dims[1]} response columns")
        y = torch.where(results.lost.cpu()[:, None], torch.nan, y)
        ids = torch.full((len(x),), _NOBODY) if results.id is None else results.id.cpu()
        mine = ids != _NOBODY
        place = torch.searchsorted(self._asked["id"], ids)
        place = torch.where(mine, place.clamp(max=max(0, len(self._asked["id"]) - 1)), 0)
        wrong = mine if not len(self._asked["id"]) else mine & (self._asked["id"][place] != ids)
        told = ids[mine]
        if bool(wrong.any()) or len(told.unique()) < len(told):
            number = int(ids[wrong][0]) if bool(wrong.any()) else int(told.mode().values)
            raise DataError(f"row {number} is not pending: it was never asked for, or was told")
        if not bool(mine.all()) and self.targets.context is not None:
            raise DataError("rows that nobody asked for: whose context they have is not known")
        self._take(place, mine, x, y)

    def _take(self, place: Tensor, mine: Tensor, x: Tensor, y: Tensor) -> None:
        mine = mine & (self._asked["row"][place] >= 0) if len(self._asked["id"]) else mine
        row, tag, asked = (self._asked[name][place[mine]] for name in ("row", "tag", "x"))
        left = torch.ones(len(self._asked["id"]), dtype=torch.bool)
        left[place[mine]] = False
        owner = torch.full((len(x),), _NOBODY)
        owner[mine] = self.owner[row]
        stale = tag < 0  # asked for before the targets were changed
        self._asked = {name: values[left] for name, values in self._asked.items()}
        self._remember(x, y, owner)
        error = self._error(y[mine], row).nan_to_num(torch.inf)
        fresh = ~stale
        self._improve(0, row[fresh], error[fresh], x[mine][fresh], y[mine][fresh])
        if not bool(mine.all()) or bool(stale.any()):
            self._recall()
        self.learn(row[fresh], tag[fresh], asked[fresh], x[mine][fresh], error[fresh])

    def _improve(self, which: int, row: Tensor, error: Tensor, x: Tensor, y: Tensor) -> None:
        """Keep the best row of each search; of equal ones, that which came first."""
        order = error.argsort(stable=True)
        order = order[row[order].argsort(stable=True)]
        first = torch.ones(len(order), dtype=torch.bool)
        first[1:] = row[order][1:] != row[order][:-1]
        best = order[first]
        best = best[error[best] < self.best_error[which, row[best]]]
        self.best_error[which, row[best]] = error[best]
        self.best_x[which, row[best]], self.best_y[which, row[best]] = x[best], y[best]

    def _remember(self, x: Tensor, y: Tensor, owner: Tensor) -> None:
        """Keep rows for other targets, the newest of them."""
        good = ~y.isnan().any(dim=1)
        new = {"x": x[good], "y": y[good], "owner": owner.expand(len(x))[good]}
        most = max(1, _NUMBERS // (x.shape[1] + y.shape[1]))
        self._told = {name: torch.cat([self._told[name], new[name]])[-most:] for name in new}

    def _recall(self) -> None:
        """The best known rows of each target, as many as it has searches."""
        x, y, owner = (self._told[name] for name in ("x", "y", "owner"))
        for target in range(len(self.targets)):  # rarely, and of few rows
            error = self.targets[target : target + 1].objective(y[None])[0]
            if self.targets.context is not None:
                error = torch.where(owner == target, error, torch.inf)
            count = min(self.each, len(error))
            value, place = error.topk(count, largest=False)
            rows = slice(target * self.each, target * self.each + count)
            self.best_error[1, rows] = value
            self.best_x[1, rows], self.best_y[1, rows] = x[place], y[place]

    def best(self, count: int = 1) -> Candidates:
        """The best of each search, and the best rows that no search has asked for."""
        shape = (len(self.targets), self.each)
        error = torch.cat([part.view(shape) for part in self.best_error], dim=1)
        if not self.exact:  # by one measure for all searches of a target
            y = torch.cat([part.unflatten(0, shape) for part in self.best_y], dim=1)
            error = torch.where(error.isfinite(), self.targets.objective(y), torch.inf)
        order = error.argsort(dim=1, stable=True)[:, :count, None]
        x, y = (
            torch.cat([part.unflatten(0, shape) for part in parts], dim=1).take_along_dim(order, 1)
            for parts in (self.best_x, self.best_y)
        )
        if x.shape[1] < count:
            x, y = (_filled(part, count) for part in (x, y))
        return Candidates(x, y)

    def retarget(self, targets: Targets) -> None:
        """Begin again, from the best rows that are known."""
        if targets.low.shape != self.targets.low.shape:
            shapes = tuple(targets.low.shape), tuple(self.targets.low.shape)
            raise ShapeError(f"targets: {shapes[0]} in the place of {shapes[1]}")
        self.targets = targets
        self._aim()
        self._asked["tag"] = torch.full_like(self._asked["tag"], _NOBODY)
        self.best_error.fill_(torch.inf)
        self._recall()
        self.begin_again()

    def state(self) -> dict[str, Tensor]:
        """All of it."""
        state = targets_tensors(self.targets)
        state |= {f"asked.{name}": value for name, value in self._asked.items()}
        state |= {f"told.{name}": value for name, value in self._told.items()}
        state |= {
            name: getattr(self, name) for name in ("points", "best_error", "best_x", "best_y")
        }
        state |= {"next": torch.tensor(self._next)}
        state |= {f"own.{name}": value for name, value in self.tensors().items()}
        return {name: value.clone().contiguous() for name, value in state.items()}

    def resume(self, state: dict[str, Tensor]) -> None:
        """Be where ``state`` was, but for what a subclass has."""
        for name in ("best_error", "best_x", "best_y"):
            setattr(self, name, state[name].clone())
        self._asked = {name: state[f"asked.{name}"].clone() for name in self._asked}
        self._told = {name: state[f"told.{name}"].clone() for name in self._told}
        self._next = int(state["next"])


def targets_tensors(targets: Targets) -> dict[str, Tensor]:
    """Targets as tensors to store, of which ``stored_targets`` makes them again."""
    parts = {name: getattr(targets, name) for name in (*Targets.parts, "spread")}
    parts |= {f"context.{name}": v for name, v in (targets.context or {}).items()}
    return {f"targets.{name}": value for name, value in parts.items()}


def stored_targets(state: dict[str, Tensor]) -> Targets:
    """The targets of a stored loop."""
    begin = "targets.context."
    context: dict[str, Any] = {n[len(begin) :]: v for n, v in state.items() if n.startswith(begin)}
    parts = (state[f"targets.{name}"] for name in Targets.parts)
    targets = Targets.of_parts(*parts, context=context or None)
    if targets.exact:
        targets = Targets(targets.low, targets.context)
    return targets.measured_in(state.get("targets.spread", targets.spread))


def _filled(part: Tensor, count: int) -> Tensor:
    more = (len(part), count - part.shape[1], part.shape[2])
    return torch.cat([part, torch.full(more, torch.nan).to(part)], dim=1)
