"""A bundle against the truth: its simulator on fresh designs, or a table of fresh pairs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from invcore.plugin import (
    Config,
    DataError,
    Pairs,
    Progress,
    Table,
    generator,
    installed,
    read_table,
)
from invcore_proxy.bundle import Bundle
from invcore_proxy.reliability import ProxyErrors, evaluate_proxy
from invcore_proxy.tables import Tables

_ROWS = 50  # a slow simulator shows that it moves


class Check(Config):
    """How a bundle compares with fresh pairs.

    Args:
        against: simulator or table.
        lost: designs to which the simulator has no response.
        outside: designs that lie outside the bundle's bounds.
        errors: of the others.
    """

    against: str
    lost: int = 0
    outside: int = 0
    errors: ProxyErrors


def against_simulator(
    bundle: Bundle,
    name: str,
    settings: Mapping[str, Any],
    count: int,
    seed: int = 0,
    progress: Progress | None = None,
) -> Check:
    """Simulate fresh designs of the bundle's space, and compare.

    Args:
        bundle: to be checked.
        name: of an installed task with as many designs and responses.
        settings: of that task.
        count: designs.
        seed: decides them.
        progress: shows how far it is.

    Raises:
        UnknownNameError: no such task.
        DataError: a task of another size, or one without any response.
    """
    component = installed().registry.load("task", name)
    task = component(component.Config.resolve(settings, where=f"task {name!r}"))
    sizes = bundle.designs.dim, bundle.responses.dim
    if (task.designs.dim, task.responses.dim) != sizes:
        raise DataError(
            f"task {name!r} has {task.designs.dim} designs and {task.responses.dim} responses, "
            f"the bundle {sizes[0]} and {sizes[1]}"
        )
    x = bundle.designs.sample(count, generator(seed, "validate"))
    parts = []
    with (progress or Progress()).stage(f"simulate {name}", count) as stage:
        for rows in x.split(_ROWS):
            with torch.no_grad():
                parts.append(task.simulate(rows))
            stage.advance(len(rows))
    y = torch.cat(parts)
    good = y.isfinite().all(dim=1)
    if not bool(good.any()):
        raise DataError(f"task {name!r} has no response to any of {count} designs of the bundle")
    errors = evaluate_proxy(bundle.proxy, Pairs(x[good], y[good]))
    return Check(against=name, lost=int((~good).sum()), errors=errors)


def against_table(bundle: Bundle, tables: Tables) -> Check:
    """Compare with a table's pairs.

    Columns that are named as the bundle's may stand anywhere; without such names the designs come
    first, then the responses, and nothing else.

    Raises:
        DataError: the table cannot be read, or has other columns.
    """
    names = bundle.designs.names, bundle.responses.names
    if tables.both and not (tables.design_columns and tables.response_columns):
        table = read_table(tables.both[0], prefix="column ", header=tables.header, key=tables.x_key)
        if not set(names[0] + names[1]) <= set(table.names):
            _check_width(table, len(names[0] + names[1]))
            names = table.names[: len(names[0])], table.names[len(names[0]) :]
        x, y = table.select(names[0]), table.select(names[1])
    else:
        x, y = (_ordered(t, n) for t, n in zip(tables.read(), names, strict=True))
    pairs = Pairs(torch.tensor(x.values), torch.tensor(y.values))
    outside = int((~bundle.designs.contains(pairs.x)).sum())
    errors = evaluate_proxy(bundle.proxy, pairs)
    return Check(against=Path(x.source).name, outside=outside, errors=errors)


def _ordered(table: Table, names: tuple[str, ...]) -> Table:
    if set(names) <= set(table.names):
        return table.select(names)
    _check_width(table, len(names))
    return table


def _check_width(table: Table, expected: int) -> None:
    if len(table.names) != expected:
        raise DataError(
            f"{table.source}: has {len(table.names)} columns and not the bundle's names; expected "
            f"{expected} columns in the bundle's order, or its names in the first row"
        )
