"""What the pictures show is what the simulators say."""

from __future__ import annotations

import math

import pytest
import torch
from invcore_classic.ballistics import Ballistics, BallisticsConfig, flight_path
from invcore_classic.drawing import spread
from invcore_classic.robotic_arm import RoboticArm, RoboticArmConfig, joint_positions
from invcore_classic.sine_wave import SineWave
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from invcore.plugin import generator


@pytest.fixture
def axes() -> Axes:
    return Figure().add_subplot()


def draws(task, count):
    return task.designs.sample(count, generator(0, "drawing"))


def drawn(task, axes, x, row=0):
    """Draw candidates for the response of one of them; they are finished once saved."""
    y = task.simulate(x)
    assert task.draw(axes, y[row], x, y)
    axes.figure.canvas.draw()
    return y


def lines(axes, points):
    """The lines of so many points or more, as (N, points, 2)."""
    return [line.get_xydata() for line in axes.lines if len(line.get_xydata()) == points]


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def marked(axes, label):
    (found,) = [c for c in axes.collections if c.get_label() == label]
    return found.get_offsets()[0]


def test_the_error_map_is_the_error(axes):
    task = SineWave()
    x = draws(task, 40)
    y = drawn(task, axes, x)
    image = axes.images[0].get_array()
    side = torch.linspace(-1, 1, len(image), dtype=torch.float64)
    for row, column in ((0, 0), (30, 200), (120, 7)):
        at = torch.tensor([[side[column], side[row]]])
        expected = abs(task.simulate(at).item() - y[0].item())
        assert image[row, column] == pytest.approx(expected, abs=1e-12)
    (contour,) = [c for c in axes.collections if hasattr(c, "levels")]
    vertices = torch.cat([torch.tensor(path.vertices) for path in contour.get_paths()])
    assert len(vertices) > 100
    assert (task.simulate(vertices) - y[0]).abs().max() < 5e-3  # between pixels
    shown = axes.collections[-1].get_offsets()
    assert torch.allclose(torch.tensor(shown.data), x)
    assert axes.get_xlabel() == "x1 (no unit)" and axes.get_ylabel() == "x2 (no unit)"
    assert labels(axes) == ["solutions", "40 candidates"]


def test_a_target_out_of_reach_has_no_curve(axes):
    task, x = SineWave(), torch.zeros(3, 2, dtype=torch.float64)
    x[1] = torch.nan
    assert task.draw(axes, torch.tensor([5.0]), x, task.simulate(x))
    assert [c for c in axes.collections if hasattr(c, "levels")] == []
    assert "2 candidates" in labels(axes)


@pytest.mark.parametrize("convention", ["sum", "difference"])
def test_arms_reach_from_the_rail_to_the_hand(axes, convention):
    config = RoboticArmConfig(convention=convention, length1=0.3, length2=0.7, length3=1.1)
    task = RoboticArm(config)
    x = draws(task, 12)
    y = drawn(task, axes, x, row=3)
    arms = torch.stack([torch.tensor(arm) for arm in lines(axes, 4)])
    assert arms.shape == (12, 4, 2)
    assert torch.equal(arms, joint_positions(x, (0.3, 0.7, 1.1), convention))
    assert torch.equal(arms[:, 0], torch.stack([torch.zeros(12), x[:, 0]], dim=1).double())
    assert torch.allclose(arms[:, 3], y, atol=1e-12)
    lengths = arms.diff(dim=1).norm(dim=2)
    assert torch.allclose(lengths, torch.tensor([0.3, 0.7, 1.1], dtype=torch.float64))
    assert list(marked(axes, "wanted hand position")) == pytest.approx(y[3].tolist())
    assert axes.get_xlabel() == "horizontal (length unit)"


def test_flights_end_where_the_ball_lands(axes):
    task = Ballistics(BallisticsConfig(drag=0.4, speed="any"))
    x = draws(task, 20)
    x[5] = torch.tensor([0.0, -1.0, 0.1, 0.5])  # never above the ground
    x[6] = torch.tensor([0.2, 1.0, -0.5, 3.0])  # downwards
    y = drawn(task, axes, x)
    paths = torch.stack([torch.tensor(path) for path in lines(axes, 80)])
    kept = [i for i in range(20) if i != 5]
    assert len(paths) == 19 and bool(y[5].isnan())
    assert torch.allclose(paths[:, 0], x[kept][:, :2])
    assert torch.allclose(paths[:, -1, :1], y[kept], atol=1e-9)
    assert paths[:, -1, 1].abs().max() < 1e-9 and paths[..., 1].min() > -1e-9
    assert list(marked(axes, "wanted landing place")) == pytest.approx([y[0].item(), 0.0])
    assert axes.get_xlabel() == "horizontal (m)" and axes.get_ylabel() == "height (m)"
    assert "19 of 20 candidates" in labels(axes)


def test_a_flight_obeys_its_equation():
    """m v' = -k v - (0, m g), by differences along the path."""
    x = torch.tensor([[0.1, 1.5, 0.9, 12.0], [0.0, 3.0, -0.4, 5.0]], dtype=torch.float64)
    gravity, drag, mass = 9.81, 0.25, 0.2
    path = flight_path(x, gravity, drag, mass, points=2001)
    # The launch speed fixes the step of time: the first step is nearly straight.
    speed = x[:, 3:] * torch.stack([torch.cos(x[:, 2]), torch.sin(x[:, 2])], dim=1)
    step = (path[:, 1] - path[:, 0])[:, :1] / speed[:, :1]
    step = step / (1 - step * drag / mass / 2)  # to second order
    step = step[:, None]
    velocity = (path[:, 2:] - path[:, :-2]) / (2 * step)
    pull = (path[:, 2:] - 2 * path[:, 1:-1] + path[:, :-2]) / step**2
    force = -drag * velocity / mass - torch.tensor([0.0, gravity], dtype=torch.float64)
    assert torch.allclose(pull, force, rtol=1e-3, atol=1e-3)


def test_nothing_lands_and_nothing_breaks(axes):
    task = Ballistics()
    x = torch.tensor([[0.0, -1.0, 0.1, 0.5]], dtype=torch.float64)
    assert task.draw(axes, torch.tensor([2.0]), x, task.simulate(x))
    assert "0 of 1 candidates" in labels(axes)


def test_some_of_many_are_shown_evenly():
    many = torch.arange(100.0)[:, None]
    shown = spread(many, 30).flatten()
    assert len(shown) == 30 and shown[0] == 0 and shown[-1] == 99
    assert shown.diff().min() >= 3 and shown.diff().max() <= 4
    many[7] = math.nan
    assert len(spread(many, 200)) == 99
