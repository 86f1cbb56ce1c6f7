"""Spectra from few frequencies, and the shards that keep them."""

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from invcore_metamaterial import generate
from invcore_metamaterial.adaptive import interpolated
from invcore_metamaterial.generate import make_shard, read_shards
from invcore_metamaterial.spectra import (
    adaptive_reflectance,
    design_space,
    equivalents,
    reflectance,
)
from safetensors.torch import load_file

from invcore import DataError
from invcore.plugin import generator

SETTINGS = {
    "seed": 0, "orders": 1, "permittivity": 11.9, "loss_tangent": 0.05, "period": 210.0,
    "tolerance": 1e-4,
}  # fmt: skip


def test_adaptive_spectra_are_those_of_all_frequencies():
    x = design_space().sample(4, generator(0)).double()
    every = reflectance(x, orders=2)
    found, solved = adaptive_reflectance(x, orders=2)
    assert float((found - every).abs().max()) < 1e-4
    assert (solved < 70).all()


def test_equivalent_designs_have_one_spectrum():
    x = design_space().sample(1, generator(1)).double()
    same = equivalents(x)[:, 0]
    assert len({tuple(row.tolist()) for row in same}) == 4
    spectra = adaptive_reflectance(same, orders=2)[0]
    assert float((spectra - spectra[0]).abs().max()) < 1e-4


def test_narrow_resonances_are_found():
    grid = np.linspace(0.0, 1.0, 300)
    wanted = 0.3 + 0.01 / (grid - 0.31 - 0.02j) + 0.004 / (grid - 0.77 - 0.01j)
    values, solved = interpolated(lambda places: wanted[places], 300)
    assert abs(values - wanted).max() < 1e-5 and solved < 80


def test_what_no_rational_function_follows_is_solved_everywhere():
    noise = np.random.default_rng(0).normal(size=300) + 0j
    asked = []

    def solve(places):
        asked.extend(places.tolist())
        return noise[places]

    values, solved = interpolated(solve, 300)
    assert solved == 300 and np.array_equal(values, noise)
    assert sorted(asked) == list(range(300)), "each once"


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "SHARD", 3)
        made = CliRunner().invoke(
            generate.main, ["--count", "4", "--orders", "1", "--out", str(folder)]
        )
        assert made.exit_code == 0, made.output
        yield folder


def test_generator_makes_whole_shards_of_the_solvers_spectra(shards):
    x, y, settings = read_shards(shards)
    assert x.shape == (6, 8) and y.shape == (6, 300)
    assert settings == SETTINGS
    assert bool(design_space().contains(x).all())
    expected = reflectance(x[:2], orders=1)
    torch.testing.assert_close(y[:2], expected, atol=1e-4, rtol=0)


def test_finished_shards_are_not_made_again_and_partial_ones_are(shards):
    first = shards / "shard-00000.safetensors"
    before = first.stat().st_mtime_ns
    assert make_shard(shards, 0, SETTINGS) == 0.0
    assert first.stat().st_mtime_ns == before
    kept = load_file(first)
    first.rename(first.with_suffix(".partial-1"))  # as after a kill
    make_shard(shards, 0, SETTINGS)
    torch.testing.assert_close(load_file(first), kept)


def test_shards_of_other_settings_are_refused_in_one_line(shards):
    with pytest.raises(DataError, match="take another folder") as error:
        make_shard(shards, 0, SETTINGS | {"orders": 3})
    assert "\n" not in str(error.value)


def test_no_shards_say_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"invcore_metamaterial\.generate"):
        read_shards(tmp_path)
