"""The docs are true: nothing is left out, links lead somewhere, what they show works.

Conventions of the docs that these tests rely on: each file's ``python`` blocks run one after
another, in a folder with ``x.csv`` and ``y.csv``; in ``bash`` blocks, ``invcore …`` lines are
commands; a block that cannot run here has ``<!-- not run: reason -->`` before it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import torch
import yaml

import invcore
from invcore.base.component_kinds import KINDS
from invcore.cli import main as command_line
from invcore.cli.commands.run import build
from invcore.cli.main import COMMANDS, cli
from invcore.cli.views.config_fields import flatten, value_text
from invcore.configs.run_config import SLOTS, RunConfig
from invcore.configs.settings import component_settings
from invcore.plugin import Event, generator
from invcore.registry import hookspecs
from invcore.registry.loader import installed
from invcore.storage.run_record import RunRecord

ROOT = Path(__file__).resolve().parents[1]
DOCS = {path.name: path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}
PAGES = {"README.md": (ROOT / "README.md").read_text(), **DOCS}
ALL = "\n".join(PAGES.values())
MOST_SKIPPED = 2
OWN_PLUGINS = {"mine", "kernel"}  # names that the docs make up
FACES = (
    "invcore", "invcore.plugin", "invcore.learning", "invcore.search", "invcore.numerics",
    "invcore.results", "invcore.pipeline", "invcore.data.tables", "invcore.cli.kit",
    "invcore_solve", "invcore_closed_loop",
)  # fmt: skip

_FENCE = re.compile(
    r"^(?:<!-- not run: (?P<skip>.+?) -->\n)?```(?P<lang>\w*)\n(?P<code>.*?)^```$", re.M | re.S
)
_DOCUMENT = re.compile(r"^### invcore (.+?) --json\n(.*?)(?=^##)", re.M | re.S)
_ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+?) \|", re.M)


def blocks(text: str, *languages: str) -> list[str]:
    found = _FENCE.finditer(text)
    return [m["code"] for m in found if m["lang"] in languages and not m["skip"]]


def commands(text: str) -> list[list[str]]:
    """The words after ``invcore`` of each command that a page shows."""
    code = [
        line for block in blocks(text, "bash") for line in block.replace("\\\n", "").split("\n")
    ]
    found = []
    for line in code:
        line = re.sub(r"^(\S*/)?invcore |^python dev\.py (?!test|bench)", "invcore ", line.strip())
        if line.startswith("invcore "):
            words = shlex.split(line.replace("$seed", "0"), comments=True)[1:]
            found.append(words[: words.index("|")] if "|" in words else words)
    return found


def called(page: str) -> str:
    return page.removesuffix(".md")


# Nothing is left out


def test_hooks_are_documented():
    hooks = [name for name in vars(hookspecs) if name.startswith("invcore_")]
    assert len(hooks) == 10
    assert [h for h in hooks if f"`{h}(" not in DOCS["contracts.md"]] == []
    assert [h for h in hooks if h not in DOCS["plugins.md"]] == []


def public_tables() -> dict[str, str]:
    """The part of the page on each module that others may import, by its name."""
    section = DOCS["contracts.md"].partition("\n## Public names\n")[2].partition("\n## ")[0]
    parts = re.split(r"^### `([\w.]+)`$", section, flags=re.M)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_public_faces_are_documented():
    assert tuple(public_tables()) == FACES


@pytest.mark.parametrize("face", FACES)
def test_public_names_are_documented(face):
    cells = re.findall(r"^\| (`.+?) \|", public_tables()[face], re.M)
    named = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(set(named)) == sorted(named)  # none twice
    public = set(importlib.import_module(face).__all__)
    assert set(named) - {"__version__"} == public - {"__version__"}


def test_commands_are_documented():
    all_commands = cli.list_commands(click.Context(cli))  # those of plugins too
    for name in all_commands:
        assert re.search(rf"(?<![\w-])invcore {name}(?![\w-])|`{name}`", ALL), name
    spoken = re.findall(r"`invcore ([a-z][\w-]*)", _FENCE.sub("", ALL))
    assert set(spoken) - set(all_commands) == set()


@pytest.mark.parametrize(
    "name",
    ["run", "solve", "inspect", "predict", "bench", "report", "compare", "campaign", "store"],
)
def test_options_are_documented(name):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    every = [command, *getattr(command, "commands", {}).values()]
    options = [o for c in every for p in c.params for o in (*p.opts, *p.secondary_opts)]
    options = [option for option in options if option.startswith("-")]
    assert [o for o in options if not re.search(rf"(?<![\w-]){o}(?![\w-])", ALL)] == []


def test_fields_of_the_run_are_documented():
    table = DOCS["configs.md"].partition("## The run")[2].partition("\n## ")[0]
    shown = {field: default.strip("`") for field, default in _ROW.findall(table)}
    defaults = RunConfig()
    known = {
        name: value.name if name in SLOTS else value_text(value)
        for name, value in ((n, getattr(defaults, n)) for n in RunConfig.model_fields)
    }
    assert shown == known


@pytest.mark.parametrize(
    ("kind", "name"),
    [(e.kind, e.component.name) for k in KINDS for e in installed().registry.entries(k)],
)
def test_config_fields_are_documented(kind, name):
    entry = installed().registry.find(kind, name)
    if not entry.plugin.startswith("invcore-"):
        pytest.skip("not one of ours")
    text = DOCS["configs.md"]
    section = text.partition(f"### {kind} {name}\n")[2]
    section = re.split(r"^##|^Without settings", section, flags=re.M)[0]
    shown = {field: default.strip("`") for field, default in _ROW.findall(section)}
    config = installed().registry.load(kind, name).Config
    assert shown == {row.field: value_text(row.default) for row in flatten(config)}
    if not shown:
        lines = re.findall(r"^Without settings: (.+)$", text, re.M)
        assert any(f"`{name}`" in line for line in lines)
    assert [p for p in config.presets if f"* `{p}`: " not in section] == []
    pages = {
        "task": "tasks.md", "method": "methods.md", "loop": "methods.md",
        "surrogate": "methods.md", "judge": "own-data.md", "sampler": "samplers.md",
        "executor": "executors.md",
    }  # fmt: skip
    assert name in DOCS[pages.get(kind, "metrics.md")]


def test_exit_codes_are_documented():
    known = {0, 1, command_line._UNEXPECTED, command_line._INTERRUPTED, command_line._TERMINATED}
    known |= set(command_line.EXIT_CODES.values())
    table = DOCS["files.md"].partition("## Exit codes")[2].partition("\n## ")[0]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.M)} == known


def test_environment_variables_are_documented():
    assert set(re.findall(r"\bINVCORE_\w+", ALL)) == {"INVCORE_DATA"}


def test_checks_of_methods_are_documented():
    from invcore.testing import CHECKS

    table = DOCS["plugins.md"].partition("### What is checked of a method\n")[2]
    shown = re.findall(r"^\| `([^`]+)` \| (.+) \|$", table.partition("\n## ")[0], re.M)
    assert shown == [(check.name, check.meaning) for check in CHECKS["method"]]


# Links and form


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_links_lead_somewhere(page):
    folder = ROOT if page == "README.md" else ROOT / "docs"
    bare = _FENCE.sub("", PAGES[page])
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", bare):
        path, _, anchor = link.partition("#")
        if re.match(r"\w+:", link):
            continue
        target = (folder / path).resolve() if path else (folder / page)
        if not target.exists() or ROOT not in target.parents:
            broken.append(link)
        elif anchor and anchor not in _anchors(target.read_text()):
            broken.append(link)
    assert broken == []


def _anchors(text: str) -> set[str]:
    """As forges make them of headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.M)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_lines_are_short_and_speak_of_the_project_alone(page):
    prose = _FENCE.sub("", PAGES[page])
    long = [line for line in prose.split("\n") if len(line) > 120 and not line.startswith("|")]
    assert long == []
    assert re.findall(r"pypi\.|(?<!\w)/(?:work|home|tmp|root|Users)/\S*", PAGES[page]) == []


def test_few_blocks_are_not_run():
    skipped = [m["skip"] for page in PAGES.values() for m in _FENCE.finditer(page) if m["skip"]]
    assert len(skipped) <= MOST_SKIPPED
    unknown = {m["lang"] for page in PAGES.values() for m in _FENCE.finditer(page)}
    assert unknown <= {"python", "bash", "toml", "yaml", "text", ""}


# What is shown works


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with two small tables, and the checkout's examples, as readers have them."""
    x = 2 * torch.rand(120, 3, generator=generator(0, "docs"), dtype=torch.float64) - 1
    y = 1.2 + 0.5 * x[:, :1] + 0.4 * (3 * x[:, 1:2]).sin() + 0.2 * x[:, 2:].square()
    for name, table in (("x", x), ("y", y)):
        lines = [",".join(map(str, row)) for row in table.tolist()]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def with_python(pages: dict[str, str]) -> list[str]:
    return [page for page in pages if blocks(pages[page], "python")]


@pytest.mark.parametrize("page", with_python(PAGES), ids=called)
def test_python_runs(page, folder, capsys):
    if page == "files.md":  # it reads a run that is there
        tiny = {"targets": 4, "candidates": 2, "pairs": 50}
        method = {"name": "na", "surrogate": {"training": {"epochs": 1}}}
        invcore.run(
            RunConfig.resolve({**tiny, "method": method}), store=invcore.Store("runs"),
            keep_going=False,
        )  # fmt: skip
    namespace: dict[str, Any] = {"__name__": "docs"}
    for number, code in enumerate(blocks(PAGES[page], "python"), 1):
        exec(compile(code, f"{page}, block {number}", "exec", dont_inherit=True), namespace)  # noqa: S102 - ours
    if page == "plugins.md":
        _check_plugins_page(namespace, capsys)


def _check_plugins_page(made: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """What the page's blocks define is what it says."""
    from invcore.testing import CHECKS, Subject, run_checks

    found = made["found"].x.square().sum(dim=2)
    assert (found - 0.5).abs().max() < 0.3
    swings = made["Spring"]().simulate(torch.tensor([[4.0, 1.0], [4.0, 5.0]])).isfinite()
    assert swings.tolist() == [[True, True], [False, False]]
    kept = (
        ("method", "Kernel"), ("task", "Spring"), ("sampler", "Stratified"), ("metric", "Hits"),
        ("executor", "Pool"),
    )  # fmt: skip
    for kind, name in kept:
        outcomes = run_checks(CHECKS[kind], Subject.of(kind, name.lower(), made[name]))  # type: ignore[arg-type]
        bad = [(o.check.name, o.why) for o in outcomes if o.result == "failed" and not o.poor]
        assert bad == []
    group = click.Group()
    made["invcore_commands"](group)
    assert list(group.commands) == ["best"]
    capsys.readouterr()
    made["invcore_on_event"](Event("run-finished", "abc", {"record": {"status": "ok"}}))
    assert capsys.readouterr().out == "abc: ok\n"


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_commands_parse(page, tmp_path):
    folder = tmp_path / "my-task"  # what the pages call a task that `proxy fit` has written
    folder.mkdir()
    (folder / "task.json").write_text('{"task": "proxy"}')
    for words in commands(PAGES[page].replace(" my-task/", f" {folder}/")):
        for name, command, parameters in _parsed(words):
            _check_settings(name, command, parameters)


def _parsed(words: list[str]) -> Iterator[tuple[str, click.Command, dict[str, Any]]]:
    """Each command of the line with what click makes of its words; nothing is run."""
    command: click.Command = cli
    context = click.Context(cli)
    rest, name = list(words), "invcore"
    while isinstance(command, click.Group):
        rest = [word for word in rest if word != "--debug"]
        if not rest or rest == ["--help"]:
            return
        name = rest[0]
        inner = command.get_command(context, name)
        assert inner is not None, f"no command {name!r} in {words}"
        command, rest = inner, rest[1:]
    if "--help" in rest:
        return
    with contextlib.suppress(click.exceptions.Exit):
        made = command.make_context(name, rest)
        yield name, command, made.params


def _check_settings(name: str, command: click.Command, given: dict[str, Any]) -> None:
    """Names of components, files and ``--set`` keys exist, too."""
    of_run = name == "run" and "method" in given  # and not that of campaigns
    if of_run and given["method"] not in OWN_PLUGINS and not given["config"]:
        build(None, given, given["settings"], installed())
    if name == "solve":
        for method in given["methods"] or ["na"]:
            config = installed().registry.load("method", method).Config
            settings = component_settings(list(given["settings"]), config)
            config.resolve(settings, preset=given["preset"])
    if name == "describe" and given["name"] not in OWN_PLUGINS:
        installed().registry.find(given["kind"], given["name"])


@pytest.mark.parametrize("language", ["toml", "yaml"])
def test_config_files_are_valid(language, tmp_path):
    for code in blocks(DOCS["configs.md"], language):
        data = tomllib.loads(code) if language == "toml" else yaml.safe_load(code)
        path = tmp_path / f"run.{language}"
        path.write_text(code)
        config = build(str(path), {}, (), installed())
        assert set(data) <= set(config.model_fields_set)
        from invcore.runs.plan import Plan

        Plan.of(config, installed())


@pytest.mark.parametrize("number", [0, 1], ids=["table", "simulator"])
def test_the_readme_solves(call, folder, number):
    """The README's examples as they are printed, from the checkout, with small settings after."""
    shown = [w for w in commands(PAGES["README.md"]) if w[0] == "solve" and "--target" in w]
    words = shown[number]
    few = ["--preset", "quick", "--set", "surrogate.training.epochs=1"] if number else []
    few += ["--candidates", "5"] if number else ["--candidates", "5", "--surrogate", "linear"]
    done = call(*words, *few, "--json")
    assert done.code == 0, done.err
    name, targets = (("strength", {40, 60}), ("period", {1.5, 2.5}))[number]
    assert {row[f"target {name}"] for row in json.loads(done.out)["designs"]} == targets
    out = words[words.index("--out") + 1]
    assert (folder / out).read_text().startswith(f"target {name},rank,")


# JSON


def _paths(value: Any, known: set[str], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of a document with its value; an object without keys in the docs stays one."""
    if path and path in known:
        yield path, value
    elif path and not path.endswith("[]"):
        yield path, value
        return
    inside = [k for k in known if k.startswith(path + ("." if path else "")) and k != path]
    if isinstance(value, dict) and (not path or inside):
        for key, item in value.items():
            yield from _paths(item, known, f"{path}.{key}" if path else key)
    if isinstance(value, list) and any(k.startswith(f"{path}[].") for k in known):
        for item in value:
            yield from _paths(item, known, f"{path}[]")


def _is(value: Any, kind: str) -> bool:
    """Whether a value is of a type as the tables call it."""
    if kind == "null":
        return value is None
    if kind == "anything":
        return True
    if kind.startswith("list"):
        inner = kind.removeprefix("list").removeprefix(" of ")
        parts = {"": "anything", "rows": "object"}
        return isinstance(value, list) and all(_is(v, parts.get(inner, inner)) for v in value)
    if isinstance(value, bool):
        return kind == "truth"
    types = {"text": str, "whole": int, "number": (int, float), "object": dict}
    return isinstance(value, types.get(kind, ()))


def check_document(value: Any, table: str, where: str) -> None:
    """A document has the keys of its table, of the types there, and no others."""
    rows = dict(_ROW.findall(table))
    assert rows, f"no table for {where}"
    seen: dict[str, list[Any]] = {}
    for path, item in _paths(value, set(rows)):
        seen.setdefault(path, []).append(item)
    assert sorted(set(seen) - set(rows)) == [], f"{where}: not in the docs"
    needed = {key for key, kind in rows.items() if "optional" not in kind}
    full = {k for k in needed if "[]." not in k or seen.get(k.rpartition("[].")[0], [[]])[0]}
    assert sorted(full - set(seen)) == [], f"{where}: not in the output"
    for path, items in seen.items():
        kinds = rows[path].replace(", optional", "").split(" or ")
        wrong = [item for item in items if not any(_is(item, kind) for kind in kinds)]
        assert wrong == [], f"{where}: {path} is no {rows[path]}"


def test_json_documents_are_as_documented(call, folder):
    """Every command with ``--json``, and ``run.json``."""
    pages = "".join(DOCS[name] for name in ("files.md", "bench.md", "report.md"))
    tables = dict(_DOCUMENT.findall(pages + "\n##"))
    tiny = [
        "--preset", "quick", "--candidates", "3", "--set", "surrogate.training.epochs=1",
        "--set", "surrogate.width=4",
    ]  # fmt: skip
    run = [*tiny, "--targets", "4", "--set", "pairs=50"]

    def see(name: str, *words: str, code: int = 0) -> Any:
        done = call(*words, "--json")
        assert done.code == code, done.err
        document = json.loads(done.out)
        check_document(document, tables[name], " ".join(words))
        return document

    made = see("run", "run", "--method", "na", *run)
    failed = see("run", "run", *run, "--set", "surrogate.training.lr=1e30", code=4)
    assert failed["status"] == "diverged"
    for path in (made["path"], failed["path"]):
        record = json.loads((folder / path / "run.json").read_text())
        table = DOCS["files.md"].partition("\n## run.json")[2].partition("\n## ")[0]
        check_document(record, table, "run.json")
        assert set(record) == {*RunRecord.model_fields, "checksum"} - {"stored"}
    _check_metrics_are_documented(made)
    see("run", "results", "show", made["id"])
    few = ["--candidates", "3", "--surrogate", "linear"]
    solved = see("solve", "solve", "--x", "x.csv", "--y", "y.csv", "--target", "1", *few)
    shown = DOCS["own-data.md"].partition("| column | meaning |")[2].partition("\n\n")[0]
    for name in solved["designs"][0]:
        own = re.sub(r" (y|x)\d$", " NAME", name)
        assert own in {"x1", "x2", "x3"} or f"`{own}`" in shown, name
    see("solve", "solve", "--model", solved["id"], "--target", "1", "--candidates", "2")
    see("inspect", "inspect", "--x", "x.csv", "--y", "y.csv")
    see("predict", "predict", "--model", solved["id"], "--x", "x.csv")
    assert {path.name for path in (folder / made["path"]).iterdir()} == {
        "run.json", "candidates.safetensors", "timings.safetensors", "model.safetensors",
            "model.json", "log.jsonl",
    }  # fmt: skip
    (folder / "runs" / "0123456789ab").mkdir()
    rows = see("results list", "results", "list")
    assert {row["status"] for row in rows} == {"ok", "diverged", "damaged"}
    see("results export FILE", "results", "export", "runs.csv")
    see("store check", "store", "check", code=1)  # the damaged run from above
    see("store merge", "store", "merge", "runs", "--into", "others", code=1)
    see("store archive", "store", "archive", "runs.zip", code=1)
    see("store restore", "store", "restore", "runs.zip", "--store", "others")
    for kind in KINDS[:4]:
        see("list-tasks", f"list-{kind}s")
        for entry in installed().registry.entries(kind):
            see("describe KIND NAME", "describe", kind, entry.component.name)
    (folder / "bench.toml").write_text(
        'name = "mine"\nseeds = [0]\ntasks = ["sine-wave"]\nsamplers = ["lhs"]\n'
        'preset = "quick"\ntargets = 4\ncandidates = 3\npairs = 50\n'
        '[[methods]]\nname = "na"\nsurrogate = {width = 4, training = {epochs = 1}}\n'
    )
    (cell,) = see("bench FILE", "bench", "bench.toml")["cells"]
    see("report", "report", "--bench", "mine")
    see("compare RUN RUN", "compare", made["id"], cell["id"])
    see("plugins", "plugins")
    doctor = call("doctor", "--json")  # it may find a problem here
    check_document(json.loads(doctor.out), tables["doctor"], "doctor")
    see("new-plugin", "new-plugin", "invcore-mine")
    see("check-plugin", "check-plugin", "sampler/random")
    lists = {"list-methods", "list-loops", "list-surrogates", "list-judges", "list-samplers"}
    commands_seen = {name.split()[0] for name in tables} | lists
    assert set(COMMANDS) - commands_seen == {"list-metrics", "completion"}


def _check_metrics_are_documented(document: dict[str, Any]) -> None:
    names = {metric["name"] for metric in document["metrics"]}
    assert [name for name in sorted(names) if f"`{name}`" not in DOCS["metrics.md"]] == []
