"""Where known rows come from: a table, the folder of a loop at work, or a stored run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from invcore.pipeline import rebuild
from invcore.plugin import DataError, Loop, Plugins, Space, installed, printable
from invcore.search import LoopJournal
from invcore_solve.measured.frames import frame_columns, rows_frame
from invcore_solve.measured.simulated_rows import FILE, SimulatedRows
from invcore_solve.tables.raw_table import RawTable
from invcore_solve.tables.read import read
from invcore_solve.tables.reading.cells import is_missing, text_of

if TYPE_CHECKING:
    import pandas

    from invcore.results import Store


def read_known(known: Any, store: Store | None, plugins: Plugins | None = None) -> RawTable:
    """The table of what is known.

    Raises:
        DataError: it cannot be read.
        StoreError: it is neither a file, nor a campaign, nor a run of the store.
    """
    return read(as_frame(known_table(known, store, plugins)))


def as_frame(source: Any) -> Any:
    """The same, or a data frame of columns that are given by name.

    Raises:
        DataError: these are not equally long.
    """
    if not isinstance(source, Mapping):
        return source
    import pandas

    try:
        return pandas.DataFrame(dict(source))
    except ValueError as error:
        raise DataError(f"columns by name: {error}") from None


def source_name(known: Any) -> str:
    """What people call the source of known rows: the last part of a path, or the id of a run."""
    if isinstance(known, str | os.PathLike):
        return os.path.basename(os.path.normpath(os.fspath(known)))
    return "known rows"


def content_of(table: RawTable) -> str:
    """A checksum of a table's columns by name, numbers as numbers, whatever file they came in."""
    parts = []
    for name in sorted(table.names):
        place = table.names.index(name)
        try:
            column = table.at([place]).column(name)
        except DataError:  # of a column that may not be needed
            column = None
        if column is not None and column.kind == "number":
            parts.append(f"{name}: {np.asarray(column.values, dtype=np.float64).tolist()}")
            continue
        cells = table.cells[place].tolist()
        parts.append(f"{name}: {['' if is_missing(c) else text_of(c) for c in cells]}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def known_table(known: Any, store: Store | None, plugins: Plugins | None = None) -> Any:
    """What can be read as a table: of a campaign's folder, or of a run in the store, a data frame.

    Raises:
        StoreError: a folder that holds no campaign, or a damaged run.
        DataError: a run without designs and responses of one's own data.
    """
    if not isinstance(known, str | os.PathLike):
        return known
    path = os.fspath(known)
    if LoopJournal.at(path):
        return _plain(rows_frame(open_journal(path, plugins or installed())))
    if os.path.exists(path) or store is None or os.path.splitext(path)[1]:
        return known
    return run_frame(store, path)


def open_journal(folder: str | os.PathLike[str], plugins: Plugins) -> LoopJournal:
    """The journal in the folder of a campaign, or of another loop at work.

    Raises:
        StoreError: there is none, or it is damaged.
        UnknownNameError: its loop is not installed.
    """
    place = printable(os.fspath(folder))

    def built(name: str, config: Mapping[str, Any]) -> Loop[Any]:
        part = rebuild(plugins, "loop", name, config, where=place)
        loop: Loop[Any] = part.component
        return loop

    return LoopJournal.open(folder, built)


def run_frame(store: Store, run: str) -> pandas.DataFrame:
    """Designs and responses that a stored run of one's own data has: pairs and re-simulations, or
    all rows of a search.

    Raises:
        StoreError: no such run, or it is damaged.
        DataError: it has none that are known by name.
    """
    import pandas

    run = store.find(run)
    record = store.read(run)
    if (store.path(run) / f"{FILE}.json").exists():  # a search
        document, tensors = store.json(run, FILE), store.tensors(run, FILE)
        return SimulatedRows.stored(document, tensors, f"run {run}").frame()
    model = run if (store.path(run) / "model.json").exists() else record.config.get("model")
    if record.kind != "solve" or not isinstance(model, str):
        raise DataError(
            f"run {run} has no designs and responses that are known by name; name one of `invcore "
            "solve` that has a model, or searched within a budget"
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


def _plain(frame: pandas.DataFrame) -> pandas.DataFrame:
    """A campaign's rows that were told: designs as made and responses, whatever asked for them."""
    told = frame[frame["state"] != "pending"]
    failed = (told["state"] == "failed").map({True: "yes", False: ""})
    dropped = ["id", "state", "source", "note"]
    return told.drop(columns=dropped).assign(failed=failed).reset_index(drop=True)
