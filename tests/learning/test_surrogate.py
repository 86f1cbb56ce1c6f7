"""Surrogates: what they see, how they are trained and chosen, and that all of it is stored."""

from __future__ import annotations

import math

import pytest
import torch

from invcore import Uniform, Variable
from invcore.contracts.environment import FitEnvironment, Keeper
from invcore.data.pairs import Pairs
from invcore.data.scaling import Scaling
from invcore.learning.networks import MLP
from invcore.learning.span import Span
from invcore.learning.surrogate.config import CHOSEN, SurrogateConfig
from invcore.learning.surrogate.features import InputFeatures
from invcore.learning.surrogate.fitting import fit_surrogate, principal
from invcore.learning.surrogate.network import Surrogate
from invcore.learning.training_config import TrainingConfig
from invcore.spaces.space import Space

QUICK = TrainingConfig(epochs=30, batch_size=64)


def films(layer_of=("film", "film", "film")):
    return Space.of(*(
        Variable(name=f"x{i}", prior=Uniform(low=1.0, high=1.0 + 2**i), layer_of=pile)
        for i, pile in enumerate(layer_of)
    ))  # fmt: skip


def pairs_of(space, count=256, seed=0, outputs=4):
    x = space.sample(count, torch.Generator().manual_seed(seed))
    depth = x.cumsum(1)
    y = torch.cat([(k * depth).sin() for k in range(1, 1 + outputs // 3 + 1)], 1)[:, :outputs]
    return Pairs(x, y)


class Notes(Keeper):
    def __init__(self):
        super().__init__()
        self.notes, self.lines = [], []

    def note(self, text):
        self.notes.append(text)

    def log(self, record):
        self.lines.append(record)


def fitted(config, space=None, seed=3, keeper=None, outputs=4):
    space = space or films()
    train, val = pairs_of(space, outputs=outputs), pairs_of(space, 64, 1, outputs)
    scaling = Scaling.fit(space, train)
    env = FitEnvironment(seed=seed, keeper=keeper)
    surrogate, report = fit_surrogate(config, scaling, train, val, env)
    return surrogate, report, val


def test_depths_are_those_of_the_designs():
    space = films(("a", "", "a", "b"))
    x = space.sample(500, torch.Generator().manual_seed(0))
    scaling = Scaling.fit(space, Pairs(x, x))
    inputs = InputFeatures(scaling, sums=True)
    seen = inputs(scaling.encode(x)).double()
    depth = x[:, 0] + x[:, 2]
    assert seen.shape == (500, 5) == (500, inputs.width)  # a pile of one has its thickness already
    assert torch.corrcoef(torch.stack([seen[:, 4], depth]))[0, 1] > 1 - 1e-6
    assert 0.8 < float(seen[:, 4].std()) < 1.2
    assert InputFeatures(scaling).width == 4


def test_waves_stand_beside_designs_and_not_beside_what_is_known_of_problems():
    space = films()
    train = Pairs(
        space.sample(99, torch.Generator().manual_seed(0)), torch.rand(99, 2),
        {"load": torch.rand(99, 1)},
    )  # fmt: skip
    scaling = Scaling.fit(space, train)
    inputs = InputFeatures(scaling, sums=True, waves=2)
    given = scaling.pairs(train).x
    seen = inputs(given)
    assert seen.shape == (99, inputs.width) and inputs.width == 5 * 5 + 1
    assert torch.equal(seen[:, -1], given[:, -1]) and torch.equal(seen[:, :3], given[:, :3])
    torch.testing.assert_close(seen[:, 5:8], (given[:, :3] * math.pi / 4).sin())


def test_responses_of_one_unit_count_as_they_are():
    """A response that hardly varies is learnt less well when all are measured in one unit."""
    space = films()
    train, val = pairs_of(space), pairs_of(space, 64, 1)
    size = torch.tensor([1.0, 1.0, 1.0, 1e-3])
    wrong = []
    for weighting in ("own", "common"):
        config = SurrogateConfig(width=16, depth=2, weighting=weighting, training=QUICK)
        scaling = Scaling.fit(space, Pairs(train.x, train.y * size))
        surrogate, _ = fit_surrogate(
            config, scaling, Pairs(train.x, train.y * size), Pairs(val.x, val.y * size),
            FitEnvironment(),
        )  # fmt: skip
        wrong.append((surrogate.predict(val.x) / size - val.y).square().mean(0))
    assert wrong[1][3] > wrong[0][3] and wrong[1][:3].mean() < wrong[0][:3].mean()


@pytest.mark.parametrize(
    "change",
    [
        {"weighting": "common", "components": 2},
        {"activation": "sine", "gain": 3.0, "sums": True},
        {"waves": 3, "residual": True},
        {"components": 2},
        {"components": 2, "batch_norm": True, "training": QUICK.model_copy(update={"restarts": 3})},
        {"finish": 20},
        {"choice": "auto"},
    ],
    ids=lambda c: "-".join(c),
)
def test_what_was_fitted_is_the_same_when_restored(change):
    config = SurrogateConfig(**{"width": 16, "depth": 2, "training": QUICK, **change})
    surrogate, report, val = fitted(config)
    again = Surrogate.restore(config, films(), surrogate.state())
    assert torch.equal(again.predict(val.x), surrogate.predict(val.x))
    assert torch.equal(again.gradient(val.x), surrogate.gradient(val.x))
    scaled, scale = surrogate.scaling.pairs(val), surrogate.scaling.y.scale
    counts = scale if config.weighting == "common" else torch.ones_like(scale)
    wrong = (surrogate(scaled.x) - scaled.y).square() * counts**2 / counts.square().mean()
    assert math.isclose(float(wrong.mean()), report.val_loss, rel_tol=1e-3)
    assert report.val_loss < 1.0


def test_a_fit_is_the_same_each_time():
    config = SurrogateConfig(width=16, depth=2, training=QUICK, choice="auto", finish=10)
    (first, _, val), (second, _, _) = fitted(config), fitted(config)
    assert torch.equal(first.predict(val.x), second.predict(val.x))


def test_residual_layers_add_to_what_they_are_given():
    network = MLP(2, 1, width=8, depth=3, residual=True)
    with torch.no_grad():
        for block in (network[2], network[3]):
            block[0].weight.zero_()
            block[0].bias.zero_()
    x = torch.rand(5, 2)
    plain = network[4](network[1](network[0](x)))  # silu(0) = 0: nothing is added
    torch.testing.assert_close(network(x), plain)


def test_the_first_layer_is_scaled_by_its_gain():
    one, four = (
        fitted(SurrogateConfig(width=16, gain=gain, training=TrainingConfig(epochs=1, lr=1e-9)))[0]
        for gain in (1.0, 4.0)
    )
    torch.testing.assert_close(four.network[0].weight, 4 * one.network[0].weight)


def test_components_lose_what_is_not_in_them_alone():
    """The responses have three dimensions: three components are enough, two are not."""
    rows = torch.randn(300, 3).double() @ torch.randn(3, 8).double()
    for count, lost in ((3, False), (2, True), (8, None), (0, None)):
        found = principal(rows.float(), count)
        if lost is None:
            assert found is None
            continue
        basis = found.double()
        scores = rows @ torch.linalg.pinv(basis)
        assert ((scores @ basis - rows).abs().max() > 1e-3) == lost
        torch.testing.assert_close(
            scores.square().mean(0), torch.ones(count).double(), rtol=1e-4, atol=0
        )


def test_components_of_responses_that_are_unknown_in_part():
    train = pairs_of(films(), outputs=5)
    y = train.y.clone()
    y[::2, 0] = y[1::2, 3] = math.nan
    scaling = Scaling.fit(films(), Pairs(train.x, y))
    config = SurrogateConfig(width=16, components=2, training=QUICK)
    surrogate, report = fit_surrogate(
        config, scaling, Pairs(train.x, y), Pairs(train.x, y), FitEnvironment()
    )
    assert surrogate.predict(train.x).isfinite().all() and report.val_loss < 1.0


def test_a_quasi_newton_end_goes_below_where_adam_stopped():
    config = SurrogateConfig(width=16, depth=2, training=QUICK)
    _, before, _ = fitted(config)
    _, after, _ = fitted(config.model_copy(update={"finish": 100}))
    assert after.val_loss < 0.3 * before.val_loss


def test_a_choice_is_made_by_validation_and_said():
    keeper = Notes()
    config = SurrogateConfig(
        width=24, depth=2, choice="auto", training=TrainingConfig(epochs=300, batch_size=64)
    )
    surrogate, _, _ = fitted(config, keeper=keeper)
    tried = {line["tried"]: line["val_loss"] for line in keeper.lines if "tried" in line}
    assert {"as set", "waves", "sine, gain 2, depths"} <= set(tried) and len(tried) == 6
    best = min(tried, key=lambda name: tried[name])
    assert len(keeper.notes) == 1 and f"chosen by validation: {best}." in keeper.notes[0]
    assert CHOSEN in surrogate.state()
    keeper = Notes()
    fitted(config, films(("", "", "")), keeper=keeper)
    assert not any("depths" in line.get("tried", "") for line in keeper.lines)


def test_settings_as_set_are_stored_as_before():
    surrogate, _, _ = fitted(SurrogateConfig(width=8, depth=1, training=QUICK))
    assert not any(
        name.startswith(("chosen", "components", "inputs")) for name in surrogate.state()
    )


def test_auto_is_short_for_the_choice():
    class Method(SurrogateConfig):
        surrogate: SurrogateConfig = SurrogateConfig(width=77)

    found = Method.resolve({"surrogate": "auto"}).surrogate
    assert (found.choice, found.width) == ("auto", 77)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_minutes_end_a_training_and_its_schedule(monkeypatch):
    """Each look at the clock takes a second: the rate falls to its end within the minute."""
    clock = Clock()

    def later():
        clock.now += 1.0
        return clock.now

    monkeypatch.setattr("invcore.learning.span.time.process_time", later)
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)
    keeper = Notes()
    training = TrainingConfig(epochs=1, minutes=1.0, batch_size=64, min_steps=1, schedule="cosine")
    fitted(SurrogateConfig(width=8, depth=1, training=training), keeper=keeper)
    rates = [line["lr"] for line in keeper.lines]
    assert len(rates) > 2 and rates == sorted(rates, reverse=True)
    assert rates[0] > 0.7 * training.lr and rates[-1] < 0.02 * training.lr
    assert 55 <= clock.now <= 62


def test_a_span_of_threads(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("invcore.learning.span.time.process_time", clock)
    monkeypatch.setattr("torch.get_num_threads", lambda: 4)
    span = Span(TrainingConfig(minutes=1.0), 10, torch.device("cpu"))
    clock.now = 120.0
    assert span.share(3) == 0.5 and not span.over(3) and span.shown(3) == 50
    clock.now = 999.0
    assert span.share(3) == 1.0 and span.over(3)


def test_bfloat16_is_near_float32():
    plain, _, val = fitted(SurrogateConfig(width=16, depth=2, training=QUICK))
    lower, report, _ = fitted(
        SurrogateConfig(
            width=16, depth=2, training=QUICK.model_copy(update={"precision": "bfloat16"})
        )
    )
    assert not torch.equal(plain.predict(val.x), lower.predict(val.x))
    assert report.val_loss < 1.0 and lower.network[0].weight.dtype == torch.float32
