"""The lotka-volterra task: four rates of hunters and their prey to noisy counts."""

from torch import Tensor

from invcore.plugin import LogNormal, Space, Variable
from invcore_sbibm.noise import normals
from invcore_sbibm.populations import population_paths
from invcore_sbibm.stochastic_task import StochasticTask
from invcore_sbibm.tasks.spaces import numbered

START = (30.0, 1.0)
EVERY, TIMES = 2.1, 10
NOISE, LEAST, MOST = 0.1, 1e-10, 1e4
_STEPS = 200


def prey_and_predators(x: Tensor) -> Tensor:
    """Numbers of prey and predators at the times 0, 2.1, …, 18.9.

    X' = α X - β X Y and Y' = -γ Y + δ X Y, from X = 30 and Y = 1. Logarithms are within 2e-3 of the
    solution's for rates within three standard deviations of the prior, mostly within 1e-6.

    Args:
        x: α, β, γ, δ (N, 4), float64.

    Returns:
        (N, 2, 10).

    Example:
        >>> import torch
        >>> x = torch.tensor([[0.55, 0.028, 0.84, 0.026]], dtype=torch.float64)
        >>> prey_and_predators(x)[0, :, 0].round(decimals=6).tolist()
        [30.0, 1.0]
    """
    return population_paths(x, START, EVERY, TIMES, _STEPS)


_SLOW, _SCARCE = LogNormal(mean=-0.125, std=0.5), LogNormal(mean=-3.0, std=0.5)


class LotkaVolterra(StochasticTask):
    """Lotka-Volterra: four rates of hunters and their prey to ten counts of each.

    A count has a log-normal error, of standard deviation 0.1. Prior: log-normal, α and γ with
    -0.125 as mean of the logarithm, β and δ with -3; its standard deviation is 0.5.

    References:
        Lueckmann et al., 2021, T.10

    Example:
        >>> import torch
        >>> LotkaVolterra().simulate(torch.tensor([[0.55, 0.028, 0.84, 0.026]])).shape
        torch.Size([1, 20])
    """

    folder = "lotka_volterra"
    free_calls = False  # thousands of steps
    randoms = 2 * TIMES
    designs = Space.of(
        Variable(name="prey_growth", prior=_SLOW),
        Variable(name="predation", prior=_SCARCE),
        Variable(name="predator_decline", prior=_SLOW),
        Variable(name="predator_growth", prior=_SCARCE),
    )
    responses = numbered(2 * TIMES)

    def respond(self, x: Tensor, u: Tensor) -> Tensor:
        """Compute responses (N, 20), prey first, of designs and random numbers."""
        counts = prey_and_predators(x).flatten(1).clamp(LEAST, MOST)
        return counts * (NOISE * normals(u)).exp()
