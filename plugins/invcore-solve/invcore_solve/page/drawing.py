"""How pictures are drawn: one look, no global state left behind, the same bytes every time."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invcore.plugin import DataError, printable, replace_file
from invcore_solve.page.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

INK = "#010203"  # near black in files, the page's own colour of text within it
GREY = "#858585"
WANTED, PREDICTED, MEASURED = "#D55E00", "#2A84C6", "#009E73"
COLOURS = ("#2A84C6", "#D55E00", "#009E73", "#CC79A7", "#C98A00", "#56B4E9", "#8C6BB1", "#7F7F7F")
"""Okabe and Ito's, told apart by all kinds of colour vision, seen on white and on black."""

_LOOK: dict[Any, Any] = {
    "font.size": 9.5, "font.family": ["DejaVu Sans"], "text.color": INK, "axes.edgecolor": INK,
    "axes.facecolor": "none", "axes.labelcolor": INK, "axes.linewidth": 0.6,
    "axes.titlesize": 9.0, "axes.spines.top": False, "axes.spines.right": False,
    "xtick.color": INK, "ytick.color": INK, "grid.color": INK, "grid.alpha": 0.13,
    "grid.linewidth": 0.6, "legend.frameon": False, "legend.fontsize": 8.0,
    "svg.fonttype": "none",  # text stays text: small, sharp, readable by machines
    "text.parse_math": False,  # names are no formulas
    "axes.formatter.use_mathtext": False, "axes.formatter.useoffset": False,
}  # fmt: skip
_DPI = 160
_NO_GLYPH = r"(Glyph|Matplotlib currently does not support)"


@contextmanager
def figure(width: float, height: float) -> Iterator[Figure]:
    """A figure in the page's look (inches), to be drawn and kept within the block."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_LOOK), warnings.catch_warnings():
        # A sign that the font lacks is there all the same: text of an SVG is drawn by its reader
        warnings.filterwarnings("ignore", message=_NO_GLYPH)
        yield Figure(figsize=(width, height), layout="constrained")


def encoded(drawn: Figure, ending: str, name: str) -> bytes:
    """The bytes of an .svg or .png file, the same every time."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = BytesIO()
    ground = "none" if ending == ".inline" else "white"
    with matplotlib.rc_context({"svg.hashsalt": name}):
        if ending == ".png":
            FigureCanvasAgg(drawn).print_figure(
                buffer, format="png", dpi=_DPI, facecolor=ground, metadata={"Software": None}
            )
        else:
            FigureCanvasSVG(drawn).print_figure(
                buffer, format="svg", facecolor=ground, metadata={"Date": None, "Creator": None}
            )
    return buffer.getvalue()


def inline(drawn: Figure, name: str, caption: str) -> str:
    """A figure as markup of a page: an ``svg`` element with ids of its own, safe as it is."""
    return embedded(encoded(drawn, ".inline", name).decode(), name, caption)


def embedded(svg: str, name: str, caption: str) -> str:
    """An SVG file as part of a page: no declarations, no foreign names, ids of its own.

    Args:
        svg: as matplotlib writes it.
        name: goes before the ids.
        caption: read aloud in its place.

    Example:
        >>> embedded('<?xml?><svg width="9" xmlns="u"><g id="a"/></svg>', "p", "x < y")
        '<svg role="img" aria-label="x &lt; y"><g/></svg>'
    """
    body = svg[svg.index("<svg") :].strip()
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.S)
    head, _, rest = body.partition(">")
    head = re.sub(r'\s(?:xmlns(?::\w+)?|width|height|version)="[^"]*"', "", head)
    rest = re.sub(r"<!--.*?-->\s*", "", rest, flags=re.S)
    pieces = re.split(r"(<text\b[^>]*>[^<]*</text>)", rest)  # words are as tables have them
    ids = set(re.findall(r'(?:href="#|url\(#)([^")]+)', "".join(pieces[::2])))

    def own(markup: str) -> str:
        kept = re.sub(
            r'\sid="([^"]*)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in ids else "", markup
        )
        kept = re.sub(r'(?:xlink:)?href="#', f'href="#{name}-', kept)
        return kept.replace("url(#", f"url(#{name}-").replace(INK, "currentColor")

    def words(markup: str) -> str:
        opening, _, text = markup.partition(">")
        opening = opening.replace(INK, "currentColor").replace("'DejaVu Sans'", "inherit")
        return f"{opening}>{text}"

    whole = "".join(words(p) if i % 2 else own(p) for i, p in enumerate(pieces))
    whole = re.sub(r">\s*\n\s*<", "><", whole)
    return f'{head} role="img" aria-label="{escape(caption)}">{whole}'


def check_file(path: str | os.PathLike[str], endings: tuple[str, ...]) -> None:
    """Refuse a file that could not be written, before long work for it begins.

    Raises:
        DataError: another ending, no such folder, or no right to write in it.
    """
    place, file = printable(os.fspath(path)), Path(path)
    if file.suffix.lower() not in endings:
        raise DataError(f"{place}: expected the ending {' or '.join(endings)}")
    folder = Path(os.path.realpath(file)).parent
    if file.is_dir() or not folder.is_dir():
        raise DataError(f"{place}: is a folder, or its folder does not exist")
    if not os.access(folder, os.W_OK):
        raise DataError(f"{place}: cannot be written; check the rights of its folder")


def write_file(path: str | os.PathLike[str], content: bytes) -> None:
    """Write the whole file, or nothing.

    Raises:
        DataError: it cannot be written.
    """
    try:
        replace_file(path, content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"{printable(os.fspath(path))}: cannot be written: {reason}") from error


def halves(drawn: Figure, above: float, below: float) -> list[SubFigure]:
    """A figure cut in two, one above the other, of these heights."""
    parts: Any = drawn.subfigures(2, 1, height_ratios=[above, below])
    return [*parts]


def grid(axes: Axes, axis: str = "both") -> None:
    """Fine lines behind what is drawn, and ticks that people read."""
    from matplotlib.ticker import FuncFormatter

    axes.set_axisbelow(True)
    axes.grid(True, axis=axis)  # type: ignore[arg-type]
    for one in (axes.xaxis, axes.yaxis):
        one.set_major_formatter(FuncFormatter(lambda value, _place: number(value)))
