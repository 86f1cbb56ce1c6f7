"""The task: its data, its edges, two-phase cells, and pictures."""

from __future__ import annotations

import pytest
import torch
from invcore_architecture.binary import binarise
from invcore_architecture.generate import generate
from invcore_architecture.table import identity, shipped
from invcore_architecture.task import Architecture, ArchitectureConfig
from matplotlib.figure import Figure

from invcore import ConfigError, DataError, ShapeError
from invcore.plugin import Simulator, generator


def task(**settings):
    return Architecture(ArchitectureConfig.parse(settings))


def grey(rows, side=8, seed=0):
    return torch.rand(rows, side * side, generator=generator(seed), dtype=torch.float64)


def test_designs_are_pixels_with_closed_bounds():
    space = task().designs
    assert space.dim == 1024 and space.names[:2] == ("r1c1", "r1c2")
    assert space.names[-1] == "r32c32"
    ends = torch.stack([torch.zeros(1024), torch.ones(1024)])
    assert space.contains(ends).all() and not space.contains(ends * 1.2 - 0.1).any()
    assert task().simulate(ends.double()).flatten().tolist() == pytest.approx([1e-3, 1.0])


def test_pairs_are_cells_of_the_table_with_their_own_moduli():
    pairs = task().pairs(16, generator(0))
    assert set(pairs.x.unique().tolist()) == {0.0, 1.0}
    assert torch.allclose(task().simulate(pairs.x), pairs.y, rtol=1e-9)
    keys = {row.tobytes() for row in shipped().cells.flatten(1).numpy()}
    assert all(row.tobytes() in keys for row in pairs.x.bool().numpy())
    across, log = (task(**s) for s in ({"direction": "y"}, {"response": "log10"}))
    for other in (across, log):
        drawn = other.pairs(5, generator(0))
        assert torch.equal(drawn.x[:5], pairs.x[:5])
        assert torch.allclose(other.simulate(drawn.x), drawn.y, rtol=1e-9)
    assert torch.equal(log.pairs(5, generator(0)).y, pairs.y[:5].log10())
    assert not torch.allclose(across.pairs(5, generator(0)).y, pairs.y[:5])


def test_another_material_is_simulated_anew():
    other = task(soft=1e-2, poisson=0.1)
    drawn, usual = other.pairs(6, generator(0)), task().pairs(6, generator(0))
    assert torch.equal(drawn.x, usual.x)
    assert torch.allclose(other.simulate(drawn.x), drawn.y, rtol=1e-9)
    assert (drawn.y > usual.y).all()  # the soft phase is ten times as stiff


def test_no_part_has_a_shift_or_mirror_of_another_parts_cell():
    for settings, side in (({}, 32), ({"side": 8}, 8)):
        parts = task(**settings).dataset(400, 100, 0)
        assert [len(p) for p in (parts.train, parts.val, parts.test)] == [320, 80, 100]
        keys = [
            set(identity(part.x.bool().unflatten(1, (side, side))))
            for part in (parts.train, parts.val, parts.test)
        ]
        assert [len(k) for k in keys] == [320, 80, 100]
        assert not keys[0] & keys[1] and not keys[0] & keys[2] and not keys[1] & keys[2]


def test_a_table_of_ones_own(tmp_path):
    path = tmp_path / "own.npz"
    table = generate(30, path, 5, side=8, shard=10)
    own = task(side=8, table=str(path))
    pairs = own.pairs(30, generator(0))
    assert set(identity(pairs.x.bool().unflatten(1, (8, 8)))) == set(identity(table.cells))
    assert torch.allclose(own.simulate(pairs.x), pairs.y, rtol=1e-9)
    with pytest.raises(DataError, match="31 cells asked for, the table has 30"):
        own.dataset(21, 10, 0)
    with pytest.raises(ConfigError, match=r"cells of 8 pixels on a side; set side=8"):
        task(table=str(path)).pairs(3, generator(0))
    with pytest.raises(DataError, match="no table of cells"):
        task(table=str(tmp_path / "absent.npz")).pairs(3, generator(0))


def test_bad_settings_are_refused():
    for bad in (
        {"side": 12},
        {"soft": 0.0},
        {"soft": 1.0},
        {"poisson": 0.5},
        {"exponent": 0.5},
        {"direction": "z"},
        {"solver": "lu"},
        {"response": "log"},
        {"cells": 3},
    ):
        with pytest.raises(ConfigError, match=next(iter(bad))):
            task(**bad)


def test_bad_designs():
    own = task(side=8)
    with pytest.raises(ShapeError, match="expected 64 columns"):
        own.simulate(torch.zeros(2, 65))
    x = grey(4)
    x[1, 3], x[2, 0] = torch.nan, torch.inf
    y = own.simulate(x)
    assert y.isnan().flatten().tolist() == [False, True, True, False]
    assert torch.equal(y[[0, 3]], own.simulate(x[[0, 3]]))
    outside = torch.where(grey(2) < 0.5, -0.3, 1.2)
    assert torch.equal(own.simulate(outside), own.simulate(outside.clamp(0.0, 1.0)))
    assert own.simulate(x[:0]).shape == (0, 1)


def test_gradients_are_there_at_the_bounds_and_count():
    own = task(side=8, exponent=1.0)
    x = (grey(2) < 0.5).double().requires_grad_()
    simulator = Simulator(own)
    (gradient,) = torch.autograd.grad(simulator(x).sum(), x)
    assert simulator.calls == 4 and (gradient > 0).all()
    lost = x.detach().clone()
    lost[0, 0] = torch.nan
    lost.requires_grad_()
    (gradient,) = torch.autograd.grad(own.simulate(lost).nan_to_num().sum(), lost)
    assert gradient.isfinite().all() and (gradient[0] == 0).all()


def test_more_density_is_never_softer():
    own = task(side=8)
    x = grey(20)
    more = x + 0.5 * grey(20, seed=1) * (1 - x)
    for other in (own, task(side=8, direction="y")):
        assert (other.simulate(more) > other.simulate(x)).all()


def test_both_solvers_answer_alike():
    x = task().pairs(4, generator(0)).x
    direct, fft = (task(solver=name).simulate(x) for name in ("direct", "fft"))
    assert torch.allclose(direct, fft, rtol=1e-8)


def test_binarise():
    x = grey(50)
    half, volume = binarise(x, "half"), binarise(x)
    assert torch.equal(half, (x > 0.5).double())
    assert set(volume.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(volume.sum(dim=1), x.sum(dim=1).round())
    solid, void = torch.where(volume > 0, x, 2.0).amin(1), torch.where(volume > 0, -1.0, x).amax(1)
    assert (solid >= void).all()
    for rule in ("half", "volume"):
        once = binarise(x, rule)
        assert torch.equal(binarise(once, rule), once)
        assert binarise(x.float(), rule).dtype == torch.float32
        assert torch.equal(binarise(x.unflatten(0, (5, 10)), rule), once.unflatten(0, (5, 10)))
        assert torch.equal(binarise(2 * x - 0.5, rule), binarise((2 * x - 0.5).clamp(0, 1), rule))
    x[0, 0] = torch.nan
    assert all(bool(binarise(x, rule)[0, 0].isnan()) for rule in ("half", "volume"))


def test_binary_simulates_the_projected_cell():
    x = grey(5)
    binary, plain = task(side=8, binary=True), task(side=8)
    assert torch.equal(binary.simulate(x), plain.simulate(binarise(x)))
    assert not torch.allclose(binary.simulate(x), plain.simulate(x), rtol=0.05)
    assert plain.differentiable and not binary.differentiable
    pairs = binary.pairs(5, generator(0))
    assert torch.equal(pairs.y, plain.pairs(5, generator(0)).y)


def test_the_picture_shows_the_best_cells_twice_each_way():
    own, axes = task(side=8), Figure().add_subplot()
    x = grey(20)
    y = own.simulate(x)
    y[1] = torch.nan
    assert own.draw(axes, torch.tensor([0.25]), x, y)
    axes.figure.canvas.draw()
    (image,) = axes.images
    shown = torch.tensor(image.get_array().filled(torch.nan))
    first = x[0].reshape(8, 8).repeat(2, 2)
    windows = shown.unfold(0, 16, 1).unfold(1, 16, 1)
    assert int((windows == first).all(dim=-1).all(dim=-1).sum()) == 1
    lost = x[1].reshape(8, 8).repeat(2, 2)
    assert not (windows == lost).all(dim=-1).all(dim=-1).any()
    assert axes.get_title() == "wanted: E = 0.250"
    known = [f"{value:.3f}" for i, value in enumerate(y.flatten().tolist()) if i != 1]
    assert [text.get_text() for text in axes.texts] == known[:12]
    assert axes.images[0].origin == "lower"


def test_nothing_to_show_and_nothing_breaks():
    own, axes = task(side=8, response="log10"), Figure().add_subplot()
    x = torch.full((3, 64), torch.nan, dtype=torch.float64)
    assert own.draw(axes, torch.tensor([-1.0]), x, own.simulate(x))
    assert axes.get_title() == "wanted: log10 E = -1.000"
