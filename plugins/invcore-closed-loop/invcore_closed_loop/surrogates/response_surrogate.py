"""What the loop expects of designs: a process over the components of warped responses."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from invcore_closed_loop.arrays import Array, Places
from invcore_closed_loop.problem.coordinates import Coordinates
from invcore_closed_loop.surrogates.components import Components
from invcore_closed_loop.surrogates.network import Network
from invcore_closed_loop.surrogates.process import KERNELS, Limits, Process, tuned, usual_length
from invcore_closed_loop.surrogates.warp import Warp

_TUNING_ROWS = 400  # by which lengths are found
_RETUNE, _ALWAYS, _AT_LATEST = 1.1, 40, 40  # growth, rows up to which, and rows after which
_CORRECTION = 2  # the place of the tuning of what a network leaves
_UNLIKELY = 8.0  # a row that is less likely than the median by so much counts no more
_SEVERAL = 60  # rows up to which the search for lengths begins anew as well


@dataclass
class KernelTuning:
    """What is kept of one fit for the next.

    Args:
        parameters: (2, F + 1), the best ones of each kernel; None: not found yet.
        kernel: the likelier one, by its place.
        rows: at how many they were found.
    """

    parameters: Array | None = None
    kernel: int = 0
    rows: int = 0


@dataclass
class Tuning:
    """The same, of plain responses, of squeezed ones, and of what a network leaves.

    Args:
        of: all three.
        warped: whether squeezed ones were the better.
    """

    of: tuple[KernelTuning, ...] = field(
        default_factory=lambda: (KernelTuning(), KernelTuning(), KernelTuning())
    )
    warped: bool = False

    def state(self) -> dict[str, Tensor]:
        """All of it."""
        facts = [int(self.warped), *(n for one in self.of for n in (one.kernel, one.rows))]
        state = {"facts": torch.tensor(facts)}
        for place, one in enumerate(self.of):
            if one.parameters is not None:
                state[f"parameters-{place}"] = torch.from_numpy(one.parameters.copy())
        return state

    @classmethod
    def restored(cls, state: dict[str, Tensor], prefix: str) -> Tuning:
        """What ``state`` came from."""
        warped, *facts = (int(value) for value in state[f"{prefix}facts"])
        every = []
        for place in range(len(facts) // 2):
            parameters = state.get(f"{prefix}parameters-{place}")
            own = None if parameters is None else parameters.numpy().copy()
            every.append(KernelTuning(own, *facts[2 * place : 2 * place + 2]))
        return cls(tuple(every), bool(warped))


@dataclass(frozen=True)
class _Fitted:
    parts: tuple[Warp, Components, Process]

    def left_out_density(self, y: Array) -> float:
        """Mean logarithm of the density of each row's responses (N, Dy), given all other rows."""
        warp, components, process = self.parts
        errors, share = process.left_out()
        basis = components.basis
        away = errors @ basis.T
        variance = np.outer(share, np.square(basis) @ process.variance)
        variance += 1e-12 * variance.mean() + 1e-300
        density = -0.5 * (np.square(away) / variance + np.log(variance)) + np.log(warp.slope(y))
        return float(np.maximum(density, np.median(density) - _UNLIKELY).mean())


class ResponseSurrogate:
    """A process that is fitted to rows, as the loop sees it: coordinates in, components out.

    Where responses have heavy tails there are two, of squeezed responses and of plain ones; the one
    stays that says more of each row when it is left out.

    Args:
        coordinates: of the designs.
        u: (N, D), coordinates of the rows.
        context: (N, C), what is known of each row's problem.
        y: (N, Dy), responses.
        tuning: of the last fit; is changed.
        random: draws rows by which lengths are found.
        limits: of the lengths and the noise.
        unit: (Dy,), in which responses count alike; None: they are of one kind.
        tune: whether lengths may be found anew, and whether responses are squeezed.
        network: whose errors the process corrects; None: the process stands alone.
    """

    def __init__(
        self, coordinates: Coordinates, u: Array, context: Array, y: Array, tuning: Tuning,
        random: np.random.Generator, limits: Limits | None = None, *, unit: Array | None = None,
        tune: bool = True, network: Network | None = None,
    ) -> None:  # fmt: skip
        self.coordinates, self.network = coordinates, network
        x = np.concatenate([coordinates.features(u), context], axis=1)
        groups = np.r_[
            coordinates.groups, coordinates.groups.max() + 1 + np.arange(context.shape[1])
        ]
        if network is not None:
            left = network.components(network.warp(y)) - network.mean(x)
            own = tuning.of[_CORRECTION]
            process = _process(x, left, groups, own, random, limits or Limits(), tune)
            self.warp, self.components, self.process = network.warp, network.components, process
            return
        warp, plain = Warp.of(y), Warp.none(y.shape[1])
        if warp.plain:
            forms = [plain]
        elif tune:
            forms = [plain, warp]
        else:
            forms = [warp if tuning.warped else plain]
        found = [
            _fitted(form, x, y, unit, groups, tuning, random, limits or Limits(), tune)
            for form in forms
        ]
        place = 0
        if len(found) > 1:
            place = int(np.argmax([each.left_out_density(y) for each in found]))
            tuning.warped = bool(place)
        self.warp, self.components, self.process = found[place].parts

    def _features(self, u: Array, context: Array) -> Array:
        return np.concatenate([self.coordinates.features(u), context], axis=1)

    def mean(self, u: Array, context: Array) -> Array:
        """Components (M, K) that are expected at coordinates (M, D)."""
        x = self._features(u, context)
        mean = self.process.mean(x)
        return mean if self.network is None else mean + self.network.mean(x)

    def mean_and_slopes(self, u: Array, context: Array) -> tuple[Array, Array]:
        """Components (M, K), and their slopes (M, K, D) by the coordinates."""
        x = self._features(u, context)
        z, slopes = self.process.mean_and_slopes(x)
        if self.network is not None:
            more, steeper = self.network.mean_and_slopes(x)
            z, slopes = z + more, slopes + steeper
        own = slopes[..., : len(self.coordinates.owner)]
        return z, self.coordinates.slopes(u, own)

    def deviation(self, u: Array, context: Array) -> Array:
        """Standard deviations (M, K) of the components."""
        doubt = self.process.doubt(self._features(u, context))
        return np.sqrt(np.outer(doubt, self.process.variance))

    @property
    def noise(self) -> Array:
        """Variance of the measurements of each response (Dy,), as it is found."""
        share = np.exp(self.process.parameters[-1])
        inside: Array = np.square(self.components.basis) @ (share * self.process.variance)
        return inside

    def responses(self, u: Array, context: Array) -> Array:
        """Responses (M, Dy) that are expected, as they are measured."""
        return self.warp.back(self.components.responses(self.mean(u, context)))

    def response_slopes(self, u: Array, context: Array, y: Array) -> Array:
        """Slopes (M, Dy, D) of the responses, where these are y (M, Dy)."""
        slopes = self.components.basis @ self.mean_and_slopes(u, context)[1]
        result: Array = slopes / self.warp.slope(y)[..., None]
        return result


def _fitted(
    warp: Warp, x: Array, y: Array, unit: Array | None, groups: Places, tuning: Tuning,
    random: np.random.Generator, limits: Limits, tune: bool,
) -> _Fitted:  # fmt: skip
    """A process of responses in one form."""
    warped = warp(y)
    components = Components.of(warped, unit)
    z = components(warped)
    own = tuning.of[0 if warp.plain else 1]
    process = _process(x, z, groups, own, random, limits, tune)
    return _Fitted((warp, components, process))


def _process(
    x: Array, z: Array, groups: Places, own: KernelTuning, random: np.random.Generator,
    limits: Limits, tune: bool,
) -> Process:  # fmt: skip
    """A process of components, its lengths found anew where that is due."""
    if own.parameters is None or (tune and _due(own, len(x))):
        _tune(own, x, z, groups, random, limits)
    assert own.parameters is not None
    return Process(KERNELS[own.kernel], x, z, own.parameters[own.kernel], groups)


def _due(tuning: KernelTuning, rows: int) -> bool:
    """Whether lengths are to be found again."""
    if tuning.parameters is None or tuning.rows <= _ALWAYS:
        return True
    return rows >= _RETUNE * tuning.rows or rows - tuning.rows >= _AT_LATEST


def _tune(
    tuning: KernelTuning,
    x: Array,
    z: Array,
    groups: Places,
    random: np.random.Generator,
    limits: Limits,
) -> None:
    count = len(x)
    if count > _TUNING_ROWS:
        some = random.choice(count, _TUNING_ROWS, replace=False)
        x, z = x[some], z[some]
    lengths = int(groups.max()) + 1
    usual = np.r_[np.full(lengths, usual_length(lengths)), np.log(1e-7)]
    ends = []
    for place, kernel in enumerate(KERNELS):
        if kernel not in limits.kernels:
            ends.append((np.inf, usual))
            continue
        starts = [usual if tuning.parameters is None else tuning.parameters[place]]
        if tuning.parameters is not None and place == 0 and count < _SEVERAL:
            starts.append(usual)
        ends.append(tuned(kernel, x, z, starts, limits, groups=groups))
    tuning.parameters = np.stack([end[1] for end in ends])
    tuning.kernel = int(np.argmin([end[0] for end in ends]))
    tuning.rows = count
