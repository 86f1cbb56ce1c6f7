"""The page in a real browser: no errors, no sideways scrolling, and columns that sort."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr", "--hide-scrollbars", "--virtual-time-budget=8000", "--dump-dom",
)  # fmt: skip
_WIDTHS = (390, 1280)
# The page is shown in frames as wide as a phone and a desktop: a window is 500 pixels at least.
_WATCH = "<script>window.failures=[];onerror=(m)=>{failures.push(String(m))};</script>"
_HARNESS = """<!doctype html><body>{frames}<pre id="found"></pre><script>
const order = (table) => [...table.tBodies[0].rows].map((row) => row.cells[0].dataset.value);
const state = (head) => head.getAttribute("aria-sort");
addEventListener("load", () => {{
  const found = [...document.querySelectorAll("iframe")].map((frame) => {{
    const page = frame.contentDocument, root = page.documentElement;
    const table = page.querySelector("table.board");
    const heads = [...table.tHead.rows[0].cells];
    const r1 = heads.find((head) => head.textContent.trim() === "r_1");
    const steps = [[order(table), state(r1)]];
    for (let i = 0; i < 2; i += 1) {{
      r1.querySelector("button").click();
      steps.push([order(table), state(r1)]);
    }}
    const box = table.parentElement;
    return {{
      width: frame.clientWidth, scroll: root.scrollWidth, failures: frame.contentWindow.failures,
      steps, sorted: heads.filter(state).length, inside: box.scrollWidth > box.clientWidth,
      pictures: [...page.images].every((image) => image.naturalWidth > 0),
      heights: [...page.querySelectorAll("figure > svg")].map((svg) => svg.clientHeight),
    }};
  }});
  document.getElementById("found").textContent = JSON.stringify(found);
}});
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: the page was not opened")
def test_the_page_in_chromium(runs, tmp_path):
    from invcore_report.report import make

    runs.add("slow start", scale=0.5, ranked=True, errors=_errors(9.0, 1e-6))
    runs.add("quick start", scale=0.5, ranked=True, errors=_errors(1.0, 1e-3))
    runs.add("a method with a very long name indeed_without_any_space_in_it", scale=2.0)
    page = make(runs.store, tmp_path / "report").page.read_text()
    watched = html.escape(page.replace("<head>", f"<head>{_WATCH}", 1))
    frames = "".join(
        f'<iframe srcdoc="{watched}" style="border:0;width:{width}px;height:900px"></iframe>'
        for width in _WIDTHS
    )
    harness = tmp_path / "harness.html"
    harness.write_text(_HARNESS.format(frames=frames), encoding="utf-8")
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    done = subprocess.run(
        [CHROMIUM, *_FLAGS, profile, f"file://{harness}"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert re.findall(r"^.*CONSOLE.*$", done.stderr, re.M) == []
    match = re.search(r'<pre id="found">(.+?)</pre>', done.stdout, re.S)
    assert match, done.stderr[-2000:]
    found = json.loads(html.unescape(match[1]))
    assert [view["width"] for view in found] == [*_WIDTHS]
    for view in found:
        assert view["failures"] == []
        assert view["scroll"] <= view["width"], "the page scrolls sideways"
        assert view["pictures"] and view["heights"] and min(view["heights"]) > 150
        (before, _), (up, ascending), (down, descending) = view["steps"]
        assert before[0] == "slow start"  # the best at T = 50
        assert up[0] == "quick start" and ascending == "ascending"  # the best at T = 1
        assert down == up[::-1] and descending == "descending"
        assert view["sorted"] == 1
    assert found[0]["inside"], "on a phone the table scrolls in its own box"


def _errors(first, last):
    """(12, 60): every target's errors fall from the first candidate to the last."""
    import torch

    return torch.logspace(*torch.tensor([first, last]).log10().tolist(), 60).repeat(12, 1)
