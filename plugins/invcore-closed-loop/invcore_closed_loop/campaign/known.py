"""What is known before a campaign begins: a table, another campaign, or a stored run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from invcore_solve.schema.choices import Choices
from invcore_solve.tables.raw_table import RawTable
from invcore_solve.tables.read import read
from invcore_solve.tables.table_data import TableData
from torch import Tensor

from invcore.plugin import DataError, Pairs, Requests, Results, Space, printable
from invcore.search import LoopJournal
from invcore_closed_loop.campaign.facts import Facts
from invcore_closed_loop.campaign.spaces import without_unit
from invcore_closed_loop.campaign.tables.batch import values_of
from invcore_closed_loop.campaign.tables.measured_rows import measured_rows

if TYPE_CHECKING:
    import pandas

    from invcore.results import Store


@dataclass(frozen=True)
class KnownRows:
    """Rows that are known at first.

    Args:
        pairs: those with all responses.
        rest: those that failed, or have a part of them.
        source: where they come from.
        notes: what one should know.
    """

    pairs: Pairs
    rest: Results
    source: str
    notes: tuple[str, ...]

    @property
    def text(self) -> str:
        """How many there are."""
        failed = int(self.rest.lost.sum())
        count = len(self.pairs) + len(self.rest)
        text = f"{self.source}: {count:,} {'row is' if count == 1 else 'rows are'} known"
        parts = [(failed, "failed"), (len(self.rest) - failed, "in part")]
        more = " and ".join(f"{number:,} {what}" for number, what in parts if number)
        return f"{text}, of which {more}" if more else text


def known_table(known: Any, store: Store | None) -> Any:
    """What can be read as a table: of a campaign's folder, or of a run in the store, a data frame.

    Raises:
        StoreError: a folder that holds no campaign, or a damaged run.
        DataError: a run without designs and responses of one's own data.
    """
    if not isinstance(known, str | os.PathLike):
        return known
    path = os.fspath(known)
    if LoopJournal.at(path):
        from invcore_closed_loop.campaign.campaign import Campaign

        return _plain(Campaign.open(path).rows())
    if os.path.exists(path) or store is None or os.path.splitext(path)[1]:
        return known
    return run_frame(store, path)


def known_rows(
    table: RawTable, source: str, designs: Space, responses: Space, facts: Facts
) -> KnownRows:
    """Rows of a table for designs and responses that are known by name.

    Raises:
        DataError: it cannot be read; the message has row and column.
    """
    nobody = Requests(torch.empty(0).long(), torch.empty(0, designs.dim).double())
    names = tuple("" if name.casefold() == "id" else name for name in table.names)
    kept = [i for i, name in enumerate(names) if name]  # its ids are of something else
    read_rows = measured_rows(table.at(kept), designs, responses, facts, nobody)
    rows = read_rows.results
    whole = rows.responses.isfinite().all(dim=1)
    rest = Results(None, rows.designs[~whole], rows.responses[~whole], rows.lost[~whole])
    notes = [*read_rows.notes]
    if read_rows.waiting:
        notes.append(f"rows without any response that are left aside: {read_rows.waiting:,}")
    pairs = Pairs(rows.designs[whole], rows.responses[whole])
    return KnownRows(pairs, rest, printable(source), tuple(notes))


def nothing_known(designs: Space, responses: Space) -> KnownRows:
    """No rows."""
    x, y = (torch.empty(0, space.dim).double() for space in (designs, responses))
    return KnownRows(Pairs(x, y), Results(None, x, y), "", ())


def found_designs(
    table: RawTable, responses: Sequence[str], *, ignore: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> tuple[Space, list[str]]:  # fmt: skip
    """Designs as a table has them: all columns that are usable and no responses.

    Args:
        table: that was read.
        responses: names of its columns that are responses.
        ignore: columns that are no designs.
        whole: columns that take whole numbers only.

    Returns:
        Their space, and what was found, a line each.

    Raises:
        DataError: the table has too few rows, or no usable designs.
        ConfigError: it has no such column.
    """
    columns = tuple(_column(name, table.names) for name in responses)
    said = Choices(responses=columns, ignore=tuple(ignore)).saying("whole", whole)
    try:
        data = TableData.of(table, said)
    except DataError as error:
        raise DataError(
            f"{error}",
            remedy="bounds=NAME=LOW:HIGH for each design says what can be made, so that the table "
            "need not show it",
        ) from None  # fmt: skip
    return data.designs, [*data.schema.brief()]


def _column(name: str, columns: Sequence[str]) -> str:
    """The column that is meant: of that name, or the only one of it but for units."""
    if name in columns:
        return name
    bare = without_unit(name)[0]
    alike = [column for column in columns if without_unit(column)[0] == bare]
    return alike[0] if len(alike) == 1 else name


def run_frame(store: Store, run: str) -> pandas.DataFrame:
    """Designs and responses that a stored run of one's own data has: its pairs and re-simulations.

    Raises:
        StoreError: no such run, or it is damaged.
        DataError: it has none that are known by name.
    """
    import pandas

    run = store.find(run)
    record = store.read(run)
    model = run if (store.path(run) / "model.json").exists() else record.config.get("model")
    if record.kind != "solve" or not isinstance(model, str):
        raise DataError(
            f"run {run} has no designs and responses that are known by name; name one of `invcore "
            "solve` that has a model"
        )
    document, tensors = store.json(model, "model"), store.tensors(model, "model")
    try:
        designs, responses = (
            Space.parse(document[key], where=f"run {model}") for key in ("designs", "responses")
        )
        x, y = tensors["data.x"], tensors["data.y"]
    except KeyError as error:
        raise DataError(f"run {model}: damaged, {error} is missing") from None
    if model != run:  # what the simulator gave for its proposals
        answers = store.tensors(run, "candidates")
        more = answers["candidates"].flatten(0, 1), answers["resimulated"].flatten(0, 1)
        good = more[0].isfinite().all(dim=1)
        x, y = (torch.cat([a, b[good][:, : a.shape[1]]]) for a, b in zip((x, y), more, strict=True))
    return pandas.DataFrame(frame_columns(designs, x, responses, y))


def frame_columns(designs: Space, x: Tensor, responses: Space, y: Tensor) -> dict[str, Any]:
    """Columns of designs (N, Dx) and responses (N, Dy)."""
    columns: dict[str, Any] = {}
    for space, values in ((designs, x), (responses, y)):
        for j, variable in enumerate(space.variables):
            columns[variable.name] = values_of(variable, values[:, j].double().cpu())
    return columns


def _plain(frame: pandas.DataFrame) -> pandas.DataFrame:
    """A campaign's rows that were told: designs as made and responses, whatever asked for them."""
    told = frame[frame["state"] != "pending"]
    failed = (told["state"] == "failed").map({True: "yes", False: ""})
    dropped = ["id", "state", "source"]
    return told.drop(columns=dropped).assign(failed=failed).reset_index(drop=True)


def read_known(known: Any, store: Store | None) -> RawTable:
    """The table of what is known.

    Raises:
        DataError: it cannot be read.
        StoreError: it is neither a file, nor a campaign, nor a run of the store.
    """
    return read(known_table(known, store))
