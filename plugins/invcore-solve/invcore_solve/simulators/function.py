"""A Python function as a simulator: of tensors, with or without a gradient, or of arrays."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from invcore.plugin import SimulatorError, one_line, time_limit
from invcore_solve.simulators.outcomes import Outcome, whole_rows

Array = npt.NDArray[np.float64]
Kind = Literal["auto", "torch", "numpy"]

COSTLY = 0.1
"""Seconds; what a function gives sooner is as soon computed again as read."""


@dataclass(frozen=True)
class Trial:
    """What a try has shown of a simulator.

    Args:
        kind: whether it takes tensors or arrays, or is a program.
        dim: Dy.
        gradient: whether its output carries a gradient.
        why: why it has none; empty if it has.
    """

    kind: Literal["torch", "numpy", "program"]
    dim: int
    gradient: bool
    why: str = ""


class Function:
    """A function of designs (N, Dx) that gives responses (N, Dy), or (N,) where Dy is 1.

    It is called with float64 on the CPU, with a copy that it may write into. What it prints is
    its own affair.

    Args:
        call: the function.
        name: for messages.
        kind: what it takes, tensors or arrays; ``auto`` finds that by a try.
        limit: seconds that a call may take; None for no limit.
    """

    def __init__(
        self, call: Callable[[Any], Any], name: str, kind: Kind = "auto", limit: float | None = None
    ) -> None:
        self._call, self.name, self.kind, self._limit = call, name, kind, limit

    def trial(self, x: Tensor, dim: int | None) -> Trial:
        """Try the function on a few designs.

        Args:
            x: (N, Dx), float64.
            dim: how many responses there should be; None if that is to be found.

        Raises:
            SimulatorError: it raises, hangs, gives no responses, or other numbers for tensors than
                for arrays.
        """
        if self.kind == "numpy":
            return self._trial("numpy", self.arrays(x, dim), False, "it takes NumPy arrays")
        leaf = x.clone().requires_grad_()
        try:
            raw = self._run(leaf.clone())
        except SimulatorError as error:
            if self.kind == "torch" or error.__cause__ is None:
                raise
            return self._arrays_instead(x, dim, error)
        if not isinstance(raw, Tensor):
            if self.kind == "torch":
                raise SimulatorError(f"simulator {self.name} gave {_kind(raw)} for a tensor")
            return self._trial("numpy", self.arrays(x, dim), False, "it gives no tensor")
        y = self._checked(raw, len(x), dim)
        if self.kind == "auto":
            self._compare(x, y.detach())
        gradient = self._gradient(y, leaf)
        return self._trial("torch", y, gradient, "" if gradient else "its output carries none")

    def arrays(self, x: Tensor, dim: int | None) -> Tensor:
        """Responses (N, Dy), float64, of a function of arrays."""
        with torch.no_grad():  # which may compute with tensors within
            return self._checked(self._run(x.detach().numpy().copy()), len(x), dim)

    def tensors(self, x: Tensor, dim: int) -> Tensor:
        """Responses (N, Dy), float64, of a function of tensors; a gradient flows through."""
        return self._checked(self._run(x.clone()), len(x), dim)

    def _run(self, x: Any) -> Any:
        limit = self._limit
        late = f"simulator {self.name} took longer than its time limit of {limit or 0:g} s a batch"
        try:
            with time_limit(limit, SimulatorError(late)):
                return self._call(x)
        except SimulatorError:
            raise
        except (Exception, SystemExit) as error:  # whatever a user's code may raise
            raise SimulatorError(
                f"simulator {self.name} raised {one_line(error, 200)} "
                f"(given designs of shape {tuple(x.shape)})"
            ) from error

    def _checked(self, raw: Any, rows: int, dim: int | None) -> Tensor:
        """What a function gave, as float64 (N, Dy)."""
        where = f"simulator {self.name} gave"
        if not isinstance(raw, Tensor):
            try:
                array = _unmasked(raw)
            except (ValueError, TypeError, RuntimeError):  # no numbers, or ragged
                array = np.empty(0, dtype=object)
            if array.dtype.kind not in "iuf":
                kind = _kind(raw) if array.dtype == object else f"numbers of type {array.dtype}"
                raise SimulatorError(f"{where} {kind}, expected real numbers, (N, Dy)")
            raw = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float64))
        elif raw.is_complex() or raw.dtype == torch.bool:
            kind = str(raw.dtype).removeprefix("torch.")
            raise SimulatorError(f"{where} numbers of type {kind}, expected real ones")
        elif raw.device.type == "meta":
            raise SimulatorError(f"{where} a tensor on the device 'meta', which has no values")
        elif raw.layout != torch.strided:
            raw = raw.to_dense()
        y: Tensor = raw[:, None] if raw.ndim == 1 else raw
        wide = "Dy" if dim is None else dim
        if y.ndim != 2 or len(y) != rows or (y.shape[1] != dim if dim else y.shape[1] == 0):
            raise SimulatorError(
                f"{where} shape {tuple(raw.shape)} for {rows} designs, expected ({rows}, {wide})"
            )
        return y.to("cpu", torch.float64)

    def _arrays_instead(self, x: Tensor, dim: int | None, refused: SimulatorError) -> Trial:
        """A function that raised when it was given a tensor."""
        try:
            y = self.arrays(x, dim)
        except SimulatorError as error:
            first, second = refused.__cause__, error.__cause__
            if first is None or second is None or str(first) == str(second):
                raise
            raise SimulatorError(
                f"simulator {self.name} raised {one_line(second, 200)} for a NumPy array, and "
                f"{one_line(first, 200)} for a tensor (given designs of shape {tuple(x.shape)})"
            ) from error
        return self._trial("numpy", y, False, "it takes NumPy arrays")

    def _compare(self, x: Tensor, y: Tensor) -> None:
        """Refuse a function that means another thing by a tensor's methods than by an array's.

        ``x.std(axis=1)`` is one: torch divides by N - 1, NumPy by N.
        """
        try:
            other = self.arrays(x, y.shape[1])
        except SimulatorError:
            return  # it takes tensors alone
        if not torch.allclose(y, other, rtol=1e-4, atol=1e-12, equal_nan=True):
            raise SimulatorError(
                f"simulator {self.name} gave other numbers for tensors than for NumPy arrays: say "
                'kind = "torch" or "numpy", in a .toml file; or is it random? it must not be'
            )

    def _gradient(self, y: Tensor, leaf: Tensor) -> bool:
        if not y.requires_grad:
            return False
        try:
            (slope,) = torch.autograd.grad(y.sum(), leaf, allow_unused=True)
        except RuntimeError:
            return False
        return slope is not None

    @staticmethod
    def _trial(kind: Literal["torch", "numpy"], y: Tensor, gradient: bool, why: str) -> Trial:
        return Trial(kind, y.shape[1], gradient, why)


def computed(
    function: Function, arrays: bool, x: Array, dim: int, keep: Callable[[Array, Array], None]
) -> Outcome:
    """What a function gives for a batch (N, Dx); what took a tenth of a second is kept."""
    start = time.perf_counter()
    with torch.no_grad():
        call = function.arrays if arrays else function.tensors
        y = whole_rows(call(torch.from_numpy(x), dim).numpy())
    if time.perf_counter() - start >= COSTLY:
        keep(x, y)
    return Outcome(y)


def _unmasked(raw: Any) -> np.ndarray[Any, Any]:
    """What a function of arrays gave as an array; what is masked is missing, NaN."""
    if isinstance(raw, list | tuple):
        raw = [_unmasked(row) if isinstance(row, np.ma.MaskedArray) else row for row in raw]
    array = np.asarray(raw)
    if not bool(np.ma.is_masked(raw)) or array.dtype.kind not in "iuf":
        return array
    return np.asarray(raw.astype(np.float64).filled(np.nan))


def _kind(value: Any) -> str:
    """What a value is, in words."""
    return "None" if value is None else f"a value of type {type(value).__name__}"
