"""Planted bad methods: each is caught by the check that is meant for it."""

from __future__ import annotations

import random
import sys

import pytest
import torch

from invcore.plugin import (
    Answers,
    Candidates,
    Config,
    Field,
    Needs,
    Pairs,
    generator,
)
from invcore.testing import CHECKS, Subject, run_checks
from tests.mutants.reference_methods import (
    HonestSimulations,
    Kernels,
    Reference,
    ReferenceModel,
    Slopes,
    rows,
)


def method(model_class):
    """The reference with another model."""
    return type(model_class.__name__, (Reference,), {"model": model_class})


class GlobalRandomness(Reference):
    def keep(self, train, context):
        return self.some(torch.randperm(len(train)))


class SeedsTheWorld(Reference):
    def keep(self, train, context):
        torch.manual_seed(context.derive("world"))
        return self.some(torch.randperm(len(train)))


class PythonRandom(Reference):
    def keep(self, train, context):
        random.random()
        return super().keep(train, context)


class DeafToTheSeed(Reference):
    def keep(self, train, context):
        return self.some(torch.randperm(len(train), generator=generator(0, "always")))


class ScalesPairsInPlace(Reference):
    def fit(self, problem, train, val, env):
        model = super().fit(problem, train, val, env)
        train.y.sub_(train.y.mean(0))
        return model


class ClampsPointsInPlace(ReferenceModel):
    def sizes(self, targets, points):
        super().sizes(targets, points)
        points.clamp_(0.25, 0.75)


class LeavesTheBox(ReferenceModel):
    def move(self, x, moves, error):
        return x + (self.problem.designs.high - self.problem.designs.low) * 0.1 * (moves - 0.5)


class InfiniteTails(ReferenceModel):
    def move(self, x, moves, error):
        latent = torch.special.ndtri(moves.float())  # 1 - 2**-33 is 1 in float32
        return super().move(x, latent.softmax(dim=2).double(), error)


class HalfALayer(ReferenceModel):
    def move(self, x, moves, error):
        return 0.5 * (x + x.roll(1, dims=1))


class ForgetsConstraints(ReferenceModel):
    def move(self, x, moves, error):
        designs = self.problem.designs
        if not designs.constraints:
            return super().move(x, moves, error)
        return (x + 0.1 * (moves - 0.5)).clamp(designs.low, designs.high)


class LeavesTheImage(ReferenceModel):
    def move(self, x, moves, error):
        return x + 1 if self.problem.designs.grid else super().move(x, moves, error)


class ForgetsTheGrid(Reference):
    def restore(self, problem, state, files=None):
        x = 1 - state["x"] if problem.designs.grid else state["x"]
        return self.model(problem, x, state["y"], self.config)


class GivesUpFarAway(ReferenceModel):
    def move(self, x, moves, error):
        return torch.where(error[..., None] > 10, torch.nan, super().move(x, moves, error))


class ScaledPredictions(ReferenceModel):
    def answer(self, x, y, targets, simulator):
        return Candidates(x, (y - self.y.mean(0)) / self.y.std(0))


class FlatSlopes(ReferenceModel):
    def gradient(self, designs, context=None):
        return torch.zeros(len(designs), self.y.shape[1], designs.shape[1]).double()


class WorstFirst(ReferenceModel):
    def order(self, error):
        return error.argsort(dim=1, stable=True, descending=True)


class NoSizeCheck(ReferenceModel):
    def sizes(self, targets, points):
        pass


class FloatOnly(ReferenceModel):
    def wanted(self, targets):
        return (targets.y @ torch.eye(targets.y.shape[1], dtype=torch.float64)).double()


class LosesTheBatch(ReferenceModel):
    def answer(self, x, y, targets, simulator):
        return Candidates(x.squeeze(0))


class CandidatesFirst(ReferenceModel):
    def answer(self, x, y, targets, simulator):
        return Candidates(x.transpose(0, 1))


class NormalisesOverTheBatch(ReferenceModel):
    def wanted(self, targets):
        y = targets.y.double()
        return self.y.mean(0) + (y - y.mean(0)) * 0.9


class LooksAtTheRow(ReferenceModel):
    def wanted(self, targets):
        row = torch.arange(len(targets), dtype=torch.float64)[:, None]
        return targets.y.double() + self.y.std(0) * 0.02 * row


class CountsItsCalls(ReferenceModel):
    calls = 0

    def move(self, x, moves, error):
        self.calls += 1
        return super().move(x, (moves + 0.37 * self.calls) % 1.0, error)


class DeafToPoints(ReferenceModel):
    def sizes(self, targets, points):
        super().sizes(targets, points)

    def propose(self, targets, points, *, simulator=None, env=None):
        self.sizes(targets, points)
        own = torch.rand(points.shape[1:], generator=generator(0)).double()
        return super().propose(targets, own.expand_as(points), simulator=simulator)


class OneAnswer(ReferenceModel):
    def propose(self, targets, points, *, simulator=None, env=None):
        self.sizes(targets, points)
        return super().propose(targets, points[:, :1].expand_as(points), simulator=simulator)


class ForgetsItsOrigin(ReferenceModel):
    def __init__(self, problem, x, y, config):
        super().__init__(problem, x, y, config)
        self.lookup = 3  # fit says 6 below, restore does not


class FitKnowsMore(Reference):
    model = ForgetsItsOrigin

    def fit(self, problem, train, val, env):
        model = super().fit(problem, train, val, env)
        model.lookup = 6
        return model


class StoresAView(ReferenceModel):
    def state(self):
        return {"x": self.x.T.contiguous().T, "y": self.y}


class StoresParameters(ReferenceModel):
    def state(self):
        return {"x": torch.nn.Parameter(self.x), "y": self.y}


class StoresOneTwice(ReferenceModel):
    def state(self):
        return {"x": self.x, "again": self.x, "y": self.y}


class IgnoresTheTarget(ReferenceModel):
    def propose(self, targets, points, *, simulator=None, env=None):
        self.sizes(targets, points)
        return Candidates(self.problem.designs.from_unit(points[..., 1:]))


class SecretSimulations(ReferenceModel):
    def answer(self, x, y, targets, simulator):
        if simulator is not None:
            simulator(x.flatten(0, 1))
        return Candidates(x, y)


class SwallowsTheRefusal(ReferenceModel):
    def answer(self, x, y, targets, simulator):
        try:
            simulator(x.flatten(0, 1))
        except Exception:
            pass
        return Candidates(x, y)


class PastTheCounter(Reference):
    needs = Needs.PAIRS | Needs.SIMULATOR

    class model(ReferenceModel):
        def answer(self, x, y, targets, simulator):
            simulator._task.simulate(x.flatten(0, 1), rows(targets, x))
            return Candidates(x, y)


class OpensTheTestSplit(Reference):
    def fit(self, problem, train, val, env):
        frame = sys._getframe()
        while frame is not None:
            data = frame.f_locals.get("data")
            if hasattr(data, "test"):
                train = Pairs(torch.cat([train.x, data.test.x]), torch.cat([train.y, data.test.y]))
            frame = frame.f_back
        return super().fit(problem, train, val, env)


class TunesOnTheTargets(Reference):
    def fit(self, problem, train, val, env):
        frame, model = sys._getframe(), super().fit(problem, train, val, env)
        while frame is not None:
            if hasattr(frame.f_locals.get("data"), "test"):
                model.y = model.y + 1e-9 * frame.f_locals["data"].test.y.mean()
            frame = frame.f_back
        return model


class NeedsManyPairs(Reference):
    def some(self, order):
        if len(order) < 100:
            raise IndexError("index 99 is out of range")
        return super().some(order)


class NeedsTwoVariables(Reference):
    def fit(self, problem, train, val, env):
        train.x[:, 1].mean()
        return super().fit(problem, train, val, env)


class NeedsSeveralCandidates(ReferenceModel):
    def move(self, x, moves, error):
        z = (moves - moves.mean(1, keepdim=True)) / moves.std(1, keepdim=True)
        return super().move(x, torch.sigmoid(z), error)


class IgnoresTheContext(Reference):
    def fit(self, problem, train, val, env):
        return super().fit(problem, Pairs(train.x, train.y), val, env)


class SaysOtherwise(Reference):
    answers = Answers.INTERVALS


class OfIntervals(Reference):
    """The reference, which takes intervals and makes responses of them by itself."""

    answers = Answers.INTERVALS

    class model(ReferenceModel):
        answers = Answers.INTERVALS

        def wanted(self, targets):
            if targets.exact:
                return targets.y.double()
            return self.inside(targets.low.double(), targets.high.double())

        def inside(self, low, high):
            middle, room = 0.5 * (low + high), 0.1 * self.y.std(0)
            ends = torch.minimum(torch.maximum(self.y.mean(0), low + room), high - room)
            return torch.where(middle.isfinite(), middle, ends)


def of_intervals(model_class):
    """A reference of intervals with another model."""
    return type(model_class.__name__, (OfIntervals,), {"model": model_class})


class AsksForTheEnd(OfIntervals.model):
    def inside(self, low, high):
        return torch.where(low.isfinite(), low, high - self.y.std(0)).nan_to_num(0.0)


class AsksBeyondOneEnd(OfIntervals.model):
    def inside(self, low, high):
        one = low.isfinite() ^ high.isfinite()
        return torch.where(one, self.y.mean(0), super().inside(low, high))


class WantsAllResponses(OfIntervals.model):
    def inside(self, low, high):
        free = low.isinf() & high.isinf()
        return torch.where(free, self.y.amax(0) + 9 * self.y.std(0), super().inside(low, high))


class KnownPairsAlone(ReferenceModel):
    def move(self, x, moves, error):
        return super().move(x, moves, 0 * error)


class MeansOverTheBatch(OfIntervals.model):
    def inside(self, low, high):
        middle = super().inside(low, high)
        return middle + 0.1 * (middle.mean(0) - middle)


class WidthOfIts(OfIntervals.model):
    def wanted(self, targets):
        away = 0.0 if targets.low is targets.high else 0.1 * self.y.std(0)
        return super().wanted(targets) + away


class TakesGoalsForNothing(Reference):
    answers = Answers.INTERVALS | Answers.GOALS

    class model(OfIntervals.model):
        answers = Answers.INTERVALS | Answers.GOALS


class LooseConfig(Config):
    """Settings."""

    model_config = {"extra": "ignore"}
    nearest: int = Field(6, description="Neighbours.")


class ThawedConfig(Config):
    """Settings."""

    model_config = {"frozen": False}
    nearest: int = Field(6, description="Neighbours.")


class SilentConfig(Config):
    """Settings."""

    nearest: int = 6


class BadPresetConfig(Config):
    """Settings."""

    presets = {"paper/kit": {"nearest": "many"}}
    nearest: int = Field(6, description="Neighbours.")


def configured(config):
    return type(config.__name__, (Reference,), {"Config": config})


# The first name is that of the check meant for it; the others cannot but fail with it.
MUTANTS = [
    (GlobalRandomness, ["same-seed", "global-generators"]),
    (SeedsTheWorld, ["global-generators"]),
    (PythonRandom, ["global-generators"]),
    (DeafToTheSeed, ["seeds-differ"]),
    (ScalesPairsInPlace, ["arguments-unchanged"]),
    (method(ClampsPointsInPlace), ["arguments-unchanged"]),
    (
        method(LeavesTheBox),
        [
            "in-bounds",
            "mixed-space",
            "constraints",
            "images",
            "unreachable-targets",
            "ranking",
            "intervals",
            "one-sided",
            "ignored-response",
        ],
    ),
    (method(InfiniteTails), ["finite"]),
    (
        method(HalfALayer),
        ["mixed-space", "constraints", "points-matter", "between-clusters", "goals"],
    ),
    (method(ForgetsConstraints), ["constraints"]),
    (method(LeavesTheImage), ["images"]),
    (ForgetsTheGrid, ["images"]),
    (method(GivesUpFarAway), ["unreachable-targets"]),
    (method(ScaledPredictions), ["predictions"]),
    (method(FlatSlopes), ["gradient"]),
    (method(WorstFirst), ["ranking"]),
    (method(NoSizeCheck), ["wrong-sizes"]),
    (method(FloatOnly), ["dtypes"]),
    (method(LosesTheBatch), ["one-target-one-candidate", "batch-size"]),
    (method(CandidatesFirst), ["shapes", ...]),
    (method(NormalisesOverTheBatch), ["batch-size", "specifications-alone"]),
    (
        method(LooksAtTheRow),
        ["target-order", "batch-size", "between-clusters", "specifications-alone"],
    ),
    (
        method(CountsItsCalls),
        [
            "propose-repeats",
            "batch-size",
            "dtypes",
            "state-restores",
            "target-order",
            "earlier-fits",
            "arguments-not-kept",
            "context",
            "zero-width",
            "specifications-alone",
        ],
    ),
    (method(DeafToPoints), ["points-matter", "intervals", "ignored-response", "goals"]),
    (method(OneAnswer), ["points-matter"]),
    (FitKnowsMore, ["state-restores", "images", "restores-elsewhere"]),
    (method(StoresAView), ["state-tensors"]),
    (method(StoresParameters), ["state-tensors"]),
    (method(StoresOneTwice), ["state-tensors"]),
    (
        method(IgnoresTheTarget),
        [
            "beats-ignoring-the-target",
            "context",
            "intervals",
            "one-sided",
            "between-clusters",
            "goals",
        ],
    ),
    (method(SecretSimulations), ["simulator-budget"]),
    (method(SwallowsTheRefusal), ["simulator-budget"]),
    (PastTheCounter, ["simulator-budget", "calls-recorded"]),
    (OpensTheTestSplit, ["test-split-unopened"]),
    (TunesOnTheTargets, ["test-split-unopened"]),
    (NeedsManyPairs, ["small-table"]),
    (NeedsTwoVariables, ["one-variable", "between-clusters"]),
    (method(NeedsSeveralCandidates), ["one-target-one-candidate", "finite", ...]),
    (IgnoresTheContext, ["context"]),
    (SaysOtherwise, ["answers-declared"]),
    (of_intervals(AsksForTheEnd), ["intervals", ...]),
    (of_intervals(AsksBeyondOneEnd), ["one-sided", ...]),
    (of_intervals(WantsAllResponses), ["ignored-response", ...]),
    (method(KnownPairsAlone), ["between-clusters", ...]),
    (of_intervals(MeansOverTheBatch), ["specifications-alone", ...]),
    (of_intervals(WidthOfIts), ["zero-width", ...]),
    (TakesGoalsForNothing, ["goals", ...]),
    (configured(LooseConfig), ["config-rejects-unknown-keys"]),
    (configured(ThawedConfig), ["config-frozen"]),
    (configured(SilentConfig), ["config-described"]),
    (configured(BadPresetConfig), ["presets-resolve"]),
]


def failing(component):
    outcomes = run_checks(CHECKS["method"], Subject.of("method", "mutant", component))
    return {o.check.name: o.why for o in outcomes if o.result == "failed"}


@pytest.mark.parametrize("component", [Reference, HonestSimulations, Kernels, OfIntervals, Slopes])
def test_the_good_ones_pass(component):
    assert failing(component) == {}


def test_the_good_ones_leave_out_no_check_but_cuda():
    passed = set()
    for good in (Reference, Kernels, HonestSimulations, Slopes):
        outcomes = run_checks(CHECKS["method"], Subject.of("method", "good", good))
        passed |= {o.check.name for o in outcomes if o.result == "passed"}
    left = {check.name for check in CHECKS["method"]} - passed
    assert left == (set() if torch.cuda.is_available() else {"cuda"})


@pytest.mark.filterwarnings("ignore:std\\(\\)")
@pytest.mark.parametrize(
    ("component", "expected"), MUTANTS, ids=[mutant.__name__ for mutant, _ in MUTANTS]
)
def test_each_bad_one_is_caught(component, expected):
    found = failing(component)
    assert expected[0] in found
    assert ... in expected or set(found) == set(expected), found
