"""From a task's simulator and targets to an objective of many problems."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from invcore.plugin import ShapeError, Simulator, Space, Targets
from invcore_optimisers.placement import Moves, Placement

_INSIDE = 0.01  # of a response's standard deviation, by which intervals end further inside …
_MOST = 0.5  # … but of half their width no more than this


@dataclass(frozen=True)
class Result:
    """The designs that a search ended with, and what the simulator says of them.

    Args:
        x: (N, Dx), allowed designs.
        y: (N, Dy), their simulated responses; NaN where there is none.
        error: (N,), what ``Targets.objective`` says: of exact targets the mean squared difference,
            in the task's units; inf where there is no response.
    """

    x: Tensor
    y: Tensor
    error: Tensor


class Problems:
    """The inverse problems of B targets with K starts each: N = B K, one below the other.

    Its points z (M, D) are the ``Coordinates`` of the designs' continuous variables: whatever z is,
    its design is within the bounds. The value of z is the mean squared difference between its
    response and the target, over ``scale``. A design without a response has the value inf. Of
    intervals it is what ``Targets.error`` says, and they end a little further inside: searches
    come to where the slope ends, and no further.

    Args:
        simulator: of the task.
        designs: its space.
        targets: B of them, with what is known of each; where they are is where the simulator
            works, and all else is done on the CPU.
        starts: (B, K, Dx), designs.
        scale: what squared errors are divided by, so that values are about one.
        moves: ``continuous``: other variables stay as the start has them; ``numbers``: whole
            numbers move too, rounded when simulated, and categories stay.

    Raises:
        ShapeError: starts are not (B, K, Dx).

    Example:
        >>> from invcore.plugin import Task, Uniform, Variable
        >>> from invcore_optimisers import minimise_bfgs
        >>> class Square(Task):
        ...     designs = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=3.0)))
        ...     responses = Space.of(Variable(name="y"))
        ...     def simulate(self, x, context=None):
        ...         return x**2
        >>> task = Square()
        >>> targets = Targets(torch.tensor([[4.0], [10.0]]))
        >>> starts = torch.ones(2, 1, 1, dtype=torch.float64)
        >>> problems = Problems(Simulator(task), task.designs, targets, starts)
        >>> problems.result(minimise_bfgs(problems, problems.start).x).x.round(decimals=3)
        tensor([[2.],
                [3.]], dtype=torch.float64)
    """

    def __init__(
        self,
        simulator: Simulator,
        designs: Space,
        targets: Targets,
        starts: Tensor,
        *,
        scale: float = 1.0,
        moves: Moves = "continuous",
    ) -> None:
        if starts.ndim != 3 or len(starts) != len(targets) or starts.shape[2] != designs.dim:
            raise ShapeError(
                f"starts: expected ({len(targets)}, K, {designs.dim}), got {tuple(starts.shape)}"
            )
        self._simulator = simulator
        self._scale = scale
        self._exact, self._targets = targets.exact, targets
        self._target = targets.low.double()
        self._inside = targets.narrowed(_INSIDE * targets.spread, _MOST)
        self._context = targets.context
        self._owner = torch.arange(len(targets)).repeat_interleave(starts.shape[1])
        self._placement = Placement(designs, starts.flatten(0, 1), moves)
        self.movable = self._placement.movable
        self.start = self._placement.start
        """The starts as points (N, D)."""

    def __call__(self, z: Tensor, rows: Tensor) -> Tensor:
        """The objective: values (M,) of points z (M, D) of the problems ``rows`` (M,)."""
        scale = self._scale if self._exact else 1.0
        return self._errors(self._placement.whole(z, rows), rows)[1] / scale

    def designs_of(self, z: Tensor, rows: Tensor) -> Tensor:
        """The allowed designs (M, Dx) of points (M, D)."""
        return self._placement.allowed(z, rows)

    @torch.no_grad()
    def result(self, z: Tensor) -> Result:
        """The designs of points (N, D) of all problems, simulated."""
        rows = torch.arange(len(z))
        x = self.designs_of(z, rows)
        y, error = self._errors(x, rows)
        if not self._exact:
            error = self._targets.to(torch.device("cpu"))[self._owner].objective(y)
            error = error.nan_to_num(nan=torch.inf)
        return Result(x, y, error)

    def _errors(self, x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Responses (M, Dy), and their errors (M,), on the designs' device."""
        y, error = self._simulator_errors(x.to(self._target.device), rows)
        return y.to(x.device), error.to(x.device)

    def _simulator_errors(self, x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Responses and errors, on the simulator's device."""
        owner = self._owner[rows]
        context = self._context and {name: value[owner] for name, value in self._context.items()}
        y = self._simulator(x, context, owner)
        if not self._exact:
            return y, self._violations(y, self._inside[owner])
        target = self._target[owner]
        error = (y - target).square().mean(dim=1)
        if bool(error.detach().sum().isfinite()):  # the rule: no row without a response
            return y, error
        # NaN must not come into the sum of errors, whose gradient would be NaN
        lost = ~y.detach().isfinite().all(dim=1)
        responses = torch.where(lost[:, None], target, y)
        error = mse_loss(responses, target, reduction="none").mean(dim=1)
        return y, torch.where(lost, torch.inf, error)

    def _violations(self, y: Tensor, targets: Targets) -> Tensor:
        """Errors (M,) of responses (M, Dy); inf where one that is wanted is not there."""
        good = y.detach().isfinite()
        error = targets.error(torch.where(good, y, 0.0))
        return torch.where((good | ~targets.wanted.to(y.device)).all(dim=1), error, torch.inf)
