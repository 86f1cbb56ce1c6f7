"""Every task and the metric of this package keep their contracts."""

import pytest
import torch
from invcore_sbibm.tasks.gaussian_linear import GaussianLinear

from invcore.testing import Example, PluginSuite, evaluation


class TestTwoMoons(PluginSuite):
    kind, name = "task", "two-moons"


class TestGaussianLinear(PluginSuite):
    kind, name = "task", "gaussian-linear"


class TestGaussianLinearUniform(PluginSuite):
    kind, name = "task", "gaussian-linear-uniform"


class TestGaussianMixture(PluginSuite):
    kind, name = "task", "gaussian-mixture"


class TestSlcp(PluginSuite):
    kind, name = "task", "slcp"


class TestSlcpDistractors(PluginSuite):
    kind, name = "task", "slcp-distractors"


class TestBernoulliGlm(PluginSuite):
    kind, name = "task", "bernoulli-glm"


class TestSir(PluginSuite):
    kind, name = "task", "sir"


class TestLotkaVolterra(PluginSuite):
    kind, name = "task", "lotka-volterra"


def far(count):
    """Candidates for gaussian-linear's first observation that its posterior has nothing of."""
    x = 50.0 + torch.arange(10.0 * count, dtype=torch.float64).view(1, count, 10)
    task = GaussianLinear(GaussianLinear.Config(observations=(1,)))
    zeros = torch.zeros(1, 10)
    return evaluation(zeros, x, x, task=task, designs=task.designs)


class TestC2stReference(PluginSuite):
    kind, name = "metric", "c2st-reference"
    examples = (
        Example(far(60), {"c2st-reference": 1.0, "c2st-reference-1": 1.0}),
        Example(far(4), {"c2st-reference": 1.0}),  # too few for five folds
    )

    @pytest.fixture(autouse=True)
    def _files(self, reference):
        """Reference samples where those of sbibm would be."""
