"""A method fitted to a user's table, and the ranked designs that it proposes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from invcore.base.device import resolve_device
from invcore.base.errors import ConfigError, DataError, DivergedError, StoreError
from invcore.base.progress import Progress
from invcore.base.seeding import generator
from invcore.contracts.method import InverseModel, Problem, Targets
from invcore.contracts.sampler import Sampler
from invcore.data.tables.write import write_table
from invcore.learning.surrogate import substate
from invcore.pipeline.propose import draw_points, propose_in_batches
from invcore.registry.loader import Plugins, installed
from invcore.spaces.space import Space
from invcore.storage.run_record import RunRecord
from invcore.storage.store import Store
from invcore_solve.judge import Judge, JudgeConfig
from invcore_solve.tables.schema import Reach, Source, as_targets

_GRID = 1e-4  # designs closer than this share of the box, in every variable, are one


@dataclass(frozen=True)
class Proposal:
    """Ranked designs for each target.

    Args:
        target: (R, Dy), what was wanted of each row.
        rank: (R,), 1 is best.
        designs: (R, Dx), inside the bounds, no two alike for one target.
        predicted: (R, Dy), what the judge expects.
        error: (R, Dy), half-width around ``predicted``; from held-out rows.
        notes: for each target row, why the data do not reach it; empty if they do.
        names: of designs and of responses.
    """

    target: Tensor
    rank: Tensor
    designs: Tensor
    predicted: Tensor
    error: Tensor
    notes: tuple[str, ...]
    names: tuple[tuple[str, ...], tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.designs)

    def columns(self) -> dict[str, list[float] | list[int] | list[str]]:
        """The table's columns by name: targets, rank, designs, predictions, errors, reach."""
        xs, ys = self.names
        result: dict[str, Any] = {}
        for i, name in enumerate(ys):
            result[f"target {name}"] = self.target[:, i].tolist()
        result["rank"] = self.rank.tolist()
        for i, name in enumerate(xs):
            result[name] = self.designs[:, i].tolist()
        for i, name in enumerate(ys):
            result[f"predicted {name}"] = self.predicted[:, i].tolist()
            result[f"error {name}"] = self.error[:, i].tolist()
        if any(self.notes):
            result["reach"] = [note or "ok" for note in self.notes]
        return result

    def top(self, count: int) -> Proposal:
        """The best ``count`` of each target."""
        keep = self.rank <= count
        notes = tuple(note for note, kept in zip(self.notes, keep.tolist(), strict=True) if kept)
        return Proposal(
            self.target[keep], self.rank[keep], self.designs[keep], self.predicted[keep],
            self.error[keep], notes, self.names,
        )  # fmt: skip

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table: .csv, .parquet or .npz; the whole file, or nothing.

        Raises:
            DataError: another ending, or the file cannot be written.
        """
        columns = self.columns()
        write_table(path, list(columns), columns)


@dataclass(frozen=True, repr=False)
class Designer:
    """A method fitted to a table, the judge of its proposals, and what the data reach."""

    problem: Problem
    method: str
    model: InverseModel
    judge: Judge
    reach: Reach
    record: RunRecord
    config: dict[str, Any]
    plugins: Plugins

    def __repr__(self) -> str:
        """Short: networks and known responses would fill screens."""
        return f"<Designer {self.method} on {self.problem.name}, model {self.record.id}>"

    def propose(
        self,
        targets: Source,
        *,
        candidates: int = 100,
        sampler: str = "maximin-lhs",
        seed: int = 0,
        extrapolate: bool = False,
        progress: Progress | None = None,
    ) -> Proposal:
        """Propose ranked designs for each target.

        The rank is by the judge's upper bound of the distance to the target: how far the
        prediction is from it, plus the error.

        Args:
            targets: (B, Dy), or a file of them.
            candidates: proposals per target, before copies are dropped.
            sampler: drives the method's randomness.
            seed: of the sampler.
            extrapolate: propose also for targets that the data do not reach.
            progress: shows what goes on.

        Raises:
            DataError: a target of another width, or one out of reach.
            DivergedError: a target got no design that is finite.
        """
        y = as_targets(targets, self.problem.responses)
        notes = check_reach(self.reach, y, self.problem.responses, extrapolate)
        if candidates < 1:
            raise ConfigError(f"candidates: expected at least 1, got {candidates}")
        loaded: Sampler[Any] = self.plugins.registry.load("sampler", sampler)()
        points = draw_points(loaded, self.model, len(y), candidates, generator(seed, "points"))
        found = propose_in_batches(self.model, Targets(y), points, None, progress or Progress())
        designs = self.problem.designs.project(found.x)  # (B, K, Dx)
        verdict = self.judge(designs.flatten(0, 1))
        shape = designs.shape[:2]
        predicted, error = (v.unflatten(0, shape) for v in (verdict.response, verdict.error))
        scale = self.reach.y.scale
        bound = ((predicted - y[:, None]).abs() + error) / scale
        order = bound.square().mean(dim=2).argsort(dim=1, stable=True)
        usable = (designs.isfinite().all(dim=2) & bound.isfinite().all(dim=2)).gather(1, order)
        rows = []
        for b in range(len(y)):  # over targets, of which there are few; numbers vary from here
            best = order[b][usable[b]]
            if len(best) == 0:
                raise DivergedError(f"target {b + 1}: method {self.method!r} gave no finite design")
            best = best[distinct(self.problem.designs.to_unit(designs[b, best]))]
            rows.append((torch.full_like(best, b), torch.arange(1, len(best) + 1), best))
        which, rank, best = (torch.cat(column) for column in zip(*rows, strict=True))
        return Proposal(
            target=y[which],
            rank=rank,
            designs=designs[which, best],
            predicted=predicted[which, best],
            error=error[which, best],
            notes=tuple(notes[b] for b in which.tolist()),
            names=(self.problem.designs.names, self.problem.responses.names),
        )

    def save(self, store: Store) -> RunRecord:
        """Keep the fitted model for later targets.

        Raises:
            StoreError: the store cannot be written.
        """
        tensors = {
            **{f"model.{k}": v for k, v in self.model.state().items()},
            **{f"judge.{k}": v for k, v in self.judge.state().items()},
            **{f"reach.{k}": v for k, v in self.reach.state().items()},
        }
        document = {
            "problem": {
                "name": self.problem.name,
                "designs": self.problem.designs.model_dump(mode="json"),
                "responses": self.problem.responses.model_dump(mode="json"),
            },
            "method": self.method,
            **self.config,
        }
        return store.write(self.record, tensors={"model": tensors}, documents={"model": document})

    @classmethod
    def load(
        cls, store: Store, run: str, *, device: str = "auto", plugins: Plugins | None = None
    ) -> Designer:
        """The model kept under an id, or the beginning of one.

        Raises:
            UnknownNameError: no such run.
            StoreError: it is damaged, or was not made by ``solve``.
        """
        plugins, run = plugins or installed(), store.find(run)
        record = store.read(run)
        if record.kind != "solve" or record.status != "ok":
            raise StoreError(f"run {run} holds no model of one's own data")
        document, where = store.json(run, "model"), f"{store.path(run)}/model.json"
        try:
            problem = Problem(
                document["problem"]["name"],
                Space.parse(document["problem"]["designs"], where=where),
                Space.parse(document["problem"]["responses"], where=where),
            )
            settings = {key: document[key] for key in ("config", "judge")}
        except (KeyError, TypeError) as error:
            raise StoreError(f"{where}: damaged, {error} is missing") from None
        method_class = plugins.registry.load("method", record.method)
        method = method_class(method_class.Config.parse(settings["config"], where=where))
        judge_config = JudgeConfig.parse(settings["judge"], where=where)
        place = resolve_device(device)
        tensors = {k: v.to(place) for k, v in store.tensors(run, "model").items()}
        cpu = {k: v.cpu() for k, v in tensors.items()}
        return cls(
            problem,
            record.method,
            method.restore(problem, substate(tensors, "model.")),
            Judge.restore(judge_config, problem.designs, substate(cpu, "judge.")),
            Reach.restore(substate(cpu, "reach.")),
            record,
            settings,
            plugins,
        )


def check_reach(reach: Reach, targets: Tensor, responses: Space, extrapolate: bool) -> list[str]:
    """For each target (B, Dy), why the data do not reach it, or an empty text.

    Raises:
        DataError: one is out of reach, and ``extrapolate`` is off; up to three are named.
    """
    notes = [reach.problem(target, responses.names) for target in targets]
    far = [(i + 1, note) for i, note in enumerate(notes) if note]
    if far and not extrapolate:
        said = "; ".join(f"target {number}: {note}" for number, note in far[:3])
        more = f" (and {len(far) - 3} more)" if len(far) > 3 else ""
        raise DataError(f"out of the data's reach: {said}{more}; --extrapolate tries all the same")
    return notes


def distinct(unit: Tensor) -> Tensor:
    """Positions of the designs (K, Dx) that do not repeat an earlier one, in order."""
    cells = (unit / _GRID).round()
    _, group = torch.unique(cells, dim=0, return_inverse=True)
    first = torch.full((int(group.max()) + 1,), len(unit))
    first = first.scatter_reduce(0, group, torch.arange(len(unit)), "amin")
    return first.sort().values
