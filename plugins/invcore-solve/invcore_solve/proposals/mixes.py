"""Mixes of neighbouring rows: designs that keep every linear relation, lattice and level."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import Space
from invcore_solve.typicality.typicality import Typicality

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

_NEIGHBOURS = 15
_FAR = 0.25  # share of mixes with any row instead of a neighbour
_STEPPED = 0.6  # share of designs whose blocks with levels take a step between two other rows
_WIDER = 0.2  # share of designs that go beyond the rows, where bounds are wider
_SWAPPED = 0.5  # chance that such a block comes from the second row


def mixes(
    typicality: Typicality, count: int, rng: np.random.Generator,
    parents: Numbers | None = None, *, reach: float = 0.5, beyond: bool = False,
) -> tuple[Numbers, Places]:  # fmt: skip
    """Designs between rows of the table, those alone that are typical.

    Continuous blocks lie on the line from a row to a neighbour, at most half way. A block with
    levels or categories comes from one of the two as a whole, or, where its values are numbers,
    moves by the difference of two further rows: x_i + (x_j - x_k) keeps every linear relation.

    Args:
        typicality: the rows, and what is typical of them.
        count: mixes that are tried.
        rng: of the mixes.
        parents: (count, Dx), designs to begin from instead of rows.
        reach: the largest share of the way.
        beyond: whether half of them go the other way, beyond the row that they begin from.

    Returns:
        Designs (n, Dx), n at most ``count``, and for each the position of the parent, or of the
        row, that it began from (n,), in order where parents are given.
    """
    rows = typicality.neighbourhood.rows
    if len(rows) < 2:
        return rows[:0], np.zeros(0, dtype=np.intp)
    if parents is None:
        first = rng.integers(len(rows), size=count)
        base = rows[first]
    else:
        base, count = parents, len(parents)
        first = typicality.neighbourhood.nearest(base)[1]
    near = typicality.neighbourhood.neighbours(_NEIGHBOURS)
    second = near[first, rng.integers(near.shape[1], size=count)]
    far = rng.random(count) < _FAR
    second[far] = rng.integers(len(rows), size=int(far.sum()))
    share = reach * rng.random(count)[:, None]
    if beyond:
        share = share * np.where(rng.random(count) < 0.5, -1.0, 1.0)[:, None]
    x = base * (1 - share) + rows[second] * share
    for block in typicality.blocks:
        if not block.discrete:
            continue
        columns = list(block.columns)
        swap: Flags = rng.random(count) < _SWAPPED * (2 * reach)
        x[:, columns] = np.where(swap[:, None], rows[second], base)[:, columns]
        if block.stepped:
            step = np.flatnonzero(rng.random(count) < _STEPPED)
            a = rng.integers(len(rows), size=len(step))
            b = near[a, rng.integers(near.shape[1], size=len(step))]
            start = base[step][:, columns]
            x[step[:, None], columns] = start + rows[a][:, columns] - rows[b][:, columns]
    _beyond(typicality, x, rng)
    origin = first if parents is None else np.arange(count)
    x, kept = _without_offence(typicality, x)
    typical = typicality.near(x)
    return x[typical], origin[kept[typical]]


def crossed(
    typicality: Typicality, base: Numbers, pair: tuple[Numbers, Numbers], rng: np.random.Generator
) -> tuple[Numbers, Places]:
    """Good designs moved by a share of the difference of two others, those alone that are typical.

    Where good designs lie along an edge of what is allowed, so do such steps, which keep every
    linear relation besides. A block with levels or categories is that of the design, or of the
    first of the two.

    Args:
        typicality: the rows, and what is typical of them.
        base: (N, Dx), designs to begin from.
        pair: two designs (N, Dx) for each.
        rng: of the steps.

    Returns:
        Designs (n, Dx), and the position of what each began from (n,), in order.
    """
    first, second = pair
    x = base + rng.random(len(base))[:, None] * (first - second)
    for block in typicality.blocks:
        if block.discrete:
            columns = list(block.columns)
            swap: Flags = rng.random(len(base)) < _SWAPPED
            x[:, columns] = np.where(swap[:, None], first, base)[:, columns]
    x, kept = _without_offence(typicality, x)
    typical = typicality.near(x)
    return x[typical], kept[typical]


def stepped_freely(
    designs: Space, base: Numbers, pair: tuple[Numbers, Numbers], reach: float,
    rng: np.random.Generator,
) -> tuple[Numbers, Places]:  # fmt: skip
    """Designs beside others, wherever the space allows them, and at its very edges.

    Half of the steps are normal, half are a share of the difference of two good designs. What leads
    out of what is allowed ends at the nearest allowed design.

    Args:
        designs: their space.
        base: (N, Dx), designs to begin from.
        pair: two good designs (N, Dx) for each.
        reach: standard deviation of a normal step, as a share of the box.
        rng: of the steps.

    Returns:
        Designs (n, Dx), and the position of what each began from (n,), in order.
    """
    first, second = pair
    width = (designs.high - designs.low).numpy()
    width = np.where(np.isfinite(width), width, np.ptp(base, axis=0))
    across = rng.random((len(base), 1)) * (first - second)
    normal = reach * width * rng.standard_normal(base.shape)
    # Not in the unit cube: where constraints tie variables, its points are no steps of designs
    moved = base + np.where(rng.random((len(base), 1)) < 0.5, across, normal)
    x = designs.project(torch.from_numpy(moved)).numpy()
    kept = np.flatnonzero(np.isfinite(x).all(axis=1))
    return x[kept], kept


def _beyond(typicality: Typicality, x: Numbers, rng: np.random.Generator) -> None:
    """Move some designs (N, Dx) beyond the rows in a variable whose bounds are wider, in place."""
    rows, designs = typicality.neighbourhood.rows, typicality.designs
    low, high = designs.low.numpy(), designs.high.numpy()
    least, most = rows.min(axis=0), rows.max(axis=0)
    wide = np.flatnonzero((low < least) | (high > most))
    for column in wide:
        chosen = np.flatnonzero(rng.random(len(x)) < _WIDER / len(wide))
        below, above = max(0.0, least[column] - low[column]), max(0.0, high[column] - most[column])
        share = rng.random(len(chosen)) * (below + above)
        x[chosen, column] = np.where(
            share < below, least[column] - share, most[column] + share - below
        )


def _without_offence(typicality: Typicality, x: Numbers) -> tuple[Numbers, Places]:
    """Those designs that are allowed once whole numbers are rounded, and their positions.

    Levels and relations are kept by construction: a step that leaves them is dropped rather than
    moved, so that mass is heaped up nowhere. What users decided away from the table is moved there.
    """
    moved = typicality.project(x)
    slack = 1e-6 * np.ptp(typicality.neighbourhood.rows, axis=0) + 1e-12
    whole = typicality.designs.whole.numpy()
    same = np.abs(moved - x) <= np.where(whole, 0.5 + slack, slack)
    same = (same | _moved_along(typicality)).all(axis=1)
    kept = np.flatnonzero(same & typicality.allowed(moved))
    return moved[kept], kept


def _moved_along(typicality: Typicality) -> Flags:
    """Columns (Dx,) that users decided away from the table, and those that move with them."""
    result = typicality.decided.copy()
    for block in typicality.blocks:
        columns = list(block.columns)
        result[columns] = typicality.decided[columns].any()
    return result
