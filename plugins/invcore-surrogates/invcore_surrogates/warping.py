"""Further columns beside features, in which distances near an end of their range count for more."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.learning import Scaling

_STEEPNESS = 10.0  # in standard deviations of a feature: beyond a tenth of one it is a logarithm
_FEWEST = 3  # values of a feature: two stay two, however warped


@dataclass(frozen=True)
class Warp:
    """From features (…, F) to F + 2 K: two curves of each of K features stand beside them.

    One is steep at the feature's lower end and flat at its upper one, as a logarithm; the other is
    its mirror image. A process with a length for each column picks from these how fast a response
    changes along the range. Both curves rise everywhere, are smooth, and go on as logarithms
    outside of the range.

    References:
        Snoek, Swersky, Zemel, Adams, Input warping for Bayesian optimization of non-stationary
        functions, ICML 2014, https://proceedings.mlr.press/v32/snoek14.html.

    Args:
        columns: (K,), long, the features that are numbers and vary.
        ends: (2, K), lowest and highest value of each.
        centre: (2 K,), mean of each curve.
        scale: (2 K,), its standard deviation.

    Example:
        >>> x = torch.tensor([[0.0], [0.1], [4.0]])
        >>> warped = Warp.of(x, torch.tensor([True]))(x)
        >>> bool((warped.diff(dim=0) > 0).all()), warped.shape[1]
        (True, 3)
    """

    columns: Tensor
    ends: Tensor
    centre: Tensor
    scale: Tensor

    @classmethod
    def of(cls, x: Tensor, numbers: Tensor) -> Warp | None:
        """The warp of rows (N, F), with a mask (F,) of what may be warped; None: nothing varies."""
        several = torch.tensor([len(column.unique()) >= _FEWEST for column in x.unbind(dim=1)])
        columns = (several.to(x.device) & numbers.to(x.device)).nonzero()[:, 0]
        if not len(columns):
            return None
        own = x[:, columns]
        ends = torch.stack([own.amin(dim=0), own.amax(dim=0)])
        curves = _curves(own, ends)
        return cls(columns, ends, curves.mean(dim=0), curves.std(dim=0).clamp(min=1e-12))

    def __call__(self, x: Tensor) -> Tensor:
        """The features, and their curves beside them."""
        curves = _curves(x[..., self.columns], self.ends)
        return torch.cat([x, (curves - self.centre) / self.scale], dim=-1)

    def state(self) -> dict[str, Tensor]:
        """The tensors."""
        return {
            "columns": self.columns, "ends": self.ends, "centre": self.centre, "scale": self.scale,
        }  # fmt: skip


def numbers(scaling: Scaling, width: int) -> Tensor:
    """Which features (F,) are numbers: no categories, no angles, no pixels, nothing that is known
    of a problem.
    """
    designs = scaling.designs
    forms = [own.form for own in designs.variable_features]
    plain = scaling.mask(lambda i: designs.grid is None and forms[i] in ("number", "logarithm"))
    return torch.nn.functional.pad(plain, (0, width - len(plain)))


def _curves(own: Tensor, ends: Tensor) -> Tensor:
    """Both curves (…, 2 K) of features (…, K)."""
    return torch.cat([(_STEEPNESS * (own - end)).asinh() for end in ends], dim=-1)
