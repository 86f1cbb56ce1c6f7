"""Maximum mean discrepancy between candidates and posterior samples."""

import torch
from torch import Tensor

from invcore.plugin import Estimate, Evaluation, Field, Metric
from invcore.results import bootstrap
from invcore_metrics.posterior import PosteriorConfig, posterior_samples

_NUMBERS = 1 << 22  # distances held at once


class MmdConfig(PosteriorConfig):
    """Settings of ``mmd``."""

    widths: tuple[float, ...] = Field(
        (0.05, 0.2, 0.9), min_length=1, description="Widths a of the kernels a²/(a² + d²)."
    )


def squared_mmd(a: Tensor, b: Tensor, widths: tuple[float, ...]) -> Tensor:
    """The unbiased estimate of the squared maximum mean discrepancy, for a batch of problems.

    With k(u, v) = Σ_w w² / (w² + |u - v|²), the mean of k over two different points of a, plus
    that over two of b, minus twice that over one of each. It may be negative: for samples of the
    same distribution its expectation is 0.

    References:
        Gretton et al., JMLR 2012, lemma 6; the kernels: Ardizzone et al., ICLR 2019,
        https://arxiv.org/abs/1808.04730

    Args:
        a: (R, n, D); rows of NaN are left out.
        b: (R, m, D), likewise.
        widths: of the kernels.

    Returns:
        (R,), NaN where a or b has fewer than two rows.

    Example:
        >>> points = torch.tensor([[[0.0], [0.0]]]), torch.tensor([[[1.0], [1.0]]])
        >>> squared_mmd(*points, widths=(1.0,))  # 1 + 1 - 2 · 1/2
        tensor([1.])
    """
    step = max(1, _NUMBERS // max(a.shape[1], b.shape[1], 1) ** 2)
    parts = [_part(a[i : i + step], b[i : i + step], widths) for i in range(0, len(a), step)]
    return torch.cat(parts) if parts else a.new_empty(0)


def _part(a: Tensor, b: Tensor, widths: tuple[float, ...]) -> Tensor:
    in_a, in_b = ~a.isnan().any(dim=2), ~b.isnan().any(dim=2)  # (R, n), (R, m)
    a, b = a.nan_to_num(nan=0.0), b.nan_to_num(nan=0.0)
    n, m = in_a.sum(dim=1), in_b.sum(dim=1)

    def total(u: Tensor, v: Tensor, in_u: Tensor, in_v: Tensor) -> Tensor:
        squares = torch.cdist(u, v, compute_mode="donot_use_mm_for_euclid_dist").square()
        kernel = torch.zeros_like(squares)
        for width in widths:
            kernel += width**2 / (width**2 + squares)
        return torch.einsum("rnm,rn,rm->r", kernel, in_u.to(kernel), in_v.to(kernel))

    # A point with itself has the kernel len(widths), and does not count.
    same_a = (total(a, a, in_a, in_a) - len(widths) * n) / (n * (n - 1))
    same_b = (total(b, b, in_b, in_b) - len(widths) * m) / (m * (m - 1))
    value = same_a + same_b - 2.0 * total(a, b, in_a, in_b) / (n * m)
    return torch.where((n > 1) & (m > 1), value, torch.nan)


class Mmd(Metric[MmdConfig]):
    """How far the candidates of a target are from its posterior: the squared MMD.

    The reference is drawn by rejection, see ``invcore_metrics.reference``. 0 within noise for a
    sampler of the posterior; about ``len(widths)`` for copies of one design, which a target counts
    as that has fewer than two candidates.

    References:
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919 (table 4)
    """

    Config = MmdConfig

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """The mean over targets with reference samples; nothing where there are none."""
        if evaluation.errors.shape[1] < 2:
            return []
        samples = posterior_samples(evaluation, self.config)
        if samples is None:
            return []
        values = squared_mmd(samples.candidates, samples.reference, self.config.widths)
        values = torch.where(values.isnan(), len(self.config.widths), values)
        return [Estimate("mmd", *bootstrap(values, evaluation.generator("mmd")))]
