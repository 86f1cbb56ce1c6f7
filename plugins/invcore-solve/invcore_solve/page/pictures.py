"""Pictures as files: the columns of a table, and which of them move a response."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from invcore_solve.page.column_pictures import draw_histograms, draw_scatters, histograms_height
from invcore_solve.page.drawing import check_file, encoded, figure, halves, write_file
from invcore_solve.page.effect_pictures import (
    bars_height,
    draw_bars,
    draw_effects,
    effects_height,
)

if TYPE_CHECKING:
    from invcore_solve.answers.sensitivities import Sensitivities
    from invcore_solve.schema.inspection import Inspection

_ENDINGS = (".svg", ".png")
_WIDTH = 9.0


def check_picture(path: str | os.PathLike[str]) -> None:
    """Refuse a file that no picture can be written to, before long work for it begins.

    Raises:
        DataError: another ending than .svg or .png, no such folder, or no right to write in it.
    """
    check_file(path, _ENDINGS)


def draw_columns(
    inspection: Inspection, responses: Sequence[str], path: str | os.PathLike[str]
) -> None:
    """Draw each column of a table, and the most important ones against the first response.

    Args:
        inspection: what a table holds.
        responses: names of its responses.
        path: .svg or .png.

    Raises:
        DataError: another ending, or the file cannot be written.
    """
    check_picture(path)
    above, below = histograms_height(inspection), 2.8
    with figure(_WIDTH, above + below) as drawn:
        parts = halves(drawn, above, below)
        draw_histograms(parts[0], inspection)
        draw_scatters(parts[1], inspection, responses)
        write_file(path, encoded(drawn, Path(path).suffix.lower(), "columns"))


def draw_sensitivities(sensitivities: Sensitivities, path: str | os.PathLike[str]) -> None:
    """Draw which columns move the responses, and how.

    Args:
        sensitivities: of a designer.
        path: .svg or .png.

    Raises:
        DataError: another ending, or the file cannot be written.
    """
    check_picture(path)
    above, below = bars_height(sensitivities), effects_height(sensitivities)
    with figure(_WIDTH, above + below) as drawn:
        parts = halves(drawn, above, below)
        draw_bars(parts[0], sensitivities)
        draw_effects(parts[1], sensitivities)
        write_file(path, encoded(drawn, Path(path).suffix.lower(), "sensitivities"))
