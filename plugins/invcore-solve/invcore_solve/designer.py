"""A method fitted to a table: it proposes designs, which an independent judge ranks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from invcore.learning import substate
from invcore.pipeline import build, propose, rebuild
from invcore.plugin import (
    ConfigError,
    FittedJudge,
    InverseModel,
    Plugins,
    Problem,
    Progress,
    Space,
    StoreError,
    Targets,
    installed,
    resolve_device,
)
from invcore.results import RunRecord, Store
from invcore_solve.proposal import Proposal, by_judge
from invcore_solve.tables.response_reach import Reach, check_reach
from invcore_solve.tables.sources import Source, as_targets


@dataclass(frozen=True, repr=False)
class Designer:
    """A method fitted to a table, the judge of its proposals, and what the data reach."""

    problem: Problem
    method: str
    model: InverseModel
    judge: FittedJudge
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
        proposed = propose(
            self.model,
            self.problem,
            build(self.plugins, "sampler", sampler).component,
            Targets(y),
            candidates,
            seed=seed,
            progress=progress,
        )
        designs = self.problem.designs.project(proposed.x)
        verdict = self.judge.predict(designs.flatten(0, 1))
        predicted, error = (
            part.unflatten(0, designs.shape[:2]) for part in (verdict.response, verdict.error)
        )
        return by_judge(self.problem, y, designs, predicted, error, self.reach.y.scale, notes)

    def save(self, store: Store) -> RunRecord:
        """Keep the fitted model for later targets.

        Raises:
            StoreError: the store cannot be written.
        """
        return store.write(self.record, **self.parts())

    def parts(self) -> dict[str, Any]:
        """What a store keeps of it: ``tensors``, ``documents`` and ``files``."""
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
        return {
            "tensors": {"model": tensors}, "documents": {"model": document},
            "files": self.model.files(),
        }  # fmt: skip

    @classmethod
    def load(
        cls, store: Store, run: str, *, device: str = "auto", plugins: Plugins | None = None
    ) -> Designer:
        """The model kept under an id, or the beginning of one.

        Raises:
            UnknownNameError: no such run.
            StoreError: it is damaged, or was not made by ``fit``.
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
        method = rebuild(plugins, "method", record.method, settings["config"], where=where)
        name = document.get("judge_name", "conformal-ensemble")
        judge = rebuild(plugins, "judge", name, settings["judge"], where=where)
        place = resolve_device(device)
        tensors = {k: v.to(place) for k, v in store.tensors(run, "model").items()}
        cpu = {k: v.cpu() for k, v in tensors.items()}
        return cls(
            problem,
            record.method,
            method.component.restore(problem, substate(tensors, "model."), store.files(run)),
            judge.component.restore(problem, substate(cpu, "judge.")),
            Reach.restore(substate(cpu, "reach.")),
            record,
            settings,
            plugins,
        )
