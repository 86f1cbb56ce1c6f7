"""What a process does once for all fits: imports and first calls, so that no fit pays for them."""

from functools import cache

import torch
from torch import nn


@cache
def warm_up(device: torch.device) -> None:
    """Train a network of one unit for a step: torch imports its optimisers, and starts its threads.

    Global generators stay as they are.
    """
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        network = nn.Sequential(nn.Linear(1, 1), nn.SiLU(), nn.Linear(1, 1)).to(device)
    optimiser = torch.optim.AdamW(network.parameters())
    loss = network(torch.ones(2, 1, device=device)).square().mean()
    loss.backward()
    optimiser.step()
    torch.linalg.eigh(torch.eye(2, dtype=torch.float64, device=device))
