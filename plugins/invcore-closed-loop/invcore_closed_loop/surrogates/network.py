"""A network that a process corrects: where there are many rows, and responses are intricate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from invcore.learning import MLP, LossBatch, TrainingConfig, seeded_network, train
from invcore.plugin import DivergedError, FitEnvironment, Pairs
from invcore_closed_loop.arrays import Array
from invcore_closed_loop.surrogates.components import Components
from invcore_closed_loop.surrogates.warp import Warp

_WIDTH, _WIDE, _DEPTH = 128, 256, 3
_MANY = 2000  # rows from which the network is wide
_STEPS, _MOST_STEPS = 10, 40_000  # of training, for each row, and the most
_HELD_OUT = 0.1
_NUMBERS = 1 << 22  # of slopes that are held at once


@dataclass(frozen=True)
class Network:
    """A trained perceptron from features to components, in float64.

    Args:
        weights: of each layer (out, in).
        biases: of each layer (out,).
        scale: (K,), of the components.
        warp: of the responses that it was trained on.
        components: of these.
        error: mean over rows that were held out of the summed squared error of the components.
        rows: how many it was trained on.
    """

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    scale: Array
    warp: Warp
    components: Components
    error: float
    rows: int

    def mean(self, x: Array) -> Array:
        """Components (M, K) at features (M, F)."""
        h = 2.0 * x - 1.0
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            a = h @ weight.T + bias
            h = a / (1.0 + np.exp(-np.clip(a, -500.0, 500.0)))
        out: Array = (h @ self.weights[-1].T + self.biases[-1]) * self.scale
        return out

    def mean_and_slopes(self, x: Array) -> tuple[Array, Array]:
        """Components (M, K), and their slopes (M, K, F) by the features."""
        step = max(1, _NUMBERS // (_WIDE * x.shape[1]))
        parts = [self._part(x[first : first + step]) for first in range(0, max(1, len(x)), step)]
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])

    def _part(self, x: Array) -> tuple[Array, Array]:
        count, width = x.shape
        h = 2.0 * x - 1.0
        slopes = np.broadcast_to(2.0 * np.eye(width), (count, width, width))  # by feature, (F, in)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            a = h @ weight.T + bias
            gate = 1.0 / (1.0 + np.exp(-np.clip(a, -500.0, 500.0)))
            h = a * gate
            change = gate * (1.0 + a * (1.0 - gate))
            slopes = (slopes.reshape(count * width, -1) @ weight.T).reshape(count, width, -1)
            slopes = slopes * change[:, None]
        weight, bias = self.weights[-1], self.biases[-1]
        out = (h @ weight.T + bias) * self.scale
        last = (slopes.reshape(count * width, -1) @ weight.T).reshape(count, width, -1)
        return out, (last * self.scale).transpose(0, 2, 1)

    def state(self) -> dict[str, Tensor]:
        """All of it."""
        state = {f"weight-{i}": torch.from_numpy(w.copy()) for i, w in enumerate(self.weights)}
        state |= {f"bias-{i}": torch.from_numpy(b.copy()) for i, b in enumerate(self.biases)}
        named = {
            "scale": self.scale, "centre": self.components.centre, "basis": self.components.basis,
            "warp-centre": self.warp.centre, "warp-size": self.warp.size,
        }  # fmt: skip
        state |= {name: torch.from_numpy(value.copy()) for name, value in named.items()}
        if self.components.unit is not None:
            state["unit"] = torch.from_numpy(self.components.unit.copy())
        return state | {"facts": torch.tensor([self.error, float(self.rows)]).double()}

    @classmethod
    def restored(cls, state: dict[str, Tensor], prefix: str) -> Network | None:
        """The network that ``state`` came from; None where there was none."""
        own = {k.removeprefix(prefix): v.numpy().copy() for k, v in state.items() if prefix in k}
        if not own:
            return None
        layers = sum(name.startswith("weight-") for name in own)
        weights, biases = (
            tuple(own[f"{part}-{i}"] for i in range(layers)) for part in ("weight", "bias")
        )
        warp = Warp(own["warp-centre"], own["warp-size"])
        components = Components(own["centre"], own["basis"], own.get("unit"))
        error, rows = own["facts"]
        return cls(weights, biases, own["scale"], warp, components, float(error), int(rows))


def trained_network(
    x: Array, y: Array, warp: Warp, components: Components, seed: int
) -> Network | None:
    """A network that was trained on rows, a tenth of which decide when it is best.

    Args:
        x: (N, F), features.
        y: (N, Dy), responses, all known.
        warp: of the responses.
        components: of the warped ones.
        seed: of its weights and the order of rows.

    Returns:
        None where the training diverged.
    """
    z = components(warp(y))
    scale = np.full(z.shape[1], z.std() * np.sqrt(z.shape[1]) + 1e-300)
    order = np.random.default_rng(seed).permutation(len(x))
    held = order[: max(10, int(_HELD_OUT * len(x)))]
    rest = order[len(held) :]
    parts = [
        Pairs(
            torch.from_numpy(2.0 * x[rows] - 1.0).float(), torch.from_numpy(z[rows] / scale).float()
        )
        for rows in (rest, held)
    ]
    batch = 64 if len(rest) < 1000 else 128
    steps = min(_MOST_STEPS, _STEPS * len(rest))
    epochs = max(1, int(steps / max(1, len(rest) // batch)))
    config = TrainingConfig(epochs=epochs, batch_size=batch, min_steps=1, weight_decay=1e-4)
    env, width = FitEnvironment(seed), _WIDTH if len(x) < _MANY else _WIDE
    network = seeded_network(
        lambda: MLP(x.shape[1], z.shape[1], width=width, depth=_DEPTH), env, "closed-loop"
    )

    def loss(part: LossBatch | Pairs) -> Tensor:
        return (network(part.x) - part.y).square().sum(dim=1).mean()

    try:
        train(network, loss, loss, parts[0], parts[1], config, env, label="closed-loop")
    except DivergedError:
        return None
    linear = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
    weights = tuple(layer.weight.detach().double().numpy() for layer in linear)
    biases = tuple(layer.bias.detach().double().numpy() for layer in linear)
    found = Network(weights, biases, scale, warp, components, 0.0, len(x))
    error = np.square(found.mean(x[held]) - z[held]).sum(axis=1).mean()
    return Network(weights, biases, scale, warp, components, float(error), len(x))
