"""Loops of invcore on the counted simulator, and how long they think."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from equal_calls.counting import EndedError
from equal_calls.problems import System
from invcore.plugin import (
    FitEnvironment,
    Loop,
    Needs,
    Pairs,
    Problem,
    Results,
    StartedLoop,
    Targets,
    generator,
    installed,
)

SETTINGS: dict[str, dict[str, Any]] = {
    "random-search": {"tries": 1_000_000},
    "closed-loop": {"calls": 1_000_000},
}
"""Settings of loops that are not their defaults: the benchmark ends them, not their own limits."""


def loop_names() -> list[str]:
    """The loops that are installed."""
    return [entry.component.name for entry in installed().registry.entries("loop")]


LABORATORY: dict[str, dict[str, Any]] = {"closed-loop": {"noise": "present"}}
"""Further settings where measurements vary."""


def loop_of(name: str, laboratory: bool = False) -> Loop[Any]:
    """A loop, with its settings; as it is used in a laboratory, or on a simulator."""
    kind = installed().registry.load("loop", name)
    more = LABORATORY.get(name, {}) if laboratory else {}
    return kind(kind.Config(**SETTINGS.get(name, {}), **more))


class Simulated(Protocol):
    """What a loop is driven on: a counted simulator with what is wanted of it."""

    problem: Problem
    wanted: Targets
    variance: Tensor

    @property
    def calls(self) -> int:
        """How many rows were simulated."""

    def simulate(self, designs: Tensor) -> Tensor:
        """Responses (N, Dy) of designs (N, Dx)."""


def search(name: str, simulated: Simulated, seed: int, known: Pairs | None = None) -> None:
    """Let a loop search until the simulator ends it; one that ends on its own begins again.

    One that learns from pairs is given, when it begins again, all that was simulated; with known
    pairs, every loop is given these, and then what was simulated too.

    Args:
        name: of the loop.
        simulated: the counted simulator.
        seed: of the points.
        known: pairs that cost no call.
    """
    loop = loop_of(name)
    problem, wanted = simulated.problem, simulated.wanted
    random = generator(seed, "few-calls", name, "points")
    told: list[tuple[Tensor, Tensor]] = [] if known is None else [(known.x, known.y)]
    learns = known is not None or Needs.PAIRS in loop.needs
    while True:
        started = loop.start(
            problem, wanted, pairs_of(problem, told if learns else []),
            points_of(loop, problem, len(wanted), random), FitEnvironment(seed),
            variance=simulated.variance,
        )  # fmt: skip
        before = simulated.calls
        while len(requests := started.ask()):
            y = simulated.simulate(requests.designs.double())
            told.append((requests.designs.double(), y))
            started.tell(Results(requests.id, requests.designs, y))
        if simulated.calls == before:
            raise RuntimeError(f"{name} asks for no row at all")


def points_of(
    loop: Loop[Any], problem: Problem, count: int, random: torch.Generator
) -> Tensor:  # fmt: skip
    """One point for each of a number of targets (count, 1, L)."""
    points = torch.rand(count, 1, loop.point_dim(problem), generator=random, dtype=torch.float64)
    return points.clamp(1e-9, 1 - 1e-9)


def pairs_of(problem: Problem, rows: list[tuple[Tensor, Tensor]]) -> Pairs:
    """Pairs of what was simulated."""
    empty = [torch.empty(0, space.dim).double() for space in (problem.designs, problem.responses)]
    x, y = (torch.cat([empty[i], *(row[i] for row in rows)]) for i in (0, 1))
    return Pairs(x, y)


def known_pairs(system: System, count: int, seed: int) -> Pairs:
    """Pairs of a system that cost no call: draws of the prior that have a response."""
    x = system.problem.designs.sample(count, generator(seed, "few-calls", "known")).double()
    y = system.simulate(x)
    good = y.isfinite().all(dim=1)
    return Pairs(x[good], y[good])


def thinking(name: str, system: System, rows: int, asks: int, seed: int) -> dict[str, Any]:
    """Mean time of an ask, with the tell before it, of a loop that knows a number of rows.

    It is told of the rows as known pairs, and the first ask, which makes up for all of them, is
    told apart.
    """
    x = system.problem.designs.sample(rows, generator(seed, "few-calls", "rows"))
    loop = loop_of(name)
    count = len(system.targets)
    points = points_of(loop, system.problem, count, generator(seed, "few-calls", "points"))
    variance = torch.full((system.problem.responses.dim,), system.scale).double()
    begin = time.perf_counter()
    started = loop.start(
        system.problem, Targets(system.targets), Pairs(x, system.simulate(x)), points,
        FitEnvironment(seed), variance=variance,
    )  # fmt: skip
    requests = started.ask()
    first = time.perf_counter() - begin
    times, asked = [], []
    for _ in range(asks):
        if not len(requests):
            break
        y = system.simulate(requests.designs)
        asked.append(len(requests))
        begin = time.perf_counter()
        requests = _next(started, requests, y)
        times.append(time.perf_counter() - begin)
    mean = sum(times) / len(times) if times else float("nan")
    rows_each = sum(asked) / max(1, len(asked))
    return {"first_s": first, "ask_s": mean, "asks": len(times), "rows_an_ask": rows_each}


def _next(started: StartedLoop, requests: Any, y: Tensor) -> Any:
    started.tell(Results(requests.id, requests.designs, y))
    return started.ask()


def ended(run: Callable[[], None]) -> float:
    """Run a search until it is ended, and say how long it took, s."""
    begin = time.perf_counter()
    try:
        run()
    except EndedError:
        return time.perf_counter() - begin
    raise RuntimeError("the search ended although calls were left")
