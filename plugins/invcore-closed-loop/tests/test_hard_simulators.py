"""Simulators that are noisy, fail, or are nothing like what a surrogate expects."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from invcore_closed_loop.closed_loop import ClosedLoop
from invcore_closed_loop.config import ClosedLoopConfig
from invcore_closed_loop.started import StartedClosedLoop
from safetensors.torch import load, save
from torch import Tensor

from invcore.plugin import (
    FitEnvironment,
    Pairs,
    Problem,
    Requests,
    Requirement,
    Results,
    Space,
    Specification,
    Targets,
    Uniform,
    Variable,
)

Simulate = Callable[[Tensor], Tensor]


def space(dim: int, name: str = "x") -> Space:
    prior = Uniform(low=0.0, high=1.0)
    return Space.of(*(Variable(name=f"{name}{i + 1}", prior=prior) for i in range(dim)))


def begun(
    targets: Targets, dim: int = 2, *, pairs: Pairs | None = None, seed: int = 0, **settings: object
) -> StartedClosedLoop:
    problem = Problem("test", space(dim), space(targets.low.shape[1], "y"))
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand(len(targets), 1, dim, generator=generator, dtype=torch.float64)
    if pairs is None:
        pairs = Pairs(torch.empty(0, dim).double(), torch.empty(0, targets.low.shape[1]).double())
    loop = ClosedLoop(ClosedLoopConfig(**settings))
    return loop.start(problem, targets, pairs, points, FitEnvironment())


def driven(loop: StartedClosedLoop, simulate: Simulate, calls: int) -> tuple[Tensor, Tensor]:
    """All rows (N, Dx) and responses (N, Dy) until the loop ends, or so many were simulated."""
    x: list[Tensor] = []
    y: list[Tensor] = []
    while sum(len(part) for part in x) < calls and len(requests := loop.ask()):
        x.append(requests.designs)
        y.append(simulate(requests.designs))
        loop.tell(Results(requests.id, requests.designs, y[-1]))
    return torch.cat(x), torch.cat(y)


def answers(loop: StartedClosedLoop) -> Tensor:
    """Responses (T, Dy) of the best row of each target."""
    predicted = loop.best().predicted
    assert predicted is not None
    return predicted[:, 0]


def smooth(x: Tensor) -> Tensor:
    """Two responses of two designs."""
    a, b = x.unbind(1)
    return torch.stack([(3 * a).sin() + b, a * b + b.square()], dim=1)


WANTED = smooth(torch.tensor([[0.31, 0.62]]).double())


def test_an_exact_target_is_found_in_few_calls() -> None:
    loop = begun(Targets(WANTED))
    x, _ = driven(loop, smooth, 60)
    assert len(x) < 20
    assert bool(loop.converged().all())
    error = (answers(loop) - WANTED).square().mean()
    assert float(error) < 1e-11


def test_a_third_of_all_rows_fail() -> None:
    """Those with a large first design; the answer lies beside them."""

    def failing(x: Tensor) -> Tensor:
        return torch.where(x[:, :1] > 2 / 3, torch.nan, smooth(x))

    wanted = smooth(torch.tensor([[0.64, 0.3]]).double())
    loop = begun(Targets(wanted))
    _, y = driven(loop, failing, 60)
    lowest = (y - wanted).square().mean(dim=1).nan_to_num(torch.inf).min()
    best = (answers(loop)[0] - wanted[0]).square().mean()
    assert float(best) == float(lowest)
    assert float(best) < 1e-10
    assert bool(loop.converged().all())


def test_rows_fail_at_random() -> None:
    draws = torch.Generator().manual_seed(4)

    def failing(x: Tensor) -> Tensor:
        lost = torch.rand(len(x), 1, generator=draws) < 1 / 3
        return torch.where(lost, torch.nan, smooth(x))

    loop = begun(Targets(WANTED))
    driven(loop, failing, 60)
    assert bool(loop.converged().all())


def test_all_rows_fail() -> None:
    loop = begun(Targets(WANTED), calls=15)
    x, _ = driven(loop, lambda x: torch.full((len(x), 2), torch.nan).double(), 100)
    assert len(x) == 15
    assert not loop.converged().any()
    assert bool(loop.finished().all())
    assert bool(loop.best().x.isnan().all())


def test_a_noisy_simulator_is_noticed_and_not_polished() -> None:
    """The noise is a tenth of what the responses vary by; the best row is not the luckiest."""
    draws = torch.Generator().manual_seed(1)

    def noisy(x: Tensor) -> Tensor:
        return smooth(x) + 0.05 * torch.randn(len(x), 2, generator=draws).double()

    loop = begun(Targets(WANTED), calls=80)
    x, y = driven(loop, noisy, 80)
    assert loop.noisy
    found = smooth(loop.best().x[:, 0])
    lucky = smooth(x[(y - WANTED).square().mean(dim=1).argmin()][None])
    errors = [float((each - WANTED).square().mean()) for each in (found, lucky)]
    assert errors[0] < 0.05**2
    assert errors[0] <= errors[1] + 1e-4


def test_known_noise_needs_no_repeats() -> None:
    draws = torch.Generator().manual_seed(2)

    def noisy(x: Tensor) -> Tensor:
        return smooth(x) + 0.05 * torch.randn(len(x), 2, generator=draws).double()

    loop = begun(Targets(WANTED), calls=50, noise="present")
    driven(loop, noisy, 50)
    assert float((smooth(loop.best().x[:, 0]) - WANTED).square().mean()) < 0.05**2


def test_nothing_that_a_surrogate_could_learn() -> None:
    """Responses without any order: the answer is the best simulated row, and no success."""

    def wild(x: Tensor) -> Tensor:
        return (1e4 * (12.9898 * x[:, :1] + 78.233 * x[:, 1:])).sin()

    wanted = torch.tensor([[3.0]]).double()  # which there is not
    loop = begun(Targets(wanted), calls=40)
    _, y = driven(loop, wild, 100)
    assert not loop.converged().any()
    assert float(answers(loop)[0, 0]) == float(y.max())


def test_an_unreachable_target_ends_before_the_budget() -> None:
    loop = begun(Targets(torch.tensor([[5.0, 5.0]]).double()), calls=400)
    x, _ = driven(loop, smooth, 400)
    assert len(x) < 150
    assert bool(loop.finished().all())
    assert not loop.converged().any()


def test_partly_known_responses() -> None:
    """Every third row lacks its second response: it tells about the first."""

    def partly(x: Tensor) -> Tensor:
        y = smooth(x)
        y[::3, 1] = torch.nan
        return y

    loop = begun(Targets(WANTED))
    while len(requests := loop.ask(4)) and not loop.converged().all():
        loop.tell(Results(requests.id, requests.designs, partly(requests.designs)))
    assert bool(loop.converged().all())


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_asked_for_while_rows_are_pending(batch: int) -> None:
    """Rows come back one by one, and so many are always under way."""
    loop = begun(Targets(WANTED))
    waiting: list[Requests] = []
    told = 0
    while not loop.converged().all() and told < 80:
        if len(waiting) < batch and len(requests := loop.ask(1)):
            waiting.append(requests)
            continue
        oldest = waiting.pop(0)
        loop.tell(Results(oldest.id, oldest.designs, smooth(oldest.designs)))
        told += 1
    assert bool(loop.converged().all())
    assert told < 30 + 4 * batch


def test_intervals_and_one_side() -> None:
    wanted = Specification.of(y1=Requirement(low=1.2, high=1.25), y2=Requirement(low=0.9))
    targets = Targets.of([wanted], space(2, "y"))
    loop = begun(targets)
    driven(loop, smooth, 60)
    assert bool(loop.converged().all())
    assert bool(targets.met(answers(loop)[:, None])[0, 0])


def test_a_goal_within_limits() -> None:
    """The largest y1 with y2 at most .5: at a = π/6, b is what y2 allows."""
    wanted = Specification.of(y1=Requirement(goal="maximise"), y2=Requirement(high=0.5))
    loop = begun(Targets.of([wanted], space(2, "y")))
    driven(loop, smooth, 40)
    grid = torch.cartesian_prod(*[torch.linspace(0, 1, 801).double()] * 2)
    y = smooth(grid)
    reference = float(y[y[:, 1] <= 0.5, 0].max())
    found = answers(loop)[0]
    assert float(found[1]) <= 0.5
    assert float(found[0]) > reference - 2e-3


def test_two_goals_spread_along_a_front() -> None:
    wanted = Specification.of(y1=Requirement(goal="minimise"), y2=Requirement(goal="minimise"))

    def front(x: Tensor) -> Tensor:  # (x1, 1 - x1) where x2 = 0
        bowl = x[:, 1:].square()
        return torch.cat([x[:, :1] + bowl, (1 - x[:, :1]) + bowl], dim=1)

    loop = begun(Targets.of([wanted], space(2, "y")), calls=40)
    x, _ = driven(loop, front, 40)
    near = x[x[:, 1] < 0.05, 0].sort().values
    assert len(near) > 12
    assert float(near[0]) < 0.05
    assert float(near[-1]) > 0.95
    assert float(near.diff().max()) < 0.3


def test_known_pairs_take_the_place_of_the_start() -> None:
    x = torch.rand(40, 2, generator=torch.Generator().manual_seed(3)).double()
    loop = begun(Targets(WANTED), pairs=Pairs(x, smooth(x)))
    first = loop.ask()
    assert len(first) == 1  # no rows that fill the space
    error = (smooth(first.designs) - WANTED).square().mean()
    known = (smooth(x) - WANTED).square().mean(dim=1).min()
    assert float(error) < 0.1 * float(known)


def test_a_loop_with_a_network_goes_on_where_it_was() -> None:
    """Its weights are part of its state, and rows beyond the most are left out."""
    x = torch.rand(320, 2, generator=torch.Generator().manual_seed(5)).double()

    def rough(x: Tensor) -> Tensor:
        return (smooth(x) + (40 * x).sin().prod(1, keepdim=True).abs()).float().double()

    targets = Targets(rough(torch.rand(3, 2, generator=torch.Generator().manual_seed(6)).double()))
    loop = begun(targets, pairs=Pairs(x, rough(x)), rows=100)
    requests = loop.ask()
    loop.tell(Results(requests.id, requests.designs, rough(requests.designs)))
    state = load(save({name: value.contiguous() for name, value in loop.state().items()}))
    again = ClosedLoop(loop.config).restore(loop.problem, state, FitEnvironment())
    assert again.trained == 320
    for _ in range(2):
        pair = [each.ask() for each in (loop, again)]
        assert torch.equal(pair[0].designs, pair[1].designs)
        for each, rows in zip((loop, again), pair, strict=True):
            each.tell(Results(rows.id, rows.designs, rough(rows.designs)))


def test_the_best_of_many_noisy_rows_when_all_is_over() -> None:
    draws = torch.Generator().manual_seed(7)
    x = torch.rand(60, 2, generator=draws).double()
    y = smooth(x) + 0.05 * torch.randn(60, 2, generator=draws).double()
    loop = begun(Targets(WANTED), pairs=Pairs(x, y), noise="present", rows=20)
    loop.searches.closed[:] = True
    assert bool(loop.finished().all())
    assert bool(loop.best(3).x.isfinite().all())


def test_nothing_is_shared_between_contexts() -> None:
    """y = x + γ: each target is answered with its own γ."""
    gamma = torch.tensor([[0.0], [0.4], [-0.3]]).double()
    wanted = torch.tensor([[0.5], [0.5], [0.5]]).double()
    loop = begun(Targets(wanted, {"gamma": gamma}), dim=1)
    for _ in range(20):
        requests = loop.ask()
        if not len(requests):
            break
        y = requests.designs + gamma[requests.target]
        loop.tell(Results(requests.id, requests.designs, y))
    assert bool(loop.converged().all())
    assert np.allclose(loop.best().x[:, 0], wanted - gamma, atol=1e-5)
