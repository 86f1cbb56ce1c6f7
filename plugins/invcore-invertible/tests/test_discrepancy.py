"""The discrepancy is that of the definition, and tells samples apart."""

import pytest
import torch
from invcore_invertible import mmd

from invcore.plugin import generator


def test_mmd_is_the_mean_over_all_pairs():
    a, b = (torch.randn(n, 3, generator=generator(n), dtype=torch.float64) for n in (12, 17))

    def kernel(p, q):
        return sum(w**2 / (w**2 + float((p - q).square().sum())) for w in (0.05, 0.2, 0.9))

    def mean(left, right):
        return sum(kernel(p, q) for p in left for q in right) / (len(left) * len(right))

    expected = mean(a, a) + mean(b, b) - 2 * mean(a, b)
    assert float(mmd(a, b)) == pytest.approx(expected, rel=1e-9)
    assert float(mmd(a, a)) == pytest.approx(0, abs=1e-12)
    assert float(mmd(a, b)) == pytest.approx(float(mmd(b, a)), rel=1e-12)


def test_mmd_tells_distributions_apart():
    normal = [torch.randn(400, 2, generator=generator(i)) for i in (1, 2)]
    shifted = normal[1] + 0.5
    assert abs(float(mmd(*normal))) < 0.02
    assert float(mmd(normal[0], shifted)) > 2 * float(mmd(*normal))
