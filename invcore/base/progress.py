"""Progress: what goes on, for people. The plain class is silent; ``RichProgress`` shows bars."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from invcore.base.text import harmless

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


class Stage:
    """One thing that goes on; silent."""

    def advance(self, steps: int = 1, **facts: float) -> None:
        """Say that steps were done, with facts to show beside the bar (loss, rate, …)."""


class Progress:
    """A silent progress; also the base of those that show something.

    Example:
        >>> with Progress().stage("train", total=10) as stage:
        ...     stage.advance(1, loss=0.5)
    """

    @contextmanager
    def stage(self, label: str, total: int | None = None) -> Iterator[Stage]:
        """Announce one thing of ``total`` steps; None where that is not known."""
        yield Stage()

    def say(self, remark: str) -> None:
        """Tell a remark at once, where somebody listens."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        """Stop showing."""


class Bar(Stage):
    """A bar on a terminal."""

    def __init__(self, bars: Bars, bar: TaskID) -> None:
        self._bars, self._bar = bars, bar

    def advance(self, steps: int = 1, **facts: float) -> None:
        """Move the bar; the facts stay until there are others."""
        text = " ".join(f"{name} {value:.3g}" for name, value in facts.items())
        changed: dict[str, Any] = {"facts": text} if text else {}
        self._bars.update(self._bar, advance=steps, **changed)


class RichProgress(Progress):
    """Bars on a terminal: what, how far, facts, rate, time left.

    Args:
        console: where to draw, best one on standard error.
    """

    def __init__(self, console: Console) -> None:
        from rich import progress as rich

        self._bars = rich.Progress(
            rich.TextColumn("{task.description}", markup=False), rich.BarColumn(bar_width=24),
            rich.MofNCompleteColumn(), rich.TextColumn("{task.fields[facts]}", markup=False),
            rich.TimeElapsedColumn(), rich.TextColumn("left"), rich.TimeRemainingColumn(),
            console=console, transient=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._bars.stop()

    @contextmanager
    def stage(self, label: str, total: int | None = None) -> Iterator[Stage]:
        """A bar while the block runs."""
        bar = self._bars.add_task(harmless(label), total=total, facts="")
        try:
            yield Bar(self._bars, bar)
        finally:
            self._bars.remove_task(bar)

    def say(self, remark: str) -> None:
        """A line above the bars."""
        _print(self._bars.console, remark)


class Remarks(Progress):
    """Remarks and no bars, as for a log.

    Args:
        console: that they are written to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, remark: str) -> None:
        """A line."""
        _print(self._console, remark)


def _print(console: Console, remark: str) -> None:
    console.print(f"note: {remark}", markup=False, highlight=False, soft_wrap=True)


def terminal_progress(console: Console | None = None) -> Progress:
    """Bars on standard error, where that is a terminal; elsewhere remarks alone.

    Args:
        console: where to draw, instead of one on standard error.

    Example:
        >>> with terminal_progress() as progress, progress.stage("train", total=10) as stage:
        ...     stage.advance(1, loss=0.5)
    """
    if console is None:
        from rich.console import Console as Rich

        console = Rich(stderr=True)
    return RichProgress(console) if console.is_terminal else Remarks(console)
