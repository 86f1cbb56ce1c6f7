"""More pairs for a network that learns a distribution: designs near known ones, by a surrogate."""

from __future__ import annotations

import torch

from invcore.data import Pairs
from invcore.networks import Surrogate


def enlarge(
    surrogate: Surrogate,
    pairs: Pairs,
    count: int,
    generator: torch.Generator,
    *,
    spread: float = 0.1,
) -> Pairs:
    """Pairs and ``count`` more: a smoothed bootstrap of designs, with the surrogate's responses.

    Densities need many more pairs than functions do: a network that has learnt the function from
    the pairs is asked for as many as are wanted. It costs no simulation.

    Args:
        surrogate: fitted to the pairs, frozen.
        pairs: scaled; on the CPU.
        count: how many to add.
        generator: decides which designs, and where near them.
        spread: standard deviation of the steps from known designs, in those of the features.
            Whole numbers and categories stay as they are, and all stay in the data's box.

    Example:
        >>> from invcore import FitContext, SurrogateConfig, TrainingConfig, fit_surrogate
        >>> from invcore import Scaling, Space, Uniform, Variable
        >>> space = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=1.0)))
        >>> known = Pairs(torch.rand(64, 1), torch.rand(64, 1))
        >>> scaling = Scaling.fit(space, known)
        >>> quick = SurrogateConfig(training=TrainingConfig(epochs=1))
        >>> surrogate, _ = fit_surrogate(quick, scaling, known, known, FitContext())
        >>> len(enlarge(surrogate, scaling.pairs(known), 100, torch.Generator()))
        164
    """
    scaling, device = surrogate.scaling, surrogate.device
    rows = torch.randint(len(pairs), (count,), generator=generator)
    steps = spread * torch.randn(count, pairs.x.shape[1], generator=generator)
    x = pairs.x[rows] + torch.where(scaling.movable()[1], steps, 0.0)
    low, high = scaling.box(x.device)
    x = torch.where(x < low, 2 * low - x, x)  # reflected: clipping would heap them on the edge
    x = torch.where(x > high, 2 * high - x, x).clamp(low, high)
    with torch.no_grad():
        y = torch.cat([surrogate(part.to(device)).cpu() for part in x.split(65536)])
    return Pairs(torch.cat([pairs.x, x]), torch.cat([pairs.y, y]))
