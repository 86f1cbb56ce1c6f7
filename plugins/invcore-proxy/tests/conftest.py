"""What the tests share: small fits, bundles, and calling the command line."""

from __future__ import annotations

import pytest
import torch
from invcore_proxy import ProxyConfig, Source, fit_proxy, write_bundle
from invcore_proxy.record import Provenance

from invcore import Space, Uniform, Variable
from invcore.plugin import FitEnvironment, Pairs, generator

TINY = {"members": 2, "shapes": [{"width": 24, "depth": 2}], "training": {"epochs": 40, "lr": 0.01}}


@pytest.fixture
def call(call, monkeypatch, tmp_path):
    """Run ``invcore WORDS`` in an empty folder, on a wide terminal."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    return call


def box(names, low=-1.0, high=1.0) -> Space:
    return Space.of(*(Variable(name=name, prior=Uniform(low=low, high=high)) for name in names))


def outputs(count) -> Space:
    return Space.of(*(Variable(name=f"y{i + 1}") for i in range(count)))


def fitted(function, names="ab", rows=400, seed=0, **settings):
    """A proxy of a function of designs in [-1, 1], its report, and the pairs."""
    designs = box(names)
    x = designs.sample(rows, generator(seed, "tests"))
    pairs = Pairs(x, function(x))
    config = ProxyConfig.resolve({**TINY, **settings})
    spaces = designs, outputs(pairs.y.shape[1])
    proxy, report = fit_proxy(pairs, *spaces, config, FitEnvironment(seed=seed))
    return proxy, report, pairs


def waves(x):
    """Two smooth responses."""
    return torch.stack([torch.sin(2 * x[:, 0]) + x[:, 1], x[:, 0] * x[:, 1]], dim=1)


@pytest.fixture(scope="session")
def small():
    """A proxy of ``waves``, its report, and the pairs."""
    return fitted(waves, shapes=[{"width": 24, "depth": 2}, {"width": 16, "depth": 1}], members=3)


@pytest.fixture
def bundle(small, tmp_path):
    """A folder with the bundle of ``small``."""
    proxy, report, _ = small
    source = Source(name="waves.csv", sha256="0" * 64, rows=400)
    provenance = Provenance.now(tables=[source], seed=3, note="two waves")
    folder = tmp_path / "waves"
    write_bundle(
        folder, proxy, report, box("ab"), outputs(2), title="Two waves", provenance=provenance,
        licence="CC0 1.0\nfree",
    )  # fmt: skip
    return folder
