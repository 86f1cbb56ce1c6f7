"""A page of a campaign: how it went, what is best, what was learnt, and what comes next."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from invcore_solve.measured.frames import row_id
from invcore_solve.page.drawing import check_file, write_file

from invcore_closed_loop.campaign.tables.row_frames import ranked_frame

if TYPE_CHECKING:
    import pandas

    from invcore_closed_loop.campaign.campaign import Campaign
    from invcore_closed_loop.campaign.standing.expectation import Expectation
    from invcore_closed_loop.campaign.standing.status import Status

_BEST = 10
_ROWS = 500  # of the list of all


def write_page(path: str | os.PathLike[str], campaign: Campaign, status: Status) -> None:
    """Write a campaign as one file of HTML that needs nothing but itself.

    Raises:
        DataError: another ending than .html, or the file cannot be written.
    """
    check_file(path, (".html",))
    write_file(path, rendered(campaign, status).encode())


def rendered(campaign: Campaign, status: Status) -> str:
    """The page's HTML."""
    import jinja2
    from invcore_solve.page.wording import counted, listed, number, probability_text
    from markupsafe import Markup

    from invcore.plugin import shown

    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([
            jinja2.PackageLoader("invcore_closed_loop", "campaign/page/templates"),
            jinja2.PackageLoader("invcore_solve", "page/templates"),  # its style
        ]),
        autoescape=True,  # names, units and texts come from files of anybody
        finalize=shown,
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters.update(
        number=number, counted=counted, listed=listed, probability=probability_text
    )
    environment.globals.update(svg=Markup)
    source = environment.loader.get_source(environment, "style.css")[0]  # type: ignore[union-attr]
    return environment.get_template("campaign.html.j2").render(
        css=Markup(source), **_parts(campaign, status)
    )


def _parts(campaign: Campaign, status: Status) -> dict[str, Any]:
    """What the template tells."""
    from invcore_solve.measured.frames import with_unit

    from invcore_closed_loop.campaign.commands.options import designs_in_words
    from invcore_closed_loop.campaign.page.pictures import (
        effect_pictures,
        effects_of,
        progress_picture,
    )

    said, rows = campaign.expectation(), campaign.rows()
    effects = effects_of(campaign, said)
    problem = campaign.problem
    pending = campaign.pending()
    batch = {n: c for n, c in pending.columns().items() if n not in campaign.measured}
    failed = rows[rows["state"] == "failed"]
    return {
        "campaign": campaign, "status": status, "lines": [*status.lines()][1:-1],
        "designs": designs_in_words(problem.designs),
        "responses": [
            with_unit(v) + ("" if v.name in campaign.measured else ", computed")
            for v in problem.responses.variables
        ],
        "progress": progress_picture(campaign),
        "effects": [] if effects is None else effect_pictures(effects),
        "best": _table(ranked_frame(campaign, _BEST)),
        "best_count": min(_BEST, len(rows)),
        "batch": _columns_table(batch), "batch_count": len(pending),
        "failed": _table(failed.drop(columns=["state", "source", *problem.responses.names])),
        "repeats": _repeats(said), "noise": status.noise,
        "rows": _table(rows.tail(_ROWS)), "count": len(rows), "most": _ROWS,
    }  # fmt: skip


def _repeats(said: Expectation) -> int:
    """How many designs were measured several times."""
    return int((said.count.amax(dim=1) > 1).sum()) if len(said.x) else 0


def _table(frame: pandas.DataFrame) -> dict[str, Any]:
    """Heads and cells of a data frame, as people read them."""
    columns = {str(name): frame[name].tolist() for name in frame.columns}
    if "id" in columns:
        columns["id"] = [row_id(value) for value in columns["id"]]
    return _columns_table(columns)


def _columns_table(columns: dict[str, Any]) -> dict[str, Any]:
    from invcore_solve.page.wording import number

    def text(name: str, value: Any) -> str:
        if value is None:
            return ""
        return value if isinstance(value, str) else number(value)

    rows = zip(*columns.values(), strict=True)
    return {
        "heads": [*columns],
        "rows": [[text(n, v) for n, v in zip(columns, row, strict=True)] for row in rows],
    }
