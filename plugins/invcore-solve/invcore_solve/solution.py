"""Designs found with a simulator: what it says of them, best first."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from invcore.data.tables.write import write_table
from invcore.storage.run_record import RunRecord
from invcore_solve.designer import Designer, Proposal
from invcore_solve.simulators.outcomes import Counts


@dataclass(frozen=True)
class Solution:
    """Ranked designs for each target, with the simulator's responses.

    Args:
        target: (R, Dy), what was wanted of each row.
        rank: (R,), 1 is best.
        designs: (R, Dx), inside the bounds, no two alike for one target.
        responses: (R, Dy), the simulator's; NaN where it has none. None if it was not asked.
        error: (R,), mean over Dy of the squared difference between response and target; the rank
            is by it. None if the simulator was not asked.
        expected: of a method that learns from pairs, what the judge expected of the same rows.
        names: of designs and of responses.
        notes: what one should know of it: which targets the pairs that were learnt from do not
            reach, and why; that the budget was used up.
        record: of the work, as it stands in the store if there is one.
        simulator: what it was asked for, and what failed: plain data.
        designer: of a method that learns from pairs, the fitted model; for more targets.
    """

    target: Tensor
    rank: Tensor
    designs: Tensor
    responses: Tensor | None
    error: Tensor | None
    expected: Proposal | None
    names: tuple[tuple[str, ...], tuple[str, ...]]
    notes: tuple[str, ...]
    record: RunRecord
    simulator: dict[str, Any]
    designer: Designer | None = None

    def __len__(self) -> int:
        return len(self.designs)

    @classmethod
    def unchecked(cls, expected: Proposal, **facts: Any) -> Solution:
        """Of designs that the simulator was not asked about: ranked by the judge."""
        return cls(
            expected.target, expected.rank, expected.designs, None, None, expected,
            expected.names, **facts,
        )  # fmt: skip

    @classmethod
    def checked(
        cls, target: Tensor, group: Tensor, designs: Tensor, responses: Tensor,
        expected: Proposal | None, names: tuple[tuple[str, ...], tuple[str, ...]], **facts: Any,
    ) -> Solution:  # fmt: skip
        """Ranked by the error that the simulator says; without a response, last.

        Args:
            target: (R, Dy).
            group: (R,), which target a row is for: 0, 1, …
            designs: (R, Dx).
            responses: (R, Dy), the simulator's.
            expected: of the same rows, in this order; or None.
            names: of designs and responses.
            facts: the other fields.
        """
        error = (responses - target).square().mean(dim=1)
        by_error = error.argsort(stable=True)  # NaN goes last
        order = by_error[group[by_error].argsort(stable=True)]
        first = torch.searchsorted(group[order], group[order].clone())
        rank = torch.arange(len(order)) - first + 1
        if expected is not None:
            expected = proposal_rows(expected, order)
        return cls(
            target[order], rank, designs[order], responses[order], error[order], expected, names,
            **facts,
        )  # fmt: skip

    @property
    def summary(self) -> str:
        """What the simulator was asked for, and what failed: one line."""
        return Counts.of(self.simulator).summary()

    def top(self, count: int) -> Solution:
        """The best ``count`` of each target."""
        keep = (self.rank <= count).nonzero()[:, 0]
        return replace(
            self,
            target=self.target[keep],
            rank=self.rank[keep],
            designs=self.designs[keep],
            responses=None if self.responses is None else self.responses[keep],
            error=None if self.error is None else self.error[keep],
            expected=None if self.expected is None else proposal_rows(self.expected, keep),
        )

    def columns(self) -> dict[str, list[float] | list[int] | list[str]]:
        """The table's columns by name: targets, rank, designs, true and expected responses, error;
        of designs that were not checked, those of a ``Proposal``.
        """
        if self.responses is None or self.error is None:
            assert self.expected is not None
            return self.expected.columns()
        xs, ys = self.names
        result: dict[str, Any] = {}
        for i, name in enumerate(ys):
            result[f"target {name}"] = self.target[:, i].tolist()
        result["rank"] = self.rank.tolist()
        for i, name in enumerate(xs):
            result[name] = self.designs[:, i].tolist()
        for i, name in enumerate(ys):
            result[f"true {name}"] = self.responses[:, i].tolist()
            if self.expected is not None:
                result[f"predicted {name}"] = self.expected.predicted[:, i].tolist()
        result["error"] = self.error.tolist()
        return result

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table: .csv, .parquet or .npz; the whole file, or nothing.

        Raises:
            DataError: another ending, or the file cannot be written.
        """
        columns = self.columns()
        write_table(path, list(columns), columns)

    def tensors(self) -> dict[str, Tensor]:
        """What a run's folder holds: targets (B, Dy), candidates (B, K, Dx), resimulated (B, K, Dy)
        and errors (B, K), best first; rows that some targets have fewer of are NaN.
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


def proposal_rows(proposal: Proposal, rows: Tensor) -> Proposal:
    """Some rows of a proposal, in this order."""
    return Proposal(
        proposal.target[rows], proposal.rank[rows], proposal.designs[rows],
        proposal.predicted[rows], proposal.error[rows],
        tuple(proposal.notes[i] for i in rows.tolist()), proposal.names,
    )  # fmt: skip
