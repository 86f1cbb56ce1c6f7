"""One colour and one marker for a method, the same in every picture."""

from collections.abc import Iterable
from dataclasses import dataclass

# Okabe and Ito's, told apart by all kinds of colour vision, without black and yellow: every one
# has to be seen on white and on black. https://jfly.uni-koeln.de/color/
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6BB1", "#7F7F7F")
_MARKERS = "osD^vPX<>"  # one more than colours, so that pairs repeat after 72 methods only
_DASHES = ("-", "--", ":", "-.")
# The markers as SVG paths in a box from -5 to 5, for the legend of the page.
_SHAPES = {
    "o": "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0Z",
    "s": "M-3.6,-3.6H3.6V3.6H-3.6Z",
    "D": "M0,-5L5,0L0,5L-5,0Z",
    "^": "M0,-4.4L4.6,4H-4.6Z",
    "v": "M0,4.4L4.6,-4H-4.6Z",
    "P": "M-1.6,-4.6H1.6V-1.6H4.6V1.6H1.6V4.6H-1.6V1.6H-4.6V-1.6H-1.6Z",
    "X": "M-4.4,-2.2L-2.2,-4.4L0,-2.2L2.2,-4.4L4.4,-2.2L2.2,0L4.4,2.2L2.2,4.4L0,2.2"
    "L-2.2,4.4L-4.4,2.2L-2.2,0Z",
    "<": "M-4.4,0L4,-4.6V4.6Z",
    ">": "M4.4,0L-4,-4.6V4.6Z",
}


@dataclass(frozen=True)
class Style:
    """How a method looks.

    Args:
        colour: as #RRGGBB.
        marker: in matplotlib's words.
        dash: of its line, in matplotlib's words.
        shape: the marker as an SVG path in a box from -5 to 5.
    """

    colour: str
    marker: str
    dash: str
    shape: str


def styles(methods: Iterable[str]) -> dict[str, Style]:
    """A style for each method, by the order of their names.

    Example:
        >>> styles(["na", "ipage"])["ipage"].colour
        '#0072B2'
    """
    result = {}
    for i, method in enumerate(sorted(set(methods))):
        marker = _MARKERS[i % len(_MARKERS)]
        dash = _DASHES[i // len(_COLOURS) % len(_DASHES)]
        result[method] = Style(_COLOURS[i % len(_COLOURS)], marker, dash, _SHAPES[marker])
    return result
