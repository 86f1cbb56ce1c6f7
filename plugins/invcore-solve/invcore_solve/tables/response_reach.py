"""What responses a table reaches: those of its rows, and all between neighbouring rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from invcore.plugin import Pairs, Targets

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_NEIGHBOURS = 12
_NEAREST = 8  # rows near a target, from which lines lead to their neighbours
_GAP = 0.99  # share of the rows whose nearest response is as near as what counts as reached
_ROWS = 512  # targets at once


@dataclass(frozen=True)
class Reached:
    """What a table says of a target.

    Args:
        within: whether it is reached.
        response: (Dy,), the nearest response that is.
        row: position of the row that it belongs to, or is next to.
    """

    within: bool
    response: Numbers
    row: int


@dataclass(frozen=True)
class Reach:
    """The responses that a table reaches.

    They are those of rows, and those on the straight lines between rows that are neighbours by
    their designs or by their responses. Where no row has all responses, nothing is out of reach.

    Args:
        y: (N, Dy), responses of the rows that have all.
        scale: (Dy,), in which distances count.
        neighbours: (N, J), of each row, by designs and by responses.
        rows: (N,), positions of these rows among all.
    """

    y: Numbers
    scale: Numbers
    neighbours: Places
    rows: Places

    @classmethod
    def of(cls, pairs: Pairs, places: Numbers) -> Reach:
        """From the pairs.

        Args:
            pairs: N rows.
            places: (N, W), their designs in units in which distances count.
        """
        y = pairs.y.numpy()
        scale = np.nanstd(y, axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        rows = np.flatnonzero(~np.isnan(y).any(axis=1))
        y = y[rows]
        if not len(rows):
            return cls(y, scale, np.zeros((0, 1), dtype=np.intp), rows)
        count = min(_NEIGHBOURS + 1, len(rows))
        near = [
            cKDTree(points).query(points, k=count)[1].reshape(len(rows), -1)
            for points in (places[rows], y / scale)
        ]
        return cls(y, scale, np.concatenate(near, axis=1), rows)

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.y / self.scale)

    @cached_property
    def gap(self) -> float:
        """A distance that is none, in standard deviations: as rows' responses lie apart."""
        if len(self.y) < 2:
            return 0.0
        nearest = self._tree.query(self.y / self.scale, k=2)[0][:, 1]
        return float(np.quantile(nearest, _GAP)) + 1e-9

    def check(self, targets: Numbers) -> list[Reached]:
        """What the table says of each target (B, Dy)."""
        if not len(self.y):
            return [Reached(True, target, 0) for target in targets]
        parts = [self._check(targets[i : i + _ROWS]) for i in range(0, len(targets), _ROWS)]
        return [reached for part in parts for reached in part]

    def check_specified(self, targets: Targets) -> list[Reached]:
        """What the table says of each specification.

        Of the rows that violate it least it is asked whether the table reaches their responses,
        once these are moved into the intervals. Free responses stay as they are.
        """
        if not len(self.y):
            return [Reached(True, target.nan_to_num().numpy(), 0) for target in targets.low]
        result, y = [], torch.from_numpy(self.y)
        for b in range(len(targets)):
            one = targets[b : b + 1]
            error = one.error(y[None])[0].nan_to_num(nan=0.0)
            best = error.argsort(stable=True)[:_NEAREST]
            low, high = (torch.where(one.wanted, end, y[best]) for end in (one.low, one.high))
            moved = torch.minimum(torch.maximum(y[best], low), high)
            found = self.check(moved.numpy())
            away = [np.square((r.response - m) / self.scale).sum()
                    for r, m in zip(found, moved.numpy(), strict=True)]  # fmt: skip
            within = [reached for reached in found if reached.within]
            result.append(within[0] if within else found[int(np.argmin(away))])
        return result

    def _check(self, targets: Numbers) -> list[Reached]:
        wanted = targets / self.scale
        points = self.y / self.scale
        apart, first = self._tree.query(wanted, k=min(_NEAREST, len(points)))
        apart, first = apart.reshape(len(wanted), -1), first.reshape(len(wanted), -1)
        start = points[first][:, :, None]  # (B, S, 1, Dy)
        along = points[self.neighbours[first]] - start  # (B, S, J, Dy)
        size = np.square(along).sum(axis=3)
        share = ((wanted[:, None, None] - start) * along).sum(axis=3)
        share = (share / np.where(size > 0, size, 1.0)).clip(0.0, 1.0)
        on = start + share[..., None] * along
        off = np.sqrt(np.square(wanted[:, None, None] - on).sum(axis=3)).reshape(len(wanted), -1)
        best = off.argmin(axis=1)
        every = np.arange(len(wanted))
        response = on.reshape(len(wanted), -1, points.shape[1])[every, best] * self.scale
        row = first[every, best // along.shape[2]]
        return [
            Reached(bool(o <= self.gap), r, int(self.rows[i]))
            for o, r, i in zip(off[every, best], response, row, strict=True)
        ]

    def state(self) -> dict[str, Tensor]:
        """Tensors to store."""
        parts = {n: getattr(self, n) for n in ("y", "scale", "neighbours", "rows")}
        return {name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in parts.items()}

    @classmethod
    def restore(cls, state: dict[str, Tensor]) -> Reach:
        """The reach that ``state`` came from."""
        return cls(**{name: value.cpu().numpy() for name, value in state.items()})
