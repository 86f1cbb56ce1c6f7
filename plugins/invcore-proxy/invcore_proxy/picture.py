"""The picture of a bundle: how near its predictions are, and whether its spread says where not."""

from pathlib import Path
from typing import Any

from invcore_proxy.reliability import ProxyErrors

_COLOUR = "#0072B2"


def draw_held_out(errors: ProxyErrors, path: Path) -> None:
    """Draw predictions over truths, and mean error over mean spread, binned by spread.

    Args:
        errors: on the held-out rows.
        path: of the PNG file.
    """
    from matplotlib.figure import Figure  # here: predictions need no matplotlib

    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_parity(left, errors)
    _draw_reliability(right, errors)
    figure.savefig(path, dpi=120)


def draw_parity(axes: Any, errors: ProxyErrors) -> None:
    """Draw predictions over truths into axes.

    Args:
        axes: of matplotlib.
        errors: with their parity.
    """
    truth, predicted = errors.parity.truth, errors.parity.predicted
    ends = [min(truth + predicted), max(truth + predicted)]
    axes.plot(ends, ends, color="gray", linewidth=1)
    axes.plot(truth, predicted, ".", color=_COLOUR, markersize=3, alpha=0.6)
    axes.set(xlabel="truth", ylabel="prediction")
    axes.set_title(f"held out: mean absolute error {errors.ensemble.mae:.3g}", fontsize="medium")
    axes.set_aspect("equal", adjustable="box")


def _draw_reliability(axes: Any, errors: ProxyErrors) -> None:
    reliability = errors.reliability
    spreads = [one.spread for one in reliability.bins]
    axes.plot(spreads, [one.error for one in reliability.bins], "o-", color=_COLOUR)
    largest = max(spreads)
    if largest > 0:
        axes.plot([0, largest], [0, largest], "--", color="gray", label="error = spread")
        axes.legend(frameon=False)
    correlation = reliability.rank_correlation
    note = "" if correlation is None else f", rank correlation {correlation:.2f}"
    axes.set(xlabel="mean spread of the ensemble", ylabel="mean error")
    title = f"{errors.rows} held-out rows in {len(reliability.bins)} bins{note}"
    axes.set_title(title, fontsize="medium")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
