"""All that is the process's and a plugin can change: set as a run expects it, and put back."""

from __future__ import annotations

import decimal
import gc
import locale
import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

AS_IT_IS = object()
_TORCHS = ("TORCH", "TRITON_")


@dataclass(frozen=True)
class Setting:
    """One thing that belongs to the process.

    Args:
        name: for people.
        read: gives its value.
        write: sets it.
        usual: what the block begins with; unless said, with what it is.
        told: whether a change is worth a line.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    usual: Any = AS_IT_IS
    told: bool = True


def _flushes() -> bool:
    """Whether tiny numbers count as zero; PyTorch tells nobody."""
    return bool((torch.tensor(1e-310, dtype=torch.float64) * 1).item() == 0)


def _variables() -> dict[str, str]:
    """The environment, without what torch says there to itself when it imports its compiler."""
    return {k: v for k, v in os.environ.items() if not k.startswith(_TORCHS)}


def _environment(before: dict[str, str]) -> None:
    for name in _variables().keys() - before.keys():
        del os.environ[name]
    os.environ.update({k: v for k, v in before.items() if os.environ.get(k) != v})


def _folder(before: str | None) -> None:
    with suppress(OSError):  # it is not there any more
        if before is not None:
            os.chdir(before)


def _here() -> str | None:
    try:
        return os.getcwd()
    except OSError:
        return None


def _handlers() -> dict[int, Any]:
    if threading.current_thread() is not threading.main_thread():
        return {}
    numbers = set(signal.Signals) - {getattr(signal, n, None) for n in ("SIGKILL", "SIGSTOP")}
    return {number: signal.getsignal(number) for number in sorted(numbers)}


def _handle(before: dict[int, Any]) -> None:
    for number, handler in before.items():
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)
    if before and hasattr(signal, "setitimer") and signal.getsignal(signal.SIGALRM) in (
        signal.SIG_DFL, signal.SIG_IGN,
    ):  # fmt: skip
        signal.setitimer(signal.ITIMER_REAL, 0.0)  # an alarm with nobody to take it


def _torch_draws() -> tuple[Any, ...]:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    return (torch.get_rng_state().numpy().tobytes(), *(s.numpy().tobytes() for s in cuda))


def _draw_again(before: tuple[Any, ...]) -> None:
    states = [torch.frombuffer(bytearray(part), dtype=torch.uint8) for part in before]
    torch.set_rng_state(states[0])
    for device, state in enumerate(states[1:]):
        torch.cuda.set_rng_state(state, device)


def _numpy_draws() -> tuple[Any, ...]:
    kind, keys, *rest = np.random.get_state(legacy=True)
    return (kind, np.asarray(keys).tobytes(), *rest)


def _numpy_draw_again(before: tuple[Any, ...]) -> None:
    kind, keys, *rest = before
    np.random.set_state((kind, np.frombuffer(keys, dtype=np.uint32), *rest))


def _deterministic(before: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(before[0], warn_only=before[1])


def _cudnn(before: tuple[bool, bool]) -> None:
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = before


def _speak(before: str) -> None:
    locale.setlocale(locale.LC_ALL, before)


def _path(before: list[str]) -> None:
    sys.path[:] = before


def _decimal() -> decimal.Context:
    return decimal.getcontext().copy()


SETTINGS = (
    Setting(
        "torch's default dtype", torch.get_default_dtype, torch.set_default_dtype, torch.float32
    ),
    Setting(
        "torch's default device", torch.get_default_device,
        lambda d: torch.set_default_device(None if d == torch.device("cpu") else d),
        torch.device("cpu"),
    ),
    Setting("torch's number of threads", torch.get_num_threads, torch.set_num_threads),
    Setting("torch's gradient mode", torch.is_grad_enabled, torch.set_grad_enabled, True),
    Setting(
        "torch's anomaly detection", torch.is_anomaly_enabled,
        lambda on: torch.autograd.set_detect_anomaly(on), False,
    ),
    Setting(
        "torch's deterministic algorithms",
        lambda: (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        ),
        _deterministic, (False, False),
    ),
    Setting(
        "torch's precision of products", torch.get_float32_matmul_precision,
        torch.set_float32_matmul_precision, "highest",
    ),
    Setting("torch's treatment of tiny numbers", _flushes, torch.set_flush_denormal, False),
    Setting(
        "cuDNN's settings",
        lambda: (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark),
        _cudnn,
        (False, False),
    ),
    Setting("torch's global generator", _torch_draws, _draw_again, told=False),
    Setting("NumPy's global generator", _numpy_draws, _numpy_draw_again, told=False),
    Setting("Python's global generator", random.getstate, random.setstate, told=False),
    Setting("NumPy's treatment of errors", np.geterr, lambda v: np.seterr(**v)),
    Setting("the working directory", _here, _folder),
    Setting("the environment", _variables, _environment),
    Setting("signal handlers", _handlers, _handle),
    Setting("the locale", partial(locale.setlocale, locale.LC_ALL), _speak),
    Setting("the module path", lambda: list(sys.path), _path),
    Setting("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    Setting("the garbage collector", gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
    Setting("the decimal context", _decimal, decimal.setcontext, told=False),
    Setting("the trace function", sys.gettrace, sys.settrace),
)  # fmt: skip
