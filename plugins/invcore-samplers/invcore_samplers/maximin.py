"""Maximin Latin hypercubes: one point a stratum in every dimension, the closest pair far apart."""

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from invcore.plugin import Config, Field, Sampler
from invcore_samplers.checks import check_size, draw_seed, strictly_inside
from invcore_samplers.lattice import lattice_ranks
from invcore_samplers.repulsion import repelled_ranks

#: Largest number of points for which all pairs are looked at; above, only lattices are searched.
PAIRWISE_LIMIT = 8192
#: Work of all repulsion steps together, in pairs of points, and what a step costs beside its pairs.
_PAIRS, _OVERHEAD = 1.5e8, 2e5
#: Above this many dimensions lattices lose by a third and more: not searched where pairs can be.
_LATTICE_DIMS = 12
#: A repulsion shorter than this many steps is not worth starting.
_SHORTEST = 24


class MaximinConfig(Config):
    """Settings of `maximin-lhs`."""

    effort: float = Field(
        1.0,
        gt=0,
        le=1000,
        description="Multiplies the iterations of the search, and so its time: 1 is for "
        "interactive use, 10 and more for a design that is computed once and kept.",
    )


class MaximinLHS(Sampler[MaximinConfig]):
    """A Latin hypercube whose smallest distance between two points was made large.

    See `maximin_lhs` for how, and for what it costs.

    Example:
        >>> points = MaximinLHS().sample(10, 2, torch.Generator().manual_seed(0))
        >>> minimum_distance(points) > 0.2
        True
    """

    Config = MaximinConfig
    latin = True

    def sample(self, count: int, dim: int, generator: torch.Generator) -> Tensor:
        """One optimised design: (count, dim), float64."""
        return maximin_lhs(count, dim, generator, effort=self.config.effort)


def maximin_lhs(count: int, dim: int, generator: torch.Generator, *, effort: float = 1.0) -> Tensor:
    """Latin hypercube of stratum midpoints with a large minimum Euclidean distance.

    A single point is anywhere in the cube, its only stratum: the midpoint would be the same for
    every seed, and where symmetric problems have no slope.

    Two searches run, and the best design is taken: rank-1 lattices (`lattice_ranks`), best for
    many points in few dimensions, and repulsion between all points (`repelled_ranks`), best
    elsewhere; where lattices are known to win, they run alone. The budget counts iterations, never
    seconds: the result depends on the generator alone (repulsion multiplies matrices in float32,
    so another machine or another number of threads can end in another, equally good design).
    The order of the rows and the reflections of the axes are random.

    Warning:
        Above `PAIRWISE_LIMIT` points only lattices are searched, whose memory and time grow with
        count * dim; in more than about six dimensions they are some way below what repulsion
        finds for smaller designs. No n x n matrix is ever held.

    References:
        | M. E. Johnson, L. M. Moore, D. Ylvisaker, Minimax and maximin distance designs, J. Stat.
          Planning and Inference 26 (1990). https://doi.org/10.1016/0378-3758(90)90122-B
        | and those of `lattice_ranks` and `repelled_ranks`.

    Args:
        count: number of points n, at least 1.
        dim: number of dimensions L, at least 1.
        generator: the only source of randomness; one number is drawn from it.
        effort: multiplies the iterations of both searches.

    Returns:
        (n, L) float64 in the open unit cube; with two points and more, every column holds each of
        (k + 1/2) / n once.

    Raises:
        ValueError: `count` or `dim` is below 1, or `effort` is not positive.

    Example:
        >>> points = maximin_lhs(4, 2, torch.Generator().manual_seed(0))
        >>> points.sort(dim=0).values[:, 0].tolist()
        [0.125, 0.375, 0.625, 0.875]
    """
    check_size(count, dim)
    if not effort > 0:
        raise ValueError(f"maximin_lhs: effort must be positive, got {effort}")
    private = torch.Generator().manual_seed(draw_seed(generator))
    if count == 1:
        return strictly_inside(torch.rand(1, dim, generator=private, dtype=torch.float64))
    if dim == 1:  # all Latin hypercubes are equally good
        ranks = torch.stack([torch.randperm(count, generator=private) for _ in range(dim)], 1)
        return _midpoints(ranks)
    # Where lattices win (measured): many points for the dimension. More effort moves the boundary.
    dense = count >= 3 * 4.0 ** min(dim, _LATTICE_DIMS) * max(1.0, effort)
    repel = 3 < count <= PAIRWISE_LIMIT and not dense
    designs: list[Tensor] = []
    if dim <= _LATTICE_DIMS or not repel:
        designs.append(lattice_ranks(count, dim, private, effort=effort))
    if repel:
        steps = max(_SHORTEST, int(effort * _PAIRS / (count**2 + _OVERHEAD)))
        # Few points end in many different optima: many short runs. Many points: one long run.
        runs = max(1, int(steps / (max(150, 2 * count) * max(1.0, effort) ** 0.5)))
        designs += [repelled_ranks(count, dim, private, steps=steps // runs) for _ in range(runs)]
    # A lone lattice may have a million points: its distance is not worth the time.
    best = designs[0]
    if len(designs) > 1:
        best = max(designs, key=lambda ranks: minimum_distance(_midpoints(ranks)))
    best = best[torch.randperm(count, generator=private)]
    flip = torch.rand(dim, generator=private) < 0.5
    return _midpoints(torch.where(flip, count - 1 - best, best))


def minimum_distance(points: Tensor) -> float:
    """Smallest Euclidean distance between two rows of (n, L); infinite for a single row.

    Example:
        >>> minimum_distance(torch.tensor([[0.0, 0.0], [3.0, 4.0]]))
        5.0
    """
    if len(points) < 2:
        return float("inf")
    rows = points.detach().cpu().double().numpy()
    return float(cKDTree(rows).query(rows, k=2)[0][:, 1].min())


def _midpoints(ranks: Tensor) -> Tensor:
    return (ranks.double() + 0.5) / len(ranks)
