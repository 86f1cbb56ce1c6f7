"""The error of candidates: how much their responses violate what is wanted."""

from torch import Tensor

from invcore.base.errors import ShapeError
from invcore.contracts.problem import Targets
from invcore.scoring.expected_best import _CHUNK


def squared_error(resimulated: Tensor, targets: Tensor) -> Tensor:
    """Mean over Dy of the squared difference.

    Args:
        resimulated: (B, K, Dy).
        targets: (B, Dy).

    Returns:
        (B, K), NaN where a response is missing.

    Raises:
        ShapeError: the shapes do not fit.

    Example:
        >>> import torch
        >>> squared_error(torch.tensor([[[1.0], [3.0]]]), torch.tensor([[1.0]]))
        tensor([[0., 4.]])
    """
    if resimulated.ndim != 3 or resimulated.shape[::2] != targets.shape:
        raise ShapeError(
            f"scoring: expected (B, K, Dy) and (B, Dy), got {tuple(resimulated.shape)} and "
            f"{tuple(targets.shape)}"
        )
    errors = resimulated.new_empty(resimulated.shape[:2])
    step = max(1, _CHUNK // max(1, resimulated.shape[1] * resimulated.shape[2]))
    for i in range(0, len(targets), step):
        rows = slice(i, i + step)
        errors[rows] = (resimulated[rows] - targets[rows, None]).square().mean(dim=2)
    return errors


def errors_of(resimulated: Tensor, targets: Targets) -> Tensor:
    """The errors of candidates: of exact targets ``squared_error``, else ``Targets.error``.

    Args:
        resimulated: (B, K, Dy).
        targets: B of them.

    Returns:
        (B, K), NaN where a response that is wanted, or has a goal, is missing.
    """
    if targets.exact:
        return squared_error(resimulated, targets.y)
    errors = resimulated.new_empty(resimulated.shape[:2])
    step = max(1, _CHUNK // max(1, resimulated.shape[1] * resimulated.shape[2]))
    for i in range(0, len(targets), step):
        rows = slice(i, i + step)
        part, y = targets[rows], resimulated[rows]
        lost = part.goals(y).isnan().any(dim=-1)
        errors[rows] = part.error(y).masked_fill(lost, float("nan"))
    return errors
