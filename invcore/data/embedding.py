"""Embeddings of many categories: what the training pairs say each is like, in few numbers."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from invcore.data.normaliser import Normaliser
from invcore.data.pairs import Pairs
from invcore.spaces.space import Space

MANY = 12
"""Most categories that networks see one-hot; where there are more, and nobody described them, they
are embedded."""

_WIDTH = 4  # most numbers of an embedding
_SHARE = 0.1  # of the largest direction: what is less is left out
_PRIOR = 4.0  # rows that a category's own effect has to outweigh
_COLUMNS = 24  # most other features whose slopes may differ from category to category
_RESPONSES = 8  # most principal responses


def embedded(designs: Space, train: Pairs) -> Space:
    """The space with descriptors, learnt from training pairs, of variables of many categories.

    Others stay as they are, those with descriptors of their own among them.

    Args:
        designs: the space.
        train: pairs (N, Dx) and (N, Dy); a response that is NaN counts for nothing.
    """
    wide = _wide(designs)
    if not wide:
        return designs
    x, y = train.x.detach().cpu().double(), train.y.detach().cpu().double()
    responses = _principal(Normaliser.standard(y)(y).nan_to_num(nan=0.0), _RESPONSES)
    learnt = {}
    for i in wide:
        columns = torch.tensor([j != i for j in designs.feature_columns])
        others = designs.encode(x)[:, columns]
        count = len(designs.variables[i].categories)
        learnt[i] = category_embedding(x[:, i].long(), count, others, responses)
    return described(designs, learnt)


def described(designs: Space, descriptors: Mapping[int, Tensor]) -> Space:
    """The space with descriptors (C, P) of the categories of some variables, by their positions."""
    variables = list(designs.variables)
    for i, rows in descriptors.items():
        variable = variables[i]
        assert variable.prior is not None
        own = {"descriptors": tuple(map(tuple, rows.tolist()))}
        prior = variable.prior.model_copy(update=own)
        variables[i] = variable.model_copy(update={"prior": prior})
    return Space.of(*variables, grid=designs.grid, constraints=designs.constraints)


def has_embedding(designs: Space) -> bool:
    """Whether networks see a variable of a space by what training pairs say of its categories."""
    return bool(_wide(designs))


def _wide(designs: Space) -> list[int]:
    return [
        i for i, variable in enumerate(designs.variables)
        if len(variable.categories) > MANY and variable.descriptors is None
    ]  # fmt: skip


def category_embedding(codes: Tensor, count: int, others: Tensor, y: Tensor) -> Tensor:
    """A few numbers for each category, alike for categories that act alike.

    Responses are explained by all other features first, linearly. What is left is explained for
    each category by a constant and by slopes of the other features, shrunk to zero as by ridge
    regression: those of a rare category stay near what holds for all. The principal scores of these
    effects, of the largest few directions, are the embedding. Nothing is drawn at random.

    Args:
        codes: (N,), long, the category of each row.
        count: C, of categories.
        others: (N, G), other features.
        y: (N, Dy), responses, in units of their spread.

    Returns:
        (C, P), float64, P at most four; no two rows are alike.

    References:
        Micci-Barreca, A preprocessing scheme for high-cardinality categorical attributes, SIGKDD
        Explorations 3, 2001, https://doi.org/10.1145/507533.507538 (shrunk target statistics).

    Example:
        >>> codes = torch.arange(60) % 3
        >>> y = torch.tensor([0.0, 5.0, 5.1], dtype=torch.float64)[codes][:, None]
        >>> rows = category_embedding(codes, 3, torch.zeros(60, 0).double(), y)[:, 0]
        >>> bool((rows[1] - rows[2]).abs() < 0.2 * (rows[0] - rows[2]).abs())
        True
    """
    z = Normaliser.standard(others)(others) if others.shape[1] else others
    if z.shape[1] > _COLUMNS:
        z = _principal(z, _COLUMNS)
        z = Normaliser.standard(z)(z)
    z = torch.cat([torch.ones_like(y[:, :1]), z], dim=1)
    rest = y - z @ _ridge(z, y)
    effects = torch.zeros(count, z.shape[1], y.shape[1], dtype=torch.float64)
    for category in codes.unique().tolist():  # of which there are few
        own = codes == category
        effects[category] = _ridge(z[own], rest[own])
    scores = _principal(effects.flatten(1), _WIDTH)
    size = scores.std(dim=0, correction=0)
    kept = size > _SHARE * size.max()
    kept[0] = True
    return _apart(scores[:, kept])


def _ridge(z: Tensor, y: Tensor) -> Tensor:
    """Coefficients (G, Dy), shrunk to zero."""
    return torch.linalg.solve(z.T @ z + _PRIOR * torch.eye(z.shape[1]).to(z), z.T @ y)


def _principal(values: Tensor, most: int) -> Tensor:
    """Principal scores (N, at most so many) of columns, those of the largest variance first."""
    centred = values - values.mean(dim=0)
    size, axes = torch.linalg.eigh(centred.T @ centred)
    axes = axes[:, size.argsort(descending=True, stable=True)[:most]]
    largest = axes.abs().argmax(dim=0)  # either sign is as good: that of the largest is positive
    return centred @ (axes * axes[largest, torch.arange(axes.shape[1])].sign())


def _apart(scores: Tensor) -> Tensor:
    """The scores (C, P), moved along the first direction until no two categories are alike.

    Each is at least the C-th part of a standard deviation from the next one there.
    """
    first = scores[:, 0]
    spread = float(first.std(correction=0))
    step = (spread if spread > 0 else 1.0) / len(first)
    order = first.argsort(stable=True)
    rising = first[order] - step * torch.arange(len(first))
    first = first.clone()
    first[order] = rising.cummax(dim=0).values + step * torch.arange(len(first))
    return torch.cat([first[:, None], scores[:, 1:]], dim=1)
