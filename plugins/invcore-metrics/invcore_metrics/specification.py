"""How well specifications are met, and how far their goals are reached."""

from collections.abc import Iterator

import torch
from torch import Tensor

from invcore.plugin import GOALS, Config, Estimate, Evaluation, Field, Metric, Targets
from invcore.results import bootstrap, expected_best, hypervolume

_SIGNS = {"minimise": ("lowest", 1.0, "lower"), "maximise": ("highest", -1.0, "higher")}


class SpecificationConfig(Config):
    """Settings of ``specification``."""

    T: tuple[int, ...] = Field(
        (1, 10),
        min_length=1,
        description="Numbers of candidates of which one is to meet all; beside all of them.",
    )
    best: int = Field(10, ge=2, description="Best candidates whose variety is measured.")
    volumes: int = Field(
        200, ge=1, description="Targets, the first ones, whose sets of goals are measured."
    )


class Specification(Metric[SpecificationConfig]):
    """Of runs with wishes: who meets them, how far goals are reached, and by how varied designs.

    ``share-met`` is the share of candidates that meet all that is wanted of their target.
    ``targets-met`` is the share of targets that one of T candidates meets: the first T in the order
    of a method that ranks, and T drawn ones of any other. Of a goal, ``lowest-mass`` is the best
    value among the candidates that meet the rest, in its own unit, and ``improvement-mass`` how
    much better that is than the best training pair that meets the rest; targets without either are
    left out of it. ``hypervolume`` is of two or three goals, in units of the responses' spread:
    what those candidates dominate below the worst training pair. ``variety-10`` is the mean
    distance between two of the ten best candidates, in the prior's unit cube, root mean square over
    the variables: 0 for copies, and 0.41 for independent draws of the prior.
    """

    Config = SpecificationConfig

    def measure(self, evaluation: Evaluation) -> list[Estimate]:
        """Nothing where test responses are the targets, and nobody wished anything."""
        wanted = evaluation.specification
        if wanted is None:
            return []
        met = _met(evaluation, wanted)
        estimates: list[Estimate] = []
        if bool(wanted.wanted.any()):
            share = _interval(evaluation, met.double().mean(dim=1), "met")
            estimates.append(Estimate("share-met", *share, better="higher"))
        most = met.shape[1]
        counts = sorted({*(t for t in self.config.T if t < most), most})
        lost = expected_best((~met).double(), counts, ranked=evaluation.ranked)
        for count, values in zip(counts, 1 - lost, strict=True):
            ends = _interval(evaluation, values, "met")
            estimates.append(Estimate("targets-met", *ends, better="higher", T=count))
        if wanted.has_goals:
            estimates += list(_goals(evaluation, wanted, met))
            estimates += self._volume(evaluation, wanted, met)
        variety = _interval(evaluation, self._variety(evaluation, wanted), "variety")
        return [*estimates, Estimate(f"variety-{self.config.best}", *variety, better="higher")]

    def _volume(self, evaluation: Evaluation, wanted: Targets, met: Tensor) -> list[Estimate]:
        """The mean over targets with two or three goals."""
        if evaluation.known is None:
            return []
        volumes = []
        for row in range(min(len(wanted), self.config.volumes)):
            target = wanted[slice(row, row + 1)]
            columns = (target.goal[0] > 0) & (target.goal[0] < GOALS.index("ignore"))
            if int(columns.sum()) not in (2, 3):
                continue
            scale = target.spread[columns]
            reached = target.goals(evaluation.resimulated[row][None])[0][met[row]][:, columns]
            worst = evaluation.known.worst[row, columns]
            volumes.append(hypervolume(reached / scale, worst / scale))
        if not volumes:
            return []
        values = torch.tensor(volumes, dtype=torch.float64)
        ends = _interval(evaluation, values, "hypervolume")
        return [Estimate("hypervolume", *ends, better="higher")]

    def _variety(self, evaluation: Evaluation, wanted: Targets) -> Tensor:
        """The mean distance between the best candidates of a target (B,); NaN of fewer than two."""
        parts = []
        for rows in evaluation.chunks():
            good = evaluation.errors[rows].isfinite()
            if evaluation.ranked:
                order = (~good).long().argsort(dim=1, stable=True)
            else:
                value = wanted[rows].objective(evaluation.resimulated[rows])
                order = torch.where(good, value, torch.inf).argsort(dim=1, stable=True)
            order = order[:, : self.config.best]
            there = good.gather(1, order)
            x = evaluation.candidates[rows].double().take_along_dim(order[..., None], dim=1)
            unit = evaluation.designs.to_unit(torch.where(there[..., None], x, 0.5))
            away = torch.cdist(unit, unit) / unit.shape[2] ** 0.5
            pairs = there[:, :, None] & there[:, None]
            pairs &= ~torch.eye(pairs.shape[1], dtype=torch.bool)
            parts.append(torch.where(pairs, away, 0.0).sum(dim=(1, 2)) / pairs.sum(dim=(1, 2)))
        return torch.cat(parts)


def _met(evaluation: Evaluation, wanted: Targets) -> Tensor:
    """Which candidates (B, K) meet their target."""
    parts = [
        wanted[rows].met(evaluation.resimulated[rows]) & evaluation.errors[rows].isfinite()
        for rows in evaluation.chunks()
    ]
    return torch.cat(parts)


def _goals(evaluation: Evaluation, wanted: Targets, met: Tensor) -> Iterator[Estimate]:
    """The best value of each goal, and how much better it is than what was known."""
    for column in range(wanted.goal.shape[1]):
        for goal, (word, sign, better) in _SIGNS.items():
            rows = wanted.goal[:, column] == GOALS.index(goal)
            if not bool(rows.any()):
                continue
            space = evaluation.responses
            name = f"{column + 1}" if space is None else space.names[column]
            unit = "" if space is None else space.variables[column].unit
            own = sign * evaluation.resimulated[rows][..., column]
            best = torch.where(met[rows], own, torch.inf).amin(dim=1)
            best = torch.where(best.isfinite(), best, torch.nan)
            value = _interval(evaluation, sign * best, "goal", name)
            yield Estimate(f"{word}-{name}", *value, unit, better)  # type: ignore[arg-type]
            if evaluation.known is not None:
                gain = evaluation.known.best[rows, column] - best
                if bool(gain.isfinite().any()):
                    gained = _interval(evaluation, gain, "improvement", name)
                    yield Estimate(f"improvement-{name}", *gained, unit, "higher")


def _interval(
    evaluation: Evaluation, values: Tensor, *names: object
) -> tuple[float, float | None, float | None]:
    """The mean over targets with its interval; one target alone has none."""
    mean, low, high = bootstrap(values, evaluation.generator(*names))
    return (mean, None, None) if len(values) == 1 else (mean, low, high)
