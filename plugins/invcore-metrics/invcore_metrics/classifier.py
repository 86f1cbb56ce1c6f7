"""How well a network tells two samples apart: many small classifiers, trained at once."""

import math
from itertools import pairwise

import torch
from torch import Tensor

from invcore_metrics.posterior import standardised

_FIRST, _SECOND = 0.9, 0.999  # Adam's
_EPSILON = 1e-8


def network_accuracy(
    a: Tensor,
    b: Tensor,
    generator: torch.Generator,
    *,
    folds: int = 2,
    width: int = 16,
    steps: int = 60,
    rate: float = 0.05,
    decay: float = 1e-3,
) -> Tensor:
    """The cross-validated accuracy of a classifier between two samples, for a batch of problems.

    For each problem and each fold, a network with two hidden layers learns from the rows of the
    other folds and is scored on those of its own; both samples weigh the same. Columns are
    standardised by b. All networks are trained together, from the same start.

    References:
        Lopez-Paz, Oquab, ICLR 2017, https://arxiv.org/abs/1610.06545

    Args:
        a: (R, n, D); rows of NaN are left out.
        b: (R, m, D), likewise.
        generator: on the CPU; folds and the networks' start, the same for each problem.
        folds: of the cross-validation.
        width: of the hidden layers.
        steps: of Adam, each on all rows.
        rate: Adam's, falling to 0 along a cosine.
        decay: weight decay.

    Returns:
        (R,) between 0 and 1; NaN where a or b has fewer rows than folds.

    Example:
        >>> a = torch.linspace(0, 1, 20).reshape(1, 20, 1)
        >>> network_accuracy(a, a + 5, torch.Generator())
        tensor([1.], dtype=torch.float64)
    """
    problems = len(a)
    known_a, known_b = ~a.isnan().any(dim=2), ~b.isnan().any(dim=2)
    enough = (known_a.sum(dim=1) >= folds) & (known_b.sum(dim=1) >= folds)
    x = standardised(a, b).nan_to_num(nan=0.0)  # (R, n + m, D)
    label = torch.cat((torch.ones(a.shape[1]), torch.zeros(b.shape[1])))
    fold = torch.cat([_folds(rows, folds, generator) for rows in (a.shape[1], b.shape[1])])
    mask = torch.cat((known_a, known_b), dim=1)
    own = fold[None] == torch.arange(folds)[:, None]  # (folds, n + m)

    def weight(rows: Tensor) -> Tensor:
        """(R, folds, n + m): half of the weight for either sample."""
        chosen = (mask[:, None] & rows).double()
        each = [chosen * (label == side) for side in (0.0, 1.0)]
        return sum(0.5 * e / e.sum(dim=2, keepdim=True).clamp(min=1.0) for e in each)  # type: ignore[return-value]

    parameters = _start(x.shape[2], width, generator)
    networks = [
        p.expand(problems * folds, *p.shape[1:]).clone().requires_grad_() for p in parameters
    ]
    # Each network sees all rows of its problem; weights of 0 hide those of its own fold.
    inputs = x.float().repeat_interleave(folds, dim=0)
    learned = weight(~own).float().flatten(0, 1)
    moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in networks]
    for step in range(1, steps + 1):
        logits = _forward(networks, inputs)
        loss = _loss(logits, label, learned)
        gradients = torch.autograd.grad(loss, networks)
        speed = rate * 0.5 * (1 + math.cos(math.pi * (step - 1) / steps))
        _adam(networks, gradients, moments, step, speed, decay)
    with torch.no_grad():
        logits = _forward(networks, inputs).unflatten(0, (problems, folds))
        right = ((logits > 0) == (label > 0)).double() + 0.5 * (logits == 0) * (label == 0)
        scored = (right * weight(own)).sum(dim=2).mean(dim=1)
    return torch.where(enough, scored, torch.nan)


def _folds(rows: int, folds: int, generator: torch.Generator) -> Tensor:
    """The fold of each row, all of one size up to one."""
    return torch.randperm(rows, generator=generator) % folds


def _start(inputs: int, width: int, generator: torch.Generator) -> list[Tensor]:
    """One network's weights and biases, with a leading 1."""
    sizes = [inputs, width, width, 1]
    layers = []
    for fan_in, fan_out in pairwise(sizes):
        layers.append(torch.randn(1, fan_in, fan_out, generator=generator) * (2 / fan_in) ** 0.5)
        layers.append(0.5 * torch.randn(1, 1, fan_out, generator=generator))
    return layers


def _forward(networks: list[Tensor], x: Tensor) -> Tensor:
    """Logits (R * folds, n + m)."""
    for layer in range(0, len(networks), 2):
        x = torch.baddbmm(networks[layer + 1], x, networks[layer])
        if layer + 2 < len(networks):
            x = torch.relu(x)
    return x[..., 0]


def _loss(logits: Tensor, label: Tensor, weight: Tensor) -> Tensor:
    """The sum of all networks' cross entropies: their gradients do not mix."""
    losses = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, label.expand_as(logits), reduction="none"
    )
    return (weight * losses).sum()


def _adam(
    networks: list[Tensor],
    gradients: tuple[Tensor, ...],
    moments: list[tuple[Tensor, Tensor]],
    step: int,
    rate: float,
    decay: float,
) -> None:
    with torch.no_grad():
        for p, gradient, (mean, square) in zip(networks, gradients, moments, strict=True):
            mean.lerp_(gradient, 1 - _FIRST)
            square.mul_(_SECOND).addcmul_(gradient, gradient, value=1 - _SECOND)
            scale = (square / (1 - _SECOND**step)).sqrt_().add_(_EPSILON)
            p.mul_(1 - rate * decay).addcdiv_(mean, scale, value=-rate / (1 - _FIRST**step))
