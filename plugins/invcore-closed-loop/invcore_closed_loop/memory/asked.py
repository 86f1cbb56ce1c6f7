"""Rows that were asked for and not told, and why they were asked for."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

from invcore.plugin import DataError
from invcore_closed_loop.arrays import Array, Flags, Places


class Step(IntEnum):
    """Why a row was asked for."""

    START = 0
    GLOBAL = 1
    LOCAL = 2
    POLISH = 3
    REPEAT = 4
    FURTHER = 5


@dataclass
class Asked:
    """Pending rows, in the order of their ids.

    Args:
        id: (P,).
        u: (P, D), coordinates.
        target: (P,), whose step a row is; of start rows whose context they have.
        step: (P,), ``Step``.
        base: (P,), the row that it is a step from; -1 for none.
        near: (P,), whether it is near the target's best row.
    """

    id: Places
    u: Array
    target: Places
    step: Places
    base: Places
    near: Flags

    @classmethod
    def nothing(cls, designs: int) -> Asked:
        """No rows."""
        none = np.empty(0, dtype=np.int64)
        return cls(none, np.empty((0, designs)), none, none, none, np.empty(0, dtype=bool))

    def __len__(self) -> int:
        return len(self.id)

    def add(self, *parts: Array | Places | Flags) -> None:
        """Further rows: all parts, in the order of the fields."""
        for field, part in zip(fields(self), parts, strict=True):
            own = getattr(self, field.name)
            setattr(self, field.name, np.concatenate([own, part.astype(own.dtype)]))

    def rows(self, where: Places | Flags) -> Asked:
        """Some of the rows."""
        return Asked(*(getattr(self, field.name)[where] for field in fields(self)))

    def places(self, ids: Places) -> Places:
        """Where rows stand.

        Raises:
            DataError: one is not pending, or is told twice.
        """
        place = np.searchsorted(self.id, ids)
        inside = np.minimum(place, max(0, len(self.id) - 1))
        right = (place < len(self.id)) & (self.id[inside] == ids if len(self.id) else False)
        wrong = ids[~right]
        if not len(wrong) and len(np.unique(ids)) < len(ids):
            values, counts = np.unique(ids, return_counts=True)
            wrong = values[counts > 1]
        if len(wrong):
            raise DataError(
                f"row {int(wrong[0])} is not pending: it was never asked for, or was told"
            )
        return place

    def state(self) -> dict[str, Tensor]:
        """All of it."""
        return {f.name: torch.from_numpy(getattr(self, f.name).copy()) for f in fields(self)}

    @classmethod
    def of(cls, state: dict[str, Tensor], prefix: str) -> Asked:
        """The rows that ``state`` came from."""
        return cls(*(state[f"{prefix}{f.name}"].numpy().copy() for f in fields(cls)))
