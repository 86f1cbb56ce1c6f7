"""Numbers that say what categories are like, and what networks see of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def check_descriptors(categories: Sequence[str], descriptors: Sequence[Sequence[float]]) -> None:
    """Refuse numbers that do not tell the categories apart.

    Args:
        categories: C names.
        descriptors: for each category its numbers, finite ones.

    Raises:
        ValueError: another number of rows, rows of different lengths, or two categories with the
            same numbers.

    Example:
        >>> check_descriptors(("gold", "air"), ((19.3, 0.2), (0.0, 1.0)))
        >>> check_descriptors(("gold", "air"), ((1.0,), (1.0,)))
        Traceback (most recent call last):
        ...
        ValueError: categories 'gold' and 'air' have the same descriptors: add one that differs
    """
    if len(descriptors) != len(categories):
        raise ValueError(
            f"descriptors: expected {len(categories)} rows, one a category, got {len(descriptors)}"
        )
    width = len(descriptors[0])
    known: dict[tuple[float, ...], str] = {}
    for name, row in zip(categories, descriptors, strict=True):
        if len(row) != width or not row:
            raise ValueError(
                f"descriptors of category {name!r}: expected {max(1, width)} numbers, as the first "
                f"category has, got {len(row)}"
            )
        other = known.setdefault(tuple(row), name)
        if other != name:
            raise ValueError(
                f"categories {other!r} and {name!r} have the same descriptors: add one that differs"
            )


class DescriptorTable:
    """The descriptors of C categories, each column with mean zero and standard deviation one.

    Args:
        descriptors: (C, P); a column that is the same for all categories is left out.

    Example:
        >>> table = DescriptorTable(((1.0, 5.0), (2.0, 5.0), (3.0, 5.0)))
        >>> table.width, table.encode(torch.tensor([1.0])).tolist()
        (1, [[0.0]])
        >>> table.decode(torch.tensor([[0.9], [-2.0]])).tolist()
        [2.0, 0.0]
    """

    def __init__(self, descriptors: Sequence[Sequence[float]]) -> None:
        values = torch.tensor(descriptors, dtype=torch.float64)
        largest = values.abs().amax(dim=0)
        shares = values / torch.where(largest > 0, largest, 1.0)  # whose squares are finite
        spread = shares.std(dim=0, correction=0)
        kept = values.amax(dim=0) > values.amin(dim=0)
        self.rows = ((shares - shares.mean(dim=0)) / torch.where(kept, spread, 1.0))[:, kept]
        """(C, width), float64."""

    @property
    def width(self) -> int:
        """How many descriptors vary."""
        return self.rows.shape[1]

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest of all."""
        return float(self.rows.min()), float(self.rows.max())

    @property
    def room(self) -> Tensor:
        """How far each number of a category (C,) may be off alone, and the category be told."""
        apart = torch.cdist(self.rows, self.rows)
        apart.fill_diagonal_(torch.inf)
        return 0.5 * apart.amin(dim=1) / math.sqrt(self.width)

    def encode(self, codes: Tensor) -> Tensor:
        """Categories (…,), as 0, 1, 2, …, to their descriptors (…, width)."""
        places = codes.nan_to_num(nan=0.0).round().long().clamp(0, len(self.rows) - 1)
        return self.rows.to(codes)[places]

    def decode(self, part: Tensor) -> Tensor:
        """Descriptors (…, width) to the nearest categories (…,)."""
        flat = part.reshape(-1, self.width)
        exact = "donot_use_mm_for_euclid_dist"  # else two that are near each other may be mixed up
        apart = torch.cdist(flat, self.rows.to(flat), compute_mode=exact)
        return apart.argmin(dim=1).view(part.shape[:-1]).to(part)
