"""Good methods, which mutants spoil; other processes can import them."""

from __future__ import annotations

import torch

from invcore.plugin import Candidates, Config, Field, InverseMethod, InverseModel, Needs, Pairs


class ReferenceConfig(Config):
    """Settings."""

    presets = {"quick": {"nearest": 6}}
    nearest: int = Field(8, ge=1, description="Neighbours to choose from.")


class ReferenceModel(InverseModel):
    """Designs of pairs whose response is near, moved a little."""

    ranked = True

    known = None

    def __init__(self, problem, x, y, config):
        self.problem, self.x, self.y, self.config = problem, x, y, config
        self.point_dim = problem.designs.dim + 1
        self.lookup = config.nearest

    def propose(self, targets, points, *, simulator=None, env=None):
        self.sizes(targets, points)
        wanted = self.wanted(targets)
        count = min(self.lookup, len(self.x))
        far = (wanted[:, None] - self.y).div(self.y.std(0)).square().mean(2)  # (B, N)
        if self.known is not None:
            apart = columns(targets.context)[:, None] - self.known
            far = far + 10 * apart.square().mean(2)
        near = far.topk(count, dim=1, largest=False).indices  # (B, count)
        chosen = near.gather(1, (points[..., 0] * count).long())  # (B, K)
        error = far.gather(1, chosen)
        order = self.order(error)
        chosen = chosen.gather(1, order)
        moves = points.gather(1, order[..., None].expand_as(points))[..., 1:]
        x = self.move(self.x[chosen], moves, error.gather(1, order))
        return self.answer(x, self.y[chosen], targets, simulator)

    def sizes(self, targets, points):
        self.check_sizes(targets, points, self.problem.responses.dim)

    def wanted(self, targets):
        return targets.y.double()

    def order(self, error):
        return error.argsort(dim=1, stable=True)

    def move(self, x, moves, error):
        apart = (0.02 + 1.2 * error.sqrt())[..., None]  # further where no pair is near
        unit = self.problem.designs.to_unit(x) + apart * (moves - 0.5)
        return self.problem.designs.from_unit(unit.clamp(0, 1))

    def answer(self, x, y, targets, simulator):
        return Candidates(x, y)

    def state(self):
        known = {} if self.known is None else {"known": self.known}
        return {"x": self.x, "y": self.y} | known


def columns(context):
    return torch.cat([known.reshape(len(known), -1) for known in context.values()], dim=1)


def rows(targets, x):
    """What is known of each candidate's problem."""
    known = targets.context
    return known and {n: v.repeat_interleave(x.shape[1], 0) for n, v in known.items()}


class Reference(InverseMethod[ReferenceConfig]):
    """A good method; it keeps a random nine tenths of the pairs."""

    Config = ReferenceConfig
    model = ReferenceModel
    uses_context = True

    def fit(self, problem, train, val, env):
        keep = self.keep(train, env)
        model = self.model(problem, train.x[keep], train.y[keep], self.config)
        if train.context:
            model.known = columns(train.context)[keep]
        return model

    def keep(self, train: Pairs, context):
        return self.some(torch.randperm(len(train), generator=context.generator("keep")))

    def some(self, order):
        return order[: int(0.9 * len(order))]

    def restore(self, problem, state, files=None):
        model = self.model(problem, state["x"], state["y"], self.config)
        model.known = state.get("known")
        return model


class HonestSimulations(Reference):
    """Good: it says that it simulates."""

    needs = Needs.PAIRS | Needs.SIMULATOR

    class model(ReferenceModel):
        def answer(self, x, y, targets, simulator):
            simulator(x.flatten(0, 1), rows(targets, x))
            return Candidates(x, y)


class Slopes(Reference):
    """Good: it knows how responses change, by planes through the nearest known designs."""

    class model(ReferenceModel):
        def gradient(self, designs, context=None):
            named = torch.tensor([bool(v.categories) for v in self.problem.designs.variables])
            width = self.x.std(0)
            away = (designs.double()[:, None] - self.x) / width  # (N, M, Dx)
            near = away.square().sum(2).topk(40, dim=1, largest=False).indices
            x = self.x[near] / width
            x = torch.where(named, 0.0, x - x.mean(1, keepdim=True))
            y = self.y[near] - self.y[near].mean(1, keepdim=True)
            flat = 1e-6 * torch.eye(len(width)).double()
            found = torch.linalg.solve(x.mT @ x + flat, x.mT @ y)  # (N, Dx, Dy)
            return torch.where(named, 0.0, found.mT / width)


class Kernels(Reference):
    """Good: a mixture of Gaussians around known designs, which has a density."""

    class model(ReferenceModel):
        ranked = False
        width = 0.1

        def log_weights(self, targets):
            far = (targets.y.double()[:, None] - self.y).div(0.1 * self.y.std(0)).square().sum(2)
            if self.known is not None:
                far = far + 10 * (columns(targets.context)[:, None] - self.known).square().mean(2)
            return torch.log_softmax(-0.5 * far, dim=1)  # (B, N)

        def spread(self):
            return self.width * self.x.std(0)

        def propose(self, targets, points, *, simulator=None, env=None):
            self.sizes(targets, points)
            shares = self.log_weights(targets).exp().cumsum(1)
            chosen = torch.searchsorted(shares, self.chosen(points)).clamp(max=len(self.x) - 1)
            moves = torch.special.ndtri(points[..., 1:].double())
            x = self.problem.designs.project(self.x[chosen] + self.spread() * moves)
            return self.answer(x, self.y[chosen], targets, simulator)

        def chosen(self, points):
            return points[..., 0].double().contiguous()

        def log_density(self, targets, designs):
            if bool(self.problem.designs.whole.any()):
                return None
            z = (designs.double()[:, None] - self.x) / self.spread()  # (B, N, Dx)
            normal = -0.5 * (z.square() + torch.tensor(2 * torch.pi).double().log()).sum(2)
            inside = torch.logsumexp(self.log_weights(targets) + normal, dim=1)
            return inside - self.jacobian()

        def jacobian(self):
            return self.spread().log().sum()
