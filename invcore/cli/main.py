"""The command line: a lazy group, one command a file, one console.

Only this module turns an error into a line and an exit code.
"""

import importlib
import io
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from types import FrameType
from typing import Any

import click

from invcore.base.errors import (
    DivergedError,
    InvcoreError,
    SimulatorError,
    StoreError,
    UnfitError,
    close_names,
)
from invcore.base.text import printable
from invcore.cli.json_output import document_alone, wants_json
from invcore.cli.screen import harmless_streams

EXIT_CODES: dict[type[InvcoreError], int] = {
    UnfitError: 5, DivergedError: 4, SimulatorError: 4, StoreError: 3, InvcoreError: 2,
}  # fmt: skip
"""The first that an error is an instance of counts."""
_UNEXPECTED = 70  # EX_SOFTWARE
_INTERRUPTED = 130
_TERMINATED = 143


@dataclass(frozen=True)
class _Lazy:
    """A command that is imported when it is called; its help line is known before."""

    module: str
    summary: str
    section: str


_WORK, _LOOK, _EXTEND = "Work", "Look", "Extend"
COMMANDS = {
    "run": _Lazy("run", "Run one method on one task and score it.", _WORK),
    "bench": _Lazy("bench", "Run a grid of tasks, methods, samplers and seeds.", _WORK),
    "rescore": _Lazy("rescore", "Bring the numbers of stored runs up to date.", _WORK),
    "results": _Lazy("results", "List, show and export stored runs.", _WORK),
    "store": _Lazy("store", "Check, merge and archive stores of runs.", _WORK),
    "list-tasks": _Lazy("listing", "List the tasks.", _LOOK),
    "list-methods": _Lazy("listing", "List the inverse methods.", _LOOK),
    "list-loops": _Lazy("listing", "List the loops.", _LOOK),
    "list-surrogates": _Lazy("listing", "List the surrogates.", _LOOK),
    "list-judges": _Lazy("listing", "List the judges.", _LOOK),
    "list-samplers": _Lazy("listing", "List the samplers.", _LOOK),
    "list-metrics": _Lazy("listing", "List the metrics.", _LOOK),
    "describe": _Lazy("describe", "Say what a component does, its settings and references.", _LOOK),
    "plugins": _Lazy("plugins", "List the plugins, and why a broken one is broken.", _LOOK),
    "doctor": _Lazy("doctor", "Check versions, devices, plugins and the store.", _LOOK),
    "new-plugin": _Lazy("new_plugin", "Write a plugin package to start from.", _EXTEND),
    "check-plugin": _Lazy("check_plugin", "Run the conformance kit on a plugin.", _EXTEND),
    "completion": _Lazy("completion", "Print the shell's completion script.", _EXTEND),
}


class LazyGroup(click.Group):
    """A group whose commands are imported on use, and to which plugins may add commands."""

    _asked_plugins = False

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Our own commands in order, then those of plugins."""
        return [*COMMANDS, *sorted(set(self._plugin_commands()) - set(COMMANDS))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; a plugin cannot take the name of one of ours."""
        if cmd_name in COMMANDS:
            module = importlib.import_module(f"invcore.cli.commands.{COMMANDS[cmd_name].module}")
            command: click.Command = getattr(module, cmd_name.replace("-", "_"))
            return command
        return self._plugin_commands().get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Like click's, but a wrong name gets the close ones."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            close = close_names(name, self.list_commands(ctx))
            raise click.UsageError(f"no command {name!r}. {close}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help's list of commands, without importing them."""
        rows = [(c.section, name, c.summary) for name, c in COMMANDS.items()]
        for name, command in sorted(self._plugin_commands().items()):
            rows.append(("From plugins", name, command.get_short_help_str(60)))
        for section in dict.fromkeys(section for section, _, _ in rows):
            with formatter.section(section):
                formatter.write_dl([(name, text) for of, name, text in rows if of == section])

    def _plugin_commands(self) -> dict[str, click.Command]:
        if not self._asked_plugins:
            self._asked_plugins = True
            from invcore.registry.loader import installed

            for problem in installed().add_commands(self):
                click.echo(f"warning: {problem}", err=True)
        return dict(self.commands)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="invcore", message="invcore %(version)s")
@click.option(
    "--debug", is_flag=True, help="Show the traceback of an error (anywhere in the line)."
)
def cli(debug: bool) -> None:
    """Give me designs whose response is this one.

    Begin with `invcore run`, or with your own table (plugin invcore-solve): `invcore solve --help`.
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Codes: 0 well, 1 something checked is not well, 2 wrong use, 3 store, 4 the run failed, 5 the
    method cannot do the task, 70 unexpected, 130 Ctrl-C, 143 SIGTERM.
    """
    _print_whatever_comes()
    with harmless_streams():
        code = _main(args)
    sys.exit(code if isinstance(code, int) else 0)


def _main(args: Sequence[str] | None) -> Any:
    line = list(sys.argv[1:] if args is None else args)
    debug = "--debug" in line
    line = [*(["--debug"] if debug else []), *(word for word in line if word != "--debug")]
    alone = document_alone(ends_process=args is None) if wants_json(line) else nullcontext()
    with _ending_by_a_signal() as ended, alone:
        code = _run(line, debug)
    return _TERMINATED if ended else code


@contextmanager
def _ending_by_a_signal() -> Iterator[list[int]]:
    """SIGTERM ends a command as Ctrl-C does, so that nothing is left half-written; a second one
    ends it at once. The signals that came.
    """
    came: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        came.append(number)
        signal.signal(number, signal.SIG_DFL)
        raise KeyboardInterrupt

    ours = threading.current_thread() is threading.main_thread()
    ours = ours and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL  # else somebody has a plan
    if ours:
        signal.signal(signal.SIGTERM, interrupt)
    try:
        yield came
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _print_whatever_comes() -> None:
    """A sign that a console of another encoding does not have becomes a question mark there."""
    for stream in (sys.stdout, sys.stderr):
        encoding = (getattr(stream, "encoding", None) or "utf-8").lower()
        if isinstance(stream, io.TextIOWrapper) and not encoding.startswith("utf"):
            stream.reconfigure(errors="replace")


def _run(line: list[str], debug: bool) -> Any:
    """Run a command, say what went wrong in one line; its exit code, if it has one."""
    try:
        code = cli.main(line, prog_name="invcore", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:  # no error: its message is the help
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        _complain(error.format_message(), getattr(error, "ctx", None))
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _complain("interrupted; nothing unfinished was stored, so the same command starts it again")
        code = _INTERRUPTED
    except Exception as error:
        if debug:
            raise
        if isinstance(error, InvcoreError):
            _complain(in_options(error))
            for note in getattr(error, "__notes__", ()):  # of which no record tells
                click.echo(printable(note), err=True)
            code = exit_code(error)
        else:
            _complain(f"unexpected {type(error).__name__}: {error} (--debug shows where)")
            code = _UNEXPECTED
    return code


def exit_code(error: InvcoreError) -> int:
    """What the process ends with."""
    return next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))


def in_options(error: InvcoreError) -> str:
    """An error's message with the option in place of the argument that mends it.

    Example:
        >>> in_options(InvcoreError("it is damaged", remedy="force=True repeats the run"))
        'it is damaged; --force repeats the run'
    """
    if not error.remedy:
        return str(error)
    argument, _, effect = error.remedy.partition(" ")
    name, _, value = argument.partition("=")
    option = "--" + name.replace("_", "-") + ("" if value in ("True", "") else f" {value}")
    return f"{error.message}; {option} {effect}"


def _complain(message: str, ctx: click.Context | None = None) -> None:
    """One line on standard error, whatever the message holds."""
    where = f" (see '{ctx.command_path} --help')" if ctx is not None else ""
    click.echo(f"error: {' '.join(message.split())}{where}", err=True)
