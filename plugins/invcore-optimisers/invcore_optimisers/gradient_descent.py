"""Gradient descent for many problems at once."""

import torch
from torch import Tensor

from invcore.plugin import ShapeError
from invcore_optimisers.config import GradientDescentConfig
from invcore_optimisers.evaluation import Evaluator, Objective, norms
from invcore_optimisers.minimum import Minimum, Reason, Recorder


def minimise_gradient_descent(
    objective: Objective, start: Tensor, config: GradientDescentConfig | None = None
) -> Minimum:
    """Minimise N independent problems by gradient descent, all in one batch.

    By default a step is halved until the value has fallen by Armijo's rule, and the next one begins
    with twice the step that was accepted; each problem does so at its own pace. With
    ``step="fixed"`` every step is the gradient times the rate, whatever comes of it, and the best
    point seen is given; a step to where there is no value ends the problem as stuck.

    References:
        Armijo, Pacific Journal of Mathematics 16, 1966, https://doi.org/10.2140/pjm.1966.16.1;
        Nocedal, Wright, Numerical Optimization, 2nd edition, Springer 2006, algorithm 3.1.

    Args:
        objective: values (M,) of points (M, D); its second argument, (M,) long, says whose.
        start: (N, D); its type is that of all work, float64 please.
        config: the steps, ends.

    Raises:
        ShapeError: start is not (N, D), or the objective gives other shapes.

    Example:
        >>> centre = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
        >>> start = torch.zeros_like(centre)
        >>> minimise_gradient_descent(lambda z, rows: (z - centre[rows]).square().sum(1), start).x
        tensor([[1., 2.],
                [3., 4.]], dtype=torch.float64)
    """
    config = config or GradientDescentConfig()
    if start.ndim != 2:
        raise ShapeError(f"start: expected (N, D), got {tuple(start.shape)}")
    armijo = config.step == "armijo"
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

    rate = torch.full_like(value, config.rate)
    trials, moves = torch.zeros_like(rows), torch.zeros_like(rows)
    going = (reason == Reason.STEPS) & (config.steps > 0)
    while True:
        rows, x, value, gradient = rows[going], x[going], value[going], gradient[going]
        rate, trials, moves = rate[going], trials[going], moves[going]
        if not len(rows):
            break
        trial = x - rate[:, None] * gradient
        new_value, new_gradient = evaluate(trial, rows)
        evaluations[rows] += 1
        trials += 1
        if armijo:
            accepted = new_value <= value - config.c1 * rate * gradient.square().sum(dim=1)
            stuck = ~accepted & ((trials >= config.search_steps) | (trial == x).all(dim=1))
            rate = rate * torch.where(accepted, config.grow, config.shrink)
        else:
            accepted = new_value.isfinite()
            stuck = ~accepted
        x = torch.where(accepted[:, None], trial, x)
        gradient = torch.where(accepted[:, None], new_gradient, gradient)
        value = torch.where(accepted, new_value, value)
        moves, trials = moves + accepted, trials * ~accepted
        size = norms(gradient)
        lower = accepted & (value < best[rows])
        improved = rows[lower]
        best_x[improved], best[improved] = x[lower], value[lower]
        norm[improved], steps[improved] = size[lower], moves[lower]
        # Reasons are of the points given: a fixed step may end on another than the best
        done = lower & (size <= config.gtol)
        reason[rows[stuck]] = Reason.STUCK
        reason[rows[done]] = Reason.CONVERGED
        going = ~(done | stuck | (moves >= config.steps))
        recorder.add(best, evaluate.calls, evaluate.values, evaluate.gradients)
    return Minimum(best_x, best, norm, steps, evaluations, reason, recorder.history())
