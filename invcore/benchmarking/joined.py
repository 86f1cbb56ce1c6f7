"""Manifests of one bench from several stores, as one."""

from typing import Any

from invcore.base.errors import StoreError
from invcore.benchmarking.manifest import Bench, BenchCell, bench_names, read_bench, write_bench
from invcore.storage.store import Store

_ORDER = ("ok", "skipped", "diverged", "error", "running", "waiting")


def join_benches(source: Store, store: Store) -> tuple[list[str], dict[str, str]]:
    """Add the manifests of a store to those of another: cells of both, the better status of each.

    Args:
        source: whose manifests are added.
        store: that takes them.

    Returns:
        The benches that were taken or joined, and why others were not, by name.

    Raises:
        StoreError: a manifest cannot be written.
    """
    taken, left_out = [], {}
    for name in bench_names(source):
        try:
            new = read_bench(source, name)
            old = read_bench(store, name) if name in bench_names(store) else None
        except StoreError as error:
            left_out[name] = str(error)
            continue
        whole = new if old is None else joined(old, new)
        if whole is None:
            left_out[name] = "a label of it stands for another component in the other store"
        elif whole != old:
            write_bench(store, whole)
            taken.append(name)
    return taken, left_out


def joined(first: Bench, second: Bench) -> Bench | None:
    """One manifest of two; None where a label stands for different components in them.

    Example:
        >>> cell = BenchCell(id="0123456789ab", task="arm", method="na", sampler="lhs", seed=0)
        >>> done = cell.model_copy(update={"status": "ok"})
        >>> both = joined(Bench(name="a", created="1", cells=(cell,)),
        ...               Bench(name="a", created="2", cells=(done,)))
        >>> [one.status for one in both.cells]
        ['ok']
    """
    components = {}
    for axis in type(first.components).model_fields:
        names, others = getattr(first.components, axis), getattr(second.components, axis)
        if any(names.get(label, name) != name for label, name in others.items()):
            return None
        components[axis] = {**names, **others}
    cells: dict[tuple[object, ...], BenchCell] = {}
    for cell in (*first.cells, *second.cells):
        key = (cell.id, cell.task, cell.method, cell.sampler, cell.seed)
        there = cells.get(key)
        if there is None or _ORDER.index(cell.status) < _ORDER.index(there.status):
            cells[key] = cell
    return first.model_copy(
        update={
            "cells": tuple(cells.values()),
            "created": min(first.created, second.created),
            "components": first.components.model_copy(update=components),
            "published": _once(first.published, second.published),
            "ablations": _once(first.ablations, second.ablations),
        }
    )


def _once(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*first, *(one for one in second if one not in first))
