"""The shipped proxy against the solver that it learnt from."""

import pytest
import torch
from invcore_metamaterial.plugin import SHIPPED
from invcore_metamaterial.spectra import adaptive_reflectance, equivalents
from invcore_metamaterial.task import MetaMaterial
from invcore_proxy import read_bundle

from invcore.plugin import generator


@pytest.fixture(scope="module")
def bundle():
    return read_bundle(SHIPPED)


def test_it_is_small_and_its_record_says_how_good_it_is(bundle):
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 20e6
    unseen = bundle.report.tests["fresh cells"]
    assert unseen.rows == 250
    assert unseen.ensemble.mse <= 1e-4


def test_it_is_near_the_solver_on_cells_drawn_here(bundle):
    task = MetaMaterial()
    x = task.designs.sample(3, generator(7)).double()
    exact = adaptive_reflectance(x, orders=8)[0]
    predicted = bundle.proxy.predict(x)
    off = predicted.mean - exact
    # Three cells: far more than the mean error over many would be a wrong solver or proxy.
    assert float(off.square().mean()) < 5e-4
    assert float((predicted.mean - exact.mean(0)).square().mean()) > 1e-3


def test_equivalent_designs_have_nearly_one_spectrum(bundle):
    x = MetaMaterial().designs.sample(50, generator(8)).double()
    spectra = bundle.proxy.predict(equivalents(x).flatten(0, 1)).mean.unflatten(0, (4, -1))
    assert float((spectra - spectra.mean(0)).square().mean()) < 2e-4


def test_simulating_is_the_ensembles_mean(bundle):
    task = MetaMaterial()
    x = task.designs.sample(5, generator(9))
    torch.testing.assert_close(task.simulate(x), bundle.proxy.members(x).mean(0))
    assert task.fingerprint == bundle.checksum
    assert bool(((task.simulate(x) >= 0) & (task.simulate(x) <= 1)).all())
