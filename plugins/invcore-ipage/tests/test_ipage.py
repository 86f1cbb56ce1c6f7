"""iPage: its network is a bijection, its losses are what they say, its designs are right."""

from __future__ import annotations

import pytest
import torch
from invcore_invertible import PaddedConfig, PaddedNetwork, mmd
from invcore_ipage.config import IPageConfig, LossConfig
from invcore_ipage.losses import BidirectionalLoss
from invcore_ipage.method import IPage

from invcore import Space, Uniform, Variable
from invcore.base.errors import ConfigError
from invcore.learning import LossBatch, Scaling
from invcore.plugin import FitEnvironment, Pairs, Problem, Targets, generator, isolated

SIZES = [(1, 1), (7, 1), (3, 5), (4, 2), (2, 12), (16, 3)]


def built(features, responses, **config):
    with isolated(0):
        return PaddedNetwork(PaddedConfig(**{"width": 32} | config), features, responses)


@pytest.mark.parametrize(("features", "responses"), SIZES)
def test_network_inverts_in_single_precision(features, responses):
    network = built(features, responses)
    with torch.no_grad():
        for parameter in network.parameters():  # as if trained: not near the identity
            if parameter.requires_grad and parameter.ndim == 2:
                parameter.mul_(1.5)
        x = torch.randn(1024, network.total, generator=generator(1))
        y = network(x)
        assert float((network.inverse(y) - x).abs().max()) <= 1e-4
        assert float((network(network.inverse(x)) - x).abs().max()) <= 1e-4
    assert float((y - x).abs().max()) > 0.1, "and is not the identity"


@pytest.mark.parametrize("changes", [{}, {"latent": 5}, {"total": 21}, {"total": 32, "blocks": 1}])
@pytest.mark.parametrize(("features", "responses"), SIZES)
def test_padded_sizes(features, responses, changes):
    network = built(features, responses, **changes)
    assert network.latent == changes.get("latent", max(2, features - responses))
    least = max(features, responses + network.latent)
    assert network.total % 2 == 0 and network.total >= max(least, changes.get("total", 0))
    assert network.padding_x + features == network.total
    assert network.padding_y + responses + network.latent == network.total
    x = torch.randn(5, features, generator=generator(0))
    y, z, padding = network.split(network(network.pad(x)))
    shapes = [part.shape[1] for part in (y, z, padding)]
    assert shapes == [responses, network.latent, network.padding_y]
    assert torch.equal(network.predict(x), y)
    assert network.starts(y, z).shape == (5, features)
    whole = network.inverse(torch.cat([y, z, padding], dim=1))
    torch.testing.assert_close(whole, network.pad(x), atol=1e-4, rtol=0)


def test_bijection_that_is_too_small():
    with pytest.raises(ConfigError, match=r"network\.total: 4 is below the 5"):
        built(5, 3, total=4)


SPACE = Space.of(*(Variable(name=n, prior=Uniform(low=-1.0, high=1.0)) for n in "ab"))
RESPONSES = Space.of(Variable(name="y"))
SMALL = IPageConfig.parse({
    "network": {"width": 32, "blocks": 4},
    "training": {"epochs": 100, "batch_size": 128, "lr": 0.01, "clip": 10.0, "average": 0.9},
})  # fmt: skip


def circle(x):
    """y = a² + b²: for each y, a closed curve of designs."""
    return x.square().sum(dim=1, keepdim=True)


@pytest.fixture(scope="module")
def example():
    problem = Problem("toy", SPACE, RESPONSES, True)
    x, held = SPACE.sample(1024, generator(0)), SPACE.sample(200, generator(1))
    method = IPage(SMALL)
    log = []
    env = FitEnvironment(log=log.append)
    model = method.fit(problem, Pairs(x, circle(x)), Pairs(held, circle(held)), env)
    return method, problem, model, log


Y = torch.tensor([[0.2], [0.7], [1.2]])


def points(model, count, seed=0):
    return torch.rand(3, count, model.point_dim, generator=generator(seed), dtype=torch.float64)


def test_proposals_give_what_was_wanted(example):
    model = example[2]
    found = model.propose(Targets(Y), points(model, 40))
    off = (circle(found.x.flatten(0, 1)).view(3, 40) - Y.double()).abs()
    spread = float(circle(SPACE.sample(1000, generator(3))).std())
    assert float(off[:, :20].max()) < 0.25 * spread and float(off.median()) < 0.1 * spread, off
    assert bool(SPACE.contains(found.x).all())
    angle = torch.atan2(found.x[..., 1], found.x[..., 0])
    for row in angle:
        quarters = {(int(a > 0), int(abs(a) > 1.57)) for a in row.tolist()}
        assert len(quarters) >= 3, "from around the curve"


def discrepancies(network, scaling):
    """MMDs of latents and of designs: held-out pairs one way, drawn latents the other."""
    held = SPACE.sample(500, generator(1))
    seen, z = scaling.pairs(Pairs(held, circle(held))), torch.randn(500, 2, generator=generator(8))
    with torch.no_grad():
        y, found, _ = network.split(network(network.pad(seen.x)))
        latent = mmd(torch.cat([y, found], 1), torch.cat([seen.y, z], 1))
        return float(latent), float(mmd(network.starts(seen.y, z), seen.x))


def test_both_discrepancies_fall_in_training(example):
    _, problem, model, log = example
    scaling, x = model._scaled.scaling, SPACE.sample(1024, generator(0))
    config = SMALL.model_copy(update={"training": SMALL.training.model_copy(update={"epochs": 1})})
    begun = IPage(config).fit(problem, Pairs(x, circle(x)), Pairs(x, circle(x)), FitEnvironment())
    before = discrepancies(begun._scaled.network, scaling)
    after = discrepancies(model._scaled.network, scaling)
    assert after[0] < 0.5 * before[0] and after[1] < 0.5 * before[1], (before, after)
    assert log[-1]["val_loss"] < 0.05 * log[0]["val_loss"]


def test_weights_shift_from_the_forward_to_the_others():
    config = LossConfig()
    x = SPACE.sample(64, generator(0))
    scaling = Scaling.fit(SPACE, Pairs(x, circle(x)))
    pairs = scaling.pairs(Pairs(x, circle(x)))
    loss = BidirectionalLoss(config, built(2, 1), scaling, pairs)
    seen = []
    for step in range(1200):
        error = torch.tensor(10.0 ** max(-5.0, -5 * step / 600))
        weight, share = loss._weights(error, step / 1200)
        seen.append((float(weight), float(share)))
    supervised, others = map(list, zip(*seen, strict=True))
    assert supervised[0] == config.supervised_first
    assert others[0] == pytest.approx(config.others_first)
    assert supervised[-1] == pytest.approx(config.supervised_last)
    assert others[-1] == pytest.approx(1.0)
    assert supervised == sorted(supervised, reverse=True) and others == sorted(others)
    # a loss that rises again brings the weight of L_y back
    weight, share = loss._weights(torch.tensor(5.0), 1.0)
    assert float(weight) == config.supervised_first
    assert float(share) == pytest.approx(config.others_first)


def test_schedule_goes_no_faster_than_the_training():
    config = LossConfig()
    x = SPACE.sample(64, generator(0))
    scaling = Scaling.fit(SPACE, Pairs(x, circle(x)))
    loss = BidirectionalLoss(config, built(2, 1), scaling, scaling.pairs(Pairs(x, circle(x))))
    weight, share = loss._weights(torch.tensor(1e-6), 0.1)
    expected = config.others_first + (1 - config.others_first) * 0.1 / config.ramp
    assert float(share) == pytest.approx(expected) and float(weight) > config.supervised_last


@pytest.mark.parametrize(("features", "responses"), [(1, 1), (3, 5), (8, 1)])
def test_loss_is_finite_and_reaches_all_weights(features, responses):
    space = Space.of(
        *(Variable(name=f"x{i}", prior=Uniform(low=-1.0, high=1.0)) for i in range(features))
    )
    x = space.sample(200, generator(0))
    pairs = Pairs(x, torch.cat([x.sum(1, keepdim=True) ** i for i in range(1, responses + 1)], 1))
    scaling = Scaling.fit(space, pairs)
    seen, network = scaling.pairs(pairs), built(features, responses)
    loss = BidirectionalLoss(LossConfig(), network, scaling, seen)
    value = loss(LossBatch(seen.x, seen.y, 0.5, generator(0)))
    value.backward()
    assert bool(value.isfinite())
    weights = [p for p in network.parameters() if p.requires_grad]
    touched = [p.grad is not None and float(p.grad.abs().sum()) > 0 for p in weights]
    assert sum(touched) > 0.8 * len(weights)
    short = loss(LossBatch(seen.x[:3], seen.y[:3], 0.5, generator(0)))
    assert bool(short.isfinite()), "fewer rows than samples"


def test_more_responses_than_designs():
    features, responses = 3, 5
    space = Space.of(
        *(Variable(name=f"x{i}", prior=Uniform(low=-1.0, high=1.0)) for i in range(features))
    )
    matrix = torch.randn(features, responses, generator=generator(4), dtype=torch.float64)
    names = Space.of(*(Variable(name=f"y{i}") for i in range(responses)))
    x, held = space.sample(1024, generator(0)), space.sample(100, generator(1))
    config = SMALL.model_copy(update={"training": SMALL.training.model_copy(update={"epochs": 30})})
    model = IPage(config).fit(
        Problem("toy", space, names),
        Pairs(x, x @ matrix),
        Pairs(held, held @ matrix),
        FitEnvironment(),
    )
    wanted = space.sample(3, generator(2)) * 0.8
    found = model.propose(Targets(wanted @ matrix), points(model, 8))
    off = (found.x - wanted[:, None]).abs().mean()
    assert float(off) < 0.15, "the one design that there is"


def test_restored_model_proposes_the_same(example):
    method, problem, model, _ = example
    state = {k: v.clone() for k, v in model.state().items()}
    before = torch.get_rng_state()
    again = method.restore(problem, state)
    assert torch.equal(torch.get_rng_state(), before)
    first, second = (m.propose(Targets(Y), points(model, 10)) for m in (model, again))
    assert torch.equal(first.x, second.x) and torch.equal(first.predicted, second.predicted)
    assert again.point_dim == model.point_dim == 2 and again.ranked
    assert all(torch.equal(again.state()[k], v) for k, v in state.items())


@pytest.mark.parametrize("task", ["", "sine-wave", "robotic-arm", "ballistics"])
def test_presets_resolve_for_each_task(task):
    quick, default, paper = (
        IPageConfig.resolve({}, preset=preset, task=task)
        for preset in ("quick", "default", "paper")
    )
    assert default == IPageConfig() and quick.training.epochs < default.training.epochs
    assert paper.localisation.solver == "adam" and paper.network.depth == 3
    sizes = (paper.network.blocks, paper.network.width, paper.training.batch_size)
    assert sizes == ((4, 128, 1024) if task == "sine-wave" else (6, 256, 512))


def test_latents_may_be_those_of_known_designs(example):
    _, problem, model, _ = example
    stay = {"steps": 0, "trust": False, "nearest": 0.25}
    settings = {"latents": "known", "localisation": stay}
    config = IPageConfig.resolve({**SMALL.model_dump(mode="json"), **settings})
    known = IPage(config).restore(problem, model.state())
    assert known.point_dim == 1
    wanted = torch.tensor([[0.7]])
    spread = (torch.arange(256, dtype=torch.float64)[None, :, None] + 0.5) / 256
    found = known.propose(Targets(wanted), spread).x[0]
    # of 1,024 known designs the 256 with the nearest responses, each moved by the difference
    x = SPACE.sample(1024, generator(0))
    scaling, network = model._scaled.scaling, model._scaled.network
    y, z, _ = network.split(network(network.pad(scaling.encode(x))))
    truth, aim = scaling.y(circle(x)).float(), scaling.y(wanted).float()
    near = (truth - aim).abs()[:, 0].argsort()[:256]
    expected = scaling.decode(network.starts((y + aim - truth)[near], z[near]))
    for one in (found, expected):
        assert one.shape == (256, 2)
    torch.testing.assert_close(found.sort(0).values, expected.sort(0).values, atol=1e-5, rtol=0)
    moved = (expected - x[near]).norm(dim=1)
    assert float(moved.median()) < 0.2 and float(moved.median()) > 1e-3


@pytest.mark.parametrize(
    ("task", "blocks", "width", "batch", "epochs"),
    [("crystal-mos2", 4, 64, 256, 1000), ("architecture", 6, 512, 1024, 10000)],
)
def test_published_sizes_of_real_tasks(task, blocks, width, batch, epochs):
    config = IPageConfig.resolve({}, preset="paper", task=task)
    assert (config.network.blocks, config.network.width) == (blocks, width)
    assert (config.training.batch_size, config.training.epochs) == (batch, epochs)


def test_known_designs_give_no_latents_where_problems_differ():
    x = SPACE.sample(40, generator(0))
    pairs = Pairs(x, circle(x), {"begin": torch.zeros(40)})
    method = IPage(IPageConfig(latents="known"))
    with pytest.raises(ConfigError, match="answers to other problems"):
        method.fit(Problem("toy", SPACE, RESPONSES, True), pairs, pairs, FitEnvironment())
