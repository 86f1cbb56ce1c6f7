"""Loops at work on the kit's cases, for their checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from invcore.contracts.environment import FitEnvironment
from invcore.contracts.loop import Loop, Requests, Results, StartedLoop, no_pairs
from invcore.contracts.problem import Targets
from invcore.data.pairs import Pairs, rows_of
from invcore.testing.cases.component_under_test import Subject
from invcore.testing.cases.problems import Case, case, unit_points
from invcore.testing.check import CheckFailed, require

MOST = 4096
"""Rows after which the kit asks a loop for no more."""


@dataclass
class Work:
    """A loop that was started on a case, and what it has asked for so far."""

    loop: Loop[Any]
    case: Case
    started: StartedLoop
    targets: Targets
    asked: int = 0

    def ask(self, count: int | None = None) -> Requests:
        """Further rows, as the contract has them."""
        requests = self.started.ask(count)
        require(isinstance(requests, Requests), f"ask gives {type(requests).__name__}")
        expected = (len(requests), self.case.task.designs.dim)
        shape = tuple(requests.designs.shape)
        require(shape == expected, f"ask gives designs {shape}, expected (N, Dx) = {expected}")
        self.asked += len(requests)
        return requests

    def responses(self, requests: Requests, designs: Tensor | None = None) -> Tensor:
        """What the case's simulator says of rows, or of other designs in their place."""
        x = requests.designs if designs is None else designs
        context = self.targets.context
        known = None if context is None or requests.target is None else requests.target
        return self.case.task.simulate(x, None if known is None else rows_of(context, known))

    def tell(self, requests: Requests) -> None:
        """What the simulator says of all of these rows."""
        self.started.tell(Results(requests.id, requests.designs, self.responses(requests)))

    def rounds(self, most: int, count: int | None = None) -> Iterator[Requests]:
        """Rows that are asked for and, when the caller has looked at them, told."""
        for _ in range(most):
            requests = self.ask(count)
            if not len(requests):
                return
            yield requests
            self.tell(requests)

    def error(self, y: Tensor, target: Tensor) -> Tensor:
        """Of responses (N, Dy) of rows that are for targets (N,)."""
        return (y - self.targets.y[target]).square().mean(dim=1)


def begin(
    subject: Subject, name: str, targets: int = 3, count: int = 2, *, seed: int = 0,
    pairs: Pairs | None = None, env: FitEnvironment | None = None,
) -> Work:  # fmt: skip
    """A loop on the first targets of a case, with ``count`` points for each."""
    loop, example = subject.build(), case(name)
    if not isinstance(loop, Loop):
        raise CheckFailed(f"{subject.name} is no Loop")
    problem, wanted = example.problem, example.targets(targets)
    points = unit_points(targets, count, loop.point_dim(problem), seed)
    known = no_pairs(problem) if pairs is None else pairs
    variance = example.train.y.var(dim=0, correction=0)
    started = loop.start(problem, wanted, known, points, env or FitEnvironment(), variance=variance)
    if not isinstance(started, StartedLoop):
        raise CheckFailed(f"start gives {type(started).__name__}, expected a StartedLoop")
    return Work(loop, example, started, wanted)


def same_requests(a: Requests, b: Requests) -> bool:
    """Whether two loops want the same rows, bit for bit."""
    targets = [torch.empty(0) if r.target is None else r.target for r in (a, b)]
    return torch.equal(a.id, b.id) and torch.equal(a.designs, b.designs) and torch.equal(*targets)
