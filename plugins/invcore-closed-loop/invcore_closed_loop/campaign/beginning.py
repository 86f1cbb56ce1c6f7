"""How a campaign begins: its spaces, what is known, what is wanted, and the loop."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from invcore_solve.measured.known import KnownRows, known_rows, nothing_known
from invcore_solve.measured.sources import read_known, source_name

from invcore.pipeline import build
from invcore.plugin import (
    ConfigError,
    Loop,
    Plugins,
    Problem,
    Space,
    StoreError,
    generator,
    printable,
)
from invcore.search import LoopJournal
from invcore_closed_loop.campaign.facts import Facts, noise_of
from invcore_closed_loop.campaign.spaces import design_space, response_space
from invcore_closed_loop.campaign.table_designs import found_designs
from invcore_closed_loop.campaign.wanted import check_loop, spread_of, targets_of

if TYPE_CHECKING:
    from invcore.results import Store

_EDGE = 1e-9
_ENDLESS = 1_000_000  # rows: a laboratory stops when it wants to


def begin(
    folder: str | os.PathLike[str], given: Mapping[str, Any] | Space | None,
    texts: Sequence[str], want: tuple[str, ...], *, known: Any, whole: Sequence[str],
    levels: Mapping[str, Any], constraints: Sequence[str], among: Any,
    noise: Mapping[str, float], ignore: Sequence[str], loop: str,
    settings: Mapping[str, Any] | None, seed: int, store: Store | None, plugins: Plugins,
) -> tuple[LoopJournal, Facts, tuple[str, ...]]:  # fmt: skip
    """Begin a campaign; arguments are those of ``Campaign.new``.

    Returns:
        The journal, what it knows beside the loop, and what was found in the table.
    """
    if LoopJournal.at(folder):
        place = printable(os.fspath(folder))
        raise StoreError(f"{place}: there is a campaign already; go on with it, or name another")
    part = build(plugins, "loop", loop, settings)
    component: Loop[Any] = part.component
    usual = {"calls": _ENDLESS, "noise": "present"}  # people end it, and what they measure varies
    fields = type(component.config).model_fields
    own = {name: value for name, value in usual.items() if name in fields} | dict(settings or {})
    component = build(plugins, "loop", loop, own).component
    table = None if known is None else read_known(known, store, plugins)
    notes: list[str] = []
    if given is None:
        if table is None:
            raise ConfigError("a campaign needs its designs: by name, low and high; or known rows")
        measured = [text for text in texts if "=" not in text]
        given, notes = found_designs(table, measured, ignore=ignore, whole=whole)
        whole = ()
    elif ignore:
        raise ConfigError("ignore is for columns of known rows that say what designs are")
    designs = design_space(given, whole=whole, levels=levels, constraints=constraints, among=among)
    responses, derived = response_space(texts, designs)
    if not want:
        raise ConfigError("say what is wanted: want=['strength>=300']")
    source = "" if known is None else source_name(known)
    facts = Facts(want=want, derived=derived, known=source)
    facts = facts.model_copy(update={"noise": noise_of(noise, facts.measured(responses.names))})
    rows = nothing_known(designs, responses)
    if table is not None:
        rows = known_rows(table, source, designs, responses, facts.formulas)
        notes += [rows.text, *rows.notes]
        facts = facts.model_copy(update={"known_rest": len(rows.rest)})
    return (
        _journal(folder, part.name, component, designs, responses, facts, rows, seed),
        facts,
        (tuple(notes)),
    )


def _journal(
    folder: str | os.PathLike[str], name: str, loop: Loop[Any], designs: Space, responses: Space,
    facts: Facts, rows: KnownRows, seed: int,
) -> LoopJournal:  # fmt: skip
    problem = Problem(os.path.basename(os.path.abspath(folder)), designs, responses)
    targets = targets_of(facts.want, responses, rows.pairs.y)
    check_loop(name, loop, targets)
    spread = spread_of(rows.pairs.y)
    usable = bool((spread.isfinite() & (spread > 0)).all())
    width = loop.point_dim(problem)
    points = torch.rand(
        1, 1, width, generator=generator(seed, "campaign"), dtype=torch.float64
    ).clamp(_EDGE, 1 - _EDGE)
    journal = LoopJournal.create(
        folder, loop, problem, targets, name=name, points=points, pairs=rows.pairs,
        variance=spread.square() if usable else None, facts=facts.document(),
    )  # fmt: skip
    if len(rows.rest):
        journal.tell(rows.rest)
    return journal
