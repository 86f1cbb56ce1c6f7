"""The Bernoulli GLM against its prior and its likelihood, written out anew."""

import torch
from invcore_sbibm.noise import uniforms
from invcore_sbibm.tasks.bernoulli_glm import BernoulliGlm, inputs, prior_covariance

from invcore.plugin import generator


def test_the_prior_has_the_precision_of_the_paper():
    f = torch.zeros(9, 9, dtype=torch.float64)
    for i in range(9):
        f[i, i] = 1 + (i / 9) ** 0.5
        if i >= 1:
            f[i, i - 1] = -2
        if i >= 2:
            f[i, i - 2] = 1
    precision = torch.linalg.inv(prior_covariance())
    torch.testing.assert_close(precision[1:, 1:], f.T @ f, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(precision[0], 0.5 * torch.eye(10, dtype=torch.float64)[0])


def test_pairs_are_drawn_from_it():
    task = BernoulliGlm()
    x = task.pairs(20_000, generator(1)).x
    spread = prior_covariance().diagonal().sqrt()
    white = torch.cov((x / spread).T) - prior_covariance() / spread / spread[:, None]
    assert float(white.abs().max()) < 0.04
    marginal = task.designs.sample(20_000, generator(2)).std(dim=0)
    torch.testing.assert_close(marginal, spread, atol=0, rtol=0.03)


def test_responses_are_sums_over_spikes():
    x = BernoulliGlm().pairs(50, generator(3)).x
    y, u, stimulus = BernoulliGlm().simulate(x), uniforms(x, 100), inputs()[:, 1]
    for design, response, random in zip(x, y, u, strict=True):
        known = torch.zeros(10, dtype=torch.float64)
        for t in range(100):
            driven = [stimulus[t - lag] if t >= lag else torch.tensor(0.0) for lag in range(9)]
            past = torch.stack([d.double() for d in driven])
            psi = design[0] + (design[1:] * past).sum()
            if random[t] < 1 / (1 + torch.exp(-psi)):
                known[0] += 1
                known[1:] += past
        torch.testing.assert_close(response, known)


def test_the_offset_alone_decides_how_many_spikes_there_are():
    x = torch.zeros(4000, 10, dtype=torch.float64)
    x[:, 0] = -1.0 + 1e-9 * torch.arange(4000.0, dtype=torch.float64)
    spikes = BernoulliGlm().simulate(x)[:, 0]
    p = 1 / (1 + torch.exp(torch.tensor(1.0)))
    assert abs(float(spikes.mean() - 100 * p)) < 0.3
    assert abs(float(spikes.var() / (100 * p * (1 - p))) - 1) < 0.1
