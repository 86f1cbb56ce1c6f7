"""Posterior samples by rejection: what the candidates of a target are compared with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from invcore.plugin import Config, Evaluation, Field, Task, UnfitError
from invcore_metrics.prior_scale import has_prior, response_scale
from invcore_metrics.tensor_digest import digest

_NUMBERS = 1 << 20  # of responses and designs in one chunk of draws
_SMALLEST = 1 << 10
_LOOK = 1 << 14  # draws after which a task that none of them comes near is given up
_PILOTS = (16, 1024)  # rows; the latter's responses stand for the simulator


class ReferenceConfig(Config):
    """How the reference samples are drawn."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {"targets": 25, "tolerance": 0.1, "draws": 262_144}
    }

    targets: int = Field(100, ge=1, description="How many targets, the first ones, to judge by.")
    count: int = Field(256, ge=2, description="Reference samples for each target, at most.")
    least: int = Field(50, ge=2, description="A target with fewer reference samples is left out.")
    tolerance: float = Field(
        0.03,
        gt=0,
        description="How near a response must come to the target to be accepted, in standard "
        "deviations of the response over the prior.",
    )
    draws: int = Field(
        4_194_304,
        ge=1,
        description="Draws of the prior, at most; fewer where the simulator may not be called "
        "freely.",
    )


@dataclass(frozen=True)
class Reference:
    """Posterior samples of some targets.

    Args:
        targets: (R,), which targets they belong to: the places of those with enough samples.
        samples: (R, S, Dx), float64, NaN where a target has fewer than S.
    """

    targets: Tensor
    samples: Tensor


def reference(evaluation: Evaluation, config: ReferenceConfig) -> Reference | None:
    """Draw designs of the prior, and keep those whose response comes near a target.

    A design is accepted for a target if each of its responses lies within ``tolerance`` standard
    deviations (over the prior) of it. Draws end when each target has ``count`` such designs, and
    those nearest to it are kept. That is a sample of p(x | |F(x) - y*| ≤ ε) for an ε of the
    target's own, at most ``tolerance``, close to the posterior of a system without noise. It is
    drawn once for a task, its targets and these settings, and kept in the evaluation's cache.
    Draws are simulator calls: where these are bounded, there are as many draws as they allow.

    References:
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919 (section 5.3)

    Returns:
        None where there is nothing to compare with: no task, no prior, or a context (each problem
        then has a system of its own).

    Raises:
        UnfitError: no target has ``least`` samples: the draws are too few, or the responses are of
            so many numbers that none comes near a target.
    """
    task = evaluation.task
    if task is None or not has_prior(task) or evaluation.context:
        return None
    targets = evaluation.targets[: config.targets].double().cpu()
    generator = evaluation.generator("reference")
    left = evaluation.calls_left()
    if left is not None and left < config.least:
        raise UnfitError(
            f"the task's simulator may not be called freely, and the {left} calls that metrics may "
            f"make are too few for {config.least} posterior samples of a target"
        )
    draws = config.draws if left is None else min(config.draws, left)
    pilot = _pilot(task, generator) if left is None else torch.empty(0)
    settings = config.model_dump(mode="json", include={"count", "least", "tolerance"})
    key = settings | {
        "draws": draws,
        "task": f"{type(task).__module__}:{type(task).__qualname__}",
        "config": task.config.model_dump(mode="json"),
        "simulator": digest(pilot),  # another version of the task may answer otherwise
        "targets": digest(targets),
        "seed": evaluation.seed,
        "version": 1 if left is None else 2,
    }

    def draw() -> dict[str, Tensor]:
        near = config.tolerance * response_scale(evaluation, task)  # (Dy,)
        return _accepted(task, targets, near, generator, config.model_copy(update={"draws": draws}))

    record = evaluation.cache.tensors("reference", key, draw)
    if not len(record["targets"]):
        raise UnfitError(
            f"no target has {config.least} posterior samples: {draws} draws of the prior are too "
            "few to come near"
        )
    return Reference(record["targets"], record["samples"])


def _pilot(task: Task[Any], generator: torch.Generator) -> Tensor:
    """Responses of a few designs, which tell simulators apart."""
    y = torch.empty(0)
    for rows in _PILOTS:
        y = task.simulate(task.designs.sample(rows, generator)).double().cpu()
    return y


def _accepted(
    task: Task[Any], targets: Tensor, near: Tensor, generator: torch.Generator,
    config: ReferenceConfig,
) -> dict[str, Tensor]:  # fmt: skip
    """The samples, for the cache: ``targets`` (R,) and ``samples`` (R, S, Dx)."""
    nearest = [_Nearest(config.count) for _ in targets]
    rows = max(_SMALLEST, _NUMBERS // (task.designs.dim + task.responses.dim))
    for start in range(0, config.draws, rows):
        x = task.designs.sample(min(rows, config.draws - start), generator)
        y = task.simulate(x).double().cpu()
        for sample, (places, distances) in zip(nearest, _near(y, targets, near), strict=True):
            sample.add(x[places], distances)
        have = [len(sample.distances) for sample in nearest]
        if min(have) >= config.count or (start + rows >= _LOOK and max(have) == 0):
            break
    enough = [i for i, sample in enumerate(nearest) if len(sample.distances) >= config.least]
    most = max((len(nearest[i].distances) for i in enough), default=0)
    samples = torch.full((len(enough), most, task.designs.dim), torch.nan, dtype=torch.float64)
    for row, i in enumerate(enough):
        samples[row, : len(nearest[i].distances)] = nearest[i].samples
    return {"targets": torch.tensor(enough, dtype=torch.long), "samples": samples}


class _Nearest:
    """The designs of one target that came nearest so far."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.distances = torch.empty(0, dtype=torch.float64)
        self.samples = torch.empty(0, 0, dtype=torch.float64)

    def add(self, x: Tensor, distances: Tensor) -> None:
        """Look at more designs; the nearest stay, in the order of their distance."""
        distances = torch.cat((self.distances, distances))
        x = torch.cat((self.samples, x)) if len(self.samples) else x
        order = distances.argsort(stable=True)[: self._count]
        self.distances, self.samples = distances[order], x[order]


def _near(y: Tensor, targets: Tensor, near: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """For each target, the rows of y (N, Dy) near it, and how near: 1 is just near enough."""
    first, order = y[:, 0].contiguous().sort()  # NaN goes last
    low = torch.searchsorted(first, (targets[:, 0] - near[0]).contiguous())
    high = torch.searchsorted(first, (targets[:, 0] + near[0]).contiguous(), right=True)
    for target, start, end in zip(targets, low.tolist(), high.tolist(), strict=True):
        rows = order[start:end]
        distances = ((y[rows] - target).abs() / near).amax(dim=1)
        good = distances <= 1.0
        yield rows[good], distances[good]
