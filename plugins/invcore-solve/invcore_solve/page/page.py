"""A page of an answer: what was asked, what is proposed, and how far to believe it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from invcore_solve.page.drawing import check_file, write_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invcore_solve.answers.proposal import Proposal
    from invcore_solve.designer import Designer
    from invcore_solve.page.design_pictures import Overlay

_FULL = 12  # targets that are told in full
_COLUMNS = 60  # of the schema
_OVERLAID = 3  # targets whose proposals are drawn over the data


@dataclass(frozen=True)
class Picture:
    """Markup of a picture, safe as it is, and what it shows; wide ones scroll on small screens."""

    markup: str
    caption: str
    wide: bool = False


def check_page(path: str | os.PathLike[str]) -> None:
    """Refuse a file that no page can be written to, before long work for it begins.

    Raises:
        DataError: another ending than .html, no such folder, or no right to write in it.
    """
    check_file(path, (".html",))


def write_page(
    path: str | os.PathLike[str], designer: Designer, ranked: Proposal, derived: Sequence[str] = ()
) -> None:
    """Write an answer as one file of HTML that needs nothing but itself.

    Args:
        path: .html.
        designer: who proposed the designs, and the judge.
        ranked: the designs.
        derived: definitions of the derived responses among theirs.

    Raises:
        DataError: another ending, or the file cannot be written.
    """
    check_page(path)
    write_file(path, rendered(designer, ranked, derived).encode())


def rendered(designer: Designer, ranked: Proposal, derived: Sequence[str] = ()) -> str:
    """The page's HTML."""
    import jinja2
    from markupsafe import Markup

    from invcore.plugin import shown
    from invcore_solve.page.wording import counted, listed, number

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("invcore_solve", "page/templates"),
        autoescape=True,  # names, units and texts come from files of anybody
        finalize=shown,
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters.update(number=number, counted=counted, listed=listed)
    environment.globals.update(svg=Markup)
    source = environment.loader.get_source(environment, "style.css")[0]  # type: ignore[union-attr]
    return environment.get_template("page.html.j2").render(
        css=Markup(source), **_parts(designer, ranked, derived)
    )


def _parts(designer: Designer, ranked: Proposal, derived: Sequence[str]) -> dict[str, Any]:
    """What the template tells."""
    from invcore_solve.derived.deriving import deriving
    from invcore_solve.page.effect_pictures import importance_order
    from invcore_solve.page.target_parts import nearest_responses, target_parts
    from invcore_solve.page.target_pictures import CURVE
    from invcore_solve.robustness.pictures import mover_parts
    from invcore_solve.schema.support import support

    data = designer.data
    whole = deriving(designer, derived) if derived else designer
    units = {column.name: column.unit for column in data.schema.columns}
    nearest = nearest_responses(ranked, whole.measured)
    effects = designer.sensitivities()
    order = importance_order(effects)
    targets = [
        *target_parts(
            ranked, nearest, units, _FULL, measured=whole.measured.y,
            allowed=whole.typicality.allowed(whole.measured.x),
        )
    ]  # fmt: skip
    return {
        "data": data, "schema": data.schema, "designer": designer, "ranked": ranked,
        "targets": targets, "full": _FULL, "responses": whole.data.responses.names,
        "learnt": data.responses.names,
        "notes": [*data.schema.notes, *ranked.notes],
        "advice": [*support(data.schema, data.pairs.y.numpy())],
        "designs": _designs(_overlay(designer, ranked, order)), "judge": _judge(designer),
        "effects": _effects(effects), "most_columns": _COLUMNS,
        "curve": CURVE, "making": ranked.making,
        "movers": mover_parts(ranked.making, [part.wanted for part in targets]),
    }  # fmt: skip


def _overlay(designer: Designer, ranked: Proposal, order: Sequence[int]) -> Overlay:
    from invcore_solve.page.design_pictures import Overlay, steps_of
    from invcore_solve.page.shown_rows import SHOWN, unmeasured
    from invcore_solve.page.target_parts import wanted
    from invcore_solve.page.wording import short

    few = len(ranked.names[1]) == 1
    groups = [rows for rows, _ in zip(ranked.groups(), range(_OVERLAID), strict=False)]
    return Overlay(
        designer.data.designs.names, steps_of(designer.data), designer.data.pairs.x.numpy(),
        [ranked.designs[unmeasured(ranked, rows)[:SHOWN]].numpy() for rows in groups],
        [
            short(f"target {i + 1}: {wanted(ranked, rows[0])}", 30) if few else f"target {i + 1}"
            for i, rows in enumerate(groups)
        ],
        order,
    )  # fmt: skip


def _designs(overlay: Overlay) -> list[Picture]:
    found = [Picture(*overlay.parallel("parallel"), wide=True)]
    pairs = Picture(*overlay.pairs("pairs"), wide=len(overlay.order) > 2)
    return [picture for picture in (*found, pairs) if picture.markup]


def _judge(designer: Designer) -> dict[str, Any] | None:
    """What held-out rows say of stacked surrogates; nothing is known of another judge."""
    from invcore_solve.judging.fitted_stack import FittedStack
    from invcore_solve.page.judge_facts import coverages, members_of
    from invcore_solve.page.judge_pictures import coverage_picture, parity
    from invcore_solve.page.target_pictures import CURVE

    judge, names = designer.judge, designer.data.responses.names
    if not isinstance(judge, FittedStack):
        return None
    coverage = coverages(judge.calibration)
    pictures = [
        Picture(*parity(judge, names, "parity"), wide=1 < len(names) < CURVE),
        Picture(*coverage_picture(coverage, "coverage")),
    ]
    return {
        "members": members_of(judge), "coverage": coverage,
        "pictures": [picture for picture in pictures if picture.markup],
    }  # fmt: skip


def _effects(effects: Any) -> list[Picture]:
    from invcore_solve.page import effect_pictures as draw
    from invcore_solve.page.drawing import figure, inline

    caption = (
        "How far each column moves the responses while the others stay as they are in rows of "
        "the table, by the judge; of several responses the root mean square."
    )
    with figure(5.2, draw.bars_height(effects)) as drawn:
        draw.draw_bars(drawn, effects)
        bars = Picture(inline(drawn, "sizes", caption), caption)
    caption = draw.effects_caption(effects)
    with figure(8.4, draw.effects_height(effects)) as drawn:
        draw.draw_effects(drawn, effects)
        return [bars, Picture(inline(drawn, "effects", caption), caption, wide=True)]
