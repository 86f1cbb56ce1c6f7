"""The page: that it parses, needs nothing else, escapes what it shows, and says what is missing."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from invcore_report.pictures import embedded
from invcore_report.style import styles

_EVIL = '<script>alert("x")</script>'
_VOID = {"meta", "link", "img", "br", "hr", "path", "use", "rect", "image"}


class Page(HTMLParser):
    """What a page holds; unbalanced tags are errors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.text: list[str] = []
        self.script = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in _VOID:
            assert self.open and self.open[-1] == tag, (tag, self.open[-3:])
            self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.script += data
        else:
            self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A report of a benchmark with all that can be in one."""
    import importlib.util

    from invcore_report.report import make

    path = Path(__file__).with_name("conftest.py")
    spec = importlib.util.spec_from_file_location("made_up_runs", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("report")
    runs = module.Runs(folder / "runs")
    good = runs.add("na", scale=0.01, order=True, ranked=True)
    other = runs.add("ipage", order=True, simulator_calls=2 * 12 * 60, search_calls=12 * 60)
    strange = runs.add("toy", task="no-such-task", settings={"text": _EVIL})
    cells = [
        ("sine-wave", "na", 0, good, "ok", ""),
        ("sine-wave", f"ipage {_EVIL}", 0, other, "ok", ""),
        (f"toys {_EVIL}", "toy", 0, strange, "ok", ""),
        ("sine-wave", "lost", 0, None, "error", f"went wrong: {_EVIL}"),
    ]
    published = [
        {"source": _EVIL, "task": "sine-wave", "method": "na", "metric": "r_T", "T": 1, "value": 9}
    ]
    runs.bench(
        "evil", cells, title=f"Title {_EVIL}", published=published,
        ablations=[{"title": f"Study {_EVIL}", "methods": ["na", f"ipage {_EVIL}"]}],
    )  # fmt: skip
    steps = []
    report = make(runs.store, folder / "report", None, lambda n: lambda: steps.append(n))
    text = report.page.read_text()
    return SimpleNamespace(
        report=report, text=text, page=Page(text), folder=folder / "report", steps=steps
    )


def test_the_page_needs_nothing_else(written):
    links = [
        attrs[key]
        for _, attrs in written.page.tags
        for key in ("src", "href", "xlink:href", "srcset", "data", "action")
        if key in attrs
    ]
    assert links
    for link in links:
        assert link.startswith(("#", "data:", "pictures/")), link
        if link.startswith("pictures/"):
            assert (written.folder / link).is_file()
        if link.startswith("#"):
            assert f'id="{link[1:]}"' in written.text, link
    assert {target[0] for target in re.findall(r"url\(([^)]*)\)", written.text)} <= {"#"}
    assert "@import" not in written.text and "xmlns" not in written.text
    assert re.findall(r"https?://", written.text) == []


def test_ids_are_unique(written):
    ids = [attrs["id"] for _, attrs in written.page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_everything_from_files_is_escaped(written):
    assert _EVIL not in written.text and "alert" not in written.page.script
    assert len(written.page.all("script")) == 1
    shown = written.page.words
    assert shown.count(_EVIL) > 8  # title, labels, task, source, study, reason, settings
    assert f"went wrong: {_EVIL}" in shown and f"Title {_EVIL}" in shown


def test_it_answers_at_the_top(written):
    shown = written.page.words
    answer = shown.index("sine-wave: best at T=50 is na, ")
    assert answer < shown.index("Mean rank") < shown.index("Beside published figures")
    assert f"then ipage {_EVIL}" in shown
    assert shown.count("★ best") == 2
    assert "▲ better" in shown


def test_columns_are_sortable(written):
    page = written.page
    tables = [attrs for attrs in page.all("table") if "sortable" in attrs.get("class", "")]
    assert len(tables) >= 6
    heads = [attrs for attrs in page.all("th") if attrs.get("scope") == "col"]
    assert len(heads) == len(page.all("button")) > 30
    assert [h["aria-sort"] for h in heads if "aria-sort" in h] == ["ascending"] * 3
    cells = [a for tag in ("td", "th") for a in page.all(tag) if a.get("scope") != "col"]
    assert all("data-value" in attrs for attrs in cells)
    numbers = [a["data-value"] for a in page.all("td") if "num" in a.get("class", "")]
    assert all(value == "" or float(value) == float(value) for value in numbers)


def test_phones_darkness_and_print(written):
    assert any(m.get("name") == "viewport" for m in written.page.all("meta"))
    assert "prefers-color-scheme: dark" in written.text and "@media print" in written.text
    assert "currentColor" in written.text


def test_pictures_are_there_as_files(written):
    files = {path.name for path in (written.folder / "pictures").iterdir()}
    assert files == {f"{n}.{end}" for n in written.report.pictures for end in ("svg", "png")}
    for name in (
        "sine-wave-rt", "sine-wave-rt-reranked", "sine-wave-anytime-calls",
        "sine-wave-anytime-measured", "sine-wave-anytime-one-second", "sine-wave-parity",
        "sine-wave-candidates-na",
    ):  # fmt: skip
        assert name in written.report.pictures
        svg = (written.folder / "pictures" / f"{name}.svg").read_text()
        assert svg.startswith("<?xml") and "Date" not in svg
        assert (written.folder / "pictures" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
    svgs = [attrs for attrs in written.page.all("svg") if attrs.get("role") == "img"]
    assert all(attrs["aria-label"] and "viewbox" in attrs for attrs in svgs)
    assert all(attrs["alt"] for attrs in written.page.all("img"))


def test_curves_have_a_band_and_a_line_for_each_method(written):
    svg = (written.folder / "pictures" / "sine-wave-rt.svg").read_text()
    for style in styles(["na", f"ipage {_EVIL}", "toy"]).values():
        here = style.colour.lower() in svg
        assert here == (style != styles(["na", f"ipage {_EVIL}", "toy"])["toy"])
    assert svg.count("FillBetweenPolyCollection") == 2


def test_what_cannot_be_drawn_is_said(written):
    left = {x.what: x.why for x in written.report.collection.left_out}
    assert "no task 'no-such-task'" in left[f"pictures of toys {_EVIL}"]
    assert "no-such-task" in written.page.words
    assert left["sine-wave, lost, seed 0 (run 000000000000)"] == f"error: went wrong: {_EVIL}"


def test_the_bar_gets_as_many_steps_as_it_was_told(written):
    assert len(written.steps) == written.steps[0] == 3 + 3 * 2


def test_an_svg_of_any_kind_is_embedded_with_its_own_ids():
    svg = (
        '<?xml version="1.0"?><!DOCTYPE svg><svg xmlns="u" viewBox="0 0 1 1" width="1pt">'
        '<metadata>x</metadata><defs><path id="m1"/></defs><g id="axes_1"><use xlink:href="#m1"/>'
        '<g clip-path="url(#m1)" style="fill: #010203"/></g></svg>'
    )
    assert embedded(svg, "pic", 'a "b" & c') == (
        '<svg viewBox="0 0 1 1" role="img" aria-label="a &quot;b&quot; &amp; c">'
        '<defs><path id="pic-m1"/></defs><g><use href="#pic-m1"/>'
        '<g clip-path="url(#pic-m1)" style="fill: currentColor"/></g></svg>'
    )


def test_methods_look_different():
    many = styles([f"m{i}" for i in range(40)])
    assert len({(s.colour, s.marker) for s in many.values()}) == 40


def test_the_command(call, runs, tmp_path):
    runs.add("na", candidates=5, targets=3)
    runs.add("bad", status="error", reason="no \x1b[31mroom")
    to = tmp_path / "page"
    done = call("report", "--store", runs.store.root, "--to", to)
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == str(to / "index.html")
    assert done.out.startswith("sine-wave: best at T=5 is na, ")
    assert "what is not shown (1)" in done.err and "\x1b" not in done.out + done.err
    again = call("report", "--store", runs.store.root, "--to", to, "--json")
    found = json.loads(again.out)
    assert again.err == "" and found["path"] == str(to / "index.html") and found["bench"] is None
    assert all(Path(path).is_file() for path in found["pictures"])
    (task,) = found["tasks"]
    assert (task["task"], task["T"], task["winner"], task["ahead"]) == ("sine-wave", 5, "na", None)
    (method,) = task["methods"]
    assert method["rank"] == 1 and method["seeds"] == [0] and not method["ranked"]
    assert method["numbers"]["r_5"]["rank"] == 1
    assert method["numbers"]["r_5"]["low"] <= method["numbers"]["r_5"]["value"]
    assert found["left_out"][0]["why"] == "error: no \x1b[31mroom"


def test_a_store_in_which_all_failed_still_says_why(call, runs, tmp_path):
    runs.add("bad", status="diverged", reason="loss is nan")
    (runs.store.root / "0123456789ab").mkdir()
    done = call("report", "--store", runs.store.root, "--to", tmp_path / "page")
    assert done.code == 0, done.err
    shown = Page((tmp_path / "page" / "index.html").read_text()).words
    assert "No run ended well" in shown and "diverged: loss is nan" in shown
    assert "run.json: cannot be read" in shown


def test_an_empty_store_has_no_report(call, runs, tmp_path):
    done = call("report", "--store", runs.store.root, "--to", tmp_path / "page")
    assert done.code == 3 and "begin with `invcore run`" in done.err
    assert done.err.count("\n") == 1 and not (tmp_path / "page").exists()
    assert list(tmp_path.iterdir()) == []


def test_the_commands_are_listed(call):
    assert "report" in call("--help").out and "compare" in call("--help").out
    assert "--bench NAME" in call("report", "--help").out
