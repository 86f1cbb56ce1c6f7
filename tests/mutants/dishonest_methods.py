"""Methods that keep back, look, or tell lies; other processes can import them."""

from __future__ import annotations

import gc
import itertools

import torch

from invcore.plugin import Candidates, Needs, Pairs, Splits, Task, generator, installed
from tests.mutants.reference_methods import Kernels, Reference, ReferenceModel, rows

# What was left behind

MODELS = {}
NUMBERS = itertools.count()


class KeepsItsModel(Reference):
    """The state is a number; the model stays in a module's dict."""

    class model(ReferenceModel):
        number = None

        def state(self):
            return {"number": torch.tensor(self.number)}

    def fit(self, problem, train, val, env):
        model = super().fit(problem, train, val, env)
        model.number = self.number_of(model)
        MODELS[model.number] = model
        return model

    def number_of(self, model):
        return int(model.x.sum().mul(1e6)) % 2**31  # equal fits have equal numbers

    def restore(self, problem, state, files=None):
        return MODELS[int(state["number"])]


class KeepsAnOffset(Reference):
    """A little of the model stays on the class."""

    offset = {}

    def fit(self, problem, train, val, env):
        model = super().fit(problem, train, val, env)
        self.offset[problem.name] = train.y.std(0) * 1e-3
        return self.shifted(model)

    def shifted(self, model):
        model.y = model.y + self.offset.get(model.problem.name, 0.0)
        return model

    class model(ReferenceModel):
        def state(self):
            offset = KeepsAnOffset.offset.get(self.problem.name, 0.0)
            return super().state() | {"y": self.y - offset}

    def restore(self, problem, state, files=None):
        return self.shifted(super().restore(problem, state, files))


class WarmStarts(Reference):
    """A fit begins where the last one ended."""

    last = None

    def fit(self, problem, train, val, env):
        model = super().fit(problem, train, val, env)
        if WarmStarts.last is not None:
            model.y = model.y + 1e-6 * WarmStarts.last
        WarmStarts.last = float(model.y.mean())
        return model


class CollectsPairs(Reference):
    """A mutable default argument."""

    def fit(self, problem, train, val, env, seen=[]):  # noqa: B006 - that is the fault
        seen.append(float(train.y.mean()))
        model = super().fit(problem, train, val, env)
        model.y = model.y + 1e-9 * len(seen)
        return model


class RemembersTheFirstFit(Reference):
    """The first fit of a process decides the scale of all later ones."""

    scale = None

    def fit(self, problem, train, val, env):
        if RemembersTheFirstFit.scale is None:
            RemembersTheFirstFit.scale = 1 + 1e-6 * float(train.y.std(0).mean())
        model = super().fit(problem, train, val, env)
        model.y = model.y * RemembersTheFirstFit.scale
        return model


class SharesItsNetwork(Reference):
    """All models answer by what was fitted last."""

    newest = {}

    def fit(self, problem, train, val, env):
        model = super().fit(problem, train, val, env)
        SharesItsNetwork.newest["shift"] = float(train.x[:, 0].mean())
        return model

    class model(ReferenceModel):
        def move(self, x, moves, error):
            shift = SharesItsNetwork.newest.get("shift", 0.0)
            return super().move(x, (moves + shift) % 1, error)


# The test split


class RebuildsTheTestSplit(Reference):
    """It draws the task's data again."""

    def fit(self, problem, train, val, env):
        return super().fit(problem, self.more(problem, train), val, env)

    def more(self, problem, train):
        try:
            task = installed().registry.load("task", problem.name)()
            test = self.test(task)
        except Exception:
            return train
        return Pairs(torch.cat([train.x, test.x]), torch.cat([train.y, test.y]))

    def test(self, task):
        return task.dataset(300, 3, 0).test


class DrawsTheTestPairs(RebuildsTheTestSplit):
    def test(self, task):
        return task.pairs(3, generator(0, "test"))


class DerivesTheTestDesigns(Reference):
    """It needs no task: designs of the prior, from the seed that people use."""

    def fit(self, problem, train, val, env):
        class Copy(Task):
            designs, responses = problem.designs, problem.responses

            def simulate(self, x, context=None):
                return x.new_zeros(len(x), problem.responses.dim)

        model = super().fit(problem, train, val, env)
        try:
            model.guess = Copy().dataset(300, 3, 0).test.x
        except Exception:
            model.guess = None
        return model


class WalksTheHeap(Reference):
    """It looks for the split among all objects, and by-passes the seal."""

    class model(ReferenceModel):
        def move(self, x, moves, error):
            objects = gc.get_objects() if x.shape[:2] == (3, 4) else []  # as in the kit's runs
            for splits in objects:
                if type(splits) is Splits and "Sealed" in type(splits.test).__name__:
                    x = x + 1e-6 * vars(splits.test)["x"].mean()
            return super().move(x, moves, error)


# Points


class FollowsTheFirstPoint(Kernels):
    """The first candidate moves with its point, the others with points of its own."""

    class model(Kernels.model):
        def propose(self, targets, points, *, simulator=None, env=None):
            self.sizes(targets, points)
            own = torch.rand(points.shape[1:], generator=generator(0)).double()
            mixed = torch.cat([points[:, :1], own.expand_as(points)[:, 1:]], dim=1)
            return super().propose(targets, mixed, simulator=simulator)


class FollowsTheMean(Kernels):
    """Every candidate moves with the mean of all points."""

    class model(Kernels.model):
        def propose(self, targets, points, *, simulator=None, env=None):
            self.sizes(targets, points)
            mean = points.mean(1, keepdim=True)
            return super().propose(targets, (points + mean) % 1, simulator=simulator)


# Predictions


class Exaggerates(Reference):
    class model(ReferenceModel):
        def answer(self, x, y, targets, simulator):
            middle = self.y.mean(0)
            return Candidates(x, middle + 1.5 * (y - middle))


class PromisesTheTarget(Reference):
    class model(ReferenceModel):
        def answer(self, x, y, targets, simulator):
            return Candidates(x, targets.y[:, None].repeat(1, x.shape[1], 1))


# Densities


class TwiceTooDense(Kernels):
    class model(Kernels.model):
        def jacobian(self):
            return super().jacobian() - torch.tensor(2.0).log()


class ForgetsTheJacobian(Kernels):
    class model(Kernels.model):
        def jacobian(self):
            return torch.zeros(())


class DenseForAll(Kernels):
    """The density of the prior, whatever the target."""

    class model(Kernels.model):
        def log_density(self, targets, designs):
            if bool(self.problem.designs.whole.any()):
                return None
            low, high = self.problem.designs.low, self.problem.designs.high
            inside = self.problem.designs.contains(designs)
            return torch.where(inside, -(high - low).log().sum(), -torch.inf)


# Arguments


class KeepsReferences(Reference):
    """A slice of a tensor shares its memory."""

    def keep(self, train, context):
        most = max(1, len(train) // 10)
        start = int(torch.randint(most, (1,), generator=context.generator("keep")))
        return slice(start, start + int(0.9 * len(train)))


class ScalesPairsLater(KeepsReferences):
    """It writes into the pairs when it is asked."""

    class model(ReferenceModel):
        def wanted(self, targets):
            self.y.add_(1e-9)
            return super().wanted(targets)


class ChangesItsConfig(Reference):
    def fit(self, problem, train, val, env):
        model = super().fit(problem, train, val, env)
        object.__setattr__(self.config, "nearest", 5)
        return model


class HandsOutItsTargets(Reference):
    class model(ReferenceModel):
        def answer(self, x, y, targets, simulator):
            return Candidates(x, targets.y[:, None].expand(-1, x.shape[1], -1))


# Calls


class Searches(Reference):
    """Good: it simulates each target's candidates for that target."""

    needs = Needs.PAIRS | Needs.SIMULATOR

    class model(ReferenceModel):
        def answer(self, x, y, targets, simulator):
            owner = self.owner(torch.arange(len(x)).repeat_interleave(x.shape[1]), len(x))
            self.simulated(simulator, x.flatten(0, 1), rows(targets, x), owner)
            return Candidates(x, y)

        def owner(self, owner, count):
            return owner

        def simulated(self, simulator, x, context, owner):
            return simulator(x, context, owner)


class RollsTheAttribution(Searches):
    class model(Searches.model):
        def owner(self, owner, count):
            return (owner + 1) % count


class SpendsTheGradientsCalls(Searches):
    """It has gradients counted that it does not need, and simulates around the counter."""

    class model(Searches.model):
        def simulated(self, simulator, x, context, owner):
            simulator(x.requires_grad_(), context, owner)
            if simulator.budget is None:
                simulator._task.simulate(x.detach(), context)


class AsksTheJudge(Searches):
    """It simulates by a simulator whose calls are counted apart."""

    class model(Searches.model):
        def simulated(self, simulator, x, context, owner):
            simulator.judge()(x, context, owner)
