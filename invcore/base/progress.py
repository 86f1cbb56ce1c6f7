"""Progress: what goes on, for people. The plain class is silent; ``RichProgress`` shows bars."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import Console
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop showing."""


class RichProgress(Progress):
    """Bars on a terminal: what, how far, facts, rate, time left.

    Args:
        console: where to draw, best one on standard error.
    """

    def __init__(self, console: Console) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bars

        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[facts]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    @contextmanager
    def stage(self, label: str, total: int | None = None) -> Iterator[Stage]:
        """A bar while the block runs."""
        bar = self._bars.add_task(label, total=total, facts="")
        bars = self._bars

        class Bar(Stage):
            def advance(self, steps: int = 1, **facts: float) -> None:
                shown = " ".join(f"{name} {value:.3g}" for name, value in facts.items())
                _update(bars, bar, steps, shown)

        try:
            yield Bar()
        finally:
            bars.remove_task(bar)


def terminal_progress(console: Console | None = None) -> Progress:
    """Bars on standard error, where that is a terminal; silence elsewhere.

    Args:
        console: where to draw, instead of one on standard error.

    Example:
        >>> with terminal_progress() as progress, progress.stage("train", total=10) as stage:
        ...     stage.advance(1, loss=0.5)
    """
    if console is None:
        from rich.console import Console as Rich

        console = Rich(stderr=True)
    return RichProgress(console) if console.is_terminal else Progress()


def _update(bars: object, bar: TaskID, steps: int, shown: str) -> None:
    fields = {"facts": shown} if shown else {}
    bars.update(bar, advance=steps, **fields)  # type: ignore[attr-defined]
