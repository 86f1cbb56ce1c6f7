"""What is known of each problem goes along with it: pairs, scaling, search, run, store."""

from __future__ import annotations

import pytest
import torch

from invcore import RunConfig, ShapeError, Store, run
from invcore.data.pairs import flat, joined, repeated
from invcore.learning import Scaling, SurrogateConfig, TrainingConfig, fit_surrogate
from invcore.pipeline import rerank
from invcore.plugin import FitEnvironment, InverseMethod, Pairs, Targets
from invcore.search import LocalisationConfig, localise
from invcore.testing.cases.problems import Bowl, Known


def pairs(count=40, seed=0):
    return Known().pairs(count, torch.Generator().manual_seed(seed))


def test_pairs_keep_it_row_by_row():
    known = pairs()
    part = known[torch.tensor([3, 1])]
    assert torch.equal(part.context["offset"], known.context["offset"][[3, 1]])
    torch.testing.assert_close(Known().simulate(part.x, part.context), part.y)
    first, second = known.split(0.5, generator=torch.Generator().manual_seed(0))
    for half in (first, second, joined([first, second])):
        torch.testing.assert_close(Known().simulate(half.x, half.context), half.y)
    assert known.to(torch.device("cpu"), torch.float32).context["idle"].dtype == torch.float32
    with pytest.raises(ShapeError, match="context 'offset' has 39 rows for 40 designs"):
        Pairs(known.x, known.y, {"offset": known.context["offset"][1:]})


def test_it_is_one_row_of_numbers_by_name():
    context = {"b": torch.tensor([[1.0, 2.0]]), "a": torch.tensor([3.0])}
    assert flat(context, 1).tolist() == [[3.0, 1.0, 2.0]]
    assert flat(None, 4).shape == (4, 0)
    assert repeated(context, 2)["a"].tolist() == [3.0, 3.0]


def test_scaling_puts_it_beside_designs_or_responses():
    known = pairs()
    scaling = Scaling.fit(Known.designs, known)
    assert (scaling.columns, scaling.inputs, scaling.conditions) == (3, 5, 4)
    scaled = scaling.pairs(known)
    assert scaled.x.shape == (40, 5) and scaled.y.shape == (40, 1)
    torch.testing.assert_close(scaled.x[:, 2:].mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    turned = scaling.turned(scaled)
    assert turned.x.shape == (40, 2) and turned.y.shape == (40, 4)
    torch.testing.assert_close(turned.y, scaling.target_features(known.y, known.context))
    again = Scaling.restore(Known.designs, scaling.state())
    torch.testing.assert_close(again.pairs(known).x, scaled.x)
    with pytest.raises(ShapeError, match="expected 3 numbers a problem, got 0"):
        scaling.target_features(known.y, None)
    plain = Scaling.fit(Bowl.designs, Bowl().pairs(20, torch.Generator().manual_seed(0)))
    assert plain.columns == 0 and not any(name.startswith("context") for name in plain.state())


def test_a_search_moves_the_design_alone():
    known = pairs()
    scaling = Scaling.fit(Known.designs, known)
    scaled = scaling.pairs(known)

    def forward(inputs):  # the truth, in scaled units
        x, idle = scaling.parts(inputs)
        context = scaling.context.inverse(idle.double())
        y = Known().simulate(
            scaling.x.inverse(x.double()), {"idle": context[:, :2, None], "offset": context[:, 2]}
        )
        return scaling.y(y).float()

    start = scaled.x.clone()
    start[:, :2] = 0.0
    for solver in ("lm", "adam"):
        found = localise(forward, start, scaled.y, scaling, LocalisationConfig(solver=solver))
        assert torch.equal(found.x[:, 2:], scaled.x[:, 2:])
        assert float(found.error.median()) < 1e-6, solver


def test_a_surrogate_learns_from_it_and_ranks_by_it():
    known, val = pairs(400), pairs(100, 1)
    scaling = Scaling.fit(Known.designs, known)
    config = SurrogateConfig(width=32, training=TrainingConfig(epochs=60))
    surrogate, _ = fit_surrogate(config, scaling, known, val, FitEnvironment())
    fresh = pairs(50, 2)
    off = surrogate.predict(fresh.x, fresh.context) - fresh.y
    assert float(off.square().mean()) < 0.01 * float(fresh.y.var())
    good, bad = fresh.x, Known.designs.project(fresh.x + 0.8 * (1 - 2 * (fresh.x > 0).double()))
    order = rerank(surrogate, torch.stack([bad, good], 1), Targets(fresh.y, fresh.context))
    assert float((order[:, 0] == 1).double().mean()) > 0.95


def go(make_plugins, tmp_path, task, **settings):
    plugins = make_plugins(task={"known": task})
    config = RunConfig.resolve(
        {"task": "known", "pairs": 300, "targets": 12, "candidates": 4, **settings}
    )
    store = Store(tmp_path)
    return run(config, store=store, plugins=plugins, keep_going=False), store


def test_a_run_keeps_it_and_resimulates_with_it(make_plugins, tmp_path):
    method = {"name": "na", "surrogate": {"width": 16, "training": {"epochs": 30}}}
    record, store = go(make_plugins, tmp_path, Known, method=method, rerank=True)
    kept = store.tensors(record.id, "candidates")
    assert kept["context.offset"].shape == (12,) and kept["context.idle"].shape == (12, 1, 2)
    context = {name: kept[f"context.{name}"].repeat_interleave(4, 0) for name in ("offset", "idle")}
    again = Known().simulate(kept["candidates"].flatten(0, 1), context).unflatten(0, (12, 4))
    assert torch.equal(again, kept["resimulated"])
    assert float(kept["errors"][:, 0].median()) < 1e-2


class Blind(InverseMethod):
    """Knows nothing of contexts."""

    def fit(self, problem, train, val, env):
        raise AssertionError("it should not be asked")

    restore = fit


def test_a_method_that_ignores_it_is_not_asked(make_plugins, tmp_path):
    plugins = make_plugins(task={"known": Known}, method={"blind": Blind})
    config = RunConfig.resolve({"task": "known", "method": "blind", "targets": 3, "pairs": 20})
    record = run(config, store=Store(tmp_path), plugins=plugins)
    assert record.status == "skipped"
    assert record.reason == (
        "method blind does not use what is known of each problem of the task (offset, idle)"
    )


class Measured(Bowl):
    """A bowl whose responses are measured with noise."""

    noise_floor = 0.25

    def observe(self, y, generator):
        return y + 0.5 * torch.randn(y.shape, generator=generator, dtype=y.dtype)


def test_noise_belongs_to_the_targets_alone():
    clean, noisy = Bowl().dataset(50, 400, 3), Measured().dataset(50, 400, 3)
    assert torch.equal(clean.train.y, noisy.train.y) and torch.equal(clean.test.x, noisy.test.x)
    added = noisy.test.y - clean.test.y
    assert float(added.square().mean()) == pytest.approx(0.25, rel=0.2)
    assert torch.equal(Measured().dataset(50, 400, 3).test.y, noisy.test.y)
