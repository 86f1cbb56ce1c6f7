"""What follows from designs and responses, by expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from invcore.plugin import DerivedResponse, Space, Variable, derived_responses, with_derived


@dataclass(frozen=True)
class Followers:
    """Derived responses of a table.

    Args:
        derived: each may use those before it.
        designs: space of the designs, constant columns behind them.
        responses: names of the table's own responses.
        constants: values of these columns (C,).
    """

    derived: tuple[DerivedResponse, ...]
    designs: Space
    responses: tuple[str, ...]
    constants: Tensor

    @classmethod
    def of(
        cls, texts: Sequence[str], designs: Space, responses: Sequence[str],
        constants: Mapping[str, float | str],
    ) -> Followers:  # fmt: skip
        """From texts such as ``cost = 0.1*cement + 2``.

        Raises:
            ConfigError: a text is none, or its name is taken.
            UnknownNameError: an expression has a name that nothing has.
        """
        numbers = {
            name: float(value) for name, value in constants.items()
            if not isinstance(value, str) and name not in designs.names
        }  # fmt: skip
        every = Space.of(*designs.variables, *(Variable(name=name) for name in numbers))
        derived = derived_responses(texts, every.names, responses)
        values = torch.tensor([*numbers.values()], dtype=torch.float64)
        return cls(derived, every, tuple(responses), values)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the derived responses."""
        return tuple(each.name for each in self.derived)

    def values(self, x: Tensor, y: Tensor) -> Tensor:
        """Derived responses (…, D') of designs (…, Dx) and responses (…, Dy)."""
        constants = self.constants.to(x).expand(*x.shape[:-1], len(self.constants))
        every = torch.cat([x, constants], dim=-1)
        own = with_derived(self.derived, self.designs, every, self.responses, y)
        return own[..., y.shape[-1] :]

    def slopes(self, x: Tensor, y: Tensor) -> Tensor:
        """Derivatives (N, D', Dy) of derived responses by the responses; zero where there is none.

        Args:
            x: (N, Dx).
            y: (N, Dy).
        """
        result = y.new_zeros(len(y), len(self.derived), y.shape[1])
        leaf = y.detach().clone().requires_grad_()
        with torch.enable_grad():
            values = self.values(x, leaf)
            for i in range(values.shape[1]):
                if not values.requires_grad:
                    break
                (slope,) = torch.autograd.grad(
                    values[:, i].nansum(), leaf, retain_graph=True, allow_unused=True
                )
                if slope is not None:
                    result[:, i] = slope.nan_to_num(0.0, 0.0, 0.0)
        return result
