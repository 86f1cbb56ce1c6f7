"""A bench's manifest: which runs belong to it, and how far they are. Light: reports read it."""

import re
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from invcore.base.errors import StoreError, close_names
from invcore.benchmarking.state_journal import changes
from invcore.configs.config import Config, Field, stored_problem
from invcore.storage.atomic import replace_file
from invcore.storage.json_text import dump
from invcore.storage.seal import read_bytes, sealed, unsealed
from invcore.storage.store import Store

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""What a bench may be called: it is a file's name everywhere."""

FAILED = ("diverged", "error")
_FOLDER = "benches"
_ANEW = "{} again: what is done is kept, and the manifest is replaced"
_LARGEST = 1 << 28  # bytes: of some hundred thousand cells
_TRIES = 5  # of reading a manifest while it is written
_SCHEMA: Literal[1] = 1


class Published(Config):
    """A figure that others have published, to show beside ours."""

    source: str = Field(min_length=1, description="Who says so, and where.")
    task: str = Field(description="A task's label.")
    method: str = Field(description="A method's label.")
    metric: str = Field(min_length=1, description="A metric's name, as records have it.")
    T: int | None = Field(None, ge=1, description="Number of candidates, if the metric has one.")
    value: float = Field(description="The figure.")


class Ablation(Config):
    """Methods to show side by side."""

    title: str = Field(min_length=1, description="What the methods differ in.")
    methods: tuple[str, ...] = Field(min_length=1, description="Labels of methods.")


class BenchCell(Config):
    """One run of the grid.

    ``seconds`` is what it took, on a clock; None while that is not known.
    """

    id: str = Field(pattern=r"^[0-9a-f]{12}$")
    task: str
    method: str
    sampler: str
    seed: int
    status: Literal["ok", "diverged", "skipped", "error", "waiting", "running"] = "waiting"
    reason: str = ""
    seconds: float | None = None


class Components(Config):
    """The names of the components behind the labels."""

    tasks: dict[str, str] = {}
    methods: dict[str, str] = {}
    samplers: dict[str, str] = {}


class Bench(Config):
    """What ``benches/NAME.json`` in a store holds: a grid of runs, and how far they are.

    Tasks, methods and samplers are labels here; ``components`` has the names behind them.

    Example:
        >>> cell = BenchCell(id="0123456789ab", task="arm", method="na", sampler="lhs", seed=0)
        >>> Bench(name="mine", created="", cells=(cell,)).count("waiting")
        1
    """

    schema_version: Literal[1] = _SCHEMA
    name: str = Field(pattern=NAME)
    title: str = ""
    created: str
    cells: tuple[BenchCell, ...]
    components: Components = Components()
    published: tuple[Published, ...] = ()
    ablations: tuple[Ablation, ...] = ()
    file: str = Field("", description="The text of the bench's file.")

    def count(self, *statuses: str) -> int:
        """How many cells have one of these statuses."""
        return sum(cell.status in statuses for cell in self.cells)


def read_bench(store: Store, name: str) -> Bench:
    """The manifest of a bench.

    Args:
        store: where it was run.
        name: of the bench.

    Raises:
        StoreError: there is none of that name, or it is damaged; the message says what to do.
    """
    path = manifest_path(store, name)
    if not re.match(NAME, name):
        raise StoreError(f"{store.root}: {name!r} is no bench's name (letters, digits, . _ -)")
    again = "run the bench in this store"
    try:
        return _read(path, store.place(_FOLDER, path.name), again)
    except FileNotFoundError:
        hint = close_names(name, bench_names(store))
        raise StoreError(f"{store.root}: no bench {name!r}; {again} first. {hint}") from None
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        problem = stored_problem(error, _SCHEMA)
        raise StoreError(f"{path}: {problem}; {_ANEW.format(again)}") from None


def _read(path: Path, place: Path, again: str) -> Bench:
    """A manifest with what its journal adds, of one moment."""
    for _ in range(_TRIES):
        data = read_bytes(place, largest=_LARGEST)
        text, whole = unsealed(data)
        if whole is False:
            raise StoreError(f"{path}: damaged, its checksum is another; {_ANEW.format(again)}")
        bench = Bench.model_validate_json(text, strict=True)
        later = changes(journal_path(path), data)
        if (
            later or read_bytes(place, largest=_LARGEST) == data
        ):  # or the sweep has just put the one into the other
            break
    if not later:
        return bench
    cells = [
        BenchCell.parse({**dict(cell), **later.get(cell.id, {})}, where=str(path))
        for cell in bench.cells
    ]
    return bench.model_copy(update={"cells": tuple(cells)})


def manifest_path(store: Store, name: str) -> Path:
    """Where the manifest of a bench is, or will be."""
    return store.root / _FOLDER / f"{name}.json"


def journal_path(manifest: Path) -> Path:
    """Where the states of its cells are while the bench runs."""
    return manifest.with_name(f"{manifest.stem}.journal")


def bench_names(store: Store) -> list[str]:
    """The names of the benches in a store."""
    return sorted(path.stem for path in (store.root / _FOLDER).glob("*.json"))


def write_bench(store: Store, bench: Bench) -> bytes:
    """Write a manifest, all at once; what a journal says of an earlier one is void then.

    Returns:
        What the file holds.

    Raises:
        StoreError: that cannot be done.
    """
    path = manifest_path(store, bench.name)
    try:
        place = store.place(_FOLDER, path.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        data = sealed(dump(bench.model_dump(mode="json"), indent=1).encode())
        replace_file(place, data, follow=False)
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{path.parent}: cannot be written ({error.strerror})") from None
    return data
