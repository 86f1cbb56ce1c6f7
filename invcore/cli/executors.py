"""Options that say who does jobs, and what a job may take."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from invcore.cli.options import ComponentName, Decorator

if TYPE_CHECKING:
    from invcore.configs.limits import Limits
    from invcore.contracts.executor import Executor
    from invcore.registry.loader import Plugins

PROCESSES = "processes"


def executor_options(what: str, *set_names: str, jobs: bool = True) -> Decorator:
    """``--jobs``, ``--executor``, ``--scheduler`` and the executor's settings; a command gets
    ``jobs``, ``executor``, ``scheduler`` and ``executor_settings``.

    Args:
        what: is done, for the help.
        set_names: of the option for settings.
        jobs: off: another option of the command says how many there are at once.
    """
    options = (
        click.option(
            "--jobs", type=click.IntRange(1, 1024),
            help=f"{what} at once, each in a worker process; without it in this process.",
        ),
        click.option(
            "--executor", type=ComponentName("executor"),
            help="Who does them: processes (the default with --jobs), dask, submitit, …",
        ),
        click.option(
            "--scheduler", metavar="ADDRESS", help="Of a cluster, for an executor that has one."
        ),
        click.option(
            *set_names, "executor_settings", multiple=True, metavar="KEY=VALUE",
            help="A setting of the executor, e.g. retries=3; may be repeated.",
        ),
    )  # fmt: skip

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options if jobs else options[1:]):
            command = option(command)
        return command

    return decorated


def limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--time-limit`` and ``--memory-limit`` of each run."""
    memory = click.option(
        "--memory-limit", metavar="SIZE",
        help="Most main memory of a run, e.g. 4G; one above it is stopped and recorded.",
    )  # fmt: skip
    time = click.option(
        "--time-limit", metavar="TIME",
        help="Most time for a run, e.g. 90s or 2h; one above it is stopped and recorded.",
    )  # fmt: skip
    return time(memory(command))


def limits_of(time_limit: str | None, memory_limit: str | None) -> Limits | None:
    """The limits that were asked for; None for none.

    Raises:
        ConfigError: that is no time, or no size.
    """
    if time_limit is None and memory_limit is None:
        return None
    from invcore.configs.limits import Limits

    return Limits.of(time_limit, memory_limit)


def build_executor(
    plugins: Plugins, *, executor: str | None, jobs: int | None, scheduler: str | None,
    executor_settings: tuple[str, ...], limited: bool = False,
) -> Executor[Any] | None:  # fmt: skip
    """Who does the jobs; None: this process, one after another.

    Args:
        plugins: where names are looked up.
        executor: its name.
        jobs: at once.
        scheduler: of a cluster.
        executor_settings: each as KEY=VALUE.
        limited: whether jobs have limits, which this process cannot keep.

    Raises:
        ConfigError: a wrong setting, or an option that means nothing there.
        UnknownNameError: no such executor; the message says what to install.
    """
    from invcore.base.errors import ConfigError, UnknownNameError

    if executor is None and jobs is None and not limited:
        if executor_settings or scheduler:
            raise ConfigError("settings of an executor: name one by --executor")
        return None
    from invcore.configs.settings import component_settings
    from invcore.pipeline.components import build  # not before: a dry run needs no torch

    chosen = executor or PROCESSES
    try:
        component = plugins.registry.load("executor", chosen)
    except UnknownNameError:
        if executor is not None:
            raise
        asked = f"--jobs {jobs}" if jobs is not None else "a limit"
        message = f"{asked} needs the executor {PROCESSES!r}: pip install invcore-executors"
        raise UnknownNameError(message) from None
    data = component_settings(executor_settings, component.Config)
    workers = jobs if jobs is not None else 1 if executor is None else None
    for name, value, option in (("workers", workers, "--jobs"), ("scheduler", scheduler, None)):
        if value is None:
            continue
        if name not in component.Config.model_fields:
            option = option or f"--{name}"
            raise ConfigError(f"executor {chosen!r} has no {name} to set: leave {option} out")
        data[name] = value
    instance: Executor[Any] = build(plugins, "executor", chosen, data).component
    if limited and not instance.keeps_limits:
        raise ConfigError(f"executor {chosen!r} keeps no limits: {PROCESSES} does")
    return instance
