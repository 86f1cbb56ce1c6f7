"""The wave-packet task: when a packet of waves arrives, from a noisy signal.

A packet that is moved by δ differs from itself by the mean square

    A²σ√π/T [1 + c - exp(-δ²/4σ²) (cos(2πfδ) + c)],  c = exp(-(2πfσ)²),

in a window of length T: a local minimum every period 1/f, if the packet is longer than that,
and a plain where the two do not meet. Who goes downhill finds the right minimum only from within
about half a period.
"""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from invcore.numerics import in_chunks
from invcore.plugin import Config, Field, Space, Task, Uniform, Variable
from invcore_physics.drawing import draw_signals

SAMPLES = 128
WINDOW = 10.0  # s
EARLIEST, LATEST = 2.0, 8.0  # s
LOWEST, HIGHEST = 0.75, 1.25  # Hz
_ROWS = 4096
_LARGEST, _FAR = 1e300, 1e6  # a design whose phase is a number; s, where no packet is seen any more


class Packet(NamedTuple):
    """What does not change: the height of the packet, and its width (standard deviation), s."""

    amplitude: float
    width: float


def sample_times() -> Tensor:
    """The 128 times of the samples, the middles of equal parts of [0, 10] s, float64."""
    return (torch.arange(SAMPLES, dtype=torch.float64) + 0.5) * (WINDOW / SAMPLES)


def packet_signal(arrival: Tensor, frequency: Tensor | float, packet: Packet) -> Tensor:
    """Compute the signal that a modulated Gaussian packet leaves.

    A exp(-(t - t0)²/2σ²) cos(2πf(t - t0)).

    Args:
        arrival: t0 (N,), s, float64.
        frequency: f (N,) or one for all, Hz.
        packet: A and σ.

    Returns:
        At ``sample_times`` (N, 128).

    Example:
        >>> arrival = sample_times()[[60]]
        >>> packet_signal(arrival, 1.0, Packet(2.0, 1.0))[0, 60]
        tensor(2., dtype=torch.float64)
    """
    late = sample_times().to(arrival.device) - arrival[:, None]
    wave = torch.as_tensor(frequency, dtype=torch.float64, device=arrival.device)
    phase = 2 * math.pi * wave.reshape(-1, 1) * late
    return packet.amplitude * torch.exp(-0.5 * (late / packet.width) ** 2) * torch.cos(phase)


class WavePacketConfig(Config):
    """The packet, the noise, and what is known of it."""

    frequency: Literal["fixed", "free"] = Field(
        "fixed",
        description="Whether the packet's frequency is known, or to be found beside its arrival.",
    )
    known_frequency: float = Field(
        1.0, gt=0, le=6.0, description="The frequency where it is fixed, Hz."
    )
    amplitude: float = Field(1.0, gt=0, description="Height of the packet.")
    width: float = Field(
        1.0, ge=1e-6, le=3.0, description="Standard deviation of the packet's envelope, s."
    )
    noise: float = Field(
        0.1, ge=0, description="Standard deviation of the noise on each sample of a target."
    )


class WavePacket(Task[WavePacketConfig]):
    """Wave packet: the time of arrival (and the frequency) to the signal at 128 times.

    Simulated in float64; the gradient is exact and counts as one call; every design up to 1e300 has
    a response. Targets are measured with white Gaussian noise, responses have none.

    References:
        Holl, Thuerey, 2024, https://arxiv.org/abs/2408.08119

    Example:
        >>> task = WavePacket()
        >>> y = task.simulate(torch.tensor([[5.0]]))
        >>> y.shape, round(float(y.max()), 3), round(task.noise_floor, 4)
        (torch.Size([1, 128]), 0.969, 0.01)
    """

    Config = WavePacketConfig
    responses = Space.of(
        *(
            Variable(name=f"s_{time:.3f}", description=f"signal at {time:.3f} s")
            for time in sample_times().tolist()
        )
    )
    differentiable = True
    reference = "bfgs"
    free_calls = True

    @cached_property
    def designs(self) -> Space:
        """The arrival, and the frequency if it is to be found."""
        arrival = Variable(
            name="arrival",
            prior=Uniform(low=EARLIEST, high=LATEST),
            unit="s",
            description="when the middle of the packet passes",
        )
        if self.config.frequency == "fixed":
            return Space.of(arrival)
        wave = Variable(
            name="frequency",
            prior=Uniform(low=LOWEST, high=HIGHEST),
            unit="Hz",
            description="of the wave within the packet",
        )
        return Space.of(arrival, wave)

    @property
    def noise_floor(self) -> float:
        """The variance of the noise."""
        return self.config.noise**2

    def simulate(self, x: Tensor, context: Mapping[str, Tensor] | None = None) -> Tensor:
        """Compute signals (N, 128) of designs (N, 1) or (N, 2), without noise.

        A design that is not finite, or beyond 1e300, has no response, and a gradient of zero.

        Raises:
            ShapeError: x has another number of columns.
        """
        self.designs.check(x)
        return in_chunks(self._signals, _ROWS, x)

    def _signals(self, x: Tensor) -> Tensor:
        finite = (x.detach().abs() <= _LARGEST).all(dim=1, keepdim=True)
        # Substitute before computing: a where() at the end alone would leave NaN in the gradients.
        wide = torch.where(finite, x, 0.0).to(torch.float64)
        own = self.config
        wave = own.known_frequency if own.frequency == "fixed" else wide[:, 1]
        signals = packet_signal(
            wide[:, 0].clamp(-_FAR, _FAR), wave, Packet(own.amplitude, own.width)
        )
        return torch.where(finite, signals, torch.nan).to(x.dtype)

    def observe(self, y: Tensor, generator: torch.Generator) -> Tensor:
        """Add white noise to signals (N, 128)."""
        noise = torch.randn(y.shape, generator=generator, dtype=torch.float64)
        return y + (self.config.noise * noise).to(y)

    def draw(
        self,
        axes: Any,
        target: Tensor,
        designs: Tensor,
        responses: Tensor,
        context: Mapping[str, Tensor] | None = None,
    ) -> bool:
        """Draw the wanted signal and those of the best five candidates."""
        return draw_signals(axes, sample_times(), target, responses)
