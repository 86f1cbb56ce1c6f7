from __future__ import annotations

import json
import subprocess
import sys

import pytest
from rich.cells import cell_len

from invcore.cli.options import ComponentName
from invcore.cli.text_table import columns, wrap

KINDS = ("task", "method", "loop", "surrogate", "judge", "sampler", "metric")
LISTINGS = [f"list-{kind}s" for kind in KINDS]


@pytest.mark.parametrize("command", LISTINGS)
def test_lists_what_is_installed(call, command):
    done = call(command)
    known = json.loads(call(command, "--json").out)
    assert done.code == 0 and known
    for component in known:
        assert list(component) == ["name", "summary", "plugin", "version", "status", "tags"]
        assert component["name"] in done.out and component["plugin"] in done.out


@pytest.mark.parametrize("command", [*LISTINGS, "plugins", "--help"])
@pytest.mark.parametrize("option", [[], ["--json"]])
def test_imports_nothing_heavy(command, option):
    if command == "--help" and option:
        return
    requirements = "" if command == "plugins" else "packaging"  # it says what plugins lack
    code = (
        "import atexit, sys\n"
        "from invcore.cli.main import main\n"
        f"heavy = ('torch', 'pydantic', 'numpy', 'rich.console', {requirements!r})\n"
        "atexit.register(lambda: print(*[m for m in heavy if m in sys.modules], file=sys.stderr))\n"
        f"main({[command, *option]!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []


def test_says_what_to_do_without_plugins(call, site):
    assert call("list-methods").out.startswith("no methods; `pip install 'invcore[standard]'`")
    assert call("list-methods", "--json").out.strip() == "[]"


def test_two_owners_of_a_name_are_both_shown(call, sampler):
    sampler("alpha", "twin")
    sampler("beta", "twin")
    sampler("gamma", "single")
    done = call("list-samplers")
    assert done.code == 0
    assert done.out.count("name taken") == 2 and done.out.count("  ok") == 1
    line = "sampler 'twin' is claimed by alpha 1.0 and beta 1.0: say alpha:twin or beta:twin\n"
    assert done.err == f"note: {line}"
    assert "alpha:twin" in done.out and "beta:twin" in done.out and "gamma:" not in done.out
    known = call("list-samplers", "--json").json
    assert [c["status"] for c in known if c["name"] == "single"] == ["ok"]
    names = [(c["name"], c.get("qualified")) for c in known]
    assert names == [("single", None), ("twin", "alpha:twin"), ("twin", "beta:twin")]
    used = call("describe", "sampler", "twin")
    assert (used.code, used.err) == (2, f"error: {line}")
    used = call("describe", "sampler", "beta:twin", "--json").json
    assert (used["name"], used["plugin"]) == ("beta:twin", "beta")
    used = call("describe", "sampler", "gamma:single", "--json").json
    assert (used["name"], used["plugin"]) == ("single", "gamma")


def test_the_shell_completes_qualified_names(sampler):
    sampler("alpha", "twin")
    sampler("beta", "twin")
    sampler("gamma", "single")
    kind = ComponentName("sampler")

    def offered(text):
        return [item.value for item in kind.shell_complete(None, None, text)]

    assert offered("") == ["single", "alpha:twin", "beta:twin"]
    assert offered("al") == ["alpha:twin"] and offered("gamma:") == ["gamma:single"]


def test_a_broken_plugin_is_said_beside_the_others(call, site, sampler):
    sampler("alpha", "good")
    site.add("beta", "raise RuntimeError('no licence')")
    done = call("list-samplers")
    assert done.code == 0 and "good" in done.out and "beta" not in done.out
    assert done.err == "note: plugin beta 1.0 is broken: RuntimeError: no licence\n"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_table_keeps_to_the_width_and_loses_nothing(width):
    summary = "Ein Köder: 設計 を 逆 に 求める and many more words that do not fit on one line"
    rows = [["a", summary, "x"], ["bcd", "short", ""]]
    lines = list(columns(("name", "summary", "last"), rows, wrapped=1, width=width))
    assert max(map(cell_len, lines)) <= width
    words = " ".join(lines).split()
    assert [w for w in words if w in summary.split()] == summary.split()


def test_a_word_longer_than_the_line_stays_whole():
    assert wrap("a abcdefgh b", 4) == ["a", "abcdefgh", "b"]
    assert wrap("", 4) == [""]
