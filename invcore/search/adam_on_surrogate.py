"""Adam on a surrogate, batched over all starts, as the papers do."""

import torch
from torch import Tensor

from invcore.base.types import Forward
from invcore.search.aim import Aim
from invcore.search.localisation_config import LocalisationConfig


def adam(
    forward: Forward, start: Tensor, context_features: Tensor, target: Tensor | Aim,
    box: tuple[Tensor, Tensor], moves: Tensor, config: LocalisationConfig,
) -> Tensor:  # fmt: skip
    """Move starts to where the responses are the targets, by Adam on each start's own loss.

    The loss is a sum over starts, so that none feels the batch's size.

    Args and result are those of ``levenberg_marquardt``; outside the box the loss grows, and what
    comes out is clipped to it.

    References:
        Kingma, Ba, 2014, https://arxiv.org/abs/1412.6980;
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919 (boundary loss).
    """
    low, high = box
    result, rows = start.clone(), torch.arange(len(start), device=start.device)
    x, aim = start.clone(), Aim.at(target)
    first, second = torch.zeros_like(x), torch.zeros_like(x)
    for step in range(1, config.adam_steps + 1):
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            error = aim.error(forward(torch.cat([leaf, context_features], dim=1)))
            loss = error.sum()
            if config.boundary:
                outside = torch.relu(low - leaf) + torch.relu(leaf - high)
                loss = loss + config.boundary * outside.mean(dim=1).sum()
            (gradient,) = torch.autograd.grad(loss, leaf)
        gradient = torch.where(moves, gradient, 0.0)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient.square()
        rate = config.lr * (1 - 0.99 * (step - 1) / config.adam_steps)
        denominator = (second / (1 - 0.999**step)).sqrt() + 1e-8
        done = error <= config.tolerance
        x = torch.where(done[:, None], x, x - rate * first / (1 - 0.9**step) / denominator)
        if step % 10 == 0 and bool(done.any()):
            result[rows[done]] = x[done]
            keep = ~done
            rows, x, aim, first, second = rows[keep], x[keep], aim[keep], first[keep], second[keep]
            context_features = context_features[keep]
            if len(rows) == 0:
                break
    result[rows] = x
    return result.clamp(low, high)  # the loss only discourages: the last word is the box's
