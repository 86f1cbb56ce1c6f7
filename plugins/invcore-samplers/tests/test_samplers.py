"""The samplers: what they promise of their points, checked as mathematics and never timed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from invcore_samplers.halton import Halton
from invcore_samplers.lattice import lattice_ranks
from invcore_samplers.lhs import LHS
from invcore_samplers.maximin import MaximinConfig, MaximinLHS, maximin_lhs, minimum_distance
from invcore_samplers.plugin import invcore_samplers
from invcore_samplers.random import Random
from invcore_samplers.repulsion import repelled_ranks
from invcore_samplers.sobol import Sobol
from scipy.stats import kstest, qmc

from invcore.plugin import Sampler

QUICK = MaximinConfig(effort=0.1)
SAMPLERS: list[Sampler] = [Random(), LHS(), MaximinLHS(QUICK), Sobol(), Halton()]
SIZES = [(1, 1), (1, 3), (2, 2), (3, 1), (3, 2), (7, 5), (50, 64), (100, 2), (4, 600)]

every_sampler = pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: type(s).__name__)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def strata(points: torch.Tensor) -> torch.Tensor:
    """The stratum of every coordinate, sorted within its column."""
    return (points * points.shape[-2]).floor().long().sort(dim=-2).values


@every_sampler
@pytest.mark.parametrize(("count", "dim"), SIZES)
def test_points_are_float64_in_the_open_cube(sampler, count, dim):
    points = sampler.sample(count, dim, generator())
    assert points.shape == (count, dim)
    assert points.dtype == torch.float64
    assert points.device.type == "cpu"
    assert bool(((points > 0) & (points < 1)).all())
    if sampler.latin:
        assert torch.equal(strata(points), torch.arange(count)[:, None].expand(count, dim))


@every_sampler
def test_the_generator_decides_and_nothing_global_moves(sampler):
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, again = (sampler.sample(20, 3, generator(5)) for _ in range(2))
    other = sampler.sample(20, 3, generator(6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])


@every_sampler
def test_the_generator_advances(sampler):
    shared = generator()
    assert not torch.equal(sampler.sample(20, 3, shared), sampler.sample(20, 3, shared))


@every_sampler
def test_a_batch_gives_every_target_its_own_points(sampler):
    points = sampler.batch(4, 16, 3, generator())
    assert points.shape == (4, 16, 3)
    assert bool(((points > 0) & (points < 1)).all())
    assert not torch.equal(points[0], points[1])
    if sampler.latin:
        assert torch.equal(strata(points), torch.arange(16)[None, :, None].expand(4, 16, 3))


@every_sampler
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_one_point_is_uniform_over_seeds(sampler, dim):
    points = torch.cat([sampler.sample(1, dim, generator(seed)) for seed in range(300)])
    # One uniform sample in ten thousand is as far from uniform as that.
    assert min(kstest(column, "uniform").pvalue for column in points.T.numpy()) > 1e-4
    pairs = torch.corrcoef(points.T).reshape(dim, dim) - torch.eye(dim)
    assert float(pairs.abs().max()) < 0.25  # about 4 standard deviations


@every_sampler
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_one_point_is_uniform_over_targets_and_another_for_another_seed(sampler, dim):
    points = sampler.batch(300, 1, dim, generator())[:, 0]
    assert bool(((points > 0) & (points < 1)).all())
    # Not at a few mirrored places: 300 distances from the middle are different.
    assert len((points - 0.5).abs().unique(dim=0)) == 300
    assert min(kstest(column, "uniform").pvalue for column in points.T.numpy()) > 1e-4
    assert not torch.equal(points, sampler.batch(300, 1, dim, generator(1))[:, 0])
    assert sampler.batch(0, 1, dim, generator()).shape == (0, 1, dim)


def test_more_points_are_stratum_midpoints():
    # What earlier versions gave.
    three = torch.tensor([[3.0, 3.0], [1.0, 1.0], [5.0, 5.0]], dtype=torch.float64) / 6
    assert torch.equal(maximin_lhs(3, 2, generator()), three)
    four = torch.tensor([[1.0], [3.0], [5.0], [7.0]], dtype=torch.float64) / 8
    assert torch.equal(maximin_lhs(4, 1, generator()), four)
    other = torch.tensor([[3.0, 3.0], [5.0, 1.0], [1.0, 5.0]], dtype=torch.float64) / 6
    batch = MaximinLHS().batch(2, 3, 2, generator())
    torch.testing.assert_close(batch, other.expand(2, 3, 2), rtol=0, atol=1e-15)


def test_a_random_batch_is_independent_between_targets():
    points = Random().batch(2, 4000, 1, generator())[..., 0]
    assert abs(float(torch.corrcoef(points)[0, 1])) < 0.06  # about 4 standard deviations


@every_sampler
@pytest.mark.parametrize(("count", "dim"), [(0, 2), (2, 0), (-1, 2)])
def test_an_empty_design_is_refused(sampler, count, dim):
    with pytest.raises(ValueError, match="count >= 1"):
        sampler.sample(count, dim, generator())


@every_sampler
def test_coordinates_are_uniform_over_seeds(sampler):
    points = torch.cat([sampler.sample(8, 2, generator(seed)) for seed in range(20)])
    assert torch.allclose(points.mean(0), torch.full((2,), 0.5, dtype=torch.float64), atol=0.09)


def true_maximin(count: int, dim: int) -> float:
    """The best minimum distance of all midpoint Latin hypercubes, by enumeration."""
    orders = [torch.tensor(order) for order in itertools.permutations(range(count))]
    # Renumbering the points fixes the first column.
    designs = itertools.product(*[orders] * (dim - 1))
    first = torch.arange(count)
    return max(minimum_distance(torch.stack([first, *rest], 1) / count) for rest in designs)


@pytest.mark.parametrize(("count", "dim"), [(2, 2), (3, 2), (4, 2), (5, 2), (6, 2), (4, 3)])
def test_the_true_maximin_design_is_found_where_it_can_be_enumerated(count, dim):
    found = minimum_distance(maximin_lhs(count, dim, generator()))
    assert found == pytest.approx(true_maximin(count, dim), rel=1e-6)


@pytest.mark.parametrize(("count", "dim"), [(20, 2), (30, 5), (40, 20)])
def test_maximin_beats_the_best_of_200_random_designs(count, dim):
    shared = generator(1)
    best = max(minimum_distance(LHS().sample(count, dim, shared)) for _ in range(200))
    assert minimum_distance(maximin_lhs(count, dim, generator(), effort=0.3)) > 1.1 * best


def test_figures_of_the_readme_hold():
    assert minimum_distance(maximin_lhs(100, 2, generator(), effort=0.3)) >= 0.1
    assert minimum_distance(maximin_lhs(1000, 4, generator(), effort=0.3)) >= 0.17


@pytest.mark.parametrize(("count", "dim"), [(100, 2), (1000, 4), (30, 5)])
def test_no_design_exceeds_the_mean_distance(count, dim):
    # The mean squared distance of any midpoint Latin hypercube is dim * (count + 1) / (6 * count).
    bound = (dim * (count + 1) / (6 * count)) ** 0.5
    assert minimum_distance(maximin_lhs(count, dim, generator(), effort=0.1)) <= bound


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("count", "dim"), [(2, 3), (12, 4), (97, 3), (210, 2)])
def test_lattices_and_repulsion_are_latin(count, dim, seed):
    whole = torch.arange(count)[:, None].expand(count, dim)
    lattice = lattice_ranks(count, dim, generator(seed), effort=0.1)
    repelled = repelled_ranks(count, dim, generator(seed), steps=10)
    assert torch.equal(lattice.sort(dim=0).values, whole)
    assert torch.equal(repelled.sort(dim=0).values, whole)


def test_many_points_need_no_pairwise_distances():
    count, dim = 50_000, 3
    points = maximin_lhs(count, dim, generator(), effort=0.1)
    assert torch.equal(strata(points), torch.arange(count)[:, None].expand(count, dim))
    # Far above a random design's about count ** (-2 / dim).
    assert minimum_distance(points) > 0.7 * count ** (-1 / dim)


@pytest.mark.parametrize("effort", [0.0, -1.0, float("nan")])
def test_effort_must_be_positive(effort):
    with pytest.raises(ValueError, match="effort"):
        maximin_lhs(4, 2, generator(), effort=effort)
    with pytest.raises(ValueError, match="effort"):
        MaximinConfig(effort=effort)


@pytest.mark.parametrize("sampler", [Sobol(), Halton()], ids=["sobol", "halton"])
@pytest.mark.parametrize("count", [64, 100])
def test_sequences_have_a_lower_discrepancy_than_random_points(sampler, count):
    for seed in range(3):
        sequence = qmc.discrepancy(sampler.sample(count, 3, generator(seed)).numpy())
        independent = qmc.discrepancy(Random().sample(count, 3, generator(seed)).numpy())
        assert sequence < 0.5 * independent


def test_sobol_gives_prefixes_of_one_sequence():
    whole, part = (Sobol().sample(count, 4, generator()) for count in (16, 11))
    assert torch.equal(whole[:11], part)


def test_sobol_says_where_it_ends():
    with pytest.raises(ValueError, match="at most 21201 dimensions"):
        Sobol().sample(4, 30_000, generator())


def test_every_component_loads():
    components = invcore_samplers()
    assert [c.name for c in components] == ["random", "lhs", "maximin-lhs", "sobol", "halton"]
    for component in components:
        assert issubclass(component.load(), Sampler)
