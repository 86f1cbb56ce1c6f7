"""The planned cells of a bench, kept beside the store's index: dry runs need no torch for them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

from pydantic import StringConstraints, ValidationError

from invcore.base.errors import InvcoreError
from invcore.benchmarking.cell import Cell
from invcore.benchmarking.circumstances import (
    UnseenError,
    circumstances,
    files_read,
    newest,
    stamp,
    unchanged,
)
from invcore.benchmarking.file import BenchFile
from invcore.configs.config import Config
from invcore.configs.run_config import RunConfig
from invcore.registry.loader import Plugins
from invcore.storage.atomic import replace_file
from invcore.storage.index.listing import CACHE
from invcore.storage.json_text import dump
from invcore.storage.seal import read_bytes, sealed, unsealed
from invcore.storage.store import Store

_SETTLED_NS = 2_000_000_000
_BEGUN = time.time_ns() - _SETTLED_NS
"""What has changed since may be younger than what this process has imported."""
_MOST_READ = 1000  # files that planning has read
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]


Stamp = tuple[str, int] | tuple[str, int, int, int, int]


class KeptPart(Config):
    """The cells of a bench that differ in their seed alone."""

    labels: tuple[str, str, str]
    config: dict[str, Any]
    ids: tuple[Id, ...]


class KeptCells(Config):
    """What ``.cache/cells-NAME.json`` holds.

    ``circumstances`` stands for all that they follow from; ``read`` has the files that were read
    beside, as ``stamp`` gives them.
    """

    circumstances: str
    read: tuple[Stamp, ...]
    parts: tuple[KeptPart, ...]


def planned_cells(file: BenchFile, store: Store | None, plugins: Plugins) -> list[Cell]:
    """The cells of a bench: as they were kept where nothing has changed since, else planned now.

    Args:
        file: the bench.
        store: where they are kept; nothing is made where there is no store yet. None: plan them.
        plugins: where names are looked up.

    Raises:
        ConfigError: a wrong name or setting; with file and line.
    """
    if store is None:
        return _planned(file, plugins)
    try:
        before, changed = circumstances(file, plugins)
    except UnseenError:
        return _planned(file, plugins)
    kept = _read(file, store)
    if kept is not None and kept.circumstances == before and unchanged(map(list, kept.read)):
        seeds = file.grid.seeds
        with suppress(InvcoreError):
            if all(len(part.ids) == len(seeds) for part in kept.parts):
                return _cells(kept, seeds)
    with files_read() as read:
        cells = _planned(file, plugins)
    stamps = [stamp(path) for path in sorted(read)]
    if len(read) <= _MOST_READ and max(changed, newest(stamps)) < _BEGUN:
        with suppress(UnseenError, OSError, InvcoreError):
            if circumstances(file, plugins)[0] == before:
                _keep(file, store, before, stamps, cells)
    return cells


def _planned(file: BenchFile, plugins: Plugins) -> list[Cell]:
    from invcore.benchmarking.grid import cells_of  # here: what is kept needs no torch

    return cells_of(file, plugins)


def _read(file: BenchFile, store: Store) -> KeptCells | None:
    """What is kept; None where it is missing or not what was written."""
    try:
        text, whole = unsealed(read_bytes(store.place(CACHE, _name(file))))
        return KeptCells.model_validate_json(text) if whole else None
    except (OSError, InvcoreError, ValidationError):
        return None


def _cells(kept: KeptCells, seeds: Sequence[int]) -> list[Cell]:
    first = [
        (RunConfig.parse(part.config, where="kept cells"), part.ids, part.labels)
        for part in kept.parts
    ]
    return [
        Cell(ids[number], *labels, seed, config.model_copy(update={"seed": seed}))
        for number, seed in enumerate(seeds)
        for config, ids, labels in first
    ]


def _keep(
    file: BenchFile, store: Store, found: str, stamps: list[list[Any]], cells: list[Cell]
) -> None:
    """Keep cells, unless there is no store.

    Raises:
        OSError: that cannot be done.
        StoreError: a link is in the way.
    """
    if not store.root.is_dir():
        return
    of = len(cells) // len(file.grid.seeds)  # cells of one seed
    parts = [
        {
            "labels": [cell.task, cell.method, cell.sampler],
            "config": cell.config.model_dump(mode="json"),
            "ids": [same.id for same in cells[number::of]],
        }
        for number, cell in enumerate(cells[:of])
    ]
    path = store.place(CACHE, _name(file))
    path.parent.mkdir(exist_ok=True)
    document = {"circumstances": found, "read": stamps, "parts": parts}
    replace_file(path, sealed(dump(document, indent=1).encode()), lasting=False, follow=False)


def _name(file: BenchFile) -> str:
    return f"cells-{file.grid.name}.json"
