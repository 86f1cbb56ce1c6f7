"""The adapter from simulators and targets to objectives."""

import pytest
import torch
from invcore_optimisers import Evaluator, Problems, minimise_bfgs
from invcore_optimisers.coordinates import Coordinates, scales
from invcore_optimisers.placement import Placement

from invcore import (
    Categorical,
    ClippedNormal,
    Integers,
    LinearEquality,
    Normal,
    ShapeError,
    Space,
    TruncatedNormal,
    Uniform,
    Variable,
)
from invcore.plugin import Simulator, Targets, Task, generator


class Shifted(Task):
    """Two designs, and a shift that is known of each problem; no response where x1 > 1.5."""

    designs = Space.of(
        Variable(name="x1", prior=Uniform(low=-1.0, high=2.0)),
        Variable(name="x2", prior=Normal(mean=3.0, std=0.5)),
    )
    responses = Space.of(Variable(name="a"), Variable(name="b"))
    context_shapes = {"shift": ()}

    def simulate(self, x, context=None):
        shift = context["shift"]
        y = torch.stack([x[:, 0] + shift, x[:, 0] * x[:, 1]], dim=1)
        return torch.where(x[:, :1] > 1.5, torch.nan, y)


class Layers(Task):
    """A length, a whole number and a category."""

    designs = Space.of(
        Variable(name="length", prior=Uniform(low=0.5, high=2.0)),
        Variable(name="layers", prior=Integers(low=1, high=9)),
        Variable(name="material", prior=Categorical(categories=("air", "glass", "gold"))),
    )
    responses = Space.of(Variable(name="y"))

    def simulate(self, x, context=None):
        return x[:, :1] * x[:, 1:2] + 3 * x[:, 2:]


class Twice(Task):
    designs = Space.of(Variable(name="x", prior=Uniform(low=-0.2, high=1.4)))
    responses = Space.of(Variable(name="y"))

    def simulate(self, x, context=None):
        return 2 * x


def shifted(starts, **settings):
    """Two targets with their own shifts."""
    context = {"shift": torch.tensor([0.5, -0.5], dtype=torch.float64)}
    y = torch.tensor([[0.7, 0.4], [0.1, 1.5]], dtype=torch.float64)
    task = Shifted()
    simulator = Simulator(task)
    return simulator, Problems(simulator, task.designs, Targets(y, context), starts, **settings)


def test_scales_are_medians_and_quantiles():
    centre, spread = scales(Shifted.designs)
    wide = 0.6826894921370859
    torch.testing.assert_close(centre, torch.tensor([0.5, 3.0]).double())
    torch.testing.assert_close(spread, torch.tensor([1.5 * wide, 0.5], dtype=torch.float64))
    half = Space.of(
        Variable(name="x", prior=ClippedNormal(mean=-9.0, std=1.0, low=0.0, high=4.0)),
        Variable(name="y", prior=ClippedNormal(mean=-9.0, std=1.0, low=0.0)),
    )
    assert scales(half)[1].tolist() == [2.0, 1.0]  # both priors give 0 nearly always


def test_the_value_is_the_error_of_the_rows_own_target_and_context():
    x = torch.tensor([[[0.2, 3.0], [1.0, 2.0]], [[0.4, 3.5], [0.0, 3.0]]]).double()
    _, problems = shifted(x, scale=4.0)
    rows = torch.tensor([3, 0, 2])
    found = problems(problems.start[rows], rows)
    # (0 - 0.5 - 0.1)^2 + (0 - 1.5)^2; (0.2 + 0.5 - 0.7)^2 + (0.6 - 0.4)^2; (-0.2)^2 + (-0.1)^2
    wanted = torch.tensor([0.36 + 2.25, 0.04, 0.04 + 0.01], dtype=torch.float64) / 2 / 4
    torch.testing.assert_close(found, wanted)


MIXED = Space.of(
    Variable(name="both", prior=Uniform(low=-1.0, high=2.0)),
    Variable(name="above", prior=ClippedNormal(mean=1.0, std=0.5, low=0.0)),
    Variable(name="below", prior=Normal(mean=1.0, std=0.5), high=2.0),
    Variable(name="free", prior=Normal(mean=3.0, std=0.5)),
    Variable(name="skew", prior=TruncatedNormal(mean=0.0, std=1.0, low=-0.5, high=3.0)),
)


def test_coordinates_cover_the_bounds_and_no_more():
    own = Coordinates(MIXED, torch.arange(5))
    z = torch.linspace(-50, 50, 20_001, dtype=torch.float64)[:, None].expand(-1, 5)
    x = own.designs(z)
    assert bool(((x >= MIXED.low - 1e-12) & (x <= MIXED.high + 1e-12)).all())
    lowest, highest = x.amin(0), x.amax(0)
    torch.testing.assert_close(lowest[[0, 1, 4]], MIXED.low[[0, 1, 4]], atol=1e-3, rtol=0)
    torch.testing.assert_close(highest[[0, 2, 4]], MIXED.high[[0, 2, 4]], atol=1e-3, rtol=0)
    centre, spread = scales(MIXED)
    torch.testing.assert_close(own.designs(torch.zeros(1, 5).double())[0], centre)
    slope = torch.autograd.functional.jacobian(own.designs, torch.zeros(5).double()).diagonal()
    torch.testing.assert_close(slope[[0, 2, 3]], spread[[0, 2, 3]] * torch.tensor([1, -1, 1]))
    assert bool((slope.abs() <= spread * 1.0001).all())


def test_coordinates_are_inverted():
    own, x = Coordinates(MIXED, torch.arange(5)), MIXED.sample(500, generator(0))
    torch.testing.assert_close(own.designs(own.points(x)), x, rtol=0, atol=1e-5)
    edge = torch.stack([MIXED.low, MIXED.high]).clamp(-3.0, 200.0)
    again = own.designs(own.points(edge))
    torch.testing.assert_close(again, edge, rtol=0, atol=1e-4)
    slope = torch.autograd.functional.jacobian(own.designs, own.points(edge[:1])[0]).diagonal()
    assert bool((slope.abs() > 1e-4).all()), "a search can leave a bound"


def test_a_minimum_on_a_bound_takes_no_more_than_one_within():
    """The nearest value to 9 is at the upper bound of x1, where no response would be beyond it."""
    task = Twice()
    starts = torch.tensor([[[0.3], [0.9]], [[0.3], [0.9]]]).double()
    targets = Targets(torch.tensor([[9.0], [0.5]], dtype=torch.float64))
    problems = Problems(Simulator(task), task.designs, targets, starts)
    found = minimise_bfgs(problems, problems.start)
    assert bool(found.converged.all()) and int(found.evaluations.max()) < 15
    x = problems.result(found.x).x[:, 0]
    torch.testing.assert_close(x, torch.tensor([1.4, 1.4, 0.25, 0.25]).double(), atol=1e-6, rtol=0)


def test_a_design_without_a_response_is_infinite_and_harms_no_other():
    x = torch.tensor([[[0.2, 3.0], [1.9, 3.0]], [[0.4, 3.5], [0.0, 3.0]]]).double()
    _, problems = shifted(x)
    rows = torch.arange(4)
    value, slope = Evaluator(problems, 100)(problems.start, rows)
    assert value.isinf().tolist() == [False, True, False, False]
    kept = torch.tensor([0, 2, 3])
    alone = Evaluator(problems, 100)(problems.start[kept], kept)
    torch.testing.assert_close(value[kept], alone[0])
    torch.testing.assert_close(slope[kept], alone[1])
    found = problems.result(problems.start)
    assert found.error.isinf().tolist() == [False, True, False, False]
    assert bool(found.y[1].isnan().all())


def test_gradients_are_those_of_differences():
    x = torch.tensor([[[0.2, 3.0], [1.0, 2.0]], [[0.4, 3.5], [-2.0, 3.0]]]).double()
    _, problems = shifted(x, scale=0.3)
    point = problems.start.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: problems(z, torch.arange(4)), (point,))


def test_only_lengths_move_and_what_is_found_is_allowed():
    task = Layers()
    starts = torch.tensor([[[1.0, 4.0, 2.0], [0.5, 9.0, 0.0], [1.2, 1.0, 1.0]]]).double()
    problems = Problems(Simulator(task), task.designs, Targets(torch.tensor([[10.0]])), starts)
    assert problems.start.shape == (3, 1)
    found = problems.result(minimise_bfgs(problems, problems.start).x)
    wanted = torch.tensor([[1.0, 4.0, 2.0], [10 / 9, 9.0, 0.0], [2.0, 1.0, 1.0]]).double()
    torch.testing.assert_close(found.x, wanted, rtol=0, atol=1e-5)
    torch.testing.assert_close(found.error, torch.tensor([0.0, 0.0, 25.0]).double(), atol=1e-8,
                               rtol=0)  # fmt: skip


def test_whole_numbers_move_if_asked_and_are_simulated_rounded():
    task = Layers()
    starts = torch.tensor([[[1.0, 4.0, 2.0]]]).double()
    problems = Problems(
        Simulator(task), task.designs, Targets(torch.tensor([[10.0]])), starts, moves="numbers"
    )
    assert problems.movable.tolist() == [0, 1]
    step = torch.tensor([[0.0, 0.6]], dtype=torch.float64) / scales(task.designs)[1][:2]
    found = problems.result(problems.start + step)
    assert found.x.tolist() == [[1.0, 5.0, 2.0]]
    torch.testing.assert_close(problems(problems.start + step, torch.tensor([0])), found.error)


def test_calls_are_counted_with_their_gradients():
    simulator, problems = shifted(torch.zeros(2, 3, 2, dtype=torch.float64))
    found = minimise_bfgs(problems, problems.start)
    assert simulator.calls == 2 * int(found.evaluations.sum())
    problems.result(found.x)
    assert simulator.calls == 2 * int(found.evaluations.sum()) + 6


def test_wrong_starts_are_refused():
    with pytest.raises(ShapeError, match=r"starts: expected \(2, K, 2\), got \(3, 1, 2\)"):
        shifted(torch.zeros(3, 1, 2, dtype=torch.float64))


def test_searches_simulate_what_constraints_allow():
    space = Space.of(
        *(Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "abc"),
        constraints=[LinearEquality(coefficients={"a": 1.0, "b": 1.0, "c": 1.0}, value=1.0)],
    )
    place = Placement(space, space.sample(6, generator(0)))
    z = torch.randn(6, 3, generator=generator(1), dtype=torch.float64).requires_grad_()
    x = place.whole(z, torch.arange(6))
    assert bool(space.contains(x).all())
    assert torch.equal(x.detach(), place.allowed(z, torch.arange(6)))
    x.sum().backward()
    assert bool(z.grad.isfinite().all()) and float(z.grad.abs().max()) > 0
