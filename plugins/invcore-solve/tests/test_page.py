"""The page of an answer: what stands on it, escaped and complete, and how the judge is told of."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import invcore_solve
import numpy as np
import pandas as pd
import pytest
import torch
from invcore_solve.answers.proposal import Proposal
from invcore_solve.judging.fitted_stack import Calibration
from invcore_solve.page.drawing import embedded
from invcore_solve.page.judge_facts import coverages, members_of
from invcore_solve.page.page import check_page, rendered, write_page
from invcore_solve.page.shown_rows import shown_rows, unmeasured
from invcore_solve.page.target_parts import nearest_responses
from invcore_solve.page.wording import axis_of

from invcore.base.errors import DataError

SCRIPT, RED, FORMULA = "<script>alert(1)</script>", "[red]", "$x_1^2$"
CHEAP = {"members": ["extra-trees", "linear"]}
SECTIONS = ["answer", "targets", "designs", "judge", "effects", "schema"]


class Read(HTMLParser):
    """Elements by name with their attributes, and the texts, of a page."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def table(rows=48):
    """A category, levels and a number, each with a hostile name, and their response."""
    rng = np.random.default_rng(0)
    kind = rng.choice([SCRIPT, RED, FORMULA], rows)
    level, length = rng.choice([1.0, 2.0, 3.0], rows), rng.random(rows)
    y = 2 * length + level + 1.5 * (kind == RED)
    columns = {f"kind {SCRIPT}": kind, FORMULA: level, "\u9577\u3055 & <b>": length, "y<i>": y}
    return pd.DataFrame(columns)


def fit(data, responses, **options):
    return invcore_solve.fit(data, responses=responses, judge_settings=CHEAP, **options)


@pytest.fixture(scope="module")
def designer():
    return fit(table(), ["y<i>"])


@pytest.fixture(scope="module")
def page(designer):
    return rendered(designer, designer.propose([[2.5], [4.0], [900.0]], candidates=15))


def test_names_are_text_and_never_markup(page):
    found = Read(page)
    assert not found.all("script") and not found.all("b") and not found.all("i")
    for name in (f"kind {SCRIPT}", FORMULA, "\u9577\u3055 & <b>", "y<i>", RED):
        assert name in found.texts or name in found.text
    assert SCRIPT not in page


def test_names_in_pictures_are_no_formulas(page):
    pictures = "".join(re.findall(r"<svg.*?</svg>", page, flags=re.S))
    words = re.findall(r"<text[^>]*>([^<]*)</text>", pictures)
    assert FORMULA in words and RED in words and "\u9577\u3055 &amp; &lt;b&gt;" in words


def test_the_page_needs_nothing_but_itself(page):
    found = Read(page)
    names = ("href", "src", "srcset", "action", "xlink:href")
    links = [a[n] for _, a in found.elements for n in names if n in a]
    assert links and all(link.startswith(("#", "data:,")) for link in links)
    ids = [a["id"] for _, a in found.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert not {tag for tag, _ in found.elements} & {"script", "iframe", "img", "object", "base"}
    assert "url(http" not in page and "@import" not in page
    assert not [n for _, a in found.elements for n in a if n.startswith("on")]


def test_all_sections_and_targets_are_there(page):
    found = Read(page)
    assert [a["id"] for a in found.all("section")] == SECTIONS
    assert [a["id"] for a in found.all("article")] == ["target-1", "target-2", "target-3"]
    captions = found.all("figcaption")
    assert len(captions) == len(found.all("figure")) == len(found.all("svg")) == 9
    assert "out of the table's reach" in found.text
    assert "extra-trees" in found.text and "all together" in found.text


def test_a_row_that_meets_a_target_is_told(designer):
    row = 7
    wanted = float(table()["y<i>"][row])
    ranked = designer.propose([[wanted]], candidates=4)
    line = str(int(ranked.nearest[0]))
    text = Read(rendered(designer, ranked)).text
    assert re.search(rf"Rows? [\d, ]*\b{line}\b[\w ,]* meets? it already", text)


def test_many_targets_have_a_line_each_and_some_are_told_in_full(designer):
    ranked = designer.propose(np.linspace(1.5, 5.0, 20)[:, None], candidates=3)
    found = Read(rendered(designer, ranked))
    assert len(found.all("details")) == len(found.all("article")) == 12
    body = rendered(designer, ranked).split('aria-label="All targets"')[1].split("</table>")[0]
    assert body.count("<tr") == 21


def test_curves_are_drawn_over_the_numbers_in_their_names():
    rng = np.random.default_rng(0)
    x = rng.random((40, 2))
    waves = np.linspace(400, 700, 14)
    y = x[:, :1] * np.sin(waves / 90) + x[:, 1:] * (waves - 550) / 300
    names = [f"{wave:.1f} nm" for wave in waves]
    data = pd.DataFrame(np.c_[x, y], columns=["a", "b", *names])
    designer = fit(data, names)
    text = Read(rendered(designer, designer.propose(y[:1], candidates=3))).text
    assert "a curve of 14 values" in text and " nm " in text
    assert "first principal component" in text


def test_a_judge_without_held_out_rows_says_so(designer):
    from dataclasses import replace

    class Judge:
        def predict(self, x, level=0.9):
            return designer.judge.predict(x, level)

    other = replace(designer, judge=Judge(), config=designer.config | {"judge_name": "other"})
    text = Read(rendered(other, designer.propose([[2.5]], candidates=3))).text
    assert "keeps no predictions of held-out rows" in text and "parity" in text


def test_only_whole_html_files_are_written(tmp_path, designer):
    with pytest.raises(DataError, match=r"expected the ending \.html"):
        check_page(tmp_path / "page.pdf")
    with pytest.raises(DataError, match="folder does not exist"):
        check_page(tmp_path / "nowhere" / "page.html")
    ranked = designer.propose([[2.5]], candidates=3)
    write_page(tmp_path / "page.html", designer, ranked)
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
    first = (tmp_path / "page.html").read_bytes()
    write_page(tmp_path / "page.html", designer, ranked)
    assert (tmp_path / "page.html").read_bytes() == first and first.endswith(b"</html>\n")


def test_nearest_responses_are_those_of_the_nearest_rows(designer):
    ranked = designer.propose([[2.5], [4.0]], candidates=5)
    found = nearest_responses(ranked, designer.measured)
    by_line = dict(zip(designer.data.rows.tolist(), designer.data.pairs.y[:, 0], strict=True))
    expected = [float(by_line[int(line)]) for line in ranked.nearest]
    assert np.allclose(found[:, 0], expected)


def test_coverage_of_residuals_from_one_law_is_what_is_stated():
    rng = np.random.default_rng(1)
    residuals = rng.standard_normal((4000, 1))
    for one in coverages(Calibration(residuals, np.full(4000, 1 / 4000))):
        assert abs(one.rows - one.stated) < 0.01 and abs(one.picked - one.stated) < 0.01


def test_coverage_counts_picked_rows_by_their_weight():
    """Rows that are never picked are far off: all rows are covered less than those picked."""
    rng = np.random.default_rng(1)
    residuals = np.r_[rng.standard_normal((2000, 1)), np.full((2000, 1), 50.0)]
    picks = np.r_[np.full(2000, 1 / 2000), np.zeros(2000)]
    nine = coverages(Calibration(residuals, picks))[2]
    assert abs(nine.picked - 0.9) < 0.02 and abs(nine.rows - 0.45) < 0.02


def test_coverage_is_unknown_of_too_few_rows():
    found = coverages(Calibration(np.ones((4, 1)), np.full(4, 0.25)))
    assert all(one.rows is None and one.picked is None for one in found)


def test_members_are_told_by_their_weight(designer):
    members = members_of(designer.judge)
    assert members[-1].weight is None
    off = np.abs(designer.judge.held_out[-1] - designer.judge.y)
    assert np.allclose(members[-1].errors, np.nanmean(off, axis=0))
    weights = [member.weight for member in members[:-1]]
    assert weights == sorted(weights, reverse=True) and abs(sum(weights) - 1) < 1e-6


@pytest.mark.parametrize(
    ("names", "values", "title"),
    [
        (["850.0", "852.5"], [850.0, 852.5], "number of the response"),
        (["y_1", "y_2"], [1.0, 2.0], "y"),
        (["3 nm", "2 nm"], [3.0, 2.0], "nm"),
        (["a1", "b2"], [1.0, 2.0], "position of the response"),
        (["1", "1"], [1.0, 2.0], "position of the response"),
    ],
)
def test_axes_of_curves(names, values, title):
    assert axis_of(names) == (values, title)


def test_words_of_pictures_that_look_like_ids_stay():
    """A name may hold what else is rewritten in a picture's markup."""
    svg = '<svg xmlns="u"><g id="a"/><use xlink:href="#a"/><text x="1">url(#a) #010203</text></svg>'
    made = embedded(svg, "p", "c")
    assert '<g id="p-a"/>' in made and 'href="#p-a"' in made
    assert ">url(#a) #010203</text>" in made


def test_notebooks_show_names_as_text_and_one_picture(designer):
    made = designer.propose([[2.5], [3.0], [3.5], [4.0]], candidates=8)._repr_html_()
    found = Read(made)
    assert len(found.all("table")) == 3 and len(found.all("svg")) == 1
    assert len(found.all("tr")) == 3 * 6
    assert not found.all("script") and f"kind {SCRIPT}" in found.texts
    assert "4 targets in all" in found.text


def test_notebooks_show_designs_without_predictions():
    ranked = Proposal(torch.ones(1, 1), torch.tensor([1]), torch.ones(1, 2), (("a", "<b>"), ("y",)))
    found = Read(ranked._repr_html_())
    assert len(found.all("table")) == 1 and not found.all("svg") and "<b>" in found.texts


def test_few_measured_rows_are_shown_before_new_designs():
    ranks = torch.arange(1, 21)
    names = (("a",), ("y",))
    ranked = Proposal(torch.ones(20, 1), ranks, torch.ones(20, 1), names, measured=ranks <= 8)
    assert shown_rows(ranked, range(20)) == [0, 1, 2, *range(8, 15)]
    ranked = Proposal(torch.ones(20, 1), ranks, torch.ones(20, 1), names, measured=ranks <= 17)
    assert shown_rows(ranked, range(20)) == [*range(7), 17, 18, 19]
    assert unmeasured(ranked, [3, 19]) == [19]
