"""Localisation: move many starts to where a frozen forward model gives the wanted response.

Two ways, both batched over all starts, in which each start's path depends on that start alone:
``adam``, as the papers do, and ``lm``, a damped Gauss-Newton method projected on the box.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from invcore.candidates import Candidates
from invcore.config import Config, Field
from invcore.data import Scaling
from invcore.errors import ConfigError
from invcore.trust import Anchors, Trust
from invcore.types import Forward

_FLAT = 1e-4  # of its cost: a start that can gain no more in a step of lm is done
_SMALL = 16  # most columns, of design or response, for which Jacobians are formed


class LocalisationConfig(Config):
    """How starts are moved."""

    solver: Literal["auto", "lm", "adam"] = Field(
        "auto",
        description="lm: Levenberg-Marquardt, needs at most 16 design features or responses; "
        "adam: as the papers do; auto: lm where it can.",
    )
    steps: int = Field(40, ge=0, description="Most steps of lm.")
    adam_steps: int = Field(300, ge=0, description="Most steps of adam.")
    lr: float = Field(0.02, gt=0, description="First step size of adam, in standard deviations.")
    tolerance: float = Field(
        1e-10, ge=0, description="A start is done at this squared error, in scaled units."
    )
    max_step: float = Field(1.0, gt=0, description="Longest step of lm, in standard deviations.")
    boundary: float = Field(
        10.0, ge=0, description="adam: weight of the mean distance outside the box."
    )
    trust: bool = Field(
        True,
        description="Rank by the model's own error plus its error at the ten nearest known pairs; "
        "off: by its own error alone, as published.",
    )
    nearest: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Where starts are known designs: the share of the training designs, those with "
        "the nearest responses, that they come from.",
    )
    rows: int = Field(
        65536,
        ge=1,
        description="Starts of up to 16 features that are moved at once, of more features "
        "accordingly fewer; bounds the memory.",
    )


@dataclass(frozen=True)
class Localised:
    """Where the starts went.

    Args:
        x: (N, F + C), scaled features, and what is known.
        y: (N, Dy), what the forward model gives there.
        error: (N,), mean squared difference from the target, scaled.
    """

    x: Tensor
    y: Tensor
    error: Tensor


def localise(
    forward: Forward,
    start: Tensor,
    target: Tensor,
    scaling: Scaling,
    config: LocalisationConfig,
    *,
    boxed: bool = True,
) -> Localised:
    """Move starts to where ``forward`` gives the targets; whole numbers and categories stay such.

    Categories keep what the start says. Whole numbers move freely first, are rounded, and then
    the other variables make up for the rounding.

    Args:
        forward: frozen model on scaled features and what is known, (N, F + C) to (N, Dy).
        start: (N, F + C), scaled; the C columns are known, and stay.
        target: (N, Dy), scaled.
        scaling: gives the box and which features may move.
        config: how.
        boxed: stay in the box of the training data.

    References:
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919 (adam, boundary loss);
        Nocedal, Wright, Numerical Optimization, 2006, chapter 10 (Levenberg-Marquardt).

    Raises:
        ConfigError: ``lm`` was asked for where Jacobians are too large.
    """
    features, responses = scaling.designs.features, target.shape[1]
    small = min(features, responses) <= _SMALL
    if config.solver == "lm" and not small:
        raise ConfigError(
            f"localisation.solver: lm forms Jacobians of at most {_SMALL} columns, here are "
            f"{min(features, responses)}: use solver = 'adam'"
        )
    solve = _levenberg_marquardt if small and config.solver != "adam" else _adam
    low, high = scaling.box(start.device)
    if not boxed:
        low, high = torch.full_like(low, -torch.inf), torch.full_like(high, torch.inf)
    moves, moves_after = (mask.to(start.device) for mask in scaling.movable())
    held = features * responses // _SMALL if solve is _levenberg_marquardt else features
    parts, rows = [], max(1, config.rows * _SMALL // max(_SMALL, held))  # Jacobians are wider
    for begin in range(0, max(len(start), 1), rows):
        x, known = scaling.parts(start[begin : begin + rows])
        wanted = target[begin : begin + rows]
        if not bool(moves.all()):
            x = scaling.snap(x.cpu(), inside=boxed).to(x.device)
        x = solve(forward, x, known, wanted, (low, high), moves, config)
        if not bool((moves == moves_after).all()):
            x = scaling.snap(x.cpu(), inside=boxed).to(x.device)
            x = solve(forward, x, known, wanted, (low, high), moves_after, config)
        x = torch.cat([x, known], dim=1)
        with torch.no_grad():
            y = forward(x)
        parts.append((x, y, (y - wanted).square().mean(dim=1)))
    return Localised(*(torch.cat(column) for column in zip(*parts, strict=True)))


def localised_candidates(
    forward: Forward,
    starts: Tensor,
    targets: Tensor,
    scaling: Scaling,
    config: LocalisationConfig,
    trust: Trust,
    *,
    boxed: bool = True,
    anchors: Anchors | None = None,
) -> Candidates:
    """Localise the starts of all targets, and sort them by the error to expect.

    That is the forward model's own error, and (unless ``config.trust`` is off) its error at the
    known pairs nearby, or what is to be expected after the way from a known design.

    Args:
        forward: frozen model on scaled features and what is known, (N, F + C) to (N, Dy).
        starts: (B, K, F + C), scaled; the C columns are known, and stay.
        targets: (B, Dy), scaled.
        scaling: back to designs and responses.
        config: how.
        trust: in the forward model.
        boxed: stay in the box of the training data.
        anchors: the known designs that the starts are, or come from: what the forward model lacks
            there is added to what it says.

    Returns:
        Candidates best first. Those that are equally good keep the order of the starts; those
        that have converged count as equal, rather than by rounding errors.
    """
    batch, count = starts.shape[:2]
    wanted = targets.repeat_interleave(count, dim=0)
    lacking = torch.zeros_like(wanted) if anchors is None else anchors.lacking.flatten(0, 1)
    wanted = wanted - lacking
    found = localise(forward, starts.flatten(0, 1), wanted, scaling, config, boxed=boxed)
    error = found.error.nan_to_num(nan=torch.inf).clamp(min=config.tolerance)
    if config.trust:
        error = error + (trust(found.x) if anchors is None else anchors.doubt.flatten())
    order = error.cpu().view(batch, count).argsort(dim=1, stable=True)[..., None]
    # Home in float32: not every device has float64.
    features, _ = scaling.parts(found.x.cpu())
    x = scaling.decode(features, inside=boxed).view(batch, count, -1)
    y = scaling.y.inverse((found.y + lacking).cpu().double()).view(batch, count, -1)
    return Candidates(x.gather(1, order.expand_as(x)), y.gather(1, order.expand_as(y)))


def _levenberg_marquardt(
    forward: Forward,
    start: Tensor,
    known: Tensor,
    target: Tensor,
    box: tuple[Tensor, Tensor],
    moves: Tensor,
    config: LocalisationConfig,
) -> Tensor:
    """Damped Gauss-Newton steps, clipped to the box; those that are done leave the batch."""
    low, high = box
    result = start.clamp(low, high)
    rows = torch.arange(len(start), device=start.device)
    x, t = result.clone(), target
    y, jac = _value_and_jacobian(forward, x, known)
    damping = torch.full((len(x),), 1e-3, device=x.device)
    cost = (y - t).square().mean(dim=1)
    for _ in range(config.steps):
        residual = y - t
        step = _step(jac, residual, x, (low, high), moves, damping)
        length = step.norm(dim=1, keepdim=True).clamp(min=1e-30)
        step = step * (config.max_step / length).clamp(max=1.0)
        trial = (x + step).clamp(low, high)
        inside = (trial == x + step).all(dim=1)  # the box's faces held back none of it
        trial_y, trial_jac = _value_and_jacobian(forward, trial, known)
        trial_cost = (trial_y - t).square().mean(dim=1)
        better = trial_cost < cost
        # More responses than features can seldom be met: the linear model says when no more is won
        hoped = cost - (residual + torch.einsum("nyf,nf->ny", jac, step)).square().mean(dim=1)
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
        rows, x, t, y, jac = rows[keep], x[keep], t[keep], y[keep], jac[keep]
        cost, damping, known = cost[keep], damping[keep], known[keep]
    result[rows] = x
    return result


def _step(
    jac: Tensor,
    residual: Tensor,
    x: Tensor,
    box: tuple[Tensor, Tensor],
    moves: Tensor,
    damping: Tensor,
) -> Tensor:
    """The damped step (N, F), in the smaller of the two normal equations.

    Features at an end of the box that would leave it, or that may not move, are held.
    """
    gradient = torch.einsum("nyf,ny->nf", jac, residual)
    held = ((x <= box[0]) & (gradient > 0)) | ((x >= box[1]) & (gradient < 0)) | ~moves
    jac = jac.masked_fill(held[:, None, :], 0.0)
    responses, features = jac.shape[1:]
    if responses == 1:  # by far the most frequent, and no solve is needed
        row = jac[:, 0]
        size = row.square().sum(dim=1)
        return -row * (residual[:, 0] / (size * (1 + damping) + 1e-12))[:, None]
    if responses <= features:
        square = jac @ jac.transpose(1, 2)
        return -torch.einsum("nyf,ny->nf", jac, _solve(square, residual, damping))
    square = jac.transpose(1, 2) @ jac
    gradient = torch.einsum("nyf,ny->nf", jac, residual)
    return -_solve(square, gradient, damping).masked_fill(held, 0.0)


def _solve(square: Tensor, right: Tensor, damping: Tensor) -> Tensor:
    """Solve (A + damping * mean(diag A) I) s = right for each row."""
    scale = square.diagonal(dim1=1, dim2=2).mean(dim=1)
    shift = damping * scale + 1e-12 + 1e-6 * scale
    eye = torch.eye(square.shape[1], device=square.device)
    factor, _ = torch.linalg.cholesky_ex(square + shift[:, None, None] * eye)
    return torch.cholesky_solve(right[:, :, None], factor)[:, :, 0]


def _value_and_jacobian(forward: Forward, x: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Responses (N, Dy) and their Jacobian (N, Dy, F), by the cheaper direction."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        y = forward(torch.cat([leaf, known], dim=1))
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


def _adam(
    forward: Forward,
    start: Tensor,
    known: Tensor,
    target: Tensor,
    box: tuple[Tensor, Tensor],
    moves: Tensor,
    config: LocalisationConfig,
) -> Tensor:
    """Adam on each start's own loss: a sum over starts, so that none feels the batch's size."""
    low, high = box
    result, rows = start.clone(), torch.arange(len(start), device=start.device)
    x, t = start.clone(), target
    first, second = torch.zeros_like(x), torch.zeros_like(x)
    for step in range(1, config.adam_steps + 1):
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            error = (forward(torch.cat([leaf, known], dim=1)) - t).square().mean(dim=1)
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
            rows, x, t, first, second = rows[keep], x[keep], t[keep], first[keep], second[keep]
            known = known[keep]
            if len(rows) == 0:
                break
    result[rows] = x
    return result.clamp(low, high)  # the loss only discourages: the last word is the box's
