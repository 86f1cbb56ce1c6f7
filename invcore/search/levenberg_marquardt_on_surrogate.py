"""Levenberg-Marquardt on a surrogate: damped Gauss-Newton steps, batched over all starts."""

import torch
from torch import Tensor

from invcore.base.types import Forward
from invcore.numerics.least_squares import damped_least_squares
from invcore.search.aim import Aim
from invcore.search.localisation_config import LocalisationConfig

PIECE = 4096  # starts that a model sees at once
_FLAT = 1e-4  # of its cost: a start that can gain no more in a step of lm is done


def levenberg_marquardt(
    forward: Forward, start: Tensor, context_features: Tensor, target: Tensor | Aim,
    box: tuple[Tensor, Tensor], moves: Tensor, config: LocalisationConfig,
) -> Tensor:  # fmt: skip
    """Move starts to where the responses are the targets, by damped Gauss-Newton steps in a box.

    Of intervals it follows what is violated: responses that are inside have no slope.

    Starts that are done leave the batch: none depends on another.

    Args:
        forward: frozen model on features and context features, (N, F + C) to (N, Dy).
        start: (N, F), scaled.
        context_features: (N, C), the context of each start's problem, scaled.
        target: (N, Dy), scaled, or an aim at intervals.
        box: lower and upper ends of the features, two (F,); steps are clipped to it.
        moves: (F,), bool, the features that may move.
        config: how long, and when a start is done.

    Returns:
        (N, F), inside the box.

    References:
        Nocedal, Wright, Numerical Optimization, 2006, chapter 10.

    Example:
        >>> box = torch.zeros(2), torch.ones(2)
        >>> levenberg_marquardt(
        ...     lambda x: x.square().sum(dim=1, keepdim=True), torch.tensor([[0.5, 0.1]]),
        ...     torch.zeros(1, 0), torch.tensor([[1.01]]), box, torch.tensor([True, False]),
        ...     LocalisationConfig(),
        ... )
        tensor([[1.0000, 0.1000]])
    """
    low, high = box
    result = start.clamp(low, high)
    rows = torch.arange(len(start), device=start.device)
    x, aim = result.clone(), Aim.at(target)
    y, jac = _value_and_jacobian(forward, x, context_features)
    damping = torch.full((len(x),), 1e-3, device=x.device)
    cost = aim.error(y)
    for _ in range(config.steps):
        residual, slopes = aim.residual(y), aim.slopes(y, jac)
        # Features at an end of the box that would leave it, or that may not move, are fixed
        gradient = torch.einsum("nyf,ny->nf", slopes, residual)
        fixed = ((x <= low) & (gradient > 0)) | ((x >= high) & (gradient < 0)) | ~moves
        step = damped_least_squares(slopes.masked_fill(fixed[:, None, :], 0.0), residual, damping)
        length = step.norm(dim=1, keepdim=True).clamp(min=1e-30)
        step = step * (config.max_step / length).clamp(max=1.0)
        trial = (x + step).clamp(low, high)
        inside = (trial == x + step).all(dim=1)  # the box's faces held back none of it
        trial_y, trial_jac = _value_and_jacobian(forward, trial, context_features)
        trial_cost = aim.error(trial_y)
        better = trial_cost < cost
        # More responses than features can seldom be met: the linear model says when no more is won
        hoped = cost - (residual + torch.einsum("nyf,nf->ny", slopes, step)).square().mean(dim=1)
        flat = inside & (damping <= 1e-2) & (hoped <= _FLAT * cost) & (y.shape[1] > x.shape[1])
        moved = (trial - x).abs().amax(dim=1)
        x = torch.where(better[:, None], trial, x)
        y = torch.where(better[:, None], trial_y, y)
        jac = torch.where(better[:, None, None], trial_jac, jac)
        cost = torch.where(better, trial_cost, cost)
        damping = torch.where(better, damping * 0.2, damping * 6.0).clamp(1e-8, 1e8)
        still = (moved < 1e-7) & (damping > 1e-4)  # below, a step may be all rounding error
        done = (cost <= config.tolerance) | still | flat | (damping >= 1e7)
        result[rows[done]] = x[done]
        keep = ~done
        if not bool(keep.any()):
            return result
        rows, x, aim, y, jac = rows[keep], x[keep], aim[keep], y[keep], jac[keep]
        cost, damping, context_features = cost[keep], damping[keep], context_features[keep]
    result[rows] = x
    return result


def _value_and_jacobian(forward: Forward, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
    """Responses (N, Dy) and their Jacobian (N, Dy, F), by pieces that a processor's cache holds."""
    pieces = [
        _of_piece(forward, part, known)
        for part, known in zip(x.split(PIECE), context.split(PIECE), strict=True)
    ]
    y, jac = zip(*pieces, strict=True)
    return torch.cat(y), torch.cat(jac)


def _of_piece(forward: Forward, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
    """Responses (N, Dy) and their Jacobian (N, Dy, F), by the cheaper direction."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        y = forward(torch.cat([leaf, context], dim=1))
        responses, features = y.shape[1], x.shape[1]
        if responses <= features:
            rows = [
                torch.autograd.grad(y[:, j].sum(), leaf, retain_graph=j + 1 < responses)[0]
                for j in range(responses)
            ]
            return y.detach(), torch.stack(rows, dim=1)
        # Columns: the gradient along u is linear in u, and its gradient with respect to u is J.
        # (Forward-mode differentiation would do, but torch warns of its own deprecated parts.)
        u = torch.zeros_like(y).requires_grad_()
        (gradient,) = torch.autograd.grad(y, leaf, u, create_graph=True)
        columns = [
            torch.autograd.grad(gradient[:, i].sum(), u, retain_graph=i + 1 < features)[0]
            for i in range(features)
        ]
    return y.detach(), torch.stack(columns, dim=2)
