"""What the commands print with: tables, bars on standard error, JSON; and which device they use."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from invcore import ConfigError, DeviceError, Progress

if TYPE_CHECKING:
    import torch


def settings_of(texts: Sequence[str]) -> dict[str, Any]:
    """``KEY=VALUE`` settings as nested plain data; values as in TOML, or plain text.

    Raises:
        ConfigError: one is not of that form.

    Example:
        >>> settings_of(["training.epochs=20", "output=squash"])
        {'training': {'epochs': 20}, 'output': 'squash'}
    """
    import tomllib

    result: dict[str, Any] = {}
    for text in texts:
        key, equals, said = text.partition("=")
        path = key.strip().split(".")
        if not equals or not all(path):
            raise ConfigError(f"--set {text!r}: expected KEY=VALUE")
        try:
            value = tomllib.loads(f"value = {said.strip()}")["value"]
        except tomllib.TOMLDecodeError:
            value = said.strip()
        below = result
        for part in path[:-1]:
            below = below.setdefault(part, {})
            if not isinstance(below, dict):
                raise ConfigError(f"--set {text!r}: {part!r} has been given a value already")
        below[path[-1]] = value
    return result


def device_of(name: str) -> torch.device:
    """A device of this machine; ``auto`` takes CUDA where there is one.

    Raises:
        DeviceError: there is no such device here.
    """
    import torch

    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise DeviceError(f"no device {name!r} on this machine; say auto, cpu or cuda") from None
    return device


def emit_json(document: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(document, indent=2, allow_nan=False))


def number(value: float | None) -> str:
    """Three digits for people; a dash where there is none.

    Example:
        >>> number(0.00012345), number(None), number(0.5)
        ('0.000123', '-', '0.5')
    """
    return "-" if value is None else f"{value:.3g}"


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table for people."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(highlight=False, file=sys.stdout)
    console.print(title, markup=False)
    console.print(table)
    console.print()


def plain(text: str) -> str:
    """One line without the control characters with which a file could steer a terminal.

    Example:
        >>> plain("two lines" + chr(10) + "of text")
        'two lines?of text'
    """
    return "".join(c if c.isprintable() else "?" for c in text)


@contextmanager
def bars() -> Iterator[Progress]:
    """Progress on standard error, where that is a terminal; silence elsewhere."""
    if not sys.stderr.isatty():
        yield Progress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Rich

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[facts]}"),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Rich(*columns, console=Console(stderr=True), transient=True) as rich:
        yield _Bars(rich)


class _Bars(Progress):
    """Bars of rich's."""

    def __init__(self, rich: Any) -> None:
        self._rich = rich

    @contextmanager
    def stage(self, label: str, total: int | None = None) -> Iterator[Any]:
        """A bar while the block runs."""
        bar = self._rich.add_task(label, total=total, facts="")
        with super().stage(label, total) as silent:

            def advance(steps: int = 1, **facts: float) -> None:
                shown = " ".join(f"{name} {value:.3g}" for name, value in facts.items())
                fields = {"facts": shown} if shown else {}
                self._rich.update(bar, advance=steps, **fields)

            silent.advance = advance  # type: ignore[method-assign]
            try:
                yield silent
            finally:
                self._rich.remove_task(bar)
