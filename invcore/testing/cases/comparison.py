"""Witnesses: what code did to tensors, to global generators, and with a seed."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from invcore.base.seeding import isolated
from invcore.contracts.environment import FitEnvironment
from invcore.spaces.space import Space
from invcore.testing.check import require


@contextmanager
def unchanged(what: str, **tensors: Tensor | None) -> Iterator[None]:
    """The block, which is called ``what``, must not write into these tensors; None is no tensor."""
    arguments = {name: t for name, t in tensors.items() if t is not None}
    before = {name: t.detach().clone() for name, t in arguments.items()}
    yield
    for name, now in arguments.items():
        require(same(before[name], now), f"{what} writes into {name}, which belongs to the caller")


def same(a: Tensor, b: Tensor) -> bool:
    """Bit-equal, NaN being equal to NaN."""
    return (
        a.shape == b.shape
        and a.dtype == b.dtype
        and torch.equal(a.nan_to_num(nan=0.125), b.nan_to_num(nan=0.125))
        and torch.equal(a.isnan(), b.isnan())
    )


@contextmanager
def untouched_generators(what: str) -> Iterator[None]:
    """The block must leave the global generators (torch, NumPy, random) as they were."""
    with isolated(20240229):  # not where a plugin's own seed would have left them
        before = _states()
        yield
        after = _states()
    moved = [name for name in before if before[name] != after[name]]
    require(
        not moved,
        f"{what} changes the global generator of {' and '.join(moved)}: draw from the generator "
        "that is passed, or wrap the code in invcore.plugin.isolated(seed)",
    )


def _states() -> dict[str, Any]:
    _, keys, *rest = np.random.get_state()
    states: dict[str, Any] = {
        "torch": torch.get_rng_state().tolist(),
        "numpy": [np.asarray(keys).tolist(), *rest],
        "random": random.getstate(),
    }
    if torch.cuda.is_available():
        states["torch.cuda"] = [state.tolist() for state in torch.cuda.get_rng_state_all()]
    return states


class WatchedEnvironment(FitEnvironment):
    """An environment that notices whether its seeds were asked for."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.requests: list[str] = []

    def generator(self, *names: object) -> torch.Generator:
        """As always, and noticed."""
        self.requests.append("generator")
        return super().generator(*names)

    def derive(self, *names: object) -> int:
        """As always, and noticed."""
        self.requests.append("derive")
        return super().derive(*names)


class RandomOps(TorchDispatchMode):
    """Notices torch operations that draw random numbers, whatever generator they use."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if torch.Tag.nondeterministic_seeded in func.tags:
            self.names.add(str(func))
        return func(*args, **(kwargs or {}))


def same_sets(space: Space, a: Tensor, b: Tensor, message: str) -> None:
    """Nearly all candidates of each target must be in both answers, in whatever order.

    float32 sums depend on the batch, and a search from a start on a watershed may end elsewhere:
    a tenth of the candidates may differ. The space of designs is bounded on all sides.
    """
    require(a.shape == b.shape, f"{message}: shapes {tuple(a.shape)} and {tuple(b.shape)}")
    scale = space.high - space.low
    far = torch.cdist(a.double() / scale, b.double() / scale, p=torch.inf)  # (B, K, K)
    near = [far.amin(dim=dim) < 1e-3 for dim in (1, 2)]
    share = min(float(part.double().mean()) for part in near)
    require(share >= 0.9, f"{message}: {1 - share:.0%} of the candidates are others")


def same_mappings(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> list[str]:
    """The names whose tensors differ, or that only one of both has."""
    names = sorted({*a, *b})
    return [n for n in names if n not in a or n not in b or not same(a[n], b[n])]
