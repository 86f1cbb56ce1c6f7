"""All rows that a search had simulated, those without a response and the known ones among them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor

from invcore.plugin import ConfigError, Space, StoreError, write_table
from invcore_solve.measured.frames import frame_columns, with_empty_cells

if TYPE_CHECKING:
    import pandas

FILE = "rows"
"""The name of the files of a run that hold them."""


@dataclass(frozen=True)
class SimulatedRows:
    """Rows in the order in which they were known or asked for.

    Args:
        designs: their space.
        responses: their space.
        x: (N, Dx).
        y: (N, Dy); NaN where there is no response.
        known: (N,), bool, rows that were known before, at no call.

    Example:
        >>> from invcore.plugin import Variable
        >>> a, y = (Space.of(Variable(name=name)) for name in "ay")
        >>> rows = SimulatedRows(a, y, torch.tensor([[1.0], [2.0]]),
        ...     torch.tensor([[3.0], [torch.nan]]), torch.tensor([True, False]))
        >>> rows.frame().values.tolist()[0], rows.status
        ([1.0, 3.0, 'known'], ['known', 'failed'])
    """

    designs: Space
    responses: Space
    x: Tensor
    y: Tensor
    known: Tensor

    def __len__(self) -> int:
        return len(self.x)

    @property
    def status(self) -> list[str]:
        """Of each row ``simulated``, ``known``, ``in part`` or ``failed``."""
        there = self.y.isfinite()
        texts = []
        for some, every, known in zip(there.any(1), there.all(1), self.known, strict=True):
            usual = "known" if known else "simulated"
            texts.append(usual if every else "in part" if some else "failed")
        return texts

    @property
    def failed(self) -> int:
        """How many have no response."""
        return int((~self.y.isfinite().any(dim=1)).sum())

    def frame(self) -> pandas.DataFrame:
        """Designs, responses and ``status`` of each row."""
        import pandas

        columns = frame_columns(self.designs, self.x, self.responses, self.y)
        return pandas.DataFrame({**columns, "status": self.status})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the frame: .csv, .tsv, .xlsx or .parquet.

        Raises:
            DataError: another ending, or it cannot be written.
        """
        columns = with_empty_cells(self.frame(), path)
        write_table(path, [*columns], columns)

    def tensors(self) -> dict[str, Tensor]:
        """What a run keeps of them."""
        return {"designs": self.x, "responses": self.y, "known": self.known}

    def document(self) -> dict[str, Any]:
        """The spaces, as plain data."""
        spaces = {"designs": self.designs, "responses": self.responses}
        return {name: space.model_dump(mode="json") for name, space in spaces.items()}

    @classmethod
    def stored(
        cls, document: Any, tensors: Mapping[str, Tensor], where: str
    ) -> SimulatedRows:  # fmt: skip
        """From what a run has kept.

        Raises:
            StoreError: it is damaged.
        """
        try:
            designs, responses = (
                Space.parse(document[name], where=where) for name in ("designs", "responses")
            )
            x, y, known = (tensors[name] for name in ("designs", "responses", "known"))
        except (KeyError, TypeError, ConfigError) as error:
            raise StoreError(f"{where}: damaged ({error})") from None
        dims = (x.dim(), y.dim(), known.dim()) == (2, 2, 1)
        if not dims or (x.shape[1], y.shape[1]) != (designs.dim, responses.dim) or not (
            len(x) == len(y) == len(known)
        ):  # fmt: skip
            raise StoreError(f"{where}: damaged, its rows are not of its designs and responses")
        return cls(designs, responses, x.double(), y.double(), known.bool())

    def and_then(self, x: Tensor, y: Tensor) -> SimulatedRows:
        """The same rows, and others that were simulated after them."""
        before = self.x, self.y, self.known
        more = SimulatedRows.joined(self.designs, self.responses, (x, y, False))
        after = more.x, more.y, more.known
        every = (torch.cat(both) for both in zip(before, after, strict=True))
        return SimulatedRows(self.designs, self.responses, *every)

    @classmethod
    def joined(cls, designs: Space, responses: Space, *parts: tuple[Tensor, Tensor, bool]) -> Self:
        """From designs and responses, and whether they were known, one part after the other."""
        x = torch.cat([part[0].cpu().double() for part in parts])
        y = torch.cat([part[1].cpu().double() for part in parts])
        known = torch.cat([torch.full((len(part[0]),), part[2]) for part in parts])
        return cls(designs, responses, x, y, known)
