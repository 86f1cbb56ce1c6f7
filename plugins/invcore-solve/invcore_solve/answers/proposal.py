"""The table of results: ranked designs for each target, and what is known of each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from invcore.plugin import Column, Space, Targets, write_table

if TYPE_CHECKING:
    import pandas as pd

    from invcore_solve.robustness.making import Making

Names = tuple[tuple[str, ...], tuple[str, ...]]
"""Of designs and of responses."""

_MANY = 11  # responses whose violations have columns of their own


def categories_of(designs: Space) -> dict[int, tuple[str, ...]]:
    """By position, the names of the categories of those that have some."""
    return {i: v.categories for i, v in enumerate(designs.variables) if v.categories}


@dataclass(frozen=True)
class Proposal:
    """Ranked designs for each target, those of one target one below the other, best first.

    Args:
        target: (R, Dy), what was wanted of each row; NaN where that is no exact value.
        rank: (R,), 1 is best.
        designs: (R, Dx), allowed ones, no two alike for one target; categories as 0, 1, 2, …
        names: of designs and of responses.
        predicted: (R, Dy), what a judge expects; None where none was asked.
        predicted_error: (R, Dy), half-width around ``predicted``, from held-out rows.
        reach: for each row why the data do not reach its target; empty texts if they do.
        responses: (R, Dy), the simulator's; NaN where it has none. None if it was not asked.
        error: (R,), mean over Dy of the squared difference between response and target; of
            specifications the weighted mean of squared violations. None if the simulator was not
            asked.
        distance: (R,), mean distance to the three nearest rows of the table, in units of the
            distance between rows. None where there is no table.
        nearest: (R,), long, line of the nearest row in its file. None likewise.
        nearest_response: (R, Dy), what was measured of that row. None likewise.
        measured: (R,), bool, whether the design is a row of the table, or one that was known before
            a simulator was asked. None where nothing was known.
        beyond: for each row the variables that lie beyond those of the table; empty texts if none.
        categories: by position among the designs, the names of categories.
        constants: by name, columns that have one value in the table and in every proposal.
        order: of all columns of designs, constants among them; empty: as in ``names``.
        notes: what one should know, a sentence each.
        probability: (R,), that the design meets its specification, by a judge. None where exact
            responses are wanted.
        wanted: R specifications, that of each row. None likewise.
        asked: each of them in words. Empty likewise.
        making: yields of what is made with tolerances; None where there are none.

    Example:
        >>> ranked = Proposal(torch.ones(2, 1), torch.tensor([1, 2]),
        ...     torch.tensor([[0.75], [0.5]]), (("x",), ("y",)))
        >>> ranked.columns()["x"]
        [0.75, 0.5]
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
    distance: Tensor | None = None
    nearest: Tensor | None = None
    nearest_response: Tensor | None = None
    measured: Tensor | None = None
    beyond: tuple[str, ...] = ()
    categories: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    constants: Mapping[str, float | str] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    probability: Tensor | None = None
    wanted: Targets | None = None
    asked: tuple[str, ...] = ()
    making: Making | None = None

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
        if self.wanted is not None:
            changes["wanted"] = self.wanted[keep]
        if self.making is not None:
            changes["making"] = self.making.rows(keep)
        for name in ("reach", "beyond", "asked"):
            if texts := getattr(self, name):
                changes[name] = tuple(texts[i] for i in keep.tolist())
        return replace(self, **changes)

    def top(self, count: int) -> Proposal:
        """The best ``count`` of each target."""
        return self.rows((self.rank <= count).nonzero()[:, 0])

    def columns(self) -> dict[str, Column]:
        """The table's columns by name: targets, rank, designs, responses, predictions, errors."""
        xs, ys = self.names
        result: dict[str, Any] = {}
        if self.asked:
            result["wanted"] = [*self.asked]
        for i, name in enumerate(ys if self.wanted is None else ()):
            result[f"target {name}"] = self.target[:, i].tolist()
        result["rank"] = self.rank.tolist()
        if self.probability is not None:
            result["probability"] = self.probability.tolist()
        if self.making is not None:
            result |= self.making.columns()
        for name in self.order or xs:
            result[name] = self._design(name)
        known, error = self.known, self.predicted_error
        known = None if self.measured is None or not bool(self.measured.any()) else known
        # What follows from designs alone was never measured
        uncertain = (
            range(len(ys)) if error is None else error.any(dim=0).nonzero().flatten().tolist()
        )
        for i, name in enumerate(ys):
            if self.responses is not None:
                result[f"true {name}"] = self.responses[:, i].tolist()
            if self.predicted is not None:
                result[f"predicted {name}"] = self.predicted[:, i].tolist()
            if self.predicted_error is not None and self.responses is None:
                result[f"error {name}"] = self.predicted_error[:, i].tolist()
            if known is not None and i in uncertain:
                result[f"measured {name}"] = known[:, i].tolist()
        result |= self._violations()
        if self.error is not None:
            result["error" if self.wanted is None else "violation"] = self.error.tolist()
        elif any(self.reach):
            result["reach"] = [note or "ok" for note in self.reach]
        if self.distance is not None and self.nearest is not None and self.measured is not None:
            result["distance"] = self.distance.tolist()
            result["nearest row"] = self.nearest.tolist()
            result["measured"] = self.measured.long().tolist()
        elif self.measured is not None:
            result["known"] = self.measured.long().tolist()
        if any(self.beyond):
            result["beyond"] = [*self.beyond]
        return result

    @property
    def known(self) -> Tensor | None:
        """What was measured (R, Dy) of designs that are rows of the table; NaN of all others. None
        where there is no table, or the simulator was asked.
        """
        if self.measured is None or self.nearest_response is None or self.responses is not None:
            return None
        return torch.where(self.measured[:, None], self.nearest_response, torch.nan)

    def said(self, row: int, place: int, number: Callable[..., str]) -> str:
        """One predicted response for people: as it was measured, exact, or with its error.

        Args:
            row: of the table.
            place: of the response.
            number: makes a text of a number and of its digits.
        """
        assert self.predicted is not None
        value = float(self.predicted[row, place])
        error = 0.0 if self.predicted_error is None else float(self.predicted_error[row, place])
        if error == 0.0:  # what follows from designs alone
            return number(value, 4)
        known = self.known
        if known is not None and not bool(known[row, place].isnan()):
            return f"{number(float(known[row, place]), 4)} measured"
        return f"{number(value, 4)} ± {number(error, 2)}"

    @property
    def violation(self) -> Tensor | None:
        """How far responses are from their intervals (R, Dy), with the sign; zero where they are
        met, or within their tolerance. The simulator's responses, or what a judge expects.
        """
        own = self.predicted if self.responses is None else self.responses
        if self.wanted is None or own is None:
            return None
        away = self.wanted.violation(own.double())
        return torch.where(away.abs() <= self.wanted.slack, 0.0, away)

    @property
    def met(self) -> Tensor | None:
        """Whether each response (R, Dy) is as it is wanted, by the same responses."""
        violation = self.violation
        return None if violation is None else violation == 0

    def _violations(self) -> dict[str, list[Any]]:
        """Columns of violations, of those responses of which something is wanted."""
        violation = self.violation
        if violation is None or self.wanted is None:
            return {}
        some = self.wanted.wanted.any(dim=0).tolist()
        places = [i for i, wanted in enumerate(some) if wanted]
        met = (violation == 0).all(dim=1).long().tolist()
        if len(places) > _MANY:  # a curve
            share = (violation[:, places] == 0).double().mean(dim=1).tolist()
            return {"meets": met, "share of the curve that meets": share}
        own = {f"violation {self.names[1][i]}": violation[:, i].tolist() for i in places}
        return {"meets": met, **own}

    def _design(self, name: str) -> list[float] | list[str]:
        """A column of designs, categories by their names."""
        if name in self.constants:
            return [self.constants[name]] * len(self)  # type: ignore[return-value]
        place = self.names[0].index(name)
        values: list[float] = self.designs[:, place].tolist()
        if place in self.categories:
            return [self.categories[place][int(value)] for value in values]
        return values

    def records(self) -> list[dict[str, Any]]:
        """The table's rows by column, for ``--json``."""
        columns = self.columns()
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def frame(self) -> pd.DataFrame:
        """The table as a data frame of pandas."""
        import pandas as pd

        return pd.DataFrame(self.columns())

    def _repr_html_(self) -> str:
        """What notebooks show: the first designs of the first targets, and a picture."""
        from invcore_solve.page.notebook import shown

        return shown(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table: .csv, .tsv, .xlsx, .parquet or .npz; the whole file, or nothing.

        An NPZ file holds numbers alone: categories are 0, 1, 2, … there, and notes are left out.

        Raises:
            DataError: another ending, or the file cannot be written.
        """
        columns = self.columns()
        if Path(path).suffix.lower() == ".npz":
            codes = {self.names[0][place]: place for place in self.categories}
            columns |= {name: self.designs[:, place].tolist() for name, place in codes.items()}
            columns = {name: c for name, c in columns.items() if not isinstance(c[0], str)}
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
        } | self._specification()

    def _specification(self) -> dict[str, Tensor]:
        """What is wanted of each target, as a run's folder holds it."""
        if self.wanted is None:
            return {}
        first = self.wanted[self.rank == 1]
        parts = {name: getattr(first, name) for name in (*Targets.parts, "spread")}
        return {f"specification.{name}": part.contiguous() for name, part in parts.items()}
