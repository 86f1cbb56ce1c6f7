"""Noise that designs decide: uniform, independent, and binomial where that is asked for."""

import numpy as np
import torch
from invcore_sbibm.noise import binomials, normals, uniforms
from scipy import stats

from invcore.plugin import generator

X = torch.rand(4000, 3, generator=generator(5), dtype=torch.float64)


def test_numbers_are_uniform_and_uncorrelated():
    u = uniforms(X, 7)
    assert u.shape == (4000, 7) and 0 < float(u.min()) and float(u.max()) < 1
    for column in u.T:
        assert stats.kstest(column.numpy(), "uniform").pvalue > 1e-3
    both = torch.cat((u, X), dim=1)
    apart = torch.corrcoef(both.T) - torch.eye(10, dtype=torch.float64)
    assert float(apart.abs().max()) < 4 / 4000**0.5


def test_designs_that_hardly_differ_have_independent_numbers():
    near = 0.3 + 1e-12 * torch.arange(1.0, 4001.0, dtype=torch.float64)[:, None]
    u = uniforms(near, 2)
    assert stats.kstest(u.flatten().numpy(), "uniform").pvalue > 1e-3
    follows = np.corrcoef(u[1:, 0].numpy(), u[:-1, 0].numpy())[0, 1]
    assert abs(follows) < 4 / 4000**0.5


def test_order_and_company_do_not_matter():
    order = torch.randperm(len(X), generator=generator(6))
    assert torch.equal(uniforms(X[order], 5), uniforms(X, 5)[order])
    assert torch.equal(uniforms(X, 5)[:, :2], uniforms(X, 2))


def test_normals_are_normal():
    assert stats.kstest(normals(uniforms(X, 1))[:, 0].numpy(), "norm").pvalue > 1e-3


def test_binomials_are_scipys_quantiles():
    p = torch.tensor([0.0, 1e-6, 1e-3, 0.2, 0.5, 0.97, 1.0], dtype=torch.float64)
    u = uniforms(X[:500], len(p))
    counts = binomials(u, 1000, p.expand(500, -1))
    np.testing.assert_array_equal(counts, stats.binom.ppf(u, 1000, p))
    assert counts[:, 0].eq(0).all() and counts[:, -1].eq(1000).all()
