"""The networks of one training: one alone, or several of one architecture as one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap


class Members(Protocol):
    """Networks that are trained; quantities have one number for each."""

    weights: list[Tensor]
    """What the optimiser moves."""

    def losses(self, loss: Callable[..., Tensor], *batch: Tensor) -> Tensor:
        """The loss of each member on its own batch, whose first dimension is the members'."""
        ...

    def values(self, loss: Callable[[], Tensor]) -> Tensor:
        """A loss of each member on the same data."""
        ...

    def clip(self, norm: float) -> None:
        """Clip the norm of each member's gradient."""
        ...

    def keep(self, better: Tensor) -> None:
        """Remember the weights of those members (members,) that are better than before."""
        ...

    def settle(self, best: int) -> None:
        """Put what was remembered of one member into the network."""
        ...

    def settle_all(self, networks: Sequence[nn.Module]) -> None:
        """Put what was remembered of each member into a network of its own."""
        ...


class Alone:
    """One network, as it is.

    Args:
        network: to be trained.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self.weights: list[Tensor] = [p for p in network.parameters() if p.requires_grad]
        self._kept = self._state()

    def losses(self, loss: Callable[..., Tensor], *batch: Tensor) -> Tensor:
        """The loss (1,) on its batch."""
        return loss(*(part[0] for part in batch))[None]

    def values(self, loss: Callable[[], Tensor]) -> Tensor:
        """A loss (1,)."""
        return loss()[None]

    def clip(self, norm: float) -> None:
        """Clip the gradient's norm."""
        nn.utils.clip_grad_norm_(self.weights, norm)

    def keep(self, better: Tensor) -> None:
        """Remember the weights, if they are better than before."""
        if bool(better[0]):
            self._kept = self._state()

    def settle(self, best: int) -> None:
        """Put what was remembered into the network."""
        self._network.load_state_dict(self._kept)

    def settle_all(self, networks: Sequence[nn.Module]) -> None:
        """Put what was remembered into the network."""
        networks[0].load_state_dict(self._kept)

    def _state(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self._network.state_dict().items()}


class Together:
    """Several networks of one architecture: their weights are stacked, and a batch of networks
    is computed at once.

    Args:
        networks: of one architecture; the first is the one that losses call, and that gets the
            best weights in the end.

    References:
        https://docs.pytorch.org/tutorials/intermediate/ensembling.html
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self._network = networks[0]
        trained = {name for name, p in self._network.named_parameters() if p.requires_grad}
        states = [network.state_dict(keep_vars=True) for network in networks]
        self._tensors = {
            name: torch.stack([state[name].detach() for state in states]) for name in states[0]
        }
        self.weights = [self._tensors[name].requires_grad_() for name in sorted(trained)]
        self._kept = self._state()

    def losses(self, loss: Callable[..., Tensor], *batch: Tensor) -> Tensor:
        """The loss of each member on its own batch: (members,)."""
        return self._call(loss, *batch)

    def values(self, loss: Callable[[], Tensor]) -> Tensor:
        """A loss of each member on the same data: (members,)."""
        return self._call(loss)

    def clip(self, norm: float) -> None:
        """Clip the norm of each member's gradient."""
        gradients = [w.grad for w in self.weights if w.grad is not None]
        squares = [g.flatten(1).square().sum(1) for g in gradients]
        length = torch.stack(squares).sum(0).sqrt()
        share = (norm / (length + 1e-6)).clamp(max=1.0)
        for g in gradients:
            g.mul_(share.view(-1, *[1] * (g.ndim - 1)))

    def keep(self, better: Tensor) -> None:
        """Remember the weights of the members (members,) that are better than before."""
        for name, kept in self._kept.items():
            now = self._tensors[name].detach()
            kept[better] = now[better.to(now.device)]

    def settle(self, best: int) -> None:
        """Put what was remembered of one member into the network."""
        self.settle_all([self._network], first=best)

    def settle_all(self, networks: Sequence[nn.Module], first: int = 0) -> None:
        """Put what was remembered of each member, from the first one on, into a network."""
        for member, network in enumerate(networks, start=first):
            network.load_state_dict({name: kept[member] for name, kept in self._kept.items()})

    def _state(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self._tensors.items()}

    def _call(self, loss: Callable[..., Tensor], *batch: Tensor) -> Tensor:
        """Call a loss with each member's tensors in the network's place."""
        holder = _Holder(self._network, loss)

        def one(tensors: dict[str, Tensor], *parts: Tensor) -> Tensor:
            state = {f"network.{name}": value for name, value in tensors.items()}
            result: Tensor = functional_call(holder, state, parts)
            return result

        return vmap(one, randomness="different")(self._tensors, *batch)


class _Holder(nn.Module):
    """A loss as the forward of a module that holds the network which the loss calls.

    So the network's tensors can be replaced while the loss runs, however it calls the network.
    """

    def __init__(self, network: nn.Module, loss: Callable[..., Tensor]) -> None:
        super().__init__()
        self.network, self._loss = network, loss

    def forward(self, *parts: Any) -> Tensor:
        return self._loss(*parts)
