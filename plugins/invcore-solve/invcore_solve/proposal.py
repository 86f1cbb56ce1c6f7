"""The table of results: ranked designs for each target, and what is known of each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from invcore.plugin import Column, DivergedError, Problem, write_table

_CLOSE = 1e-4  # designs closer than this share of the box, in every variable, are one

Names = tuple[tuple[str, ...], tuple[str, ...]]
"""Of designs and of responses."""


@dataclass(frozen=True)
class Proposal:
    """Ranked designs for each target, those of one target one below the other, best first.

    Args:
        target: (R, Dy), what was wanted of each row.
        rank: (R,), 1 is best.
        designs: (R, Dx), inside the bounds, no two alike for one target.
        names: of designs and of responses.
        predicted: (R, Dy), what a judge expects; None where none was asked.
        predicted_error: (R, Dy), half-width around ``predicted``, from held-out rows.
        reach: for each row why the data do not reach its target; empty texts if they do.
        responses: (R, Dy), the simulator's; NaN where it has none. None if it was not asked.
        error: (R,), mean over Dy of the squared difference between response and target. None if
            the simulator was not asked.

    Example:
        >>> ranked = by_error(torch.ones(2, 1), torch.zeros(2), torch.tensor([[0.3], [0.8]]),
        ...     torch.tensor([[3.0], [1.0]]), (("x",), ("y",)))
        >>> ranked.columns()["x"], ranked.error.tolist()  # doctest: +ELLIPSIS
        ([0.8..., 0.3...], [0.0, 4.0])
    """

    target: Tensor
    rank: Tensor
    designs: Tensor
    names: Names
    predicted: Tensor | None = None
    predicted_error: Tensor | None = None
    reach: tuple[str, ...] = ()
    responses: Tensor | None = None
    error: Tensor | None = None

    def __len__(self) -> int:
        return len(self.designs)

    def groups(self) -> Iterator[list[int]]:
        """The rows of each target, best first."""
        group = ((self.rank == 1).cumsum(0) - 1).tolist()
        for target in range(group[-1] + 1 if group else 0):
            yield [row for row, other in enumerate(group) if other == target]

    def rows(self, keep: Tensor) -> Proposal:
        """Some rows, by their positions (n,), in this order."""
        changes: dict[str, Any] = {
            name: value[keep] for name, value in vars(self).items() if isinstance(value, Tensor)
        }
        if self.reach:
            changes["reach"] = tuple(self.reach[i] for i in keep.tolist())
        return replace(self, **changes)

    def top(self, count: int) -> Proposal:
        """The best ``count`` of each target."""
        return self.rows((self.rank <= count).nonzero()[:, 0])

    def columns(self) -> dict[str, Column]:
        """The table's columns by name: targets, rank, designs, responses, predictions, errors."""
        xs, ys = self.names
        result: dict[str, Any] = {}
        for i, name in enumerate(ys):
            result[f"target {name}"] = self.target[:, i].tolist()
        result["rank"] = self.rank.tolist()
        for i, name in enumerate(xs):
            result[name] = self.designs[:, i].tolist()
        for i, name in enumerate(ys):
            if self.responses is not None:
                result[f"true {name}"] = self.responses[:, i].tolist()
            if self.predicted is not None:
                result[f"predicted {name}"] = self.predicted[:, i].tolist()
            if self.predicted_error is not None and self.responses is None:
                result[f"error {name}"] = self.predicted_error[:, i].tolist()
        if self.error is not None:
            result["error"] = self.error.tolist()
        elif any(self.reach):
            result["reach"] = [note or "ok" for note in self.reach]
        return result

    def records(self) -> list[dict[str, Any]]:
        """The table's rows by column, for ``--json``."""
        columns = self.columns()
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table: .csv, .tsv, .parquet or .npz; the whole file, or nothing.

        Raises:
            DataError: another ending, or the file cannot be written.
        """
        columns = self.columns()
        write_table(path, list(columns), columns)

    def tensors(self) -> dict[str, Tensor]:
        """What a run's folder holds: targets (B, Dy), candidates (B, K, Dx), resimulated (B, K, Dy)
        and errors (B, K), best first; rows that some targets have fewer of are NaN. Empty if the
        simulator was not asked.
        """
        if self.responses is None or self.error is None:
            return {}
        group = (self.rank == 1).cumsum(0) - 1
        size = (int(group[-1]) + 1, int(self.rank.max()))

        def grid(values: Tensor) -> Tensor:
            full = values.new_full((*size, *values.shape[1:]), torch.nan)
            full[group, self.rank - 1] = values
            return full

        return {
            "targets": self.target[self.rank == 1],
            "candidates": grid(self.designs),
            "resimulated": grid(self.responses),
            "errors": grid(self.error),
        }


def by_judge(
    problem: Problem, target: Tensor, designs: Tensor, predicted: Tensor, error: Tensor,
    scale: Tensor, reach: Sequence[str],
) -> Proposal:  # fmt: skip
    """Designs ranked by a judge's upper bound of the distance to the target, without copies.

    Args:
        problem: the spaces.
        target: (B, Dy).
        designs: (B, K, Dx), allowed ones.
        predicted: (B, K, Dy), what the judge expects.
        error: (B, K, Dy), half-width around it.
        scale: (Dy,), in which distances count.
        reach: for each target why the data do not reach it, or an empty text.

    Raises:
        DivergedError: a target has no design that is finite.
    """
    bound = ((predicted - target[:, None]).abs() + error) / scale
    order = bound.square().mean(dim=2).argsort(dim=1, stable=True)
    usable = (designs.isfinite().all(dim=2) & bound.isfinite().all(dim=2)).gather(1, order)
    rows = []
    for b in range(len(target)):  # over targets, of which there are few; numbers vary from here
        best = order[b][usable[b]]
        if len(best) == 0:
            raise DivergedError(f"target {b + 1}: the method gave no finite design")
        best = best[distinct(problem.designs.to_unit(designs[b, best]))]
        rows.append((torch.full_like(best, b), torch.arange(1, len(best) + 1), best))
    which, rank, best = (torch.cat(column) for column in zip(*rows, strict=True))
    return Proposal(
        target=target[which], rank=rank, designs=designs[which, best],
        names=(problem.designs.names, problem.responses.names),
        predicted=predicted[which, best], predicted_error=error[which, best],
        reach=tuple(reach[b] for b in which.tolist()),
    )  # fmt: skip


def by_error(
    target: Tensor, group: Tensor, designs: Tensor, responses: Tensor, names: Names
) -> Proposal:
    """Designs ranked by the error that the simulator says; without a response, last.

    Args:
        target: (R, Dy).
        group: (R,), which target a row is for: 0, 1, …
        designs: (R, Dx).
        responses: (R, Dy), the simulator's.
        names: of designs and responses.
    """
    error = (responses - target).square().mean(dim=1)
    order, rank = _ranks(error, group)
    return Proposal(
        target[order], rank, designs[order], names, responses=responses[order], error=error[order]
    )


def checked(proposed: Proposal, responses: Tensor) -> Proposal:
    """What a judge ranked, ranked anew by the simulator's responses (R, Dy) of the same rows."""
    error = (responses - proposed.target).square().mean(dim=1)
    order, rank = _ranks(error, (proposed.rank == 1).cumsum(0) - 1)
    return replace(proposed.rows(order), rank=rank, responses=responses[order], error=error[order])


def _ranks(error: Tensor, group: Tensor) -> tuple[Tensor, Tensor]:
    """The order of rows, group after group and by error, and the rank of each in that order."""
    by_size = error.argsort(stable=True)  # NaN goes last
    order = by_size[group[by_size].argsort(stable=True)]
    first = torch.searchsorted(group[order], group[order].clone())
    return order, torch.arange(len(order)) - first + 1


def distinct(unit: Tensor) -> Tensor:
    """Positions of the designs (K, Dx), in the unit cube, that repeat no earlier one, in order."""
    cells = (unit / _CLOSE).round()
    _, group = torch.unique(cells, dim=0, return_inverse=True)
    first = torch.full((int(group.max()) + 1,), len(unit))
    first = first.scatter_reduce(0, group, torch.arange(len(unit)), "amin")
    return first.sort().values
