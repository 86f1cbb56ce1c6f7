from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete

from invcore.base.errors import DivergedError, StoreError
from invcore.cli.main import COMMANDS, cli, main
from invcore.storage import store

FAILURES = [
    (StoreError("no room\non the disk"), 3, "error: no room on the disk"),
    (DivergedError("loss is nan"), 4, "error: loss is nan"),
    (click.UsageError("wrong use"), 2, "error: wrong use"),
    (ZeroDivisionError("x / 0"), 70, "error: unexpected ZeroDivisionError: x / 0 (--debug shows"),
    (KeyboardInterrupt(), 130, "error: interrupted"),
    (click.Abort(), 130, "error: interrupted"),
]
ADDS_COMMANDS = """
    import click

    @click.command(short_help="Say hello.")
    def hello():
        click.echo("hello")

    @click.command()
    def run():
        click.echo("stolen")

    @hookimpl
    def invcore_commands(group):
        group.add_command(hello)
        group.add_command(run)
"""
RAISES = """
    @hookimpl
    def invcore_commands(group):
        raise RuntimeError("no commands today")
"""


@pytest.fixture
def failing(monkeypatch):
    """Make ``invcore results list`` raise what the test says."""

    def make(error):
        def listing(self, **options):
            raise error

        monkeypatch.setattr(store.Store, "listing", listing)

    return make


@pytest.mark.parametrize("error, code, said", FAILURES, ids=lambda v: type(v).__name__)
def test_an_error_is_one_line_and_a_code(call, failing, error, code, said):
    failing(error)
    done = call("results", "list")
    assert done.code == code and done.out == ""
    assert done.err.strip().startswith(said) and done.err.strip().count("\n") == 0


@pytest.mark.parametrize("error", [StoreError("no room"), ZeroDivisionError("x / 0")])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_debug_lets_the_traceback_through(failing, error, place):
    failing(error)
    words = ["results", "list"]
    words.insert(place, "--debug")
    with pytest.raises(type(error)) as raised:
        main(words)
    assert raised.traceback[-1].name == "listing"


@pytest.mark.parametrize(
    "words, said",
    [
        (["list-method"], "no command 'list-method'. Did you mean 'list-methods'"),
        (["qqqqqq"], "no command 'qqqqqq'. Known: "),
        (["--jsn"], "No such option"),
        (["list-tasks", "--jsn"], "No such option"),
        (["list-tasks", "extra"], "unexpected extra argument"),
        (["results", "lst"], "No such command 'lst'"),
    ],
)
def test_wrong_words_are_one_line_that_helps(call, words, said):
    done = call(*words)
    assert done.code == 2 and done.out == "" and done.err.count("\n") == 1
    assert said.lower() in done.err.lower() and "--help" in done.err


@pytest.mark.parametrize("words", [[], ["results"]])
def test_no_words_show_the_help_as_it_is(call, words):
    done = call(*words)
    assert done.code == 2 and done.err.startswith("Usage: invcore") and done.err.count("\n") > 5


def test_help_and_version(call):
    done = call("--help")
    assert done.code == 0 and done.out == call("-h").out
    for name, command in COMMANDS.items():
        assert name in done.out and command.summary in done.out
    assert call("--version").out.startswith("invcore 0.")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_what_the_help_says(call, name):
    command = cli.get_command(click.Context(cli), name)
    assert command.name == name
    assert command.get_short_help_str(limit=200) == COMMANDS[name].summary
    done = call(name, "--help")
    assert done.code == 0 and "\\b" not in done.out
    for parameter in command.params:
        assert not isinstance(parameter, click.Option) or parameter.help, parameter.name


def test_a_plugin_adds_a_command_but_takes_none_of_ours(call, site):
    site.add("alpha", ADDS_COMMANDS)
    done = call("--help")
    assert "From plugins:" in done.out and "Say hello." in done.out and done.err == ""
    assert call("hello").out == "hello\n"
    assert "stolen" not in call("run", "--help").out
    assert "Did you mean 'hello'" in call("helo").err


def test_a_plugin_whose_commands_fail_only_warns(call, site):
    site.add("alpha", ADDS_COMMANDS)
    site.add("beta", RAISES)
    done = call("--help")
    assert done.code == 0 and "hello" in done.out
    assert done.err.count("\n") == 1
    assert done.err.startswith("warning: plugin beta") and "no commands today" in done.err


def _complete(words, begun):
    found = ShellComplete(cli, {}, "invcore", "_INVCORE_COMPLETE").get_completions(words, begun)
    return {item.value: item.help for item in found}


def test_the_shell_completes_names(sampler):
    sampler("alpha", "made-up")
    sampler("beta", "made-down")
    assert set(_complete([], "list-")) == {c for c in COMMANDS if c.startswith("list-")}
    summary = "Points, made up."
    assert _complete(["run", "--sampler"], "made-u") == {"made-up": summary}
    assert set(_complete(["run", "--sampler"], "")) == {"made-up", "made-down"}
    assert _complete(["run", "--method"], "made") == {}
    assert set(_complete(["describe"], "s")) == {"sampler", "surrogate"}
    assert set(_complete(["describe", "sampler"], "made-")) == {"made-up", "made-down"}
    assert _complete(["describe", "method"], "") == {}
    assert _complete(["results", "list", "--sampler"], "made-") == {}
    assert set(_complete(["results", "list", "--status"], "dam")) == {"damaged"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script(call, shell, monkeypatch):
    done = call("completion", shell)
    assert done.code == 0 and "_INVCORE_COMPLETE" in done.out


def test_is_a_module_too():
    line = [sys.executable, "-m", "invcore", "--version"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("invcore")
