"""Pictures: drawn once, kept as PNG and SVG files and, as SVG, within the page."""

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from invcore.plugin import harmless

INK = "#010203"  # text and frames: near black in files, the page's own colour within it
_LOOK: dict[Any, Any] = {
    "font.size": 9.0,
    "font.family": ["DejaVu Sans"],
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    "grid.alpha": 0.13,
    "grid.linewidth": 0.6,
    "svg.fonttype": "none",  # text stays text: small, sharp, readable by machines
}
_DPI = 160


@dataclass(frozen=True)
class Picture:
    """A picture of the page.

    Args:
        name: of its files, without ending.
        caption: what it shows.
        inline: markup of the page: an ``svg`` or an ``img`` element, safe as it is.
        legend: method whose legend stands above it; empty for all.
    """

    name: str
    caption: str
    inline: str
    legend: str = ""


class Gallery:
    """The pictures of one report, written as they are made.

    Args:
        folder: where the files go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.names: list[str] = []

    @contextmanager
    def figure(self, width: float, height: float) -> Iterator[Figure]:
        """A figure in the house's look (inches)."""
        with matplotlib.rc_context(_LOOK):
            yield Figure(figsize=(width, height), layout="constrained")

    def chart(self, name: str, caption: str, figure: Figure, finish: Callable[[], Any]) -> Picture:
        """Keep a chart, which is part of the page as SVG that follows the page's colours.

        Args:
            name: of the files; made safe and unique.
            caption: what it shows.
            figure: drawn within ``figure``'s block.
            finish: adds what the files need and the page has elsewhere: the legend.
        """
        name = self._unique(name)
        inline = embedded(self._svg(figure, name, "none"), name, caption)
        finish()
        self._keep(figure, name)
        return Picture(name, caption, inline)

    def photo(self, name: str, caption: str, figure: Figure, method: str) -> Picture:
        """Keep a picture whose colours are not ours to change: part of the page as PNG.

        Args:
            name: of the files; made safe and unique.
            caption: what it shows, but for the method.
            figure: drawn within ``figure``'s block.
            method: whose candidates it shows.
        """
        name = self._unique(name)
        data = base64.b64encode(self._keep(figure, name, bbox_inches="tight")).decode()
        label = f"{method}: {caption}"
        inline = f'<img src="data:image/png;base64,{data}" alt="{_escaped(harmless(label))}">'
        return Picture(name, caption, inline, legend=method)

    def _keep(self, figure: Figure, name: str, **fit: Any) -> bytes:
        svg = self._svg(figure, name, "white", **fit)
        (self._folder / f"{name}.svg").write_text(svg, encoding="utf-8")
        figure.set_layout_engine("none")  # laid out already: that takes as long as drawing
        buffer = BytesIO()
        figure.savefig(buffer, format="png", dpi=_DPI, facecolor="white", **fit)
        (self._folder / f"{name}.png").write_bytes(buffer.getvalue())
        return buffer.getvalue()

    def _svg(self, figure: Figure, name: str, ground: str, **fit: Any) -> str:
        buffer = BytesIO()
        with matplotlib.rc_context({"svg.hashsalt": name}):  # the same bytes every time
            figure.savefig(buffer, format="svg", facecolor=ground, metadata={"Date": None}, **fit)
        return buffer.getvalue().decode()

    def _unique(self, name: str) -> str:
        base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:80] or "picture"
        result, number = base, 1
        while result in self.names:
            number += 1
            result = f"{base}-{number}"
        self.names.append(result)
        return result


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
    ids = set(re.findall(r'(?:href="#|url\(#)([^")]+)', rest))
    rest = re.sub(r'\sid="([^"]*)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in ids else "", rest)
    rest = re.sub(r'(?:xlink:)?href="#', f'href="#{name}-', rest)
    rest = rest.replace("url(#", f"url(#{name}-").replace(INK, "currentColor")
    rest = rest.replace("'DejaVu Sans'", "inherit")
    title = f' role="img" aria-label="{_escaped(harmless(caption))}"'
    return f"{head}{title}>{rest}"


def _escaped(text: str) -> str:
    """Text for an attribute."""
    for bad, good in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(bad, good)
    return text
