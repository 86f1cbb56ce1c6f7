"""A console of rich's that makes harmless what it prints; see `invcore.cli.screen`."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from invcore.base.text import harmless


class HarmlessConsole(Console):
    """Styles are its own; texts are shown sign by sign, also within tables and bars."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does; texts are made harmless before they are laid out."""
        super().print(*(harmless(o) if type(o) is str else o for o in objects), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments of something, none of which steers the terminal but by its style."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(harmless(segment.text), segment.style)
