"""The one training loop: best checkpoint, early stop, rate schedules, averaged weights."""

import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from invcore.base.errors import ConfigError, DivergedError
from invcore.contracts.environment import FitEnvironment
from invcore.data.pairs import Pairs
from invcore.learning.batches import batches, near
from invcore.learning.networks import seeded_network
from invcore.learning.precision import lowered
from invcore.learning.schedules import Average, Rate
from invcore.learning.span import Span
from invcore.learning.stacked_networks import Members
from invcore.learning.surrogate.image_network import moved
from invcore.learning.training_config import TrainingConfig
from invcore.spaces.space import Grid


@dataclass(frozen=True)
class LossBatch:
    """What a loss is given.

    Args:
        x: (batch, F).
        y: (batch, Dy).
        done: share of the training that is done, 0 to 1.
        generator: for a loss that needs randomness; on the CPU.
    """

    x: Tensor
    y: Tensor
    done: float
    generator: torch.Generator


@dataclass(frozen=True)
class TrainingReport:
    """How a training went.

    Args:
        val_loss: of the checkpoint that was kept.
        best_epoch: when that was, from 1.
        epochs: how many were done.
        restarts: the best validation loss of each network that was trained.
    """

    val_loss: float
    best_epoch: int
    epochs: int
    restarts: tuple[float, ...] = ()


def train(
    network: nn.Module, loss: Callable[[LossBatch], Tensor], val_loss: Callable[[Pairs], Tensor],
    pairs: Pairs, val: Pairs, config: TrainingConfig, env: FitEnvironment, *,
    label: str = "training", again: Callable[[], nn.Module] | None = None,
    siblings: Sequence[nn.Module] = (), grid: Grid | None = None,
) -> TrainingReport:  # fmt: skip
    """Train a network in place, and leave it with the weights that did best on validation.

    Args:
        network: on ``env.device``.
        loss: of a batch, to be minimised.
        val_loss: of validation pairs; decides the checkpoint, the plateau and the early stop.
        pairs: as the network sees them.
        val: likewise; rows far from all of ``pairs`` are left out, see `near`.
        config: how.
        env: device, seeds, progress.
        label: names the stage in progress, log and seeds.
        again: builds the network once more, for restarts; it is called with the global generators
            seeded. With ``config.restarts`` above 1, networks of one architecture are trained
            together as one batch (``torch.func.vmap``), each from its own weights and in its own
            order of the pairs. A loss must then not decide by values of tensors.
        siblings: more networks of the same architecture, trained as one batch with the first like
            restarts, but all kept, each with its own best weights: an ensemble.
        grid: how the features lie, if they are images: those of each batch are shifted and
            mirrored together, as far as that leaves the response as it is.

    Raises:
        DivergedError: the loss (of all restarts) is no longer finite.
        ConfigError: restarts are asked for, and there is no ``again``, or there are siblings.

    Example:
        >>> net, x = nn.Linear(1, 1), torch.linspace(-1, 1, 64)[:, None]
        >>> report = train(
        ...     net,
        ...     lambda batch: (net(batch.x) - batch.y).square().mean(),
        ...     lambda val: (net(val.x) - val.y).square().mean(),
        ...     Pairs(x, 2 * x), Pairs(x, 2 * x),
        ...     TrainingConfig(epochs=200, batch_size=64, lr=0.1), FitEnvironment(),
        ... )
        >>> report.val_loss < 1e-3
        True
    """
    pairs, val = pairs.to(env.device), near(pairs, val, grid).to(env.device)
    members = _members(network, again, siblings, config.restarts, env, label)
    count = max(config.restarts, 1 + len(siblings))
    orders = [env.generator(label, *([r] if r else [])) for r in range(count)]
    draws = orders[0] if count == 1 else env.generator(label, "together")
    moves = random.Random(env.derive(label, "moves"))
    size, steps = batches(len(pairs), config, network)
    optimiser = torch.optim.AdamW(
        members.weights, lr=config.lr, weight_decay=config.weight_decay, fused=True
    )
    span, rate = Span(config, steps, env.device), Rate(config, optimiser, count)
    average = Average(members.weights, config.average)
    best, best_epoch, epoch = torch.full((count,), math.inf), torch.zeros(count).long(), 0
    past = shown = 0  # steps
    with env.progress.stage(label, span.bar) as stage:
        for epoch in itertools.count(1):
            network.train()
            order = torch.stack([torch.randperm(len(pairs), generator=g) for g in orders])
            order = order.to(env.device).repeat(1, -(-size // len(pairs)))
            total = torch.zeros(count, device=env.device)
            for step in range(steps):
                rows = order[:, step * size : (step + 1) * size]
                done = span.share(past)

                def value(x: Tensor, y: Tensor, done: float = done) -> Tensor:
                    return loss(LossBatch(x, y, done, draws))

                x = pairs.x[rows] if grid is None else moved(pairs.x[rows], grid, moves)
                with lowered(config.precision, env.device):
                    values = members.losses(value, x, pairs.y[rows])
                optimiser.zero_grad(set_to_none=True)
                values.sum().backward()
                if config.clip:
                    members.clip(config.clip)
                past += 1
                rate.step(members.weights, span.share(past))
                average.update()
                total += values.detach()
                if config.minutes and span.over(past):
                    break
            network.eval()
            with torch.no_grad(), average.swapped():
                now = members.losses(lambda: val_loss(val)).detach().float().cpu()
                mean = total.cpu() / (step + 1)
                well = mean.isfinite() & ~now.isnan()
                if not bool(well.any()):
                    raise DivergedError(
                        f"{label} diverged in epoch {epoch} (loss {float(mean[0])}): try a lower lr"
                    )
                better = well & (now < best)
                members.keep(better)
            best, best_epoch = torch.where(better, now, best), best_epoch.where(~better, epoch)
            rate.epoch(now)
            leader = int(best.argmin())
            facts = {"loss": float(mean[leader]), "val": float(now[leader])}
            stage.advance(span.shown(past) - shown, **facts, lr=rate.value)
            shown = span.shown(past)
            env.log({
                "stage": label, "epoch": epoch, "loss": facts["loss"], "val_loss": facts["val"],
                "lr": rate.value,
            })  # fmt: skip
            stuck = config.patience and epoch - int(best_epoch.max()) >= config.patience
            if stuck or span.over(past):
                break
    leader = int(best.argmin())
    if not bool((best if siblings else best[leader]).isfinite().all()):
        raise DivergedError(f"{label}: its validation loss was never finite: try a lower lr")
    members.settle([network, *siblings], first=0 if siblings else leader)
    losses = tuple(best.tolist())
    return TrainingReport(losses[leader], int(best_epoch[leader]), epoch, losses)


def _members(
    network: nn.Module, again: Callable[[], nn.Module] | None, siblings: Sequence[nn.Module],
    count: int, env: FitEnvironment, label: str,
) -> Members:  # fmt: skip
    """The network, or it and others of its architecture."""
    if siblings and count > 1:
        raise ConfigError(f"training.restarts: {label} keeps all of its networks, set it to 1")
    others = list(siblings)
    for restart in range(1, count):
        if again is None:
            raise ConfigError(
                f"training.restarts: {label} can be trained once only, not {count} times"
            )
        others.append(seeded_network(again, env, label, restart))
    return Members([network, *others])
