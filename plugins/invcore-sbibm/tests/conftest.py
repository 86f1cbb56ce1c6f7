"""A small folder of observations and reference samples, where sbibm's would be."""

import bz2

import pytest
import torch
from invcore_sbibm import reference_files

from invcore.plugin import generator

SAMPLES = 400


def table(rows):
    head = ",".join(f"column_{i}" for i in range(rows.shape[1]))
    return "\n".join([head, *(",".join(map(repr, row)) for row in rows.tolist())]) + "\n"


@pytest.fixture
def reference(tmp_path, monkeypatch):
    """Folder of gaussian-linear's observations 1 and 2, with samples of their exact posteriors."""
    monkeypatch.setattr(reference_files, "installed_folder", lambda: tmp_path)
    for number in (1, 2):
        folder = tmp_path / "gaussian_linear" / "files" / f"num_observation_{number}"
        folder.mkdir(parents=True)
        random = generator(number)
        x = 0.1**0.5 * torch.randn(1, 10, generator=random, dtype=torch.float64)
        y = x + 0.1**0.5 * torch.randn(1, 10, generator=random, dtype=torch.float64)
        noise = torch.randn(SAMPLES, 10, generator=random, dtype=torch.float64)
        (folder / "true_parameters.csv").write_text(table(x))
        (folder / "observation.csv").write_text(table(y))
        samples = bz2.compress(table(y / 2 + 0.05**0.5 * noise).encode())
        (folder / "reference_posterior_samples.csv.bz2").write_bytes(samples)
    return tmp_path / "gaussian_linear" / "files"
