"""How a forward model on scaled features changes with the designs themselves."""

import torch
from torch import Tensor

from invcore.base.types import Context, Forward
from invcore.data.pairs import rows_of
from invcore.data.scaling import Scaling
from invcore.numerics.row_jacobian import row_jacobian

_ROWS = 4096  # that a network sees at once


def design_gradient(
    forward: Forward, scaling: Scaling, x: Tensor, context: Context | None, device: torch.device
) -> Tensor:
    """The slopes of a forward model's responses, in their own units by designs in theirs.

    Args:
        forward: on scaled features and context features, (N, F + C) to (N, Dy).
        scaling: of what it sees and gives.
        x: designs (N, Dx).
        context: what is known of each one's problem, where the training pairs had such.
        device: of the model.

    Returns:
        (N, Dy, Dx), float64, where x is; 0 for categories.

    Example:
        >>> from invcore.plugin import Pairs, Space, Uniform, Variable
        >>> space = Space.of(Variable(name="x", prior=Uniform(low=0.0, high=4.0)))
        >>> x = torch.linspace(0, 4, 9)[:, None]
        >>> scaling = Scaling.fit(space, Pairs(x, 3 * x))
        >>> design_gradient(lambda x: x, scaling, x[:1], None, x.device).round(decimals=4)
        tensor([[[3.]]], dtype=torch.float64)
    """
    parts = []
    for begin in range(0, max(1, len(x)), _ROWS):
        rows = slice(begin, begin + _ROWS)
        designs = x[rows].double()
        columns = scaling.context_features(rows_of(context, rows), len(designs)).to(device)

        def responses(designs: Tensor, columns: Tensor = columns) -> Tensor:
            inputs = torch.cat([scaling.encode(designs).to(device), columns], dim=1)
            return scaling.y.inverse(forward(inputs).double())

        parts.append(row_jacobian(responses, designs).to(x.device))
    return torch.cat(parts)
