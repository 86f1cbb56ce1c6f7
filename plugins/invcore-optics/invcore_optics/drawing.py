"""Spectra, wanted and proposed, over the wavelength; no import of matplotlib."""

from typing import Any

from torch import Tensor

_BEST, _OTHERS, _WANTED = "#D55E00", "#0072B2", "black"  # told apart by all kinds of colour vision


def draw_spectra(
    axes: Any, wavelength: Tensor, target: Tensor, responses: Tensor, quantity: str, few: int = 5
) -> bool:
    """Draw the wanted spectrum, that of the best candidate, and those of the next few.

    Args:
        axes: of matplotlib.
        wavelength: (Dy,), nm.
        target: (Dy,).
        responses: (K, Dy), best first; rows of NaN are left out.
        quantity: what the spectra are of, for the axis.
        few: how many candidates at most.

    Returns:
        True: there is always a target to draw.
    """
    spectra = responses[responses.isfinite().all(dim=1)].numpy()
    best = spectra[:few]
    for rank in reversed(range(1, len(best))):  # the better, the further in front
        label = f"next {len(best) - 1} of {len(responses)}" if rank == 1 else None
        axes.plot(wavelength, best[rank], color=_OTHERS, alpha=0.5, linewidth=1, label=label)
    axes.plot(wavelength, target.numpy(), color=_WANTED, linewidth=2, label="wanted")
    if len(best):
        axes.plot(
            wavelength, best[0], color=_BEST, linewidth=1.5, linestyle="--", label="best candidate"
        )
    axes.set(
        xlabel="wavelength (nm)", ylabel=quantity,
        xlim=(float(wavelength[0]), float(wavelength[-1])),
    )  # fmt: skip
    axes.set_ylim(bottom=0.0)
    axes.legend(frameon=False, fontsize="small")
    return True
