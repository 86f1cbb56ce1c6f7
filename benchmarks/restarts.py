"""Ten restarts trained together as one batch, against ten one after another, and against one.

python benchmarks/restarts.py [--device cuda]
"""

from __future__ import annotations

import argparse
import time

import torch
from torch import Tensor

from invcore.learning import MLP, LossBatch, TrainingConfig, train
from invcore.plugin import FitEnvironment, Pairs, generator, isolated

RESTARTS = 10
SIZES = ((64, 256), (128, 512), (500, 1024))  # width of three hidden layers, batch
PAIRS = 8192


def seconds(width: int, batch: int, steps: int, restarts: int, device: torch.device) -> float:
    """Train so many networks at once; seconds of one step."""
    x = torch.randn(PAIRS, 4, generator=generator(0, "x"))
    pairs = Pairs(x, x.sin().sum(1, keepdim=True))

    def build() -> MLP:
        return MLP(4, 1, width=width, depth=3)

    with isolated(0):
        network = build().to(device)

    def loss(part: LossBatch | Pairs) -> Tensor:
        return (network(part.x) - part.y).square().mean()

    each = PAIRS // batch
    config = TrainingConfig(
        epochs=max(1, steps // each), batch_size=batch, min_steps=1, restarts=restarts
    )
    start = time.perf_counter()
    train(
        network, loss, loss, pairs, pairs[:64], config, FitEnvironment(device=device), again=build
    )
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (time.perf_counter() - start) / (config.epochs * each)


def main() -> None:
    """Print the table of docs/results.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5, help="of which the quickest counts")
    given = parser.parse_args()
    device = torch.device(given.device)
    torch.set_num_threads(1)
    seconds(8, 512, 16, 2, device)  # what is imported late is imported now
    print("| network, batch | one, ms a step | ten together | against one | one after another |")
    print("|---|---|---|---|---|")
    for width, batch in SIZES:
        steps = 96 if width < 500 else 24
        # As many steps of both, in turns: what a training costs once weighs the same, and so does
        # whatever else the machine does
        times = [
            (
                seconds(width, batch, steps, 1, device),
                seconds(width, batch, steps, RESTARTS, device),
            )
            for _ in range(given.rounds)
        ]
        one, ten = (min(column) for column in zip(*times, strict=True))
        print(
            f"| 3 x {width}, {batch} | {1e3 * one:.2f} | {1e3 * ten:.2f} ms | "
            f"{ten / one:.1f} | {RESTARTS * one / ten:.2f} times the time |",
            flush=True,
        )


if __name__ == "__main__":
    main()
