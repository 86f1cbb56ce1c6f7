"""Latin hypercubes from rank-1 lattices: any number of points, and never an n x n matrix."""

import torch
from torch import Tensor

#: Number of table entries (candidate component x lattice step) that one search step may look at.
_TABLE = 1 << 18
#: Random starting vectors for each modulus, at most and at effort 1.
_RESTARTS = 16
#: Table entries that all starting vectors of one modulus may look at together, at effort 1.
_ENTRIES = 2e7


def lattice_ranks(
    count: int, dim: int, generator: torch.Generator, *, effort: float = 1.0
) -> Tensor:
    """Ranks of a rank-1 lattice whose generating vector was searched for a large minimum distance.

    The rows `k * a mod N`, for a vector `a` of numbers coprime to `N`, visit every residue once in
    every dimension, so the lattice *is* a Latin hypercube. Both `N = count`, randomly shifted, and
    `N = count + 1` without its zero row are searched, each by coordinate ascent on `a` from a few
    random vectors. Memory and time are O(count * dim).

    References:
        | N. M. Korobov, The approximate computation of multiple integrals (1959).
        | L. Wang, Q. Xiao, H. Xu, Optimal maximin L1-distance Latin hypercube designs based on
          good lattice point designs, Annals of Statistics 46 (2018).
          https://doi.org/10.1214/17-AOS1674

    Args:
        count: number of points n, at least 2.
        dim: number of dimensions L, at least 1.
        generator: a CPU generator; the only source of randomness.
        effort: multiplies the number of starting vectors; there is at least one.

    Returns:
        (n, L) int64; every column is a permutation of 0..n-1.

    Example:
        >>> ranks = lattice_ranks(5, 2, torch.Generator().manual_seed(0))
        >>> ranks.sort(dim=0).values[:, 0].tolist()
        [0, 1, 2, 3, 4]
    """
    best, vector, modulus = -1.0, torch.ones(dim, dtype=torch.int64), count
    sweep = 5 * dim * min(256 * count / 2, max(_TABLE, 4 * count))  # entries that one ascent sees
    restarts = max(1, int(effort * min(_RESTARTS, _ENTRIES / sweep)))
    for candidate in (count + 1, count):
        for _ in range(restarts):
            separation, trial = _ascend(candidate, dim, generator)
            # Distances are fractions of a period: times the modulus, they are steps of the ranks.
            if separation * candidate**2 > best:
                best, vector, modulus = separation * candidate**2, trial, candidate
    if modulus == count + 1:
        return torch.arange(1, modulus)[:, None] * vector % modulus - 1
    shift = torch.randint(count, (dim,), generator=generator)
    return (torch.arange(count)[:, None] * vector + shift) % count


def _ascend(modulus: int, dim: int, generator: torch.Generator) -> tuple[float, Tensor]:
    """Improve one component at a time; returns (squared toroidal separation, vector (L,))."""
    # a and N - a are reflections of each other, and so are k and N - k: half of each is enough.
    halves = torch.arange(1, modulus // 2 + 1)
    units = halves[torch.gcd(halves, torch.tensor(modulus)) == 1]
    steps = halves.double() / modulus
    pool = max(8, min(256, _TABLE // len(steps)))
    vector = units[torch.randint(len(units), (dim,), generator=generator)]
    vector[0] = 1  # any lattice can be renumbered so that its first component is 1
    columns = _squared_steps(vector, steps)  # (L, K)
    total = columns.sum(0)
    current, stalled = float(total.min()), 0
    for _ in range(5 * (dim - 1)):
        axis = 1 + int(torch.randint(dim - 1, (1,), generator=generator))
        choice = units[torch.randint(len(units), (pool,), generator=generator)]
        table = _squared_steps(choice, steps)  # (pool, K)
        rest = total - columns[axis]
        separations = (table + rest).amin(1)
        winner = int(separations.argmax())
        value = float(separations[winner])
        stalled = 0 if value > current else stalled + 1
        if value >= current:  # sideways moves are taken: plateaus are wide
            vector[axis], columns[axis], current = choice[winner], table[winner], value
            total = rest + table[winner]
        if stalled > 2 * dim:
            break
    return current, vector


def _squared_steps(components: Tensor, steps: Tensor) -> Tensor:
    """Squared distance to the nearest integer of every component * step: (P,), (K,) -> (P, K)."""
    turns = components.double()[:, None] * steps
    return turns.sub_(turns.round()).square_()
