"""The parts of refinement by themselves."""

import math

import torch

from invcore.search.aim import Aim
from invcore.search.refinement.broyden import broyden_update
from invcore.search.refinement.coordinates import RefinementCoordinates
from invcore.search.refinement.linear_step import linear_step
from invcore.spaces.constraints.kinds import Levels, Periodic
from invcore.spaces.priors import LogUniform, Uniform
from invcore.spaces.space import Space, Variable

RANDOM = torch.Generator().manual_seed(0)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=RANDOM, dtype=torch.float64)


def test_broyden_says_what_was_seen_and_nothing_new_of_other_directions() -> None:
    jacobian, step, gained = random(4, 3, 5), random(4, 5), random(4, 3)
    updated = broyden_update(jacobian, step, gained)
    torch.testing.assert_close((updated @ step[..., None])[..., 0], gained)
    across = random(4, 5)
    across -= step * ((across * step).sum(1) / step.square().sum(1))[:, None]
    torch.testing.assert_close(updated @ across[..., None], jacobian @ across[..., None])


def test_step_without_bounds_is_that_of_least_squares() -> None:
    for responses, features in ((2, 5), (6, 3)):
        jacobian, y, wanted = random(4, responses, features), random(4, responses), random(4, 1)
        wanted = wanted.expand(4, responses).contiguous()
        far = torch.full((4, features), 1e3).double()
        step = linear_step(Aim(wanted, wanted), y, jacobian, -far, far)
        expected = torch.linalg.lstsq(jacobian, (wanted - y)[..., None], driver="gelsd").solution
        torch.testing.assert_close(step, expected[..., 0])


def test_step_within_bounds_is_the_best_there_is() -> None:
    jacobian, y = random(20, 3, 3), random(20, 3)
    high = torch.full((20, 3), 0.3, dtype=torch.float64)
    aim = Aim(torch.zeros_like(y), torch.zeros_like(y))
    step = linear_step(aim, y, jacobian, -high, high)
    assert bool((step.abs() <= high).all())
    # Nobody near it does better: the gradient points out of the box, or is zero
    gradient = torch.einsum("nyd,ny->nd", jacobian, y + torch.einsum("nyd,nd->ny", jacobian, step))
    inner = step.abs() < high
    good = torch.where(inner, gradient.abs() < 1e-6, gradient * step.sign() <= 1e-6)
    assert float(good.all(dim=1).double().mean()) >= 0.9


def test_step_keeps_what_is_tied() -> None:
    jacobian, y, ties = random(6, 2, 5), random(6, 2), random(6, 2, 5)
    far = torch.full((6, 5), 1e3).double()
    step = linear_step(Aim(torch.zeros_like(y), torch.zeros_like(y)), y, jacobian, -far, far, ties)
    assert float((ties @ step[..., None]).abs().max()) < 1e-9
    left = y + torch.einsum("nyd,nd->ny", jacobian, step)
    assert float(left.abs().max()) < 1e-9


def test_interval_that_the_step_would_leave_counts() -> None:
    # The second response is met, and a step for the first alone would spoil it
    jacobian = torch.tensor([[[1.0, 0.0], [1.0, 1.0]]]).double()
    low, high = torch.tensor([[1.0, -0.1]]).double(), torch.tensor([[1.2, 0.1]]).double()
    far = torch.full((1, 2), 10.0).double()
    step = linear_step(Aim(low, high), torch.zeros(1, 2).double(), jacobian, -far, far)
    y = torch.einsum("nyd,nd->ny", jacobian, step)
    assert bool((y >= low - 1e-9).all() and (y <= high + 1e-9).all())


def test_coordinates_go_to_designs_and_back() -> None:
    designs = Space.of(
        Variable(name="rate", prior=LogUniform(low=0.01, high=100.0)),
        Variable(name="size", prior=Uniform(low=-1.0, high=3.0)),
        Variable(name="angle", prior=Uniform(low=0.0, high=360.0)),
        Variable(name="level", prior=Uniform(low=0.0, high=9.0)),
        constraints=[
            Periodic(variable="angle", low=0.0, high=360.0),
            Levels(variable="level", values=(2.0, 5.0)),
        ],
    )
    own = RefinementCoordinates.of(designs)
    assert own.moves.tolist() == [True, True, True, False]
    x = torch.tensor([[1.0, 0.0, 350.0, 2.0]]).double()
    step = torch.tensor([[0.25, 0.5, 0.1, 0.3]]).double()
    end = designs.project(own.moved(x, step))
    torch.testing.assert_close(end, torch.tensor([[10.0, 2.0, 26.0, 2.0]]).double())
    torch.testing.assert_close(own.way(x, end)[:, :3], step[:, :3])
    torch.testing.assert_close(own.slopes(x)[0, 0], torch.tensor(math.log(1e4)).double())
    assert float(own.apart(x, torch.tensor([[1.0, 0.0, 350.0, 5.0]]).double())) == 1
