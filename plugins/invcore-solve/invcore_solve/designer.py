"""A judge fitted to a table, and whoever proposes designs to it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from invcore.plugin import (
    ConfigError,
    DataError,
    FittedJudge,
    InverseModel,
    Plugins,
    Problem,
    Progress,
    SurrogateModel,
    generator,
    installed,
)
from invcore.results import RunRecord, Store
from invcore_solve.answers.answering import MeasuredDesigns, described
from invcore_solve.answers.asked import Specifications, Wanted
from invcore_solve.answers.prediction import PredictedDesigns
from invcore_solve.answers.proposal import Proposal
from invcore_solve.answers.proposing import How, proposed
from invcore_solve.answers.sensitivities import Sensitivities, sensitivities_of
from invcore_solve.derived.deriving import deriving
from invcore_solve.judging.fitted_stack import FittedStack
from invcore_solve.proposals.inverse_regression import InverseRegression
from invcore_solve.proposals.judged import Judged
from invcore_solve.proposals.search import pool_of_mixes
from invcore_solve.refitting import refitted
from invcore_solve.robustness.robust_designs import robust_proposal
from invcore_solve.stored_designer import loaded, parts_of
from invcore_solve.tables.read import read
from invcore_solve.tables.response_reach import Reach, Reached
from invcore_solve.tables.sources import Source, as_targets
from invcore_solve.tables.table_data import TableData, rows_of
from invcore_solve.typicality.of_table import listed_designs, typicality_of
from invcore_solve.typicality.typicality import Typicality

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

APART = 0.01
"""Distance to a measured design, in those between rows, under which a design is no proposal."""


@dataclass(frozen=True, repr=False)
class Designer:
    """A table, the judge that was fitted to it, and the methods that propose designs.

    Args:
        data: the table.
        judge: who says what to expect of designs.
        models: fitted inverse methods that propose designs beside the table's own, by name.
        inverse: an inverse regression, where responses are curves.
        record: of the fit.
        config: of judge and methods; what is needed to load them again.
        plugins: where names are looked up.
        near: whether designs stay near the table's rows, mixes of which are proposed; off where
            a simulator says what is right.
    """

    data: TableData
    judge: FittedJudge
    models: Mapping[str, InverseModel]
    inverse: InverseRegression | None
    record: RunRecord
    config: dict[str, Any]
    plugins: Plugins
    near: bool = True
    novelty: float = field(default=1.0)

    def __repr__(self) -> str:
        """Short: networks and known responses would fill screens."""
        return f"<Designer {self.method} on {self.data.source}, model {self.record.id}>"

    @property
    def method(self) -> str:
        """Who proposes, for people."""
        return self.record.method

    @property
    def judge_summary(self) -> str:
        """Who judges, for people: the weights of stacked surrogates."""
        name = str(self.config["judge_name"])
        if not isinstance(self.judge, FittedStack):
            return name
        shares = zip(self.judge.names, self.judge.weights.mean(axis=1).tolist(), strict=True)
        return f"{name} ({', '.join(f'{member} {share:.0%}' for member, share in shares)})"

    @cached_property
    def problem(self) -> Problem:
        """The spaces."""
        return Problem(self.data.source, self.data.designs, self.data.responses)

    @cached_property
    def typicality(self) -> Typicality:
        """Which designs are typical of the table."""
        return typicality_of(self.data, self.novelty)

    @cached_property
    def measured(self) -> MeasuredDesigns:
        """The different designs of the table."""
        return MeasuredDesigns.of(self.data)

    @cached_property
    def reach(self) -> Reach:
        """The responses that the table reaches."""
        neighbourhood = self.typicality.neighbourhood
        return Reach.of(self.data.pairs, neighbourhood.whitening(self.data.pairs.x.numpy()))

    @property
    def level(self) -> float:
        """The share of responses that stated errors cover: what was asked for, or as much as the
        rows support.
        """
        asked = float(self.config["judge"].get("coverage", 0.9))
        return min(asked, float(getattr(self.judge, "supported", 1.0)))

    @cached_property
    def pool(self) -> Judged:
        """Designs for all targets: those of a list, or mixes of the table's rows."""
        listed = listed_designs(self.data.designs)
        if listed is not None:
            return Judged.by(self.judge, np.array(listed))
        return pool_of_mixes(self.judge, self.typicality, self.random("pool"))

    def propose(
        self, targets: Source | None = None, *, want: Sequence[str] = (),
        want_file: str | os.PathLike[str] | None = None,
        specification: Specifications | None = None, derived: Sequence[str] = (),
        candidates: int = 100, sampler: str = "maximin-lhs", seed: int = 0, strict: bool = False,
        diverse: bool = True, novelty: float | None = None, apart: float = APART,
        tolerances: Sequence[str] = (),
        among: Source | None = None, progress: Progress | None = None,
    ) -> Proposal:  # fmt: skip
        """Propose ranked designs for each target.

        For exact responses they are ranked by the squared distance of the expected response from
        the target, and a share of its variance; for other specifications by the probability that
        they meet it, and where something is to be minimised or maximised by that, among designs
        that are nearly as probable as the best.
        Rows of the table that meet a target already come first, marked.

        Args:
            targets: exact responses (B, Dy), or a file or a data frame of them; what wishes such
                as ``gap=±5%`` are relative to.
            want: wishes, all of which make one specification: ``["gap=0.5:0.7", "mass=min"]``.
            want_file: a file of specifications, each of which is a target more.
            specification: one or several, instead.
            derived: further responses that follow from designs and responses, each as
                ``"cost = 0.1*cement + 2"``; wishes may name them.
            candidates: designs for each target.
            sampler: drives the methods' randomness.
            seed: of the sampler, and of local search.
            strict: refuse targets that the table does not reach.
            diverse: let the first ten of each target differ.
            novelty: factor of how far designs may be from the table's rows; None: as fitted.
            apart: the least distance of a proposal to a measured design, in units of the
                distance between rows.
            among: designs to choose from: a file, a table or an array.
            tolerances: how far made designs are off, as ``["width=±0.01"]``: designs are ranked by
                the share of what is made that meets the target.
            progress: shows what goes on.

        Raises:
            DataError: a target of another width, or one out of reach where that is refused.
            ConfigError: a wish that is none, or that contradicts another; nothing is wanted.
            UnknownNameError: a wish names no response, or an expression no column.
            DivergedError: without a table of one's own, a target got no design that is finite.

        Example:
            >>> import invcore_solve, torch
            >>> x = torch.rand(60, 2, generator=torch.Generator().manual_seed(0))
            >>> designer = invcore_solve.fit(
            ...     x, x.sum(1), judge_settings={"members": ["linear"]})
            >>> best = designer.propose(
            ...     want=["y1>=1.2", "price=min"], derived=["price = 3*x1 + x2"], candidates=5
            ... )
            >>> bool((best.probability > 0.8).all()), best.asked[0]
            (True, 'y1>=1.2; price=min')
        """
        if candidates < 1:
            raise ConfigError(f"candidates: expected at least 1, got {candidates}")
        self.plugins.registry.find("sampler", sampler)
        own = deriving(self, derived) if derived else self
        own = own if among is None else own._among(among)
        own = own if novelty is None else replace(own, novelty=novelty)
        wanted = Wanted.of(
            own.data.responses, own.reach.scale, targets, want=want, want_file=want_file,
            specification=specification,
        )  # fmt: skip
        how = How(candidates, sampler, seed, strict, diverse, apart, progress)
        found = proposed(own, wanted, how)
        if not tolerances:
            return found
        return robust_proposal(own, found, wanted, tolerances, count=candidates, seed=seed)

    def predict(self, x: Source) -> PredictedDesigns:
        """What to expect of designs: response, error, distance and nearest row.

        Args:
            x: (N, Dx): an array, a data frame, a table or a file; columns are found by name.

        Raises:
            DataError: a column is missing, or a value in it.
        """
        rows = torch.from_numpy(rows_of(read(x, prefix="x"), self.data.schema))
        verdict = self.judge.predict(rows, self.level)
        blank = torch.full((len(rows), self.data.responses.dim), torch.nan, dtype=torch.float64)
        known = Proposal(
            target=blank, rank=torch.arange(1, len(rows) + 1), designs=rows,
            names=(self.data.designs.names, self.data.responses.names),
            predicted=verdict.response, predicted_error=verdict.error,
            measured=torch.from_numpy(self.measured.has(rows.numpy())),
        )  # fmt: skip
        return PredictedDesigns(described(known, self.data, self.measured, self.typicality))

    def sensitivities(self) -> Sensitivities:
        """Which columns move the responses, by the judge."""
        return sensitivities_of(self.data, self.judge, self.random("sensitivities"))

    def refit(
        self, table: Source, *, store: Store | None = None, progress: Progress | None = None
    ) -> Designer:
        """The same fitted to a table that has grown, under a new id that names this one.

        Surrogates that can start from what was found before do so.

        Args:
            table: with designs and responses, and the same columns.
            store: where it is kept; None keeps nothing.
            progress: shows what goes on.

        Raises:
            DataError: the table cannot be used.
            ConfigError: this designer was not fitted to a table.
        """
        return refitted(self, table, store, progress)

    def save(self, store: Store) -> RunRecord:
        """Keep the fitted model for later targets.

        Raises:
            StoreError: the store cannot be written.
        """
        return store.write(self.record, **self.parts())

    def parts(self) -> dict[str, Any]:
        """What a store keeps of it: ``tensors``, ``documents`` and ``files``."""
        return parts_of(self)

    @classmethod
    def load(
        cls, store: Store, run: str, *, device: str = "auto", plugins: Plugins | None = None,
        surrogates: Mapping[str, SurrogateModel[Any]] | None = None,
    ) -> Designer:  # fmt: skip
        """The model kept under an id, or the beginning of one.

        Args:
            store: where it is.
            run: its id.
            device: of the methods' networks.
            plugins: where names are looked up; those installed.
            surrogates: those of one's own that the judge was given, by name.

        Raises:
            UnknownNameError: no such run.
            StoreError: it is damaged, or was not made by ``fit``.
        """
        return loaded(cls, store, run, device, plugins or installed(), surrogates or {})

    def check_reach(self, targets: Source, strict: bool = True) -> list[str]:
        """For each target why the table does not reach it, or an empty text.

        Raises:
            DataError: one is out of reach, where ``strict``; up to three are named.
        """
        y = as_targets(targets, self.data.responses)
        return self.reach_notes(self.reach.check(y.numpy()), strict)

    def reach_notes(self, reached: list[Reached], strict: bool) -> list[str]:
        """For each target why the table does not reach it, or an empty text."""
        names, rows = self.data.responses.names, self.data.rows.tolist()
        notes = []
        for target in reached:
            parts = zip(names[:3], target.response.tolist(), strict=False)
            nearest = ", ".join(f"{name} = {value:.4g}" for name, value in parts)
            where = (
                f"the nearest response that the table reaches is {nearest}, row {rows[target.row]}"
            )
            notes.append("" if target.within else where)
        far = [(i + 1, note) for i, note in enumerate(notes) if note]
        if far and strict:
            more = f" (and {len(far) - 3} more)" if len(far) > 3 else ""
            reasons = "; ".join(f"target {number}: {note}" for number, note in far[:3])
            raise DataError(
                f"out of the table's reach: {reasons}{more}; without --strict "
                "(strict=False) what comes nearest is proposed"
            )
        return notes

    @property
    def level_notes(self) -> tuple[str, ...]:
        """That errors are stated at a lower level than was asked for, where they are."""
        asked = float(self.config["judge"].get("coverage", 0.9))
        if self.level < asked:
            rows = f"the rows vouch for {self.level:.1%} at most"
            return (f"errors are stated for {self.level:.1%} instead of {asked:.1%}: {rows}",)
        return ()

    def _among(self, among: Source) -> Designer:
        """The same, proposing from a list of designs alone."""
        rows = rows_of(read(among, prefix="x"), self.data.schema)
        return replace(self, data=self.data.among(rows))

    @property
    def noise(self) -> Numbers:
        """Standard deviation of measurements (Dy,), as far as replicates tell."""
        known = self.data.schema.replicates.noise
        return np.array([known.get(name, 0.0) for name in self.data.responses.names])

    def random(self, *names: object) -> np.random.Generator:
        """A generator of its own for each purpose."""
        seed = generator(self.record.seed, "designer", *names).initial_seed()
        return np.random.default_rng(seed)
