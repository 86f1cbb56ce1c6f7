"""The judge of tables: what it predicts, what errors it states, and what rows change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from invcore_solve.judging.config import StackedConfig
from invcore_solve.judging.fitted_stack import FittedStack
from invcore_solve.judging.stacked_surrogates import StackedSurrogates
from scipy.stats import norm

from invcore.base.errors import ConfigError, DataError, UnknownNameError
from invcore.plugin import (
    FitEnvironment,
    FittedSurrogate,
    Pairs,
    Prediction,
    Problem,
    Requirement,
    Space,
    Specification,
    Splits,
    SurrogateModel,
    Targets,
    Uniform,
    Variable,
)

DESIGNS = Space.of(*(Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "ab"))
LINEAR = StackedConfig(members=("linear",))


class Said(FittedSurrogate):
    """A formula, and one size of error."""

    def __init__(self, formula, size, start=None):
        self.formula, self.size, self.start = formula, size, start

    def predict(self, x, context=None):
        mean = self.formula(x)
        return Prediction(mean, torch.full_like(mean, self.size**2))

    def gradient(self, x, context=None):
        raise NotImplementedError

    def state(self):
        return {"size": torch.tensor([self.size])}


class Formula(SurrogateModel):
    """Says a formula, whatever the rows."""

    def __init__(self, formula, size=0.1):
        super().__init__()
        self.formula, self.size, self.seen = formula, size, []

    def fit(self, problem, pairs, env, *, weights=None, noise=None, groups=None):
        self.seen.append({"rows": len(pairs), "x": pairs.x, "weights": weights, "noise": noise,
                          "groups": groups})  # fmt: skip
        return Said(self.formula, self.size)

    def refit(self, problem, pairs, env, start, **facts):
        self.seen.append({"start": start})
        return self.fit(problem, pairs, env, **facts)

    def restore(self, problem, state):
        return Said(self.formula, float(state["size"]))


class Stack(StackedSurrogates):
    """Of formulas alone."""

    def members(self):
        return self._own


def problem(width=1):
    return Problem("p", DESIGNS, Space.of(*(Variable(name=f"y{i}") for i in range(width))))


def pairs(x, y, **facts):
    y = torch.as_tensor(y, dtype=torch.float64)
    return Pairs(torch.as_tensor(x), y if y.ndim == 2 else y[:, None], None, **facts)


def fit(model, rows, seed=0, **options):
    data = Splits(rows, rows[:0], rows[:0])
    made = model.fit(problem(rows.y.shape[1]), data, FitEnvironment(seed=seed), **options)
    assert isinstance(made, FittedStack)
    return made


def draw(count, seed=0):
    return np.random.default_rng(seed).random((count, 2))


def noisy(x, rng):
    """Noise that grows a hundredfold along the first design."""
    size = 0.005 * 100 ** x[:, 0]
    return x[:, 0] + x[:, 1] ** 2 + size * rng.standard_normal(len(x))


def test_weights_go_to_the_member_that_predicts_rows():
    x = draw(60)
    right = Formula(lambda x: x.sum(dim=1, keepdim=True))
    wrong = Formula(lambda x: 1 - x[:, :1])
    # Members learn codes: responses without mean and of deviation 1
    y = 5 + x.sum(axis=1)
    right.formula = lambda x: (5 + x.sum(dim=1, keepdim=True) - y.mean()) / y.std()
    judge = fit(Stack(LINEAR, {"right": right, "wrong": wrong}), pairs(x, y))
    assert judge.names == ("right", "wrong") and judge.weights[0, 0] > 0.9
    assert judge.weights.sum() == pytest.approx(1)
    assert judge.member_errors[0, 0] < 1e-9 < judge.member_errors[1, 0]
    assert judge.held_out_errors.shape == (60, 1)


def test_linear_responses_are_predicted_and_known_rows_too():
    x = draw(50)
    judge = fit(StackedSurrogates(LINEAR), pairs(x, 1 + x[:, 0] * x[:, 1] - x[:, 1] ** 2))
    new = torch.from_numpy(draw(200, 9))
    said = judge.predict(new)
    true = (1 + new[:, 0] * new[:, 1] - new[:, 1] ** 2)[:, None]
    assert float((said.response - true).abs().max()) < 1e-3
    assert bool((said.error > 0).all()) and said.std.shape == said.error.shape
    own = judge.predict(torch.from_numpy(x))
    assert float((own.response[:, 0] - judge.predict(new).response.mean()).abs().max()) < 2
    found = judge.known.find(np.r_[x[:3], draw(2, 8)])
    assert (found[:3] >= 0).all() and found[3:].tolist() == [-1, -1]
    np.testing.assert_array_equal(judge.known.x[found[:3]], x[:3])


def test_the_error_of_what_is_chosen_first_covers_its_share():
    """New designs, chosen by the judge for targets like the table's, under noise of many sizes."""
    off = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        x = rng.random((150, 2))
        judge = fit(StackedSurrogates(LINEAR), pairs(x, noisy(x, rng)), seed)
        offered = rng.random((2000, 2))
        said = judge.predict(torch.from_numpy(offered))
        truth = noisy(offered, rng)
        for target in rng.uniform(0.2, 1.8, 150):
            share = rng.random(2000) < 0.1
            cost = (said.response[:, 0] - target).square() + said.std[:, 0].square()
            first = int(np.where(share, cost.numpy(), np.inf).argmin())
            error = abs(truth[first] - float(said.response[first]))
            off.append(error <= float(said.error[first]))
    assert 0.8 < np.mean(off) < 0.99


def test_errors_cover_several_responses_at_once_and_follow_the_noise():
    rng = np.random.default_rng(0)
    x = rng.random((200, 2))
    y = np.stack([noisy(x, rng), noisy(x[:, ::-1], rng)], axis=1)
    judge = fit(StackedSurrogates(StackedConfig(members=("gaussian-process",))), pairs(x, y))
    fresh = rng.random((3000, 2))
    truth = np.stack([noisy(fresh, rng), noisy(fresh[:, ::-1], rng)], axis=1)
    said = judge.predict(torch.from_numpy(fresh))
    both = ((said.response.numpy() - truth) <= said.error.numpy()).all(axis=1)
    assert 0.8 < both.mean() < 1.0
    low, high = (judge.predict(torch.from_numpy(fresh), level).error for level in (0.5, 0.9))
    assert bool((low < high).all())


def test_levels_that_the_rows_do_not_support_are_refused(complaint):
    judge = fit(StackedSurrogates(LINEAR), pairs(draw(12), draw(12).sum(axis=1)))
    x = torch.rand(2, 2, dtype=torch.float64)
    assert judge.supported < 12 / 13 + 1e-6
    text = complaint(ConfigError, judge.predict, x, 0.99)
    assert "level 0.99" in text and f"{judge.supported:.3g}" in text
    assert "between 0 and 1" in complaint(ConfigError, judge.predict, x, 1.0)
    assert bool(judge.predict(x, judge.supported).error.isfinite().all())


def test_replicates_lie_in_one_fold_and_their_noise_is_the_floor():
    rng = np.random.default_rng(0)
    x = np.repeat(draw(40), 3, axis=0)
    y = x.sum(axis=1) + 0.2 * rng.standard_normal(120)
    seen = Formula(lambda x: x.sum(dim=1, keepdim=True) - 1)
    judge = fit(Stack(LINEAR, {"seen": seen}), pairs(x, y))
    for part in seen.seen[2:]:  # after the fit to all rows: one for each fold
        counts = np.unique(part["x"].numpy(), axis=0, return_counts=True)[1]
        assert set(counts) == {3}
    within = np.sqrt(((y.reshape(40, 3) - y.reshape(40, 3).mean(1, keepdims=True)) ** 2).sum() / 80)
    assert judge.floor[0] * y.std() == pytest.approx(within, rel=1e-6)
    assert float(judge.predict(torch.from_numpy(draw(50, 5))).std.min()) > 0.9 * within


def test_a_measured_design_is_known_better_than_its_neighbour():
    rng = np.random.default_rng(0)
    x = np.repeat(draw(40), 3, axis=0)
    y = np.sin(9 * x[:, 0]) + 0.05 * rng.standard_normal(120)
    judge = fit(StackedSurrogates(LINEAR), pairs(x, y))
    own, beside = (judge.predict(torch.from_numpy(x[::3] + shift)) for shift in (0.0, 1e-3))
    means = y.reshape(40, 3).mean(axis=1)
    off = [np.abs(part.response[:, 0].numpy() - means).mean() for part in (own, beside)]
    assert off[0] < 0.1 * off[1] and float(own.std.mean()) < 0.5 * float(beside.std.mean())


def test_responses_that_are_unknown_in_part():
    x, y = draw(80), np.c_[draw(80).sum(axis=1), draw(80)[:, 0]]
    y[:40, 1], y[70:, 0] = np.nan, np.nan
    judge = fit(StackedSurrogates(LINEAR), pairs(x, y))
    said = judge.predict(torch.from_numpy(draw(50, 3)))
    truth = np.c_[draw(50, 3).sum(axis=1), draw(50, 3)[:, 0]]
    assert np.abs(said.response.numpy() - truth).max() < 1e-3
    assert bool(said.error.isfinite().all())
    assert int(judge.held_out_errors.isnan().sum()) == 50


def test_weights_noise_and_groups_reach_the_members_and_the_folds():
    x, seen = draw(60), Formula(lambda x: 0 * x[:, :1])
    y = 5 + x.sum(axis=1)
    facts = {
        "weights": torch.linspace(0.5, 2, 60, dtype=torch.float64),
        "noise": torch.full((60, 1), 0.09, dtype=torch.float64),
        "groups": torch.arange(60) // 10,
    }
    fit(Stack(LINEAR, {"seen": seen}), pairs(x, y, **facts))
    whole = seen.seen[1]
    assert torch.equal(whole["weights"], facts["weights"])
    np.testing.assert_allclose(whole["noise"], 0.09 / y.var())
    assert [part["rows"] for part in seen.seen[2:]] == [50] * 6, "a group a fold"


def test_rows_that_count_more_draw_the_prediction():
    x = np.repeat(draw(30), 2, axis=0)
    x[1::2] += 1e-6
    y = np.where(np.arange(60) % 2, 1.0, 0.0) + x[:, 0]
    new = torch.from_numpy(draw(20, 4))
    means = []
    for share in (0.1, 0.9):
        weights = torch.from_numpy(np.where(np.arange(60) % 2, share, 1 - share))
        judge = fit(StackedSurrogates(LINEAR), pairs(x, y, weights=weights))
        means.append(float((judge.predict(new).response[:, 0] - new[:, 0]).mean()))
    assert means[0] == pytest.approx(0.1, abs=0.05) and means[1] == pytest.approx(0.9, abs=0.05)


@pytest.mark.parametrize(("choice", "expected"), [
    ("auto", [True, False]), ("never", [False, False]), (("y1",), [False, True])
])  # fmt: skip
def test_logarithms_are_learnt_where_responses_grow_exponentially(choice, expected):
    x = draw(100)
    y = np.exp(5 * x[:, 0] - 2 * x[:, 1]), 10 + x[:, 0] ** 2
    judge = fit(StackedSurrogates(StackedConfig(members=("linear",), logarithms=choice)),
                pairs(x, np.stack(y, axis=1)))  # fmt: skip
    assert judge.codes.logs.tolist() == expected
    if choice == "auto":
        new = torch.from_numpy(draw(50, 2))
        true = (5 * new[:, 0] - 2 * new[:, 1]).exp()
        np.testing.assert_allclose(judge.predict(new).response[:, 0], true, rtol=1e-2)


def test_logarithms_of_a_response_that_there_is_not(complaint):
    model = StackedSurrogates(StackedConfig(members=("linear",), logarithms=("z",)))
    assert "no response 'z'" in complaint(
        UnknownNameError, fit, model, pairs(draw(30), draw(30).sum(axis=1))
    )


def test_curves_are_learnt_through_principal_scores():
    x, grid = draw(80), np.linspace(0, 1, 30)
    y = x[:, :1] * np.sin(5 * grid) + x[:, 1:] ** 2 * grid + 3
    judge = fit(StackedSurrogates(LINEAR), pairs(x, y))
    assert judge.weights.shape == (1, 2), "two scores make these curves"
    new = draw(20, 6)
    true = new[:, :1] * np.sin(5 * grid) + new[:, 1:] ** 2 * grid + 3
    assert np.abs(judge.predict(torch.from_numpy(new)).response.numpy() - true).max() < 0.01


def test_probabilities_are_shares_of_picked_rows_that_meet_a_target():
    rng = np.random.default_rng(0)
    x = rng.random((200, 2))
    judge = fit(StackedSurrogates(LINEAR), pairs(x, x.sum(axis=1) + 0.1 * rng.standard_normal(200)))
    new = torch.from_numpy(rng.random((1, 60, 2)))
    low, high = 0.9, 1.3
    wanted = Specification.of({"y0": Requirement(low=low, high=high)})
    targets = Targets.of([wanted], problem().responses)
    said = judge.probability(new, targets)[0].numpy()
    mean = new[0].sum(dim=1).numpy()
    expected = norm.cdf((high - mean) / 0.1) - norm.cdf((low - mean) / 0.1)
    assert np.abs(said - expected).max() < 0.2 and np.corrcoef(said, expected)[0, 1] > 0.97


def test_a_judge_comes_back_from_its_state_bit_for_bit():
    config = StackedConfig(members=("gaussian-process", "linear"))
    rng = np.random.default_rng(0)
    x = rng.random((40, 2))
    y = np.exp(3 * x[:, :1]) * (1 + 0.01 * rng.standard_normal((40, 1)))
    model = StackedSurrogates(config)
    judge = fit(model, pairs(x, y))
    again = model.restore(problem(), {k: v.clone() for k, v in judge.state().items()})
    asked = torch.from_numpy(np.r_[draw(30, 7), x[:5]])
    for a, b in zip(vars(judge.predict(asked)).values(), vars(again.predict(asked)).values(),
                    strict=True):  # fmt: skip
        assert torch.equal(a, b)
    assert again.names == judge.names and torch.equal(again.held_out_errors, judge.held_out_errors)
    other = fit(model, pairs(x, y), seed=0)
    assert torch.equal(other.predict(asked).response, judge.predict(asked).response)


def test_a_fit_starts_from_the_members_of_an_earlier_one():
    seen = Formula(lambda x: 0 * x[:, :1])
    first = fit(Stack(LINEAR, {"seen": seen}), pairs(draw(30), 5 + draw(30)[:, 0]))
    seen.seen.clear()
    fit(Stack(LINEAR, {"seen": seen}), pairs(draw(40), 5 + draw(40)[:, 0]), start=first)
    assert seen.seen[0]["start"] is first.members[0]
    seen.seen.clear()
    fit(Stack(LINEAR, {"seen": seen}), pairs(draw(40), 5 + draw(40)[:, 0]),
        start=replace(first, names=("another",)))  # fmt: skip
    assert seen.seen[0]["start"] is None


def test_too_few_designs_to_hold_some_out(complaint):
    x = np.repeat(draw(3), 6, axis=0)
    assert "four different designs" in complaint(
        DataError, fit, StackedSurrogates(LINEAR), pairs(x, x.sum(axis=1))
    )
