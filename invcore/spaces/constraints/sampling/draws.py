"""Draws of a group, and the map from the unit cube to it."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from invcore.spaces.constraints.groups import Group
from invcore.spaces.constraints.kinds import Cardinality
from invcore.spaces.constraints.nearest.listing import combinations_of
from invcore.spaces.constraints.sampling.chain import Chain
from invcore.spaces.constraints.sampling.density import log_density
from invcore.spaces.constraints.sampling.proposals import Proposals
from invcore.spaces.constraints.sampling.transport import MadeUp, Transport

_STORED = 1024  # designs that the unit cube is mapped by


class Draws:
    """Designs of a group, as often as the prior has them, given that the constraints hold.

    Where all combinations of steps can be listed, they are drawn from the list. Where one in a
    hundred proposals is kept, draws are independent (``Proposals``). Else they are ends of random
    walks (``Chain``).

    Args:
        group: whose.
    """

    def __init__(self, group: Group) -> None:
        self.group = group

    @cached_property
    def listed(self) -> Tensor | None:
        """All allowed combinations (C, g), where they can be listed."""
        rows = combinations_of(self.group)
        return rows if rows is not None and len(rows) else None

    @cached_property
    def exact(self) -> bool:
        """Whether draws are independent and of the very density."""
        return self.listed is not None or self._proposals.works

    @cached_property
    def _proposals(self) -> Proposals:
        return Proposals(self.group)

    @cached_property
    def _chain(self) -> Chain:
        return Chain(self.group)

    def draw(self, count: int, random: np.random.Generator) -> Tensor:
        """(count, g), float64."""
        if self.listed is not None:
            weights = log_density(self.group.variables, self.listed).softmax(0).numpy()
            chosen = random.choice(len(weights), size=count, p=weights / weights.sum())
            return self.listed[torch.from_numpy(chosen)]
        source = self._proposals if self._proposals.works else self._chain
        return source.draw(count, random)

    @cached_property
    def stored(self) -> Tensor:
        """Designs (S, g) that are always the same."""
        return self.draw(_STORED, np.random.default_rng(0))

    @cached_property
    def transport(self) -> Transport:
        """From the unit cube to designs near what is allowed."""
        group, layout = self.group, self.group.layout
        supports = any(isinstance(c, Cardinality) for c in group.constraints)
        usable = ~group.stepped & torch.tensor(not supports)  # zeros are not made up
        made_up = MadeUp.of(layout.matrix, layout.value, usable, layout.width)
        return Transport(self.stored, group.stepped, layout.width, made_up)
