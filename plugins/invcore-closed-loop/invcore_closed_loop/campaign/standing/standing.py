"""How a campaign stands, from its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from invcore_solve.measured.frames import row_id
from invcore_solve.measured.measured_rows import FIRST
from torch import Tensor

from invcore_closed_loop.campaign.standing.outlook import Best, Gain, best_of, gain_of, promising
from invcore_closed_loop.campaign.standing.status import Status, Worth, advice_of
from invcore_closed_loop.campaign.tables.row_frames import (
    all_rows,
    may_be_made,
    ranked_frame,
    scaled_targets,
)

if TYPE_CHECKING:
    from invcore.plugin import Targets
    from invcore_closed_loop.campaign.campaign import Campaign
    from invcore_closed_loop.campaign.standing.expectation import Expectation


def standing(campaign: Campaign, confidence: float, count: int, worth: Worth) -> Status:
    """The status; arguments are those of ``Campaign.status``."""
    journal, facts = campaign.journal, campaign.facts
    rows = journal.rows
    pending = journal.pending()
    said = campaign.expectation()
    targets = scaled_targets(campaign, campaign.data()[1])
    best = best_of(said, targets, confidence, may_be_made(campaign, said.x))
    finished = bool(journal.finished().all()) and not len(pending)
    then = _gain_of_next(said, targets, best, count)
    gain, whose = then, "next"
    if then is not None and best is not None and len(pending):
        gain, whose = gain_of(said, targets, best, pending.designs), "pending"
    shown, measured = _shown(campaign, said, best)
    looks_met = best is not None and bool(targets.met(_own_mean(campaign, said, best)[None])[0])
    stop, advice = advice_of(
        best, then, worth, confidence=confidence, goals=targets.has_goals, pending=len(pending),
        measured=measured, finished=finished, label=_label(shown), looks_met=looks_met,
    )  # fmt: skip
    responses = campaign.problem.responses.names
    known = (torch.arange(len(rows)) < facts.known_rest) & (rows.asked_in < 0)
    told, first = rows[rows.told & ~known], rows[known]
    partial = told[~told.whole & ~told.failed]
    noise = {
        name: (float(value), how)
        for name, value, how in zip(responses, said.noise, said.noise_is, strict=True)
        if how and name in campaign.measured
    }
    return Status(
        name=campaign.name, wanted=facts.want, known=len(journal.pairs) + len(first),
        told=len(told),
        known_failed=int(first.failed.sum()),
        known_partial=int((~first.failed & ~first.whole).sum()),
        failed=int(told.failed.sum()), pending=tuple(int(i) + FIRST for i in pending.id),
        partial={
            int(number) + FIRST: tuple(
                name for name, value in zip(responses, y, strict=True)
                if value.isnan() and name in campaign.measured
            )
            for number, y in zip(partial.id, partial.responses, strict=True) if int(number) >= 0
        },
        best=shown, measured=measured, chance=None if best is None else best.chance,
        confidence=confidence, met=best is not None and best.chance >= confidence,
        noise=noise, gain=gain, gain_is=whose, worth=_money(worth, best, gain),
        finished=finished, stop=stop, advice=advice, restarts=len(journal.restarts),
        goals={} if best is None else best.goals, error=None if best is None else best.error,
        limits=bool(targets.wanted.any()),
        unit="in the responses' units" if targets.exact else "standard deviations or tolerances",
    )  # fmt: skip


def _gain_of_next(
    said: Expectation, targets: Targets, best: Best | None, count: int
) -> Gain | None:
    """What a batch of promising designs may bring; None where nothing is expected of designs."""
    if best is None or not said.able:
        return None
    return gain_of(said, targets, best, promising(said, targets, best, count))


def _own_mean(campaign: Campaign, said: Expectation, best: Best) -> Tensor:
    """The mean measurement (1, Dy) of the best design."""
    x, y = campaign.data()
    return y[(x == said.x[best.place]).all(dim=1)].nanmean(dim=0)[None]


def _shown(
    campaign: Campaign, said: Expectation, best: Best | None
) -> tuple[dict[str, Any] | None, int]:
    """The best design as plain data with the mean of its measurements, and how many these are."""
    if best is None:  # too little is known to say how sure it is; what was measured is known
        for _, row in ranked_frame(campaign, 1).iterrows():
            cells = {str(name): _plain(value) for name, value in row.items()}
            return {**cells, "id": row_id(cells["id"])}, 1
        return None, 0
    frame = all_rows(campaign)
    x = torch.cat([campaign.journal.pairs.x.cpu().double(), _made(campaign)])
    places = (x == said.x[best.place]).all(dim=1).nonzero()[:, 0].tolist()
    first = frame.iloc[places[0]]
    ids = [number for i in places if (number := row_id(frame.iloc[i]["id"])) is not None]
    mean = _own_mean(campaign, said, best)[0]
    best_row: dict[str, Any] = {"id": ids[0] if ids else None}
    best_row |= {name: _plain(first[name]) for name in campaign.problem.designs.names}
    best_row |= dict(zip(campaign.problem.responses.names, mean.tolist(), strict=True))
    return best_row, int(said.count[best.place].max())


def _made(campaign: Campaign) -> Tensor:
    rows = campaign.journal.rows
    return rows.made  # NaN while it is pending, and equal to nothing


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _label(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    return "the best known design" if row["id"] is None else f"id {row['id']}"


def _money(worth: Worth, best: Best | None, gain: Gain | None) -> dict[str, float] | None:
    if best is None or gain is None or not worth.told:
        return None
    return {"gain": worth.of(best, gain), "cost": worth.experiment * gain.count}
