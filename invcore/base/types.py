"""The vocabulary of shapes, used in every public docstring.

Letters: N pairs, B targets, K candidates per target, Dx design dimensions, Dy response dimensions,
L dimensions of the points that drive a method, F design features (categories are one-hot).
Beware: in simulation-based inference ``x`` is the observation; here ``x`` is the design.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from torch import Tensor

Designs: TypeAlias = Tensor
"""(N, Dx): what one can choose."""
Responses: TypeAlias = Tensor
"""(N, Dy): what the forward system gives."""
Points: TypeAlias = Tensor
"""(B, K, L): space-filling points in the open unit cube."""
Context: TypeAlias = Mapping[str, Tensor]
"""What is known of each problem beside its target; tensors with leading dimension B (or N)."""
Forward: TypeAlias = Callable[[Tensor], Tensor]
"""(N, F) -> (N, Dy): a forward model on scaled features."""

Files = Mapping[str, bytes]
"""What a model keeps beside its tensors, as the contents of files by their names."""
