"""The page of a campaign, and the session that the docs show."""

from __future__ import annotations

import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from invcore.base.errors import DataError

DOCS = Path(__file__).resolve().parents[4] / "docs" / "campaigns.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
_VOID = {"meta", "link", "img", "br", "path", "use", "rect", "circle", "line", "polygon"}


class Balanced(HTMLParser):
    """Elements that are open, and all ids and links."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.outside = [], [], [], []

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        self.ids += [facts["id"]] if "id" in facts else []
        for name in ("href", "src"):
            link = facts.get(name, "")
            self.links += [link[1:]] if link.startswith("#") else []
            self.outside += [link] if link.startswith(("http", "//")) else []
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in _VOID:
            assert self.open.pop() == tag


@pytest.fixture
def told(alloy, known):
    """A campaign with results, a failure, a repeated measurement, and a pending row."""
    campaign = alloy(
        known=known, responses=["strength [MPa]", "cost = 2*cu + 4*mg"],
        want=["strength>=300", "cost=min"],
    )  # fmt: skip
    batch = campaign.ask(6)
    results = batch.head(5).assign(strength=(250 + 30 * batch.cu - 5 * batch.cu**2).astype(object))
    results.loc[2, "strength"] = "broken"
    campaign.tell(results)
    campaign.tell(pd.DataFrame({"id": [1], "strength": [results.strength[0] + 1.5]}))
    return campaign


def test_the_page_has_everything_and_needs_nothing_else(told):
    told.report("page.html")
    text = Path("page.html").read_text()
    page = Balanced()
    page.feed(text)
    assert page.open == []
    assert page.outside == []
    assert set(page.links) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    for section in ("standing", "progress", "best", "next", "effects", "noise", "rows"):
        assert f'<section id="{section}">' in text
    assert text.count("<svg") == 3
    assert "1 row is pending" in text
    assert "1 row has failed" in text
    assert "1 design was measured several times" in text
    assert "strength [MPa], cost, computed" in text
    assert told.status().advice in text
    told.report("again.html")
    assert Path("again.html").read_text() == text


def test_the_page_of_a_campaign_that_has_just_begun(alloy, complaint):
    campaign = alloy()
    campaign.report("page.html")
    text = Path("page.html").read_text()
    assert "Nothing has been measured yet" in text
    assert "<svg" not in text
    assert ".html" in complaint(DataError, campaign.report, "page.pdf")
    assert "folder does not exist" in complaint(DataError, campaign.report, "no/page.html")


def test_rows_that_are_exported_come_back(told, alloy):
    for file in ("rows.csv", "rows.xlsx", "rows.parquet"):
        assert told.export(file) == 12
    rows = pd.read_csv("rows.csv")
    assert rows.equals(pd.read_excel("rows.xlsx"))
    assert np.allclose(rows.cu, told.rows().cu)
    other = alloy("other", known="rows.csv")
    assert other.rows().strength.notna().sum() == told.rows().strength.notna().sum()


def test_the_session_of_the_docs_works(call, tmp_path, monkeypatch):
    """Its commands as they are printed, with what somebody measures in between."""
    monkeypatch.chdir(tmp_path)
    text = DOCS.read_text().partition("## A session")[2].partition("\n## ")[0]
    found = _BLOCK.findall(text)
    Path("measured.csv").write_text(next(code for kind, code in found if kind == "text"))
    lines = "".join(code for kind, code in found if kind == "bash").replace("\\\n", "")
    for line in lines.strip().splitlines():
        words = shlex.split(line)[1:]
        cheap = ["--loop", "random-search"] if "new" in words else []
        done = call(*words, *cheap)
        assert done.code == 0, (line, done.err)
        if "--out" in words and words[-1].endswith(".xlsx"):
            frame = pd.read_excel("next.xlsx").astype({"strength [MPa]": object})
            frame["strength [MPa]"] = 280 + 9 * frame["cu [wt%]"]
            frame["strength [MPa]"] = frame["strength [MPa]"].astype(object)
            frame.loc[2, "strength [MPa]"], frame.loc[3, "strength [MPa]"] = "broken", None
            frame.to_excel("next.xlsx", index=False)
        if "tell" in words:
            assert "5 rows: 4 new, of which 1 failed; 1 without a result; 1 is still" in done.out
    assert Path("alloy.html").exists()


def test_documents_have_the_keys_of_the_docs(call, told):
    """Keys of the first level, as the tables of the docs name them."""
    told.batch(1).save("next.csv")
    commands = {
        "ask": ["--pending"], "tell": ["next.csv"], "status": [], "report": [],
        "export": ["r.csv"], "change": ["--noise", "strength=2"],
    }  # fmt: skip
    pages = DOCS.read_text().partition("## JSON")[2]
    for name, words in commands.items():
        table = pages.partition(f"### invcore campaign {name} ")[2].partition("\n### ")[0]
        heads = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
        keys = [key for head in heads for key in re.findall(r"`(\w+)`", head)]
        done = call("campaign", name, "alloy", *words, "--json")
        assert done.code == 0, done.err
        assert sorted(json.loads(done.out)) == sorted(keys), name
