"""What a plugin prints never mixes with the document of ``--json``, however it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from textwrap import dedent

import pytest

from invcore.cli.json_output import document_alone, emit, wants_json

NOISE = """
import atexit, ctypes, os, subprocess, sys

def noise(where):
    print("print in", where)
    sys.stdout.write(f"write in {where}\\n")
    sys.__stdout__.write(f"the first stream in {where}\\n")
    os.write(1, f"descriptor in {where}\\n".encode())
    subprocess.run([sys.executable, "-c", f"print('child in {where}')"])
    if os.name == "posix":
        ctypes.CDLL(None).puts(f"C in {where}".encode())

atexit.register(noise, "the end")
"""
PLUGIN = """
from noise import noise
from invcore import Component, hookimpl
API_VERSION = 1
noise("the entry module")

@hookimpl
def invcore_samplers():
    noise("the hook")
    return [Component("loud", "Says what it does.", "loud_sampler:Loud")]

@hookimpl
def invcore_on_event(event):
    noise("the listener")
"""
SAMPLER = """
from noise import noise
import torch
from invcore.plugin import Sampler
noise("the class module")

class Loud(Sampler):
    def sample(self, count, dim, generator):
        noise("sample")
        return torch.rand(count, dim, generator=generator, dtype=torch.float64)
"""
WAYS = ["print", "write", "the first stream", "descriptor", "child"]
WAYS += ["C"] if os.name == "posix" else []
SMALL = [
    "--method", "random-search", "--sampler", "loud", "--targets", "2", "--candidates", "2",
    "--device", "cpu",
]  # fmt: skip
COMMANDS = {
    "list": (["list-samplers"], ["the entry module", "the hook"]),
    "plugins": (["plugins"], ["the entry module", "the end"]),
    "describe": (["describe", "sampler", "loud"], ["the class module"]),
    "check": (["check-plugin", "sampler/loud"], ["the class module", "sample", "the end"]),
    "run": (["run", *SMALL], ["the entry module", "sample", "the listener"]),
    "a plugin's": (["compare", "12", "34"], ["the entry module"]),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with a plugin that prints whatever it does."""
    root = tmp_path_factory.mktemp("loud")
    sources = {"noise": NOISE, "loud_plugin": PLUGIN, "loud_sampler": SAMPLER}
    for name, source in sources.items():
        (root / f"{name}.py").write_text(source)
    info = root / "loud-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[invcore]\nloud = loud_plugin\n")
    return root


def process(site, *words, script="from invcore.cli.main import main; main()"):
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    return subprocess.run(
        [sys.executable, "-c", dedent(script), *words], cwd=site, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_standard_output_is_the_document(site, name):
    words, places = COMMANDS[name]
    done = process(site, *words, "--json")
    if name == "a plugin's":  # there are no such runs: no document, and nothing else
        assert done.returncode == 2 and done.stdout == ""
    else:
        assert json.loads(done.stdout)
    for way in WAYS:
        for place in places:
            assert f"{way} in {place}" in done.stderr
    assert not any(f"{way} in" in done.stdout for way in WAYS)


def test_tables_and_help_are_as_before(site):
    done = process(site, "list-samplers")
    assert "loud" in done.stdout and "print in the hook" in done.stdout
    assert process(site, "list-samplers", "--json", "--help").stdout.startswith("Usage:")


def test_a_reader_that_leaves_is_no_error(site):
    script = """
        import os, sys
        read, write = os.pipe()
        os.close(read)
        os.dup2(write, 1)
        from invcore.cli.main import main
        main()
    """
    done = process(site, "list-tasks", "--json", script=script)
    assert done.returncode == 1 and "Error" not in done.stderr


def test_standard_output_is_given_back_to_who_goes_on(site):
    script = """
        from invcore.cli.main import main
        try:
            main(["list-tasks", "--json"])
        except SystemExit:
            print("after", flush=True)
    """
    done = process(site, script=script)
    document, _, rest = done.stdout.partition("]\nafter")
    assert json.loads(document + "]") and rest.startswith("\n")


def test_in_a_stream_of_ones_own(capsys):
    with document_alone(ends_process=False):
        print("said by a plugin")  # noqa: T201
        emit("{}")
    print("later")  # noqa: T201
    out, err = capsys.readouterr()
    assert (out, err) == ("{}\nlater\n", "said by a plugin\n")


def test_the_line_decides():
    assert wants_json(["run", "--json"]) and not wants_json(["run"])
    assert not wants_json(["-h", "--json"]) and not wants_json(["x", "--", "--json"])
