"""A picture of what moves a yield."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from invcore_solve.page.drawing import COLOURS, GREY, figure, inline
from invcore_solve.page.wording import short
from invcore_solve.robustness.movers import Movers

_MOST = 12  # bars
_LENGTH = 28  # letters of a name


def mover_picture(movers: Movers, name: str) -> tuple[str, str]:
    """Bars from the yield as it is to that without each deviation: markup, and a caption.

    Args:
        movers: of one design.
        name: of the picture within the page.
    """
    order = sorted(range(len(movers.names)), key=lambda i: -movers.without[i])[:_MOST]
    caption = (
        f"The yield of the first design, {movers.share:.1%} (line), and what it would be if one "
        "thing at a time did not deviate, by the judge."
    )
    with figure(5.2, 0.9 + 0.26 * len(order)) as drawn:
        axes = drawn.add_subplot()
        for place, i in enumerate(reversed(order)):
            gain = movers.without[i] - movers.share
            axes.barh(
                place, 100 * gain, left=100 * movers.share, height=0.62,
                color=COLOURS[0] if gain >= 0 else COLOURS[1],
            )  # fmt: skip
        axes.axvline(100 * movers.share, color=GREY, linewidth=0.8)
        axes.set_yticks(
            range(len(order)), [short(movers.names[i], _LENGTH) for i in reversed(order)]
        )  # fmt: skip
        ends = [movers.share, *movers.without]
        room = max(0.02, 0.08 * (max(ends) - min(ends)))
        axes.set_xlim(100 * max(0.0, min(ends) - room), 100 * min(1.0, max(ends) + room))
        axes.set_xlabel("yield without it, %")
        return inline(drawn, name, caption), caption


def mover_parts(making: Any, wanted: Sequence[str]) -> list[dict[str, str]]:
    """What the page tells of each target: its heading, a picture and a caption."""
    if making is None:
        return []
    parts = []
    for i, (movers, text) in enumerate(zip(making.movers, wanted, strict=False)):
        markup, caption = mover_picture(movers, f"movers-{i + 1}")
        heading = f"Target {i + 1}: {text}"
        parts.append({"heading": heading, "markup": markup, "caption": caption})
    return parts
