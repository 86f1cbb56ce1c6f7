"""Labels that are markup, formulas, or steer: the page and its pictures show them whole."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from invcore_report.report import make

LABELS = [r"$\frac{1}{", "[bold]x[/bold] :smile:", "a \u202eb\u200bc", "<b>&amp;", "$x$"]
SEEN = [r"$\frac{1}{", "[bold]x[/bold] :smile:", r"a \u202eb\u200bc", "<b>&amp;", "$x$"]


@pytest.fixture
def made(runs, tmp_path):
    cells = []
    for seed in (0, 1):
        for label in LABELS:
            identity = runs.add(seed=seed, errors=None)
            cells.append((r"task $\sqrt{ [i]", label, seed, identity, "ok", ""))
    runs.bench(cells=cells, title="[red]title \u202e[/red] $x$", ablations=[
        {"title": r"$\frac{", "methods": LABELS[:2]}
    ])  # fmt: skip
    folder = tmp_path / "report"
    make(runs.store, folder, "small", lambda steps: lambda: None)
    return folder


def test_the_page_shows_them_whole_and_harmless(made):
    page = next(made.glob("*.html")).read_text(encoding="utf-8")
    assert {sign for sign in page if not sign.isprintable()} <= {"\n", "\xa0"}
    for text in SEEN:
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert escaped in page, text
    assert r"[red]title \u202e[/red] $x$" in page


def test_pictures_draw_them_sign_by_sign(made):
    texts: set[str] = set()
    pictures = list(made.rglob("*.svg"))
    for path in pictures:
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        texts |= {"".join(element.itertext()).strip() for element in root.iter()}
    assert pictures and set(SEEN) <= texts
