"""The networks of one training: one alone, or several of one architecture as one batch."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap


class Members:
    """Networks that are trained; quantities have one number for each.

    One alone stays as it is. The weights of several are stacked, and a batch of networks is
    computed at once.

    Args:
        networks: of one architecture; the first is the one that losses call.

    References:
        https://docs.pytorch.org/tutorials/intermediate/ensembling.html
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self._network, self._stacked = networks[0], dict[str, Tensor]()
        self.weights: list[Tensor] = [p for p in self._network.parameters() if p.requires_grad]
        """What the optimiser moves; of several networks, the members are the first dimension."""
        if len(networks) > 1:
            parameters, buffers = stack_module_state(list(networks))
            stored = self._network.state_dict()  # some buffers are not, and stay as they are
            self._stacked = {k: v for k, v in (parameters | buffers).items() if k in stored}
            self.weights = [p for _, p in sorted(parameters.items()) if p.requires_grad]
        self._checkpoint = {name: value.clone() for name, value in self._now().items()}

    def losses(self, loss: Callable[..., Tensor], *batch: Tensor) -> Tensor:
        """The loss (members,) of each one on its own batch, or where there is none, on the same.

        Args:
            loss: calls the first network, in whose place each member's tensors are put.
            batch: the members' parts (members, ...), with which the loss is called.
        """
        if not self._stacked:
            return loss(*(part[0] for part in batch))[None]
        holder = _Holder(self._network, loss)

        def one(tensors: dict[str, Tensor], *parts: Tensor) -> Tensor:
            state = {f"network.{name}": value for name, value in tensors.items()}
            result: Tensor = functional_call(holder, state, parts)
            return result

        return vmap(one, randomness="different")(self._stacked, *batch)

    def clip(self, norm: float) -> None:
        """Clip the norm of each member's gradient."""
        if not self._stacked:
            nn.utils.clip_grad_norm_(self.weights, norm)
            return
        gradients = [w.grad for w in self.weights if w.grad is not None]
        squares = [g.flatten(1).square().sum(1) for g in gradients]
        length = torch.stack(squares).sum(0).sqrt()
        share = (norm / (length + 1e-6)).clamp(max=1.0)
        for g in gradients:
            g.mul_(share.view(-1, *[1] * (g.ndim - 1)))

    def keep(self, better: Tensor) -> None:
        """Remember the weights of the members (members,) that are better than before."""
        rows = better.nonzero()[:, 0].to(self.weights[0].device)
        for name, value in self._now().items() if len(rows) else ():
            self._checkpoint[name][rows] = value[rows]

    def settle(self, networks: Sequence[nn.Module], first: int = 0) -> None:
        """Put what was remembered of each member, from the first one on, into a network."""
        for member, network in enumerate(networks, start=first):
            network.load_state_dict({k: v[member] for k, v in self._checkpoint.items()})

    def _now(self) -> dict[str, Tensor]:
        """All that is stored, with the members along the first dimension."""
        if self._stacked:
            return {name: value.detach() for name, value in self._stacked.items()}
        return {name: value[None] for name, value in self._network.state_dict().items()}


class _Holder(nn.Module):
    """A loss as the forward of a module that holds the network which the loss calls.

    So the network's tensors can be replaced while the loss runs, however it calls the network.
    """

    def __init__(self, network: nn.Module, loss: Callable[..., Tensor]) -> None:
        super().__init__()
        self.network, self._loss = network, loss

    def forward(self, *parts: Any) -> Tensor:
        return self._loss(*parts)
