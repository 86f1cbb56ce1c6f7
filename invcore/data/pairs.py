"""Pairs of designs and responses, their splits, and the scaling that networks see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.base.errors import DataError, ShapeError
from invcore.base.types import Context


def rows_of(context: Context | None, rows: Tensor | slice) -> Context | None:
    """Some rows of a context; None of none."""
    return None if context is None else {name: values[rows] for name, values in context.items()}


def repeated(context: Context | None, count: int) -> Context | None:
    """Each problem's row ``count`` times in a row, for as many candidates; None of none."""
    if context is None:
        return None
    return {name: values.repeat_interleave(count, dim=0) for name, values in context.items()}


def flat(context: Context | None, count: int) -> Tensor:
    """All that is known of each problem in one row (count, C), by name; C = 0 without a context.

    Example:
        >>> flat({"b": torch.ones(2, 3), "a": torch.zeros(2)}, 2).shape
        torch.Size([2, 4])
    """
    parts = [values.reshape(count, -1) for _, values in sorted((context or {}).items())]
    return torch.cat(parts, dim=1) if parts else torch.empty(count, 0)


@dataclass(frozen=True)
class Pairs:
    """Designs and their responses.

    Args:
        x: designs (N, Dx).
        y: responses (N, Dy).
        context: what is known of each pair's problem; tensors with leading dimension N.
        weights: (N,), positive, how much each row counts beside others; None: all alike.
        noise: (N, Dy), variance of each measured response, where it is known; None: nowhere.
        groups: (N,), long, rows of one number belong together and are held out together, as
            replicates; None: each stands by itself.

    Raises:
        ShapeError: not two-dimensional, or other numbers of rows.
        DataError: complex numbers, of which networks would see the real parts alone.

    Example:
        >>> len(Pairs(torch.zeros(3, 2), torch.zeros(3, 1)))
        3
    """

    x: Tensor
    y: Tensor
    context: Context | None = None
    weights: Tensor | None = None
    noise: Tensor | None = None
    groups: Tensor | None = None

    def __post_init__(self) -> None:
        if self.x.ndim != 2 or self.y.ndim != 2 or len(self.x) != len(self.y):
            raise ShapeError(
                "pairs: expected x (N, Dx) and y (N, Dy), "
                f"got {tuple(self.x.shape)} and {tuple(self.y.shape)}"
            )
        if self.x.is_complex() or self.y.is_complex():
            raise DataError(
                "pairs: expected real numbers, got complex ones; give the real and the imaginary "
                "part a column each"
            )
        for name, values in (self.context or {}).items():
            if len(values) != len(self.x):
                raise ShapeError(
                    f"pairs: context {name!r} has {len(values)} rows for {len(self.x)} designs"
                )
        for name, part in self.facts.items():
            expected = tuple(self.y.shape) if name == "noise" else (len(self.x),)
            if tuple(part.shape) != expected:
                found = tuple(part.shape)
                raise ShapeError(f"pairs: expected {name} {expected}, got {found}")

    @property
    def facts(self) -> dict[str, Tensor]:
        """Of ``weights``, ``noise`` and ``groups`` those that are known, by name."""
        known = {name: getattr(self, name) for name in ("weights", "noise", "groups")}
        return {name: value for name, value in known.items() if value is not None}

    def __len__(self) -> int:
        return len(self.x)

    def whole(self) -> Pairs:
        """Those pairs alone all of whose responses are known; the same pairs where all are.

        Example:
            >>> len(Pairs(torch.zeros(2, 1), torch.tensor([[1.0, 2.0], [3.0, torch.nan]])).whole())
            1
        """
        known = ~self.y.isnan().any(dim=1)
        return self if bool(known.all()) else self[known]

    def __getitem__(self, rows: Tensor | slice) -> Pairs:
        facts = {name: value[rows] for name, value in self.facts.items()}
        return Pairs(self.x[rows], self.y[rows], rows_of(self.context, rows), **facts)

    def to(self, device: torch.device, dtype: torch.dtype | None = None) -> Pairs:
        """The same pairs on another device, or in another floating type."""
        context = self.context and {k: v.to(device, dtype) for k, v in self.context.items()}
        facts = {
            name: value.to(device, None if name == "groups" else dtype)
            for name, value in self.facts.items()
        }
        return Pairs(self.x.to(device, dtype), self.y.to(device, dtype), context, **facts)

    def split(self, *shares: float, generator: torch.Generator) -> tuple[Pairs, ...]:
        """Split at random into parts with these shares; the last part takes what is left.

        Rows with equal designs stay together, so that no part holds a copy of another's design, and
        so do rows of one group.

        Args:
            shares: positive, below one in sum; as many parts as shares, and one more.
            generator: decides who goes where.

        Raises:
            DataError: a part would be empty: too few rows, or too few different designs.

        Example:
            >>> pairs = Pairs(torch.rand(10, 2), torch.rand(10, 1))
            >>> [len(part) for part in pairs.split(0.8, generator=torch.Generator())]
            [8, 2]
        """
        if len(self) <= len(shares):
            raise DataError(f"{len(self)} rows are too few to split into {len(shares) + 1}")
        group = self.together()
        distinct = int(group.max()) + 1
        order = torch.randperm(distinct, generator=generator)
        row_rank = order[group.cpu()]
        by_rank = torch.argsort(row_rank, stable=True)
        sizes = torch.bincount(row_rank).cumsum(0)
        parts, start, share = [], 0, 0.0
        for part_share in (*shares, None):
            if part_share is None:
                end = len(self)
            else:  # end where a group of equal designs ends
                share += part_share
                boundary = torch.tensor(share * len(self) - 0.5)
                end = int(sizes[torch.searchsorted(sizes.double(), boundary.double())])
            if end <= start:
                raise DataError(
                    f"{len(self)} rows with {distinct} different designs are too few to "
                    f"split into {len(shares) + 1}: rows with equal designs stay together"
                )
            # in the order of the table, so that a part does not depend on the sort's whims
            parts.append(self[by_rank[start:end].sort().values])
            start = end
        return tuple(parts)

    def together(self) -> Tensor:
        """For each row (N,) the number of those that it stays with: 0, 1, …; long.

        Rows of equal designs stay together, and rows of one group.

        Example:
            >>> x = torch.tensor([[1.0], [2.0], [1.0], [3.0]])
            >>> Pairs(x, x, groups=torch.tensor([0, 1, 2, 1])).together().tolist()
            [0, 1, 0, 1]
        """
        group = torch.unique(self.x, dim=0, return_inverse=True)[1]
        if self.groups is None:
            return group
        while True:  # a group may join designs, and a design groups
            before = group
            for own in (self.groups, torch.unique(self.x, dim=0, return_inverse=True)[1]):
                _, own = torch.unique(own, return_inverse=True)
                least = torch.full((int(own.max()) + 1,), len(self)).to(group)
                group = least.scatter_reduce(0, own, group, "amin")[own]
            if bool((group == before).all()):
                return torch.unique(group, return_inverse=True)[1]


def joined(parts: Sequence[Pairs]) -> Pairs:
    """Pairs one below the other; all with a context and facts of the same names, or all
    without.
    """
    first = parts[0].context
    context = first and {
        name: torch.cat([part.context[name] for part in parts if part.context]) for name in first
    }
    facts = {name: torch.cat([part.facts[name] for part in parts]) for name in parts[0].facts}
    return Pairs(torch.cat([p.x for p in parts]), torch.cat([p.y for p in parts]), context, **facts)


@dataclass(frozen=True)
class Splits:
    """The parts of a data set. ``test`` is for the scorer alone."""

    train: Pairs
    val: Pairs
    test: Pairs

    @property
    def pairs(self) -> Pairs:
        """All of them, one part below the other."""
        return joined([self.train, self.val, self.test])
