"""The manifest of a benchmark: which runs of a store belong to it, and by which labels."""

from __future__ import annotations

import json
from typing import Literal

from invcore import Config, ConfigError, Store, StoreError, UnknownNameError


class _Open(Config):
    """Read leniently: a later version may say more."""

    model_config = {"extra": "ignore"}


class Cell(_Open):
    """One run of the benchmark; task, method and sampler are labels, not names."""

    id: str | None = None
    task: str
    method: str
    sampler: str = ""
    seed: int = 0
    status: Literal["ok", "diverged", "skipped", "error", "waiting", "running"] = "waiting"
    reason: str | None = None
    seconds: float | None = None


class Published(_Open):
    """A figure from a paper."""

    source: str
    task: str
    method: str
    metric: str = "r_T"
    T: int | None = None
    value: float


class Ablation(_Open):
    """Methods to look at side by side, the first being what the others are compared with."""

    title: str
    methods: tuple[str, ...]


class Manifest(_Open):
    """What ``benches/NAME.json`` holds."""

    schema_version: Literal[1]
    name: str
    title: str = ""
    created: str = ""
    cells: tuple[Cell, ...] = ()
    published: tuple[Published, ...] = ()
    ablations: tuple[Ablation, ...] = ()


def names(store: Store) -> list[str]:
    """The benchmarks of a store."""
    return sorted(path.stem for path in (store.root / "benches").glob("*.json"))


def read(store: Store, name: str) -> Manifest:
    """Read a benchmark's manifest.

    Args:
        store: where.
        name: as in ``names``.

    Raises:
        UnknownNameError: the store has no such benchmark.
        StoreError: the file is damaged, or of another schema.
    """
    if name not in names(store):  # also keeps a name from leading out of the folder
        known = ", ".join(names(store)) or "none"
        raise UnknownNameError(f"no benchmark {name!r} in {store.root / 'benches'}. Known: {known}")
    path = store.root / "benches" / f"{name}.json"
    try:
        return Manifest.parse(json.loads(path.read_bytes()), where=str(path))
    except ConfigError as error:
        raise StoreError(f"{error}; run the benchmark again") from None
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"{path}: cannot be read ({error}); run the benchmark again") from None
