"""A campaign: a loop at work in a folder, asked and told by tables."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from invcore_solve.from_simulator import Simulate
from invcore_solve.measured.sources import open_journal
from torch import Tensor

from invcore.plugin import (
    ConfigError,
    Executor,
    Plugins,
    Problem,
    Progress,
    Requests,
    Space,
    StoreError,
    installed,
    printable,
)
from invcore.search import LoopJournal, Rows
from invcore_closed_loop.campaign.beginning import begin
from invcore_closed_loop.campaign.changes import change
from invcore_closed_loop.campaign.choices import code_of, designs_again, lacking_rows
from invcore_closed_loop.campaign.facts import Facts
from invcore_closed_loop.campaign.simulating import SimulatedRun, run
from invcore_closed_loop.campaign.standing.evidence import expectation_of
from invcore_closed_loop.campaign.standing.expectation import Expectation
from invcore_closed_loop.campaign.standing.standing import standing
from invcore_closed_loop.campaign.standing.status import Status, Worth
from invcore_closed_loop.campaign.tables.batch import Batch
from invcore_closed_loop.campaign.tables.row_frames import all_rows, ranked_frame, save_rows
from invcore_closed_loop.campaign.tables.told_text import TellResult
from invcore_closed_loop.campaign.telling import tell

if TYPE_CHECKING:
    import pandas

    from invcore.results import Store


class Campaign:
    """A loop at work in a folder, for a laboratory: it asks for rows, and is told of them.

    Every row is on disk before it is given, and every result once ``tell`` returns. Any number of
    processes may work in one folder. Make one by ``new``, go on by ``open``.

    Example:
        >>> import tempfile
        >>> campaign = Campaign.new(
        ...     tempfile.mkdtemp(), designs={"cu": (0, 5), "oven": ["A", "B"]},
        ...     responses=["strength"], want=["strength>=9"], loop="random-search", seed=1)
        >>> batch = campaign.ask(2)
        >>> list(batch)
        ['id', 'cu', 'oven', 'strength']
        >>> batch["strength"] = batch["cu"] * 2
        >>> print(campaign.tell(batch))
        data frame: 2 rows: 2 new; none is pending
        >>> campaign.best(1)["strength"].tolist() == [batch["strength"].max()]
        True
    """

    def __init__(self, journal: LoopJournal, facts: Facts, notes: Sequence[str] = ()) -> None:
        self.journal = journal
        self.notes = tuple(notes)
        """What was found when it was made: of a table, how its columns were taken."""
        self._first = facts

    @classmethod
    def new(
        cls, folder: str | os.PathLike[str], designs: Mapping[str, Any] | Space | None = None,
        responses: Sequence[str] | str = (), want: Sequence[str] | str = (), *, known: Any = None,
        whole: Sequence[str] = (), levels: Mapping[str, Sequence[float] | str] | None = None,
        constraints: Sequence[str] = (), among: Any = None,
        noise: Mapping[str, float] | None = None, ignore: Sequence[str] = (),
        loop: str = "closed-loop", settings: Mapping[str, Any] | None = None, seed: int = 0,
        store: Store | None = None, plugins: Plugins | None = None,
    ) -> Self:  # fmt: skip
        """Begin a campaign.

        Args:
            folder: made if there is none.
            designs: by name ``(low, high)`` or the names of categories, or a space; None: the
                columns of ``known`` that are no responses, as ``invcore inspect`` finds them.
            responses: names, perhaps with units: ``"strength [MPa]"``; or formulas of designs and
                responses: ``"cost = 2*cu + 10"``.
            want: wishes, all of which make one specification: ``["strength>=300", "cost=min"]``.
            known: rows that were measured before: a file, a data frame, the folder of another
                campaign, or the id of a run in ``store``.
            whole: designs that take whole numbers only.
            levels: by design, the values that can be made, or ``"0:5:0.1"``.
            constraints: what designs have to satisfy, as text: ``["cu + mg <= 6"]``.
            among: designs to choose from: a file, or a data frame.
            noise: by response, the standard deviation of a measurement, where it is known.
            ignore: columns of ``known`` that are no designs, where it says what designs are.
            loop: which one asks.
            settings: of the loop; plain data.
            seed: root of its randomness.
            store: where runs are found.
            plugins: where names are looked up; those installed.

        Raises:
            StoreError: the folder has a campaign, or cannot be written.
            DataError: a table that cannot be read.
            ConfigError: designs, wishes or settings that cannot be.
            UnfitError: the loop cannot do what is wanted.
        """
        texts = [responses] if isinstance(responses, str) else list(responses)
        wishes = (want,) if isinstance(want, str) else tuple(want)
        journal, facts, notes = begin(
            folder, designs, texts, wishes, known=known, whole=whole, levels=levels or {},
            constraints=constraints, among=among, noise=noise or {}, ignore=ignore, loop=loop,
            settings=settings, seed=seed, store=store, plugins=plugins or installed(),
        )  # fmt: skip
        return cls(journal, facts, notes)

    @classmethod
    def open(cls, folder: str | os.PathLike[str], *, plugins: Plugins | None = None) -> Self:
        """Go on with a campaign.

        Raises:
            StoreError: there is none, or it is damaged; the message names the file.
        """
        place = printable(os.fspath(folder))
        if not LoopJournal.at(folder):
            raise StoreError(
                f"{place}: there is no campaign; `invcore campaign new {place} …` begins one"
            )
        journal = open_journal(folder, plugins or installed())
        return cls(journal, Facts.stored(journal.facts, place))

    @property
    def name(self) -> str:
        """What people call it: the name of its folder."""
        return Path(os.path.abspath(self.journal.folder)).name

    @property
    def facts(self) -> Facts:
        """Wishes, formulas and noise, as they are by now."""
        return Facts.stored(self.journal.facts, str(self.journal.folder))

    @property
    def problem(self) -> Problem:
        """The spaces, as they are by now."""
        return self.journal.problem

    @property
    def measured(self) -> tuple[str, ...]:
        """Responses that are to be measured: all but the computed ones."""
        return self.facts.measured(self.problem.responses.names)

    def ask(
        self, count: int | None = None, *, fix: Mapping[str, float | str] | None = None
    ) -> pandas.DataFrame:
        """Rows to make: id, designs, empty responses, and what is expected of them.

        Args:
            count: how many at most; None: as many as the loop has use for at once.
            fix: values that designs have in this batch, categories by name.

        Returns:
            A data frame; without rows where the loop first has to be told of others, or has
            nothing more to ask.

        Raises:
            ConfigError: a count below one, or a value that no design can have.
            UnknownNameError: no design has a name.
        """
        return self.batch(count, fix=fix).frame()

    def batch(
        self, count: int | None = None, *, fix: Mapping[str, float | str] | None = None
    ) -> Batch:
        """The same as a `Batch`, which can be saved."""
        fixed = {
            name: code_of(self.problem.designs, name, value) for name, value in (fix or {}).items()
        }
        return self._with_expectations(self.journal.ask(count, fixed=fixed or None))

    def again(self, *rows: int | str) -> Batch:
        """Ask for designs once more, to see how measurements of one design differ.

        Args:
            rows: ids; or ``best``, for the design that ``status`` calls so.

        Raises:
            DataError: an id that was never asked for, or nothing is known that could be best.
        """
        return self._with_expectations(self.journal.choose(designs_again(self, rows)))

    def __repr__(self) -> str:
        rows = self.journal.rows
        told, pending = int(rows.told.sum()), len(self.journal.pending())
        return f"Campaign({os.fspath(self.journal.folder)!r}: {told} told, {pending} pending)"

    def pending(self) -> Batch:
        """The rows that were asked for, of which nothing, or not all, is known."""
        requests, known = lacking_rows(self.journal, self.measured)
        return self._with_expectations(requests, known)

    def tell(self, results: Any) -> TellResult:
        """Take what came of rows, from a table: see ``measured_rows``.

        Args:
            results: a file, or a data frame; with ids, or with all designs.

        Returns:
            What was understood; as text it is a sentence.

        Raises:
            DataError: it cannot be read, or has ids that were never asked for; then nothing of it
                is taken.
        """
        return tell(self, results)

    def run(
        self, simulate: Simulate, *, executor: Executor[Any] | None = None,
        workers: int | None = None, budget: int | None = None, progress: Progress | None = None,
    ) -> SimulatedRun:  # fmt: skip
        """Have a simulator answer what is asked, until a row meets all that is wanted.

        Each result is told as it comes. Rows that are pending are simulated first; so a run that
        was stopped goes on where it was. Rows without a response count as failed. Where something
        shall be as small or as large as possible, the loop or the budget ends it.

        Args:
            simulate: a function of the designs (N, Dx) that gives what is measured, its name, a
                `Program`, a simulator's file, or a `SimulatorTask`.
            executor: who simulates; None: this process, or ``workers`` of this machine.
            workers: rows at the same time; None: as many as the executor has workers, or one.
            budget: the most rows that are ever asked for in the campaign; None for no limit.
            progress: shows what goes on.

        Raises:
            SimulatorError: the simulator cannot be used, or has given no response to many rows.
            ConfigError: other designs; a function that nobody else finds; another process is at it.
        """
        return run(self, simulate, executor, workers, budget, progress or Progress())

    def best(self, count: int = 1) -> pandas.DataFrame:
        """The best rows by what was measured, best first: id, designs, responses.

        A single measurement may be lucky: ``status`` says how sure it is.

        Raises:
            ConfigError: a count below one.
        """
        if count < 1:
            raise ConfigError(f"count: expected at least 1, got {count}")
        return ranked_frame(self, count)

    def rows(self) -> pandas.DataFrame:
        """All rows: id, designs as made, responses, state, where they come from, and notes."""
        return all_rows(self)

    def status(
        self, *, confidence: float = 0.9, count: int = 5, worth: Worth | None = None
    ) -> Status:
        """How it stands, what a next batch may bring, and whether to stop.

        Args:
            confidence: with which the specification counts as met.
            count: rows of a next batch, where none is pending.
            worth: what rows cost, and what reaching the aim is worth.

        Raises:
            ConfigError: a confidence that is no probability.
        """
        if not 0 < confidence < 1:
            raise ConfigError(f"confidence: expected between 0 and 1, got {confidence:g}")
        if count < 1:
            raise ConfigError(f"count: expected at least 1, got {count}")
        return standing(self, confidence, count, worth or Worth())

    def report(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Write a page of HTML that needs nothing but itself.

        Args:
            path: .html.
            options: those of ``status``.

        Raises:
            DataError: another ending, or it cannot be written.
        """
        from invcore_closed_loop.campaign.page.page import write_page

        write_page(path, self, self.status(**options))

    def export(self, path: str | os.PathLike[str]) -> int:
        """Write all rows as a table: .csv, .tsv, .xlsx or .parquet; the number of rows.

        Raises:
            DataError: another ending, or it cannot be written.
        """
        return save_rows(self, path)

    def change(
        self, *, want: Sequence[str] | str = (), constraints: Sequence[str] = (),
        bounds: Mapping[str, tuple[float, float]] | None = None,
        noise: Mapping[str, float] | None = None,
    ) -> tuple[str, ...]:  # fmt: skip
        """Go on for something else; what was told stays known, and pending rows may be told.

        Args:
            want: in the place of earlier wishes of the same responses; of others these stay.
            constraints: beside those that there are.
            bounds: of designs, in the place of those before.
            noise: by response, the standard deviation of a measurement.

        Returns:
            Earlier wishes that new ones have taken the place of.

        Raises:
            ConfigError: wishes, bounds or constraints that cannot be; then nothing has changed.
            UnknownNameError: no design or response has a name.
        """
        before = self.facts.want
        change(
            self.journal, self.facts, (want,) if isinstance(want, str) else tuple(want),
            tuple(constraints), bounds or {}, noise or {}, self.data()[1],
        )  # fmt: skip
        return tuple(wish for wish in before if wish not in self.facts.want)

    def data(self) -> tuple[Tensor, Tensor]:
        """Designs (N, Dx) and responses (N, Dy) of all that is known; NaN where it is not."""
        rows: Rows = self.journal.rows
        told = rows[rows.told]
        pairs = self.journal.pairs
        x = torch.cat([pairs.x.cpu().double(), told.made])
        return x, torch.cat([pairs.y.cpu().double(), told.responses])

    def expectation(self) -> Expectation:
        """What is to be expected of designs, by all that is known."""
        return expectation_of(self)

    def _with_expectations(self, requests: Requests, known: Tensor | None = None) -> Batch:
        problem = self.problem
        shape = len(requests), problem.responses.dim
        mean = error = torch.full(shape, torch.nan, dtype=torch.float64)
        if len(requests):
            mean, error = self.expectation().measured_at(requests.designs)
        return Batch(
            requests, problem.designs, problem.responses, self.measured, mean, error, known
        )
