"""What a notebook shows of a proposal: its first designs, and a picture."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from invcore_solve.page.target_parts import TargetPart, target_parts
from invcore_solve.page.wording import counted

if TYPE_CHECKING:
    from invcore_solve.answers.proposal import Proposal

_TARGETS = 3
_DESIGNS = 5


def shown(ranked: Proposal) -> str:
    """The first designs of the first targets as HTML, with one picture.

    Args:
        ranked: the designs. Names and texts are escaped.
    """
    count = int((ranked.rank == 1).sum())
    if not count:
        return "<p>No designs.</p>"
    first = ranked.rows(((ranked.rank == 1).cumsum(0) <= _TARGETS).nonzero()[:, 0])
    parts = [*target_parts(first, None, {}, _TARGETS, drawn=1)]
    tables = "".join(_table(part) for part in parts)
    more = f"<p>{counted(count, 'target')} in all.</p>" if count > _TARGETS else ""
    picture = f'<div style="max-width:36rem">{parts[0].picture}</div>' if parts[0].picture else ""
    return f'<div class="invcore-proposal">{tables}{more}{picture}</div>'


def _table(part: TargetPart) -> str:
    heads = "".join(f"<th>{escape(head)}</th>" for head in (*part.heads, ""))
    lines = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in (*row.cells, ', '.join(row.marks)))}"
        "</tr>"
        for row in part.rows[:_DESIGNS]
    )
    said = escape(f"Target {part.number}: {part.wanted}")
    reach = f"<p>{escape(part.reach)}</p>" if part.reach else ""
    return (
        f'<p><b>{said}</b></p>{reach}<div style="overflow-x:auto"><table><thead><tr>{heads}</tr>'
        f"</thead><tbody>{lines}</tbody></table></div>"
        f"<p>{min(_DESIGNS, len(part.rows))} of {counted(part.count, 'design')}.</p>"
    )
