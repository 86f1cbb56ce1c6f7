"""The pieces of sine-wave's solution sets against a flood fill of a fine grid."""

from __future__ import annotations

import pytest
import torch
from invcore_classic.sine_modes import sine_modes
from invcore_classic.sine_wave import SineWave, sine_wave
from scipy import ndimage

from invcore.plugin import generator

# Away from -2, -1, 0, 1, 2, where pieces appear, vanish or touch, by more than the grid can hide.
VALUES = [-1.98, -1.7, -1.3, -1.03, -0.97, -0.6, -0.3, -0.02, 0.02, 0.4, 0.97, 1.03, 1.6, 1.98]


def modes_of(value, designs=None):
    designs = torch.zeros(1, 1, 2) if designs is None else designs[None]
    return sine_modes(torch.tensor([[value]], dtype=torch.float64), designs)


def crossed(value, size=1201):
    """Grid cells that the level set crosses, and the cells' middles (size - 1, size - 1, 2)."""
    line = torch.linspace(-1, 1, size, dtype=torch.float64)
    above = sine_wave(torch.stack(torch.meshgrid(line, line, indexing="ij"), dim=2))[..., 0] > value
    corners = torch.stack([above[:-1, :-1], above[1:, :-1], above[:-1, 1:], above[1:, 1:]])
    middle = 0.5 * (line[1:] + line[:-1])
    middles = torch.stack(torch.meshgrid(middle, middle, indexing="ij"), dim=2)
    return corners.any(dim=0) & ~corners.all(dim=0), middles


@pytest.mark.parametrize("value", VALUES)
def test_flood_fill_finds_the_same_pieces(value):
    """As many, and each design on the level set has the label of its piece, and no other."""
    on, middles = crossed(value)
    filled, count = ndimage.label(on.numpy(), structure=[[1, 1, 1]] * 3)
    found = modes_of(value, middles[on])
    assert found.count.tolist() == [count]
    pieces = torch.from_numpy(filled).long()[on]
    pairs = set(zip(pieces.tolist(), found.label[0].tolist(), strict=True))
    # A middle may lie just across the border of an empty cell, and so on no piece.
    assert len({pair for pair in pairs if pair[1] >= 0}) == count
    assert (found.label >= 0).double().mean() > 0.99


def test_there_are_sixteen_at_minus_three_tenths():
    assert modes_of(-0.3).count.tolist() == [16]


@pytest.mark.parametrize(
    ("value", "count"),
    [(-2.0, 12), (-1.0, 16), (0.0, 1), (1.0, 12), (2.0, 9), (2.001, 0), (-2.001, 0)],
)
def test_critical_values_by_hand(value, count):
    """At the ends the pieces are points: 3 · 4 minima, 3 · 3 maxima. At 0 all are one net.

    At 1 the side x1 = -1 adds three points to the nine curves, at -1 the side x1 = 1 four to the
    twelve.
    """
    assert modes_of(value).count.tolist() == [count]


def test_labels_do_not_change_along_a_curve():
    """Around the maximum at (1/6, 0) the curve for 1.5 is closed: one piece all around."""
    angle = torch.linspace(0, 6.28, 400, dtype=torch.float64)
    ray = torch.stack((angle.cos(), angle.sin()), dim=1)
    low, high = torch.zeros(400, 1, dtype=torch.float64), torch.full((400, 1), 1 / 3).double()
    centre = torch.tensor([1 / 6, 0.0], dtype=torch.float64)
    for _ in range(50):  # the value falls along each ray
        middle = 0.5 * (low + high)
        above = sine_wave(centre + middle * ray) > 1.5
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    found = modes_of(1.5, centre + low * ray)
    assert found.label.unique().numel() == 1 and found.label.min() >= 0
    moved = centre + low * ray + torch.tensor([2 / 3, 0.0], dtype=torch.float64)
    assert modes_of(1.5, moved).label.unique().tolist() != found.label.unique().tolist()


def test_designs_of_no_piece():
    """Outside the box, not a number, or in a cell without a solution."""
    odd = torch.tensor([[1.5, 0.0], [torch.nan, 0.0], [-0.9, 0.1], [0.0, 0.1]]).double()
    assert (modes_of(1.5, odd).label[0] >= 0).tolist() == [False, False, False, True]
    just = torch.tensor([[1.001, 0.1], [-1.001, 0.1], [0.0, 1.001], [0.0, -1.001]]).double()
    assert (modes_of(0.0, just).label[0] == -1).all()
    there = just.clamp(-1, 1)  # where three of them are in cells of pieces
    assert (modes_of(0.0, there).label[0] >= 0).any()


def test_the_task_knows_them_for_a_batch():
    task = SineWave()
    pairs = task.pairs(200, generator(0))
    found = task.modes(pairs.y, pairs.x[:, None])
    assert set(found.count.tolist()) == {9, 12, 16}
    assert (found.label >= 0).all() and (found.label < found.count[:, None]).all()
    assert (
        task.modes(pairs.y.float(), pairs.x[:, None].float()).count.tolist() == found.count.tolist()
    )
