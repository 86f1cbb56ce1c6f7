"""The parts by numbers that are known: processes, components, squeezes, steps, gains."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from invcore_closed_loop.problem.aims import Aims, SurrogateAims
from invcore_closed_loop.problem.coordinates import Coordinates
from invcore_closed_loop.steps.discrete import DiscreteNeighbours
from invcore_closed_loop.steps.hypervolume import GoalGain
from invcore_closed_loop.steps.least_squares import least_squares
from invcore_closed_loop.steps.polish import broyden_update, polish_steps
from invcore_closed_loop.steps.start import start_size
from invcore_closed_loop.surrogates.chance import Chance
from invcore_closed_loop.surrogates.components import Components
from invcore_closed_loop.surrogates.network import trained_network
from invcore_closed_loop.surrogates.noise import replicate_noise
from invcore_closed_loop.surrogates.process import (
    JITTER,
    KERNELS,
    Kernel,
    Limits,
    Process,
    _Loss,
    tuned,
    usual_length,
)
from invcore_closed_loop.surrogates.warp import Warp
from scipy.stats import multivariate_normal

from invcore.plugin import (
    Among,
    Categorical,
    Integers,
    LinearEquality,
    LogUniform,
    Normal,
    Periodic,
    Space,
    Targets,
    Uniform,
    Variable,
)

random = np.random.default_rng(0)
X = random.random((20, 3))
Z = np.stack([np.sin(3 * X[:, 0]) + X[:, 1], X.prod(axis=1)], axis=1)
Z -= Z.mean(axis=0)
PARAMETERS = np.log([0.5, 0.9, 1.4, 1e-4])


def matrix(kernel: Kernel, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Correlations, written out."""
    away = (a[:, None] - b[None]) / np.exp(PARAMETERS[:-1])
    r = np.sqrt((away**2).sum(axis=2))
    if kernel == "rbf":
        return np.exp(-0.5 * r**2)
    return (1 + np.sqrt(5) * r + 5 / 3 * r**2) * np.exp(-np.sqrt(5) * r)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_process_is_what_the_book_says(kernel: Kernel) -> None:
    process = Process(kernel, X, Z, PARAMETERS)
    k = matrix(kernel, X, X) + (np.exp(PARAMETERS[-1]) + JITTER) * np.eye(20)
    new = random.random((5, 3))
    cross = matrix(kernel, new, X)
    inverse = np.linalg.inv(k)
    assert np.allclose(process.mean(new), cross @ inverse @ Z, atol=1e-7)
    left = 1 - np.einsum("mi,ij,mj->m", cross, inverse, cross)
    assert np.allclose(process.doubt(new), left, atol=1e-7)
    assert np.allclose(process.variance, np.diag(Z.T @ inverse @ Z) / 20)


@pytest.mark.parametrize("kernel", KERNELS)
def test_slopes_are_those_of_the_mean(kernel: Kernel) -> None:
    process = Process(kernel, X, Z, PARAMETERS)
    new, h = random.random((4, 3)), 1e-6
    mean, slopes = process.mean_and_slopes(new)
    assert np.allclose(mean, process.mean(new))
    for j in range(3):
        step = h * np.eye(3)[j]
        expected = (process.mean(new + step) - process.mean(new - step)) / (2 * h)
        assert np.allclose(slopes[:, :, j], expected, atol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_rows_left_out_are_predicted_from_the_others(kernel: Kernel) -> None:
    errors, share = Process(kernel, X, Z, PARAMETERS).left_out()
    for row in (0, 7):
        rest = np.arange(20) != row
        other = Process(kernel, X[rest], Z[rest], PARAMETERS)
        assert np.allclose(Z[row] - other.mean(X[[row]])[0], errors[row], atol=1e-6)
        noise = np.exp(PARAMETERS[-1]) + JITTER
        assert np.isclose(other.doubt(X[[row]])[0] + noise, share[row], atol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("groups", [None, np.array([0, 0, 1])])
def test_the_loss_has_its_slope(kernel: Kernel, groups: np.ndarray | None) -> None:
    loss = _Loss(kernel, X, Z, usual_length(3), groups)
    start = PARAMETERS if groups is None else PARAMETERS[[0, 2, 3]]
    h = 1e-4
    for j, slope in enumerate(loss(start)[1]):
        step = h * np.eye(len(start))[j]
        expected = (loss(start + step)[0] - loss(start - step)[0]) / (2 * h)
        assert np.isclose(slope, expected, atol=1e-5)


def test_the_loss_is_the_likelihood_with_the_best_variance() -> None:
    """Of one component, but for constants and the prior."""
    z = Z[:, :1]
    values = []
    for parameters in (PARAMETERS, PARAMETERS + np.array([0.3, -0.2, 0.1, 1.0])):
        process = Process("rbf", X, z, parameters)
        k = np.exp(-0.5 * (((X[:, None] - X) / np.exp(parameters[:-1])) ** 2).sum(axis=2))
        k += (np.exp(parameters[-1]) + JITTER) * np.eye(20)
        exact = -2 * multivariate_normal.logpdf(z[:, 0], cov=process.variance[0] * k) / 20
        away = parameters[:-1] - usual_length(3)
        prior = float(away @ away) / 20
        values.append(_Loss("rbf", X, z, usual_length(3), None)(parameters)[0] - prior - exact)
    assert np.isclose(values[0], values[1], atol=1e-8)


def test_tuning_finds_what_matters() -> None:
    """A response of the first of three variables alone: its length is the shortest by far."""
    z = np.sin(6 * X[:, :1])
    start = np.r_[np.full(3, usual_length(3)), np.log(1e-7)]
    value, found = tuned("rbf", X, z - z.mean(), [start], Limits(), steps=60)
    assert value < _Loss("rbf", X, z - z.mean(), usual_length(3), None)(start)[0]
    assert found[0] + np.log(5) < min(found[1], found[2])


def test_components_keep_distances_and_units() -> None:
    y = random.normal(size=(30, 2)) @ random.normal(size=(2, 6)) * np.array([1, 1, 1, 1e6, 1, 1e-3])
    unit = y.std(axis=0)
    components = Components.of(y, unit)
    assert components.basis.shape == (6, 2)
    assert np.allclose(components.responses(components(y)), y)
    away = (((y[0] - y[1]) / unit) ** 2).sum()
    assert np.isclose(np.square(components(y)[0] - components(y)[1]).sum(), away)


def test_a_squeeze_keeps_the_order_and_comes_back() -> None:
    y = np.stack([np.r_[np.linspace(-1, 1, 30), 50.0, -80.0], np.linspace(0, 1, 32)], axis=1)
    warp = Warp.of(y)
    assert np.isfinite(warp.size).tolist() == [True, False]
    assert (np.diff(warp(y)[np.argsort(y[:, 0]), 0]) > 0).all()
    assert np.allclose(warp.back(warp(y)), y)
    h = 1e-6
    assert np.allclose((warp(y + h) - warp(y - h)) / (2 * h), warp.slope(y), atol=1e-6)
    assert np.isinf(warp(np.array([[np.inf, -np.inf]]))).all()


def test_least_squares_stay_in_their_boxes() -> None:
    """A linear system whose solution is outside: the best within is on the box's side."""
    jacobian = np.array([[2.0, 1.0], [0.5, 3.0]])
    wanted = jacobian @ np.array([1.4, 0.3])

    def residuals(u: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return u @ jacobian.T - wanted, np.broadcast_to(jacobian, (len(u), 2, 2))

    start = np.array([[0.2, 0.9], [0.5, 0.5]])
    low, high = np.zeros((2, 2)), np.ones((2, 2))
    u, cost = least_squares(residuals, start, low, high, np.ones(2, dtype=bool), steps=60)
    second = jacobian[:, 1] @ (wanted - jacobian[:, 0]) / (jacobian[:, 1] @ jacobian[:, 1])
    assert np.allclose(u, [[1.0, second]] * 2, atol=1e-6)
    assert np.allclose(cost, np.square(u @ jacobian.T - wanted).sum(axis=1))
    moves = np.array([[False, True], [True, True]])
    held, _ = least_squares(residuals, start, low, high, moves, steps=60)
    assert held[0, 0] == 0.2


def test_polish_solves_linear_systems_in_one_step() -> None:
    jacobian = random.normal(size=(3, 4, 2))
    end = random.random((3, 2)) * 0.4 + 0.3
    start = np.full((3, 2), 0.5)
    residuals = np.einsum("brj,bj->br", jacobian, start - end)
    found = polish_steps(jacobian, residuals, start, np.ones(3), np.ones(2, dtype=bool))
    assert np.allclose(found, end)
    short = polish_steps(jacobian, residuals, start, np.full(3, 1e-3), np.ones(2, dtype=bool))
    assert np.allclose(np.abs(short - start).max(axis=1), 1e-3)


def test_broyden_meets_the_secant_and_keeps_the_rest() -> None:
    slopes, step = random.normal(size=(3, 4)), random.normal(size=4)
    change = random.normal(size=3)
    updated = broyden_update(slopes, step, change)
    assert np.allclose(updated @ step, change)
    across = np.linalg.svd(step[None])[2][1:]
    assert np.allclose(updated @ across.T, slopes @ across.T)


def test_gains_are_those_of_the_volume() -> None:
    front = np.array([[0.0, 2.0, 1.0], [1.0, 0.0, 2.0], [2.0, 1.0, 0.0], [2.5, 2.5, 2.5]])
    gain = GoalGain(front, np.ones(3))
    reference = front[:3].max(axis=0) + 0.1 * np.ptp(front[:3], axis=0)
    cells = np.stack(np.meshgrid(*[(np.arange(44) + 0.5) / 20] * 3, indexing="ij"), -1)
    cells = cells.reshape(-1, 3)
    assert np.allclose(reference, 2.2)
    below_cells = np.asarray((front[None] <= cells[:, None]).all(axis=2))
    taken = below_cells.any(axis=1)
    for point in ([0.5, 0.5, 0.5], [2.1, 2.1, 2.1], [-1.0, 1.0, 1.0], [3.0, 0.0, 0.0]):
        inside = ~taken & (np.maximum(point, 0.0) <= cells).all(axis=1) & (np.max(point) < 2.2)
        below = max(0.0, -point[0]) * 1.2 * 1.2  # what is beside the counted cells
        expected = inside.mean() * 2.2**3 + (below if point[0] < 0 else 0.0)
        assert np.isclose(gain(np.array([point]))[0], expected, atol=0.06)


def test_one_goal_gains_what_it_is_better_by() -> None:
    gain = GoalGain(np.array([[3.0], [1.0], [2.0]]), np.array([0.5]))
    assert gain(np.array([[0.5], [1.0], [4.0]])).tolist() == [1.0, 0.0, 0.0]
    assert GoalGain(np.empty((0, 1)), np.ones(1))(np.ones((4, 1))).tolist() == [0.0] * 4


def test_replicates_tell_the_noise() -> None:
    u = np.array([[0.1], [0.1], [0.1], [0.7], [0.7], [0.9]])
    y = np.array([[1.0], [2.0], [3.0], [5.0], [7.0], [0.0]])
    noise = replicate_noise(u, y)
    assert noise is not None
    assert np.isclose(noise[0], (2.0 + 2.0) / 3)
    assert replicate_noise(u[2:4], y[2:4]) is None
    exact = replicate_noise(u[[0, 1]], y[[0, 0]])
    assert exact is not None
    assert exact.tolist() == [0.0]


def test_failures_are_expected_where_rows_failed() -> None:
    x = random.random((60, 2))
    chance = Chance(x, x[:, 0] < 0.6)
    assert chance(np.array([[0.2, 0.5]]))[0] > 0.85
    assert chance(np.array([[0.9, 0.5]]))[0] < 0.2


def test_errors_and_samples_agree() -> None:
    """Samples without deviation have the error of the responses; with it, the expected one."""
    y = random.normal(size=(12, 5))
    targets = Targets(torch.from_numpy(y[:3]))
    aims = Aims(targets)
    components = Components.of(y[3:])
    wants = SurrogateAims(aims, Warp.none(5), components)
    who = np.array([0, 2, 1])
    z = random.normal(size=(3, components.basis.shape[1]))
    flat = wants.sampled_errors(z, np.zeros_like(z), who, np.zeros((2, z.shape[1])))
    expected = aims.errors(components.responses(z), who)
    assert np.allclose(flat, expected[:, None])
    deviation = np.abs(random.normal(size=z.shape))
    normals = random.normal(size=(20_000, z.shape[1]))
    mean = wants.sampled_errors(z, deviation, who, normals).mean(axis=1)
    assert np.allclose(mean, expected + np.square(deviation).sum(axis=1) / 5, rtol=0.05)


def test_coordinates_go_there_and_back() -> None:
    space = Space.of(
        Variable(name="a", prior=Uniform(low=-2.0, high=6.0)),
        Variable(name="b", prior=LogUniform(low=1e-3, high=10.0)),
        Variable(name="c", prior=Normal(mean=1.0, std=2.0)),
        Variable(name="n", prior=Integers(low=0, high=8)),
        Variable(name="m", prior=Categorical(categories=("gold", "iron", "tin"))),
        Variable(name="t", prior=Uniform(low=0.0, high=360.0)),
        constraints=[Periodic(variable="t", low=0.0, high=360.0)],
    )
    own = Coordinates(space)
    x = space.sample(50, torch.Generator().manual_seed(0)).numpy()
    u = own.units(x)
    assert np.allclose(own.values(u), x)
    numbers = u[:, [0, 1, 2, 3, 5]]
    assert ((numbers > -1e-9) & (numbers < 1 + 1e-9)).all()
    assert own.features(u).shape == (50, 4 + 3 + 2)
    assert own.groups.tolist() == [0, 1, 2, 3, 4, 4, 4, 5, 5]
    turned = own.features(np.where(np.arange(6) == 5, u + 1.0, u))
    assert np.allclose(turned, own.features(u))
    h = 1e-6
    by_feature = np.broadcast_to(np.eye(9), (50, 9, 9))
    slopes = own.slopes(u, by_feature)
    for j in (0, 1, 2, 3, 5):
        step = h * np.eye(6)[j]
        expected = (own.features(u + step) - own.features(u - step)) / (2 * h)
        assert np.allclose(slopes[:, :, j], expected, atol=1e-6)
    assert (slopes[:, :, 4] == 0).all()
    assert space.contains(torch.from_numpy(own.designs(random.random((20, 6)) * 1.4 - 0.2))).all()


def test_neighbours_are_allowed_and_others() -> None:
    rows = ((0.1, 0.2), (0.4, 0.9), (0.8, 0.3))
    unit = Uniform(low=0.0, high=1.0)
    space = Space.of(
        Variable(name="a", prior=unit), Variable(name="b", prior=unit),
        constraints=[Among(variables=("a", "b"), designs=rows)],
    )  # fmt: skip
    own = Coordinates(space)
    assert not own.moves.any()
    near, owner = DiscreteNeighbours(own)(own.units(np.array([rows[0]])))
    assert sorted(map(tuple, own.values(near).round(9).tolist())) == [rows[1], rows[2]]
    assert owner.tolist() == [0, 0]


def test_tied_designs_stay_on_their_plane() -> None:
    unit = Uniform(low=0.0, high=1.0)
    names = ("a", "b", "c")
    total = LinearEquality(coefficients=dict.fromkeys(names, 1.0), value=1.0)
    space = Space.of(*(Variable(name=n, prior=unit) for n in names), constraints=[total])
    own = Coordinates(space)
    assert own.tied
    assert np.allclose(own.values(own.allowed(random.random((9, 3)))).sum(axis=1), 1.0)


def test_starts_grow_with_the_targets() -> None:
    assert start_size(1, 10, 1) == 4
    assert start_size(1, 3, 50) == 4
    assert start_size(50, 7, 2) == 80
    assert start_size(3, 4, 2) == 10


def test_a_network_learns_and_tells_its_slopes() -> None:
    x = np.random.default_rng(1).random((400, 2))
    y = np.stack([np.sin(5 * x[:, 0]) * x[:, 1], np.cos(3 * x[:, 1])], axis=1)
    network = trained_network(x, y, Warp.none(2), Components.of(y), 0)
    assert network is not None
    assert network.error < 1e-2
    new, h = x[:6], 1e-6
    mean, slopes = network.mean_and_slopes(new)
    assert np.allclose(mean, network.mean(new))
    for j in range(2):
        step = h * np.eye(2)[j]
        expected = (network.mean(new + step) - network.mean(new - step)) / (2 * h)
        assert np.allclose(slopes[:, :, j], expected, atol=1e-5)
