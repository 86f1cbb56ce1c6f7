"""What surrogates learn instead of responses: logarithms of some, principal scores of curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

Numbers = npt.NDArray[np.float64]

CURVE = 12  # from so many responses on they are a curve, and principal scores are learnt
_SCORES = 16
_ARRAYS = ("logs", "centre", "scale", "loadings", "rest", "zero")
_EXPLAINED = 0.9999  # of the curves' variance


@dataclass(frozen=True)
class ResponseCodes:
    """A map between responses (N, Dy) and codes (N, C).

    Args:
        logs: (Dy,), which responses are learnt as logarithms.
        centre: (Dy,), of the responses or their logarithms.
        scale: (Dy,), of them.
        loadings: (C, Dy), orthonormal rows; the identity where there are few responses.
        rest: (Dy,), variance of what the codes leave out, in responses' units.
        zero: (C,), the code of a response of zero, where all responses are positive and no
            logarithm is learnt; NaN elsewhere.
    """

    logs: npt.NDArray[np.bool_]
    centre: Numbers
    scale: Numbers
    loadings: Numbers
    rest: Numbers
    zero: Numbers

    @classmethod
    def of(cls, y: Numbers, logs: npt.NDArray[np.bool_]) -> ResponseCodes:
        """From the rows (N, Dy), NaN where a response is unknown."""
        z = _logged(y, logs)
        centre, scale = np.nanmean(z, axis=0), np.nanstd(z, axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        width = y.shape[1]
        if width < CURVE:
            zero = np.where((np.nanmin(y, axis=0) > 0) & ~logs, -centre / scale, np.nan)
            return cls(logs, centre, scale, np.eye(width), np.zeros(width), zero)
        whole = (z - centre)[~np.isnan(z).any(axis=1)] / scale
        _, sizes, loadings = np.linalg.svd(whole, full_matrices=False)
        share = np.cumsum(np.square(sizes)) / np.square(sizes).sum()
        count = min(_SCORES, int(np.searchsorted(share, _EXPLAINED)) + 1, len(loadings))
        loadings = loadings[:count]
        rest = np.square((whole - whole @ loadings.T @ loadings) * scale).mean(axis=0)
        return cls(logs, centre, scale, loadings, rest, np.full(count, np.nan))

    @property
    def curve(self) -> bool:
        """Whether codes are scores of curves."""
        return len(self.centre) >= CURVE

    def encode(self, y: Numbers) -> Numbers:
        """Responses (…, Dy) as codes (…, C); NaN where a response is unknown."""
        return ((_logged(y, self.logs) - self.centre) / self.scale) @ self.loadings.T \
            if self.curve else (_logged(y, self.logs) - self.centre) / self.scale  # fmt: skip

    def decode(self, codes: Numbers) -> Numbers:
        """Codes (…, C) as responses (…, Dy)."""
        z = codes @ self.loadings * self.scale + self.centre
        return np.where(self.logs, np.exp(np.clip(z, -700, 700)), z)

    def spread(self, codes: Numbers, spread: Numbers) -> Numbers:
        """Standard deviations (…, Dy) of responses, of codes (…, C) with theirs (…, C)."""
        variance = np.square(spread) @ np.square(self.loadings) * np.square(self.scale)
        slope = np.where(self.logs, self.decode(codes), 1.0)
        return np.sqrt(variance * np.square(slope) + self.rest)

    def state(self) -> dict[str, torch.Tensor]:
        """Tensors to store."""
        parts = {n: getattr(self, n) for n in _ARRAYS}
        return {name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in parts.items()}

    @classmethod
    def restore(cls, state: dict[str, torch.Tensor]) -> ResponseCodes:
        """The codes that ``state`` came from."""
        return cls(**{name: value.cpu().numpy() for name, value in state.items()})


def _logged(y: Numbers, logs: npt.NDArray[np.bool_]) -> Numbers:
    if not logs.any():
        return y
    tiny = np.finfo(np.float64).tiny
    return np.where(logs, np.log(np.maximum(y, tiny)), y)
