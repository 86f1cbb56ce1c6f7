"""Designs with as many digits as a laboratory needs, which are still allowed."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from invcore_solve.measured.measured_rows import ROUNDING
from torch import Tensor

from invcore.plugin import LinearEquality, Space

_MORE = 4  # decimals that are added one by one where constraints need them
_SIGNIFICANT = 6  # of priors whose values are of very different sizes
_EXACT = 12  # decimals of a number that makes up for the rounding of others


def sheet_designs(designs: Space, x: Tensor) -> Tensor:
    """Designs (N, Dx) rounded for a sheet, each of which is allowed and counts as what was asked.

    A value has the decimals that are a hundred-thousandth of its variable's range: six digits, more
    or less. Where a constraint does not hold for the rounded values, they are rounded up or down,
    or one of them makes up for the others, as in a sum of fractions, or there are more decimals.

    Args:
        designs: their space.
        x: as they were asked for.

    Example:
        >>> from invcore.plugin import Uniform, Variable
        >>> own = [Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "ab"]
        >>> mix = Space.of(*own, constraints=[
        ...     LinearEquality(coefficients={"a": 1.0, "b": 1.0}, value=1.0)])
        >>> sheet_designs(mix, torch.tensor([[0.123456789, 0.876543211]]).double()).tolist()
        [[0.12346, 0.87654]]
    """
    width = designs.high - designs.low
    width = torch.where(width.isfinite() & (width > 0), width, 1.0).double()
    return torch.stack([_sheet_design(designs, row, width) for row in x.double()]) if len(x) else x


def _sheet_design(designs: Space, x: Tensor, width: Tensor) -> Tensor:
    usual = [_decimals(designs, j, float(x[j]), float(width[j])) for j in range(len(x))]
    for more in range(_MORE + 1):
        decimals = [None if d is None else d + more for d in usual]
        for row in _candidates(designs, x, decimals):
            near = ((row - x).abs() / width <= ROUNDING).all()
            if bool(near) and bool(designs.contains(row[None])[0]):
                return row
    return x


def _decimals(designs: Space, place: int, value: float, width: float) -> int | None:
    """How many decimals a value needs; None where it stays as it is."""
    variable = designs.variables[place]
    if variable.whole or variable.categories:
        return None
    wanted = width * ROUNDING
    if variable.prior is None or variable.prior.kind != "uniform":
        wanted = min(wanted, abs(value) * 10.0 ** (1 - _SIGNIFICANT) or wanted)
    decimals = 0
    while 10.0**-decimals > wanted * (1 + 1e-9) and decimals < 300:
        decimals += 1
    return decimals


def _candidates(designs: Space, x: Tensor, decimals: list[int | None]) -> Iterator[Tensor]:
    """Rounded rows, the nearest first: each alone, and with a value that makes up for a sum."""
    moves = [j for j, d in enumerate(decimals) if d is not None]
    nearest = _rounded(x, decimals, {})
    bases = [nearest, *(_rounded(x, decimals, dict.fromkeys(moves, way)) for way in (-1, 1))]
    bases += [_rounded(x, decimals, {j: way}) for j in moves for way in (-1, 1)]
    sums = [c for c in designs.constraints if isinstance(c, LinearEquality)]
    for base in bases:
        yield base
        if sums:
            yield from _made_up(designs, base, sums, moves)


def _rounded(x: Tensor, decimals: list[int | None], ways: dict[int, int]) -> Tensor:
    """To the nearest; or, of variables in ``ways``, down (-1) or up (1)."""
    row = x.clone()
    for j, digits in enumerate(decimals):
        if digits is None:
            continue
        value, step = round(float(x[j]), digits), 10.0**-digits
        if ways.get(j, 0) * (value - float(x[j])) < 0:
            value = round(value + ways[j] * step, digits)
        row[j] = value
    return row


def _made_up(
    designs: Space, base: Tensor, sums: list[LinearEquality], moves: list[int]
) -> Iterator[Tensor]:
    """The row with one variable of each sum as the others have it."""
    for shift in range(len(moves)):
        row, used = base.clone(), set[int]()
        for each in sums:
            places = {designs.index(name): c for name, c in each.coefficients.items()}
            free = [j for j in moves if j in places and j not in used]
            if not free:
                break
            j = free[shift % len(free)]
            rest = sum(c * float(row[i]) for i, c in places.items() if i != j)
            row[j] = round((each.value - rest) / places[j], _EXACT)
            used.add(j)
        yield row
