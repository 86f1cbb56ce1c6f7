"""Adam for many problems at once."""

import math

import torch
from torch import Tensor

from invcore.plugin import ShapeError
from invcore_optimisers.config import AdamConfig
from invcore_optimisers.evaluation import Evaluator, Objective, norms
from invcore_optimisers.minimum import Minimum, Reason, Recorder


def minimise_adam(objective: Objective, start: Tensor, config: AdamConfig | None = None) -> Minimum:
    """Minimise N independent problems by Adam, all in one batch, and give the best points seen.

    Where a step leads to no finite value, the problem goes back to its best point, forgets its
    means, and goes on with half the rate.

    References:
        Kingma, Ba, Adam: a method for stochastic optimization, ICLR 2015,
        https://arxiv.org/abs/1412.6980.

    Args:
        objective: values (M,) of points (M, D); its second argument, (M,) long, says whose.
        start: (N, D); its type is that of all work, float64 please.
        config: rate, schedule, ends.

    Raises:
        ShapeError: start is not (N, D), or the objective gives other shapes.

    Example:
        >>> centre = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
        >>> minimum = minimise_adam(
        ...     lambda z, rows: (z - centre[rows]).square().sum(1), 0 * centre, AdamConfig(rate=0.2)
        ... )
        >>> bool((minimum.x - centre).abs().max() < 1e-3)
        True
    """
    config = config or AdamConfig()
    if start.ndim != 2:
        raise ShapeError(f"start: expected (N, D), got {tuple(start.shape)}")
    evaluate, recorder = Evaluator(objective, config.rows_at_once), Recorder(config.history)
    rows = torch.arange(len(start), device=start.device)
    x = start.detach().clone()
    value, gradient = evaluate(x, rows)
    best_x, best, norm = x.clone(), value.clone(), norms(gradient)
    steps, evaluations = torch.zeros_like(rows), torch.ones_like(rows)
    reason = torch.full_like(rows, Reason.STEPS)
    reason[norm <= config.gtol] = Reason.CONVERGED
    reason[~value.isfinite()] = Reason.NO_VALUE
    recorder.add(best, evaluate.calls, evaluate.values, evaluate.gradients)

    first, second = torch.zeros_like(x), torch.zeros_like(x)
    age, factor = torch.zeros_like(value), torch.ones_like(value)
    going = reason == Reason.STEPS
    for step in range(config.steps):
        rows, x, gradient = rows[going], x[going], gradient[going]
        first, second, age, factor = first[going], second[going], age[going], factor[going]
        if not len(rows):
            break
        age = age + 1
        first = config.beta1 * first + (1 - config.beta1) * gradient
        second = config.beta2 * second + (1 - config.beta2) * gradient.square()
        mean = first / (1 - config.beta1**age)[:, None]
        square = second / (1 - config.beta2**age)[:, None]
        rate = factor * config.rate * _share(step, config)
        x = x - rate[:, None] * mean / (square.sqrt() + config.epsilon)
        value, gradient = evaluate(x, rows)
        evaluations[rows] += 1

        lost = ~value.isfinite()
        if bool(lost.any()):
            survivors = ~lost
            x = torch.where(lost[:, None], best_x[rows], x)
            first, second = first * survivors[:, None], second * survivors[:, None]
            age, factor = age * survivors, torch.where(lost, 0.5 * factor, factor)
            gradient[lost] = evaluate(x[lost], rows[lost])[1]
            evaluations[rows[lost]] += 1
        size = norms(gradient)
        lower = value < best[rows]
        improved = rows[lower]
        best_x[improved], best[improved] = x[lower], value[lower]
        norm[improved], steps[improved] = size[lower], step + 1
        done = ~lost & (size <= config.gtol)
        reason[rows[done & lower]] = Reason.CONVERGED
        going = ~(done & lower)
        recorder.add(best, evaluate.calls, evaluate.values, evaluate.gradients)
    return Minimum(best_x, best, norm, steps, evaluations, reason, recorder.history())


def _share(step: int, config: AdamConfig) -> float:
    """The rate at a step over the first one."""
    if config.schedule == "constant":
        return 1.0
    return 0.5 * (1.0 + math.cos(math.pi * step / config.steps))
