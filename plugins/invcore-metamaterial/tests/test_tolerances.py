"""The example of manufacturing tolerances: complete, and of the size that the README says."""

from __future__ import annotations

import re

import torch
from invcore_metamaterial.task import MetaMaterial


def test_each_length_has_a_tolerance() -> None:
    task = MetaMaterial()
    assert tuple(task.tolerances) == task.designs.names
    assert all(re.fullmatch(r"±\d+\.\d+", text) for text in task.tolerances.values())


def test_what_tolerances_do_to_the_reflectance() -> None:
    task = MetaMaterial()
    width = torch.tensor([float(text[1:]) for text in task.tolerances.values()]).double()
    generator = torch.Generator().manual_seed(0)
    x = task.designs.sample(300, generator)
    off = 2 * torch.rand(300, 8, generator=generator, dtype=torch.float64) - 1
    change = (task.simulate(x + width * off) - task.simulate(x)).square().mean()
    assert 1e-4 < float(change) < 2.2e-4
