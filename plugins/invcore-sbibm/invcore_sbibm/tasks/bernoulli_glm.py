"""The bernoulli-glm task: a filter and an offset to summaries of a train of spikes."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from invcore.plugin import Normal, Pairs, Space, Variable
from invcore_sbibm.stochastic_task import StochasticTask
from invcore_sbibm.tasks.spaces import numbered

TAPS, TIMES = 9, 100
_SEED = 42  # of the benchmark's stimulus


@lru_cache(maxsize=1)
def inputs() -> Tensor:
    """What drives each moment: one, and the stimulus of the last nine: (100, 10), float64.

    The stimulus is the benchmark's, white noise of a fixed seed, in its single precision. NumPy
    promises that this generator's numbers stay as they are.
    """
    stimulus = np.random.RandomState(_SEED).randn(TIMES).astype(np.float32).astype(np.float64)
    columns = [np.ones(TIMES)]
    columns += [np.concatenate((np.zeros(lag), stimulus[: TIMES - lag])) for lag in range(TAPS)]
    return torch.from_numpy(np.stack(columns, axis=1))


@lru_cache(maxsize=1)
def prior_covariance() -> Tensor:
    """Covariance of offset and filter (10, 10), float64.

    The offset has variance 2; the filter's precision is FᵀF, where F takes second differences and
    adds √((i - 1) / 9) on the diagonal, which makes filters smooth.
    """
    differences = torch.eye(TAPS, dtype=torch.float64)
    differences -= torch.diag(torch.ones(TAPS - 1, dtype=torch.float64), -1)
    f = differences @ differences
    f += torch.diag((torch.arange(TAPS, dtype=torch.float64) / TAPS).sqrt())
    covariance = torch.zeros(TAPS + 1, TAPS + 1, dtype=torch.float64)
    covariance[0, 0] = 2.0
    covariance[1:, 1:] = torch.linalg.inv(f.T @ f)
    return covariance


@lru_cache(maxsize=1)
def _designs() -> Space:
    names = ["offset", *(f"filter{i}" for i in range(1, TAPS + 1))]
    spreads = prior_covariance().diagonal().sqrt().tolist()
    return Space.of(
        *(
            Variable(name=name, prior=Normal(mean=0.0, std=spread))
            for name, spread in zip(names, spreads, strict=True)
        )
    )


class BernoulliGlm(StochasticTask):
    """Bernoulli GLM: offset and filter of a neuron to how its spikes follow a stimulus.

    At each of 100 moments there is a spike with the probability 1 / (1 + exp(-ψ)), where ψ is the
    offset and the filtered stimulus, white noise that is always the same. Responses: the number of
    spikes, and the sum of the stimulus at each of the nine lags before them; both are sufficient.

    Pairs are drawn from the benchmark's prior, in which the filter's values are correlated; the
    space of designs has the marginals alone.

    References:
        Lueckmann et al., 2021, T.5

    Example:
        >>> y = BernoulliGlm().simulate(torch.zeros(1, 10))
        >>> y.shape, bool(20 < y[0, 0] < 80)  # spikes
        (torch.Size([1, 10]), True)
    """

    folder = "bernoulli_glm"
    randoms = TIMES
    responses = numbered(TAPS + 1)

    @property
    def designs(self) -> Space:
        """Offset and filter."""
        return _designs()

    def pairs(self, count: int, generator: torch.Generator) -> Pairs:
        """Draw pairs from the prior, correlations included."""
        z = torch.randn(count, TAPS + 1, generator=generator, dtype=torch.float64)
        x = z @ torch.linalg.cholesky(prior_covariance()).T
        return Pairs(x, self.simulate(x))

    def respond(self, x: Tensor, u: Tensor) -> Tensor:
        """Compute responses (N, 10) of designs and random numbers."""
        drives = inputs().to(x)
        spikes = u < torch.sigmoid(x @ drives.T)
        return spikes.to(x) @ drives
