"""How a surrogate is fitted to pairs."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from invcore.contracts.environment import FitEnvironment
from invcore.data.pairs import Pairs
from invcore.data.scaling import Scaling
from invcore.learning.networks import seeded_network
from invcore.learning.surrogate.config import SurrogateConfig
from invcore.learning.surrogate.network import Surrogate
from invcore.learning.training import LossBatch, TrainingReport, train


def fit_surrogate(
    config: SurrogateConfig, scaling: Scaling, pairs: Pairs, val: Pairs, env: FitEnvironment, *,
    label: str = "surrogate", weights: tuple[Tensor, Tensor] | None = None,
) -> tuple[Surrogate, TrainingReport]:  # fmt: skip
    """Train a surrogate on pairs by mean squared error in scaled units; it comes back frozen.

    Responses that are NaN are unknown, and count for nothing.

    Images are shifted and mirrored while it learns, where that leaves the response as it is.

    Args:
        config: sizes and training.
        scaling: from the training pairs.
        pairs: to train on, in their own units.
        val: to choose the checkpoint with.
        env: device, seeds, progress.
        label: names the stage, and its seeds.
        weights: how much each response counts, of ``pairs`` and of ``val`` (N, Dy); all alike by
            default.

    Raises:
        DivergedError: the training diverged.
        ConfigError: a network of images is asked for, and designs are none.
    """
    build = partial(Surrogate, config, scaling)
    surrogate = seeded_network(build, env, label)

    scaled, held = scaling.pairs(pairs), scaling.pairs(val)
    plain = weights is None and not bool(scaled.y.isnan().any() | held.y.isnan().any())
    if not plain:  # shares stand beside the responses
        shares = weights or (None, None)
        scaled, held = _shared(scaled, shares[0]), _shared(held, shares[1])

    def mse(part: LossBatch | Pairs) -> Tensor:
        if plain:
            return (surrogate(part.x) - part.y).square().mean()
        y, share = part.y.chunk(2, dim=1)
        return (share * (surrogate(part.x) - y).square()).sum() / share.sum().clamp(min=1e-12)

    training = config.training if surrogate.grid is None else config.image.training
    report = train(
        surrogate, mse, mse, scaled, held, training, env,
        label=label, again=build, grid=surrogate.grid,
    )  # fmt: skip
    return surrogate.eval().requires_grad_(False), report


def _shared(pairs: Pairs, weights: Tensor | None) -> Pairs:
    """Pairs whose responses (N, 2 Dy) are these, 0 where they are unknown, and what they count."""
    known = ~pairs.y.isnan()
    share = known.to(pairs.y) if weights is None else known * weights.to(pairs.y)
    return Pairs(pairs.x, torch.cat([pairs.y.nan_to_num(0.0), share], dim=1))
