"""The sir task: two rates of an epidemic to samples of how many are infected."""

import math

import torch
from torch import Tensor

from invcore.plugin import LogNormal, Space, Variable
from invcore_sbibm.noise import binomials
from invcore_sbibm.populations import population_paths
from invcore_sbibm.stochastic_task import StochasticTask
from invcore_sbibm.tasks.spaces import numbered

PEOPLE, TESTED = 1_000_000, 1000
EVERY, TIMES = 17.0, 10  # days, and how many of them
_STEPS = 136


def susceptible_and_infected(x: Tensor) -> Tensor:
    """Shares of the susceptible and of the infected on days 0, 17, …, 153.

    S' = -β S I and I' = β S I - γ I, in shares of the people, one of whom is infected on day 0.
    The shares are within 1e-6 of the solution for rates within three standard deviations of the
    prior.

    Args:
        x: β and γ (N, 2), float64, per day.

    Returns:
        (N, 2, 10).

    Example:
        >>> both = susceptible_and_infected(torch.tensor([[0.4, 0.125]], dtype=torch.float64))
        >>> both[0, :, 4].round(decimals=3).tolist()  # day 68
        [0.079, 0.129]
    """
    contact, recovery = x.unbind(dim=1)
    rates = torch.stack((torch.zeros_like(contact), contact, recovery, contact), dim=1)
    start = (1 - 1 / PEOPLE, 1 / PEOPLE)
    return population_paths(rates, start, EVERY, TIMES, _STEPS)


class Sir(StochasticTask):
    """SIR: contact and recovery rate of an epidemic to how many of a thousand are infected.

    Of a million people one is infected at first; on ten days, 17 days apart, a thousand are tested,
    which gives a binomial number. Prior: log-normal, β with median 0.4 and standard deviation 0.5
    of its logarithm, γ with 1/8 and 0.2.

    References:
        Lueckmann et al., 2021, T.9

    Example:
        >>> Sir().simulate(torch.tensor([[0.4, 0.125]])).shape
        torch.Size([1, 10])
    """

    folder = "sir"
    free_calls = False  # thousands of steps
    randoms = TIMES
    designs = Space.of(
        Variable(name="contact_rate", unit="1/day", prior=LogNormal(mean=math.log(0.4), std=0.5)),
        Variable(
            name="recovery_rate", unit="1/day", prior=LogNormal(mean=math.log(0.125), std=0.2)
        ),
    )
    responses = numbered(TIMES)

    def respond(self, x: Tensor, u: Tensor) -> Tensor:
        """Compute responses (N, 10) of designs and random numbers."""
        infected = susceptible_and_infected(x)[:, 1]
        found = [
            binomials(part, TESTED, share)
            for part, share in zip(
                u.split(256), infected.nan_to_num(nan=0.5).clamp(0.0, 1.0).split(256), strict=True
            )
        ]
        return torch.where(infected.isnan(), torch.nan, torch.cat(found))
