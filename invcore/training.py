"""The one training loop: best checkpoint, early stop, rate schedules, averaged weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from invcore.config import Config, Field
from invcore.data import Pairs
from invcore.errors import DivergedError
from invcore.fitcontext import FitContext


class TrainingConfig(Config):
    """How a network is trained."""

    epochs: int = Field(200, ge=1, description="Passes over the training pairs.")
    batch_size: int = Field(512, ge=1, description="Pairs in one step.")
    min_steps: int = Field(
        8, ge=1, description="Least steps of an epoch: few pairs get smaller batches."
    )
    lr: float = Field(3e-3, gt=0, description="Highest learning rate of Adam.")
    weight_decay: float = Field(0.0, ge=0, description="Decoupled weight decay (AdamW).")
    schedule: Literal["one-cycle", "cosine", "plateau", "constant"] = Field(
        "one-cycle", description="How the learning rate changes."
    )
    final_lr: float = Field(
        1e-3, gt=0, le=1, description="Last rate over the highest, for one-cycle and cosine."
    )
    plateau_factor: float = Field(0.5, gt=0, lt=1, description="plateau: times this, when stuck.")
    plateau_patience: int = Field(10, ge=1, description="plateau: stuck after so many epochs.")
    patience: int = Field(0, ge=0, description="Stop after so many epochs without a gain; 0 never.")
    clip: float = Field(0.0, ge=0, description="Clip the gradient's norm to this; 0 does not.")
    average: float = Field(
        0.0, ge=0, lt=1, description="Decay of the averaged weights that are kept; 0 averages none."
    )


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
    """

    val_loss: float
    best_epoch: int
    epochs: int


def train(
    network: nn.Module,
    loss: Callable[[LossBatch], Tensor],
    val_loss: Callable[[Pairs], Tensor],
    pairs: Pairs,
    val: Pairs,
    config: TrainingConfig,
    context: FitContext,
    *,
    label: str = "training",
) -> TrainingReport:
    """Train a network in place, and leave it with the weights that did best on validation.

    Args:
        network: on ``context.device``.
        loss: of a batch, to be minimised.
        val_loss: of validation pairs; decides the checkpoint, the plateau and the early stop.
        pairs: as the network sees them.
        val: likewise.
        config: how.
        context: device, seeds, progress.
        label: names the stage in progress, log and seeds.

    Raises:
        DivergedError: the loss is no longer finite.

    Example:
        >>> net, x = nn.Linear(1, 1), torch.linspace(-1, 1, 64)[:, None]
        >>> report = train(
        ...     net,
        ...     lambda batch: (net(batch.x) - batch.y).square().mean(),
        ...     lambda val: (net(val.x) - val.y).square().mean(),
        ...     Pairs(x, 2 * x), Pairs(x, 2 * x),
        ...     TrainingConfig(epochs=200, batch_size=64, lr=0.1), FitContext(),
        ... )
        >>> report.val_loss < 1e-3
        True
    """
    pairs, val = pairs.to(context.device), val.to(context.device)
    generator = context.generator(label)
    size = max(1, min(config.batch_size, len(pairs) // config.min_steps))
    steps = len(pairs) // size
    weights = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        weights, lr=config.lr, weight_decay=config.weight_decay, foreach=True
    )
    rate = _Rate(config, optimiser, steps * config.epochs)
    average = _Average(weights, config.average)
    best, best_epoch, best_state, epoch = math.inf, 0, _copy(network), 0
    with context.progress.stage(label, config.epochs) as stage:
        for epoch in range(1, config.epochs + 1):
            network.train()
            order = torch.randperm(len(pairs), generator=generator).to(context.device)
            total = torch.zeros((), device=context.device)
            for step in range(steps):
                rows = order[step * size : (step + 1) * size]
                done = ((epoch - 1) * steps + step) / (config.epochs * steps)
                value = loss(LossBatch(pairs.x[rows], pairs.y[rows], done, generator))
                optimiser.zero_grad(set_to_none=True)
                value.backward()
                if config.clip:
                    nn.utils.clip_grad_norm_(weights, config.clip)
                optimiser.step()
                rate.step()
                average.update()
                total += value.detach()
            network.eval()
            with torch.no_grad(), average.swapped():
                now = float(val_loss(val))
                mean = float(total) / steps
                if not math.isfinite(mean) or math.isnan(now):
                    raise DivergedError(
                        f"{label} diverged in epoch {epoch} (loss {mean}): try a lower lr"
                    )
                if now < best:
                    best, best_epoch, best_state = now, epoch, _copy(network)
            rate.epoch(now)
            stage.advance(1, loss=mean, val=now, lr=rate.value)
            context.log({
                "stage": label, "epoch": epoch, "loss": mean, "val_loss": now, "lr": rate.value
            })  # fmt: skip
            if config.patience and epoch - best_epoch >= config.patience:
                break
    network.load_state_dict(best_state)
    return TrainingReport(best, best_epoch, epoch)


class _Rate:
    """The learning rate over the steps of a training."""

    def __init__(
        self, config: TrainingConfig, optimiser: torch.optim.Optimizer, total: int
    ) -> None:
        self._optimiser = optimiser
        self._plateau: torch.optim.lr_scheduler.ReduceLROnPlateau | None = None
        self._each: torch.optim.lr_scheduler.LRScheduler | None = None
        if config.schedule == "plateau":
            self._plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
                optimiser, factor=config.plateau_factor, patience=config.plateau_patience
            )
        elif config.schedule != "constant":
            warm = 0.25 if config.schedule == "one-cycle" else 0.0
            self._each = torch.optim.lr_scheduler.LambdaLR(
                optimiser, lambda step: _cycle(step / total, warm, config.final_lr)
            )

    @property
    def value(self) -> float:
        return float(self._optimiser.param_groups[0]["lr"])

    def step(self) -> None:
        if self._each is not None:
            self._each.step()

    def epoch(self, val_loss: float) -> None:
        if self._plateau is not None:
            self._plateau.step(val_loss)


def _cycle(done: float, warm: float, last: float) -> float:
    """Half a cosine up from 1/25 during ``warm``, and half a cosine down to ``last``."""
    if done < warm:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * done / warm))
    part = min((done - warm) / (1 - warm), 1.0)
    return last + (1 - last) * 0.5 * (1 + math.cos(math.pi * part))


class _Average:
    """An exponential average of the weights, put in their place while it is judged and kept."""

    def __init__(self, weights: list[nn.Parameter], decay: float) -> None:
        self._weights, self._decay, self._steps = weights, decay, 0
        self._mean = [w.detach().clone() for w in weights] if decay else []

    def update(self) -> None:
        if not self._decay:
            return
        self._steps += 1  # forget the start quickly: the decay grows to its value
        keep = min(self._decay, (1 + self._steps) / (10 + self._steps))
        torch._foreach_lerp_(self._mean, [w.detach() for w in self._weights], 1 - keep)

    @contextmanager
    def swapped(self) -> Iterator[None]:
        if not self._decay:
            yield
            return
        now = [w.detach().clone() for w in self._weights]
        torch._foreach_copy_(list[Tensor](self._weights), self._mean)
        try:
            yield
        finally:
            torch._foreach_copy_(list[Tensor](self._weights), now)


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}
