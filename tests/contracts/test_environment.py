"""Environments: seeds of their own, one for each target, and what is kept."""

import pytest
import torch

from invcore.base.errors import ConfigError
from invcore.base.seeding import Stream, derive, generator
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.problem import Targets


def test_seeds_of_a_fit_do_not_lead_to_the_data():
    env = FitEnvironment(seed=7)
    assert env.derive("a") == derive(7, "fit", "a") != derive(7, "a")
    assert not hasattr(env, "seed")
    assert not any(value == 7 for value in vars(env).values())
    assert not any(value == 7 for value in vars(env._stream).values())


def test_a_stream_is_what_its_root_would_derive():
    assert Stream(3, "fit", 2).derive("x", 1) == derive(3, "fit", 2, "x", 1)
    draws = [torch.rand(3, generator=g) for g in (Stream(3).generator("x"), generator(3, "x"))]
    assert torch.equal(*draws)


def test_a_target_has_its_seed_alone_and_among_others():
    env = FitEnvironment()
    y, points = torch.rand(5, 2).double(), torch.rand(5, 3, 4).double()
    targets = Targets(y, {"known": torch.arange(5.0)})
    seeds = env.seeds(targets, points)
    assert len(set(seeds)) == 5 and all(0 <= seed < 2**31 for seed in seeds)
    rows = torch.tensor([3, 1])
    assert env.seeds(targets[rows], points[rows]) == [seeds[3], seeds[1]]
    assert FitEnvironment(seed=9).seeds(targets, points) == seeds


def test_the_target_its_context_and_its_points_decide_its_seed():
    env, y, points = FitEnvironment(), torch.zeros(1, 2).double(), torch.zeros(1, 1, 1).double()
    first = env.seeds(Targets(y, {"known": torch.zeros(1)}), points)
    others = [
        env.seeds(Targets(y + 1, {"known": torch.zeros(1)}), points),
        env.seeds(Targets(y, {"known": torch.ones(1)}), points),
        env.seeds(Targets(y, {"known": torch.zeros(1)}), points + 0.5),
    ]
    assert all(other != first for other in others)


def test_no_targets_have_no_seeds():
    assert FitEnvironment().seeds(Targets(torch.zeros(0, 2)), torch.zeros(0, 1, 3)) == []


@pytest.mark.parametrize("name", ["", "../a", "a/b", ".a", "a b", "a" * 200, "ä"])
def test_names_that_could_lead_elsewhere_are_refused(name, complaint):
    env = FitEnvironment()
    assert "name" in complaint(ConfigError, env.artefact, name)
    assert "name" in complaint(ConfigError, env.diagnostics, name, torch.zeros(1))


def test_what_nobody_keeps_may_be_left_all_the_same():
    env = FitEnvironment()
    env.diagnostics("loss", torch.zeros(2))
    env.artefact("curve.txt").write_text("fine")
