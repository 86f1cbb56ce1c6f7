"""The page: everything that was measured, put into one HTML file that needs nothing else."""

import re
from dataclasses import dataclass, field
from importlib.resources import files

import jinja2
from markupsafe import Markup, escape

from invcore.plugin import shown
from invcore_report import tables, wording
from invcore_report.collect import Collection
from invcore_report.folder import MARK
from invcore_report.leaderboard import Board, mean_ranks
from invcore_report.pictures import Picture
from invcore_report.style import styles


@dataclass
class TaskPart:
    """What the page says of one task."""

    board: Board
    curves: list[Picture] = field(default_factory=list)
    candidates: list[Picture] = field(default_factory=list)


def render(collection: Collection, parts: list[TaskPart], written: str) -> str:
    """The page's HTML.

    Args:
        collection: what was read.
        parts: one a task, in the order of the page.
        written: when.
    """
    boards = [part.board for part in parts]
    summaries = [row.summary for board in boards for row in board.rows]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("invcore_report"),
        autoescape=True,  # names and reasons come from files of anybody
        finalize=shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=wording.number, between=wording.between, whole=_whole)
    return environment.get_template("page.html.j2").render(
        collection=collection,
        parts=parts,
        written=written,
        mark=Markup(MARK),
        css=Markup(_resource("style.css")),
        script=Markup(_resource("sort.js")),
        styles=styles(summary.method for summary in summaries),
        ranks=mean_ranks(boards),
        summaries=summaries,
        tables=tables,
        wording=wording,
        environment=tables.environment(summaries),
        svg=Markup,
    )


def _whole(text: str) -> Markup:
    """Text whose numbers are not broken over two lines at the minus of their exponent."""
    return Markup(re.sub(r"[\d.]+e-\d+", r'<span class="whole">\g<0></span>', str(escape(text))))


def _resource(name: str) -> str:
    return (files("invcore_report") / "templates" / name).read_text(encoding="utf-8")
