"""Joint parameterised optimisation: a network trained on the targets at hand."""

from __future__ import annotations

import torch
from invcore_optimisers import Evaluator, Problems, minimise_bfgs, minimise_lbfgs
from torch import Tensor

from invcore.learning import Normaliser
from invcore.plugin import (
    SILENT,
    Answers,
    Candidates,
    ConfigError,
    Files,
    FitEnvironment,
    InverseMethod,
    InverseModel,
    Needs,
    Pairs,
    Problem,
    Simulator,
    Targets,
)
from invcore_jpo.config import JointConfig
from invcore_jpo.training import train_jointly


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
    answers = Answers.INTERVALS
    needs = Needs.SIMULATOR | Needs.GRADIENT
    uses_context = True

    def fit(self, problem: Problem, train: Pairs, val: Pairs, env: FitEnvironment) -> JointModel:
        """Learn nothing yet; keep the seed of the weights that will be."""
        state = {
            "seed": torch.tensor(env.derive("jpo", "weights")),
            "scale": train.y.double().var(dim=0, correction=0).mean(),
        }
        state = {name: value.to(env.device) for name, value in state.items()}
        return JointModel(problem, self.config, state)

    def restore(
        self, problem: Problem, state: dict[str, Tensor], files: Files | None = None
    ) -> JointModel:
        """Rebuild the model from its tensors."""
        return JointModel(problem, self.config, state)


class JointModel(InverseModel):
    """What will train networks on the targets that it is given."""

    answers = Answers.INTERVALS
    point_dim = 0
    ranked = True
    joint = True

    def __init__(self, problem: Problem, config: JointConfig, state: dict[str, Tensor]) -> None:
        self._problem, self._config, self._state = problem, config, state

    def propose(
        self, targets: Targets, points: Tensor, *, simulator: Simulator | None = None,
        env: FitEnvironment = SILENT,
    ) -> Candidates:  # fmt: skip
        """Train networks on the targets; their designs, refined if the settings say so.

        Raises:
            ConfigError: no simulator is given.
        """
        self.check_sizes(targets, points, self._problem.responses.dim)
        if simulator is None:
            raise ConfigError("jpo: it needs the task's simulator to propose")
        config, device = self._config, self._state["seed"].device
        designs = self._problem.designs
        middle = designs.from_unit(torch.full((len(targets), 1, designs.dim), 0.5).double())
        scale = self._scale(targets)
        problems = Problems(simulator, designs, targets.to(device), middle, scale=scale)
        evaluator = Evaluator(problems, config.rows)
        seed, z = int(self._state["seed"]), problems.start
        if z.numel():  # else there are no problems, or none that can move
            inputs, dim = _inputs(targets).to(device), z.shape[1]
            with env.progress.stage("jpo", config.steps) as stage:
                z = train_jointly(
                    evaluator, inputs, dim, config, seed, advance=lambda: stage.advance(1)
                ).z
            if config.refine == "bfgs":
                z = minimise_bfgs(problems, z, config.bfgs).x
            elif config.refine == "lbfgs":
                z = minimise_lbfgs(problems, z, config.lbfgs).x
        best, copies = problems.result(z), points.shape[1]
        return Candidates(
            best.x[:, None].repeat(1, copies, 1), best.y[:, None].repeat(1, copies, 1)
        )

    def state(self) -> dict[str, Tensor]:
        """The seed of the weights; the responses' scale."""
        return self._state

    def _scale(self, targets: Targets) -> float:
        """The targets' mean variance; of one, or of equal ones, that of the pairs."""
        if not targets.exact:  # whose errors have no unit
            return 1.0
        y, scales = targets.y.double(), [self._state["scale"]]
        if len(y) > 1:
            scales.insert(0, y.var(dim=0, correction=0).mean())
        return next((float(v) for v in scales if bool(v.isfinite()) and float(v) > 0), 1.0)


def _inputs(targets: Targets) -> Tensor:
    """A network's inputs for each problem: target and context, normalised over the problems.

    Of an interval they are both ends, or twice the one that there is, and which there are.
    """
    columns = sorted((targets.context or {}).items())
    context = [value.reshape(len(targets), -1).double() for _, value in columns]
    if targets.exact:
        wanted = [targets.y.double()]
    else:
        low, high = targets.low.double(), targets.high.double()
        there = [end.isfinite() for end in (low, high)]
        both = [torch.where(there[0], low, high), torch.where(there[1], high, low)]
        ends = [end.nan_to_num(0.0, 0.0, 0.0) for end in both]
        wanted = [*ends, *(known.double() for known in there)]
    whole = torch.cat([*wanted, *context], dim=1)
    return Normaliser.standard(whole)(whole).float()
