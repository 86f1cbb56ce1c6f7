"""The example of manufacturing tolerances: complete, and of the size that the README says."""

from __future__ import annotations

import torch
from invcore_metamaterial.task import MetaMaterial

from invcore.plugin import Tolerances


def tolerances(task: MetaMaterial) -> Tolerances:
    texts = [f"{name}={text}" for name, text in task.tolerances.items()]
    return Tolerances.of_texts(texts, task.designs, task.responses)


def test_each_length_has_a_tolerance() -> None:
    task = MetaMaterial()
    made = tolerances(task)
    assert tuple(each.variable for each in made.designs) == task.designs.names
    assert [each.size for each in made.designs] == [0.5] * 4 + [0.3] * 4
    assert not any(each.relative or each.kind != "uniform" for each in made.designs)


def test_what_tolerances_do_to_the_reflectance() -> None:
    task = MetaMaterial()
    width = torch.tensor([each.size for each in tolerances(task).designs], dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    x = task.designs.sample(300, generator)
    off = 2 * torch.rand(300, 8, generator=generator, dtype=torch.float64) - 1
    change = (task.simulate(x + width * off) - task.simulate(x)).square().mean()
    assert 1e-4 < float(change) < 2.2e-4
