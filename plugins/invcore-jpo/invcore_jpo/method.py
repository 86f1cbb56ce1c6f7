"""Joint parameterised optimisation: a network trained on the targets at hand."""

from __future__ import annotations

import time
from dataclasses import replace

import torch
from invcore_optimisers import Evaluator, Minimum, Problems, minimise_bfgs, minimise_lbfgs
from torch import Tensor

from invcore import (
    Candidates,
    ConfigError,
    FitContext,
    History,
    InverseMethod,
    InverseModel,
    Needs,
    Normaliser,
    Pairs,
    Problem,
    Progress,
    Simulator,
    Targets,
)
from invcore_jpo.config import JointConfig
from invcore_jpo.training import Joint, train_jointly

_RECORDS = 200  # of the history of the refinement


class JointOptimisation(InverseMethod[JointConfig]):
    """Train x_i = N(y_i, context_i) on the sum of the problems' errors, through the simulator.

    What is wanted are the solutions of the problems at hand, not a network for others: all work is
    done when targets are given, on all of them as one. One design for each target; asked for more,
    it repeats it. Networks learn in float32, the simulator answers in float64.

    References:
        Holl, Thuerey, 2024, https://arxiv.org/abs/2408.08119

    Example:
        >>> import invcore
        >>> config = invcore.RunConfig.resolve(
        ...     {"targets": 8, "candidates": 1, "pairs": 10,
        ...      "method": {"name": "jpo", "steps": 20}, "task": "ballistics"})
        >>> invcore.run(config).status
        'ok'
    """

    Config = JointConfig
    needs = Needs.SIMULATOR | Needs.GRADIENT
    uses_context = True

    def fit(self, problem: Problem, train: Pairs, val: Pairs, context: FitContext) -> JointModel:
        """Learn nothing yet; keep the seed of the weights that will be."""
        seed = torch.tensor(context.derive("jpo", "weights"))
        return JointModel(problem, self.config, seed.to(context.device), context.progress)

    def restore(self, problem: Problem, state: dict[str, Tensor]) -> JointModel:
        """Rebuild the model from its tensors."""
        return JointModel(problem, self.config, state["seed"], Progress())


class JointModel(InverseModel):
    """What will train networks on the targets that it is given."""

    point_dim = 0
    ranked = True
    joint = True

    def __init__(
        self, problem: Problem, config: JointConfig, seed: Tensor, progress: Progress
    ) -> None:
        self._problem, self._config = problem, config
        self._seed, self._progress = seed, progress

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None
    ) -> Candidates:
        """Train networks on the targets; their designs, refined if the settings say so.

        Raises:
            ConfigError: no simulator is given.
        """
        self.check_sizes(targets, points, self._problem.responses.dim)
        if simulator is None:
            raise ConfigError("jpo: it needs the task's simulator to propose")
        config, device = self._config, self._seed.device
        designs = self._problem.designs
        middle = designs.from_unit(torch.full((len(targets), 1, designs.dim), 0.5).double())
        spread = targets.y.double().var(dim=0, unbiased=False).mean()
        scale = float(spread) or 1.0  # of one target, or of equal ones: none
        problems = Problems(simulator, designs, targets, middle, scale=scale)
        evaluator = Evaluator(problems, config.rows)
        with self._progress.stage("jpo", config.steps) as stage:
            found = train_jointly(
                evaluator,
                _inputs(targets).to(device),
                problems.start.shape[1],
                config,
                int(self._seed),
                calls=lambda: simulator.calls,
                advance=lambda: stage.advance(1),
            )
        z, history = found.z, found.history
        if config.refine != "none":
            z, history = self._refined(problems, found, simulator)
        best, copies = problems.found(z), points.shape[1]
        return Candidates(
            best.x[:, None].repeat(1, copies, 1),
            best.y[:, None].repeat(1, copies, 1),
            replace(history, error=history.error * scale),
        )

    def _refined(
        self, problems: Problems, found: Joint, simulator: Simulator
    ) -> tuple[Tensor, History]:
        """Each problem's point, moved on alone; and the history of both parts."""
        started, before = time.perf_counter(), found.history
        if self._config.refine == "bfgs":
            settings = self._config.bfgs.model_copy(update={"history": _RECORDS})
            refined: Minimum = minimise_bfgs(problems, found.z, settings)
        else:
            more = self._config.lbfgs.model_copy(update={"history": _RECORDS})
            refined = minimise_lbfgs(problems, found.z, more)
        own = refined.history
        assert own is not None  # it was asked for
        # All of it took so many calls, and so long: each record its share
        share = own.values.double() / own.values[-1].clamp(min=1)
        calls = before.calls[-1] + (share * (simulator.calls - int(before.calls[-1]))).long()
        seconds = before.seconds[-1] + share * (time.perf_counter() - started)
        after = History(own.best.cpu(), calls, seconds)
        return refined.x, History(
            torch.cat([before.error, after.error]),
            torch.cat([before.calls, after.calls]),
            torch.cat([before.seconds, after.seconds]),
        )

    def state(self) -> dict[str, Tensor]:
        """The seed of the weights."""
        return {"seed": self._seed}


def _inputs(targets: Targets) -> Tensor:
    """What a network is told of each problem: target and context, normalised over the problems."""
    columns = sorted((targets.context or {}).items())
    known = [value.reshape(len(targets), -1).double() for _, value in columns]
    whole = torch.cat([targets.y.double(), *known], dim=1)
    return Normaliser.standard(whole)(whole).float()
