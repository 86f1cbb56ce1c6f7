"""How sure it is that a design meets what is wanted, and when to stop."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch
from invcore_closed_loop import Worth
from invcore_closed_loop.campaign.standing.expectation import Expectation, Normal
from invcore_closed_loop.campaign.standing.outlook import best_of, chances, gain_of

from invcore.base.errors import ConfigError
from invcore.plugin import Problem, Space, Uniform, Variable, specification_of
from invcore.plugin import Targets as AllTargets

LINE = Problem(
    "line", Space.of(Variable(name="x", prior=Uniform(low=0.0, high=1.0))),
    Space.of(Variable(name="y")),
)  # fmt: skip


def unknown(x):
    return torch.full((len(x), 1), torch.nan, dtype=torch.float64)


def target(*wishes, problem=LINE):
    wished = specification_of(wishes, problem.responses.names)
    return AllTargets.of([wished.requirements_for()], problem.responses)


def column(*values):
    return torch.tensor(values, dtype=torch.float64)[:, None]


def test_chances_are_those_of_normal_distributions():
    said = Normal(column(0.0, 1.0, 2.0, 2.0), column(1.0, 2.0, 0.0, torch.nan))
    found = chances(said, target("y=0:1.5"))
    normal = torch.distributions.Normal(0.0, 1.0)
    first = float(normal.cdf(torch.tensor(1.5)) - 0.5)
    second = float(normal.cdf(torch.tensor(0.25)) - normal.cdf(torch.tensor(-0.5)))
    assert found[:3].tolist() == pytest.approx([first, second, 0.0], abs=1e-6)
    assert math.isnan(found[3])


def test_noise_is_what_repeated_measurements_differ_by():
    generator = torch.Generator().manual_seed(0)
    x = torch.linspace(0, 1, 12, dtype=torch.float64).repeat(40)[:, None]
    noise = 0.3 * torch.randn(len(x), 1, generator=generator, dtype=torch.float64)
    said = Expectation.of(LINE, x, 2 * x + noise, {}, unknown)
    assert said.noise_is == ("measured",)
    assert float(said.noise) == pytest.approx(0.3, rel=0.1)
    assert said.repeats == len(x) - 12
    away = (said.made.mean - 2 * said.x).abs() / said.made.std
    assert float((away <= 2).double().mean()) > 0.8


def test_a_lucky_measurement_is_not_sure_and_a_second_one_tells():
    generator = torch.Generator().manual_seed(3)
    x = torch.rand(12, 1, generator=generator, dtype=torch.float64)
    y = torch.randn(12, 1, generator=generator, dtype=torch.float64)  # noise alone
    wanted = target("y>=0.8")
    lucky = int(y.argmax())
    assert float(y.max()) > 0.8
    once = Expectation.of(LINE, x, y, {}, unknown)
    place = int((once.x == x[lucky]).nonzero()[0, 0])
    chance = float(chances(once.made, wanted)[place])
    assert chance < 0.6
    # Measured again and again it is what it is: 1.5 ± 0.1
    more = 1.5 + 0.1 * torch.randn(6, 1, generator=generator, dtype=torch.float64)
    again = Expectation.of(
        LINE, torch.cat([x, x[lucky].expand(6, 1)]), torch.cat([y, more]), {}, unknown
    )
    assert float(chances(again.made, wanted)[place]) > 0.95
    stated = Expectation.of(LINE, x, y, {"y": 0.0}, unknown)
    assert float(chances(stated.made, wanted)[place]) == pytest.approx(1.0)


def test_expectations_hold():
    """Of designs that are drawn anew, nine in ten true responses are within the stated error."""
    hits = []
    for seed in range(12):
        generator = torch.Generator().manual_seed(seed)
        x, new = (torch.rand(n, 2, generator=generator, dtype=torch.float64) for n in (20, 50))
        space = Space.of(*(Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "ab"))
        problem = Problem("waves", space, LINE.responses)
        phase = 3 * torch.rand(2, generator=generator, dtype=torch.float64)

        def truth(x, phase=phase):
            return (3 * x + phase).sin().sum(dim=1, keepdim=True)

        noise = 0.1 * torch.randn(20, 1, generator=generator, dtype=torch.float64)
        mean, error = Expectation.of(problem, x, truth(x) + noise, {}, unknown).measured_at(new)
        fresh = truth(new) + 0.1 * torch.randn(50, 1, generator=generator, dtype=torch.float64)
        hits.append(((mean - fresh).abs() <= error).double().mean())
    assert 0.8 < float(torch.stack(hits).mean()) <= 1.0


def test_gains_are_those_of_the_normal_distributions():
    """One further row of a known distribution: the chance to be better is that of a difference."""
    x = torch.linspace(0, 1, 8, dtype=torch.float64)[:, None]
    y = x + 0.05 * torch.tensor([1, -1, 1, -1, 1, -1, 1, -1.0]).double()[:, None]
    wanted = target("y=max")
    said = Expectation.of(LINE, x, y, {}, unknown)
    best = best_of(said, wanted, 0.9, torch.ones(8, dtype=torch.bool))
    assert best is not None
    assert best.chance == 1.0  # nothing limits it
    new = column(0.97)
    there, first = said.at(new), said.made[torch.tensor([best.place])]
    spread = (there.std.square() + first.std.square()).sqrt()
    chance = torch.special.ndtr((there.mean - first.mean) / spread)
    found = gain_of(said, wanted, best, new)
    assert found.chance_better == pytest.approx(float(chance), abs=0.03)


def test_too_few_rows_say_nothing_and_status_says_so(alloy):
    campaign = alloy()
    text = str(campaign.status())
    assert "nothing has been measured yet" in text
    assert "advice: ask for a batch" in text
    batch = campaign.ask(2)
    assert campaign.status().advice == "tell the pending rows"
    batch["strength"] = [290.0, 310.0]
    campaign.tell(batch)
    status = campaign.status()
    assert status.chance is None
    assert status.gain is None
    assert status.best["id"] == 2


def truth(frame):
    return 100 * frame.cu.to_numpy() - 10 * frame.mg.to_numpy()


def test_it_stops_when_it_is_sure(alloy):
    campaign = alloy(want=["strength>=300"], noise={"strength": 1.0})
    batch = campaign.ask(12)
    batch["strength"] = truth(batch)
    campaign.tell(batch)
    status = campaign.status(confidence=0.95)
    assert status.met
    assert status.stop
    assert status.advice == f"stop: id {status.best['id']} meets what is wanted"
    assert status.noise == {"strength": (1.0, "stated")}
    campaign.change(want=["strength>=2000"])
    status = campaign.status()
    assert not status.met
    assert not status.stop
    assert "what is violated is expected to go from " in str(status)
    assert status.gain.error <= status.error


def test_it_is_told_when_a_batch_is_not_worth_its_cost(alloy):
    campaign = alloy(
        responses=["strength", "cost = 2*cu + 10"], want=["strength>=200", "cost=min"],
        noise={"strength": 1.0},
    )  # fmt: skip
    batch = campaign.ask(12)
    batch["strength"] = truth(batch)
    campaign.tell(batch)
    cheap = campaign.status(worth=Worth(experiment=1e-6, goals={"cost": 100.0}))
    assert not cheap.stop
    assert cheap.worth["gain"] > cheap.worth["cost"] == pytest.approx(5e-6)
    assert cheap.gain.goals["cost"] < cheap.goals["cost"]
    costly = campaign.status(worth=Worth(experiment=1e6, goals={"cost": 100.0}))
    assert costly.stop
    assert "costs more than it is expected to be worth" in costly.advice
    assert "that is worth" in str(costly)


def test_a_goal_alone_has_nothing_to_meet_and_luck_is_told(alloy):
    campaign = alloy(want=["strength=max"])
    batch = campaign.ask(15)
    batch["strength"] = np.random.default_rng(0).normal(size=15)  # noise alone
    campaign.tell(batch)
    status = campaign.status()
    assert "truly meets" not in str(status)
    assert "strength of it is truly expected to be" in str(status)
    assert status.goals["strength"] < status.best["strength"]


def test_pending_rows_are_the_next_batch(alloy):
    campaign = alloy()
    batch = campaign.ask(8)
    batch["strength"] = truth(batch)
    campaign.tell(batch)
    assert campaign.status(count=3).gain.count == 3
    campaign.ask(2)
    status = campaign.status(count=3)
    assert (status.gain_is, status.gain.count, status.pending) == ("pending", 2, (9, 10))


def test_a_design_that_looks_good_is_to_be_measured_again(alloy):
    campaign = alloy(want=["strength>=0.8"])
    batch = campaign.ask(10)
    batch["strength"] = np.random.default_rng(2).normal(size=10)
    campaign.tell(batch)
    status = campaign.status()
    assert not status.met
    assert "at most about ± " in str(status)
    assert status.advice.startswith(f"measure id {status.best['id']} again")
    campaign.tell(pd.DataFrame({"id": [status.best["id"]], "strength": [-1.0]}))
    assert campaign.status().noise["strength"][1] == "measured"


@pytest.mark.parametrize(
    "options", [{"confidence": 1.0}, {"confidence": 0.0}, {"count": 0}], ids=str
)
def test_what_is_no_probability_is_refused(alloy, options):
    with pytest.raises(ConfigError):
        alloy().status(**options)


@pytest.mark.parametrize(
    "wrong", [{"experiment": -1.0}, {"met": math.nan}, {"share": 2.0}], ids=str
)
def test_what_is_worth_nothing_is_refused(wrong):
    with pytest.raises(ConfigError):
        Worth(**wrong)
