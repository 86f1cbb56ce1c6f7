"""How a surrogate is fitted to pairs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from invcore.contracts.environment import FitEnvironment
from invcore.data.pairs import Pairs
from invcore.data.scaling import Scaling
from invcore.learning.batches import near
from invcore.learning.networks import seeded_network
from invcore.learning.surrogate.choice import chosen_config
from invcore.learning.surrogate.config import SurrogateConfig, stored_config
from invcore.learning.surrogate.finish import finish
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
    if config.choice == "auto" and not _sees_image(config, scaling):

        def losses(settings: SurrogateConfig, name: str) -> float:
            return _trained(settings, scaling, pairs, val, env, name, weights)[1].val_loss

        config = chosen_config(config, scaling, losses, env, label)
        surrogate, report = _trained(config, scaling, pairs, val, env, label, weights)
        surrogate.chosen = stored_config(config)
    else:
        surrogate, report = _trained(config, scaling, pairs, val, env, label, weights)
    return surrogate.eval().requires_grad_(False), report


def _sees_image(config: SurrogateConfig, scaling: Scaling) -> bool:
    return config.network != "mlp" and scaling.designs.grid is not None and not scaling.columns


def _trained(
    config: SurrogateConfig, scaling: Scaling, pairs: Pairs, val: Pairs, env: FitEnvironment,
    label: str, weights: tuple[Tensor, Tensor] | None,
) -> tuple[Surrogate, TrainingReport]:  # fmt: skip
    """A surrogate by these settings, and how its training went."""
    scaled, held = scaling.pairs(pairs), scaling.pairs(val)
    counts = _counts(config, scaling).to(env.device)
    components = principal(scaled.y * counts.cpu(), config.components)
    if components is not None:
        components /= counts.cpu()
    build = partial(Surrogate, config, scaling, components)
    surrogate = seeded_network(build, env, label)
    plain = weights is None and not bool(scaled.y.isnan().any() | held.y.isnan().any())
    if not plain:  # shares stand beside the responses
        shares = weights or (None, None)
        scaled, held = _shared(scaled, shares[0]), _shared(held, shares[1])

    def error(network: nn.Module, part: LossBatch | Pairs) -> Tensor:
        if plain:
            result: Tensor = ((network(part.x) - part.y) * counts).square().mean()
            return result
        y, share = part.y.chunk(2, dim=1)
        wrong = ((network(part.x) - y) * counts).square()
        result = (share * wrong).sum() / share.sum().clamp(min=1e-12)
        return result

    mse = partial(error, surrogate)
    training = config.training if surrogate.grid is None else config.image.training
    if config.minutes is not None:
        training = training.model_copy(update={"minutes": config.minutes})
    report = train(
        surrogate, mse, mse, scaled, held, training, env,
        label=label, again=build, grid=surrogate.grid,
    )  # fmt: skip
    if config.finish:
        surrogate.eval()
        best = finish(surrogate, error, scaled, near(scaled, held), config.finish, env, label=label)
        report = replace(report, val_loss=best)
    return surrogate, report


def _counts(config: SurrogateConfig, scaling: Scaling) -> Tensor:
    """What an error of each scaled response is multiplied by: (Dy,), of mean square one."""
    scale = scaling.y.scale.cpu().float()
    if config.weighting == "own":
        return torch.ones_like(scale)
    return scale / scale.square().mean().sqrt()


def principal(y: Tensor, count: int) -> Tensor | None:
    """The largest principal components (count, Dy) of scaled responses (N, Dy), of which what is
    unknown is the mean. None where all are to be learnt.

    Each is as long as the scores along it are spread, so that a network's outputs are of size one.
    """
    if not 0 < count < y.shape[1]:
        return None
    summary = torch.linalg.qr(y.double().nan_to_num(0.0), mode="r")[1]
    _, spread, rows = torch.linalg.svd(summary, full_matrices=False)
    length = torch.zeros(count, 1).double()
    length[: len(spread), 0] = spread[:count] / len(y) ** 0.5
    components = torch.zeros(count, y.shape[1]).double()
    components[: len(rows)] = rows[:count]
    return (length.clamp(min=1e-6) * components).float()


def _shared(pairs: Pairs, weights: Tensor | None) -> Pairs:
    """Pairs whose responses (N, 2 Dy) are these, 0 where they are unknown, and what they count."""
    known = ~pairs.y.isnan()
    share = known.to(pairs.y) if weights is None else known * weights.to(pairs.y)
    return Pairs(pairs.x, torch.cat([pairs.y.nan_to_num(0.0), share], dim=1))
