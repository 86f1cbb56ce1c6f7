"""Pairs to learn from: rows that are known, and rows that are simulated beside them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from invcore.pipeline import Part
from invcore.plugin import DataError, Pairs, SimulatorError, Table, strata_kept
from invcore_solve.measured.known import KnownRows
from invcore_solve.simulators.task import SimulatorTask
from invcore_solve.tables.check import check_table


def known_pairs(known: KnownRows, task: SimulatorTask) -> tuple[Pairs, list[str]]:
    """Known rows that methods learn from: with all responses, within the bounds; and what is not.

    Raises:
        DataError: there is none.
    """
    inside = task.designs.contains(known.pairs.x)
    notes = []
    if outside := int((~inside).sum()):
        notes.append(
            f"{known.source}: {outside:,} known rows are beyond the bounds or constraints, and are "
            "not learnt from"
        )
    if lacking := len(known.rest):
        notes.append(
            f"{known.source}: {lacking:,} known rows lack responses, and are not learnt from"
        )
    pairs = Pairs(known.pairs.x[inside], known.pairs.y[inside])
    if not len(pairs):
        raise DataError(
            f"{known.source}: no known row has all responses within the bounds: there is nothing "
            "that a method could learn from; correct the table, or leave it out"
        )
    return pairs, notes


def learning_pairs(
    task: SimulatorTask, sampler: Part, count: int, known: Pairs, random: Generator,
    simulate: Callable[[Tensor], Tensor], least: int,
) -> tuple[Pairs, list[str]]:  # fmt: skip
    """Known pairs, and so many simulated at designs that fill the space that there are ``count``.

    Args:
        task: the simulator.
        sampler: of the designs.
        count: pairs in all.
        known: those that there are.
        random: of the designs.
        simulate: gives responses (N, Dy) of designs (N, Dx), counted.
        least: pairs that there must be.

    Returns:
        Those that have a response, and what one should know.

    Raises:
        SimulatorError: too few have a response.
    """
    wanted, notes = max(0, count - len(known)), list[str]()
    if not wanted:
        x, y = known.x[:0], known.y[:0]
    else:
        x = task.designs.from_unit(sampler.component.sample(wanted, task.designs.dim, random))
        if sampler.component.latin and (kept := strata_kept(task.designs, x)):
            notes.append(f"{wanted} designs by {sampler.name}: {kept}")
        drawn = Table(task.designs.names, x.numpy(), task.name, 1)
        check_table(drawn, what="designs", allow_constant=True)
        y = simulate(x)
    good = y.isfinite().all(dim=1)
    if int(good.sum()) + len(known) < least:
        task.check_derived(y)
        raise SimulatorError(
            f"simulator {task.name}: {int(good.sum())} of {wanted} designs have a "
            f"response, at least {least - len(known)} must ({task.counts.reasons()})"
        )
    pairs = Pairs(torch.cat([known.x, x[good]]), torch.cat([known.y, y[good]]))
    check_table(Table(task.responses.names, pairs.y.numpy(), task.name, 1), what="responses")
    if len(known):
        notes.append(f"{len(known):,} pairs were known, {wanted:,} were simulated beside them")
    return pairs, notes
