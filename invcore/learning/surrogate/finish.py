"""A second-order end of a training: quasi-Newton steps in float64 on all pairs at once."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import nn

from invcore.contracts.environment import FitEnvironment
from invcore.data.pairs import Pairs

_ROWS = 8192  # pairs whose activations are in memory at once
_BLOCK = 10  # steps between looks at the validation pairs
_PATIENCE = 5  # blocks without a gain there


def finish(
    network: nn.Module, loss: Callable[[nn.Module, Pairs], torch.Tensor], pairs: Pairs, val: Pairs,
    steps: int, env: FitEnvironment, *, label: str,
) -> float:  # fmt: skip
    """Go on with a trained network by L-BFGS; it keeps what does best on validation.

    Adam's noise ends where its rate does; a smooth loss goes on falling by curvature. In float32
    the differences that tell the curvature drown in rounding, so a copy in float64 is trained.

    Args:
        network: trained, in float32; it is changed in place.
        loss: of a network at rows, a mean over them.
        pairs: to train on, as the network sees them.
        val: likewise; decides what is kept.
        steps: at most.
        env: device, progress, log.
        label: names the stage.

    Returns:
        The loss on validation pairs of what was kept.

    References:
        Liu, Nocedal, On the limited memory BFGS method for large scale optimization, Mathematical
        Programming 45, 1989, https://doi.org/10.1007/BF01589116.
    """
    double = copy.deepcopy(network).double()
    train, held = (part.to(env.device, torch.float64) for part in (pairs, val))
    weights = [w for w in double.parameters() if w.requires_grad]
    optimiser = torch.optim.LBFGS(
        weights, max_iter=_BLOCK, history_size=50, tolerance_grad=0.0, tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def closure() -> torch.Tensor:
        optimiser.zero_grad(set_to_none=True)
        total = torch.zeros((), dtype=torch.float64, device=env.device)
        for begin in range(0, len(train), _ROWS):
            part = train[slice(begin, begin + _ROWS)]
            value = loss(double, part) * (len(part) / len(train))
            value.backward()
            total += value.detach()
        return total

    with torch.no_grad():
        best = float(loss(double, held))
    kept, stuck = None, 0
    blocks = -(-steps // _BLOCK)
    with env.progress.stage(f"{label}: finish", blocks) as stage:
        for block in range(blocks):
            value = float(optimiser.step(closure))
            with torch.no_grad():
                now = float(loss(double, held))
            env.log({
                "stage": f"{label}: finish", "step": (block + 1) * _BLOCK, "loss": value,
                "val_loss": now,
            })  # fmt: skip
            stage.advance(1, loss=value, val=now)
            stuck = 0 if now < best else stuck + 1
            if now < best:
                best, kept = now, copy.deepcopy(double.state_dict())
            if stuck >= _PATIENCE or not value < float("inf"):
                break
    if kept is not None:
        network.load_state_dict(kept)
    return best
