"""The picture of a bundle: whether the ensemble's spread says where the proxy is off."""

from __future__ import annotations

from pathlib import Path

from invcore_proxy.reliability import ProxyErrors

_COLOUR = "#0072B2"


def draw_reliability(errors: ProxyErrors, path: Path) -> None:
    """Draw mean error over mean spread of held-out rows, binned by spread.

    Args:
        errors: on the held-out rows.
        path: of the PNG file.
    """
    from matplotlib.figure import Figure  # here: predictions need no matplotlib

    found = errors.reliability
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.add_subplot()
    spreads = [one.spread for one in found.bins]
    axes.plot(spreads, [one.error for one in found.bins], "o-", color=_COLOUR)
    largest = max(spreads)
    if largest > 0:
        axes.plot([0, largest], [0, largest], "--", color="gray", label="error = spread")
        axes.legend(frameon=False)
    correlation = found.rank_correlation
    said = "" if correlation is None else f", rank correlation {correlation:.2f}"
    axes.set(
        xlabel="mean spread of the ensemble",
        ylabel="mean error",
        title=f"{errors.rows} held-out rows in {len(found.bins)} bins{said}",
    )
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.title.set_fontsize("medium")
    figure.savefig(path, dpi=120)
