"""A simulator's file: TOML that says what to run, and what its designs and responses are."""

from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from invcore.plugin import Config, Field, Levels, Space, Variable, read_config
from invcore_solve.simulators.bounds import category, variable
from invcore_solve.simulators.program import Program
from invcore_solve.simulators.task import SimulatorTask
from invcore_solve.tables.descriptors import read_descriptors


class DesignEntry(Config):
    """One ``[[design]]``: ``low`` and ``high``, or ``levels``, or ``categories``."""

    name: str = Field(min_length=1)
    low: float | None = None
    high: float | None = None
    unit: str = ""
    whole: bool = False
    levels: tuple[float, ...] | None = Field(None, min_length=2)
    categories: tuple[str, ...] | None = Field(None, min_length=2)
    descriptors: str | dict[str, tuple[float, ...]] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        ends = {"low", "high"} if self.low is not None or self.high is not None else set()
        kinds = [bool(ends), self.levels is not None, self.categories is not None]
        if sum(kinds) != 1 or (ends and None in (self.low, self.high)):
            raise ValueError("say either low and high, or levels, or categories")
        if self.whole and not ends:
            raise ValueError("whole is for low and high")
        if self.descriptors is not None and self.categories is None:
            raise ValueError("descriptors are for categories")
        return self

    def variable(self, folder: Path, where: str) -> Variable:
        """The variable, with descriptors from a file of the folder."""
        if self.categories is not None:
            known = self.descriptors
            if isinstance(known, str):
                known = read_descriptors(folder / known)
            return category(self.name, self.categories, known, unit=self.unit, where=where)
        if self.levels is not None:
            return variable(self.name, min(self.levels), max(self.levels), unit=self.unit)
        assert self.low is not None and self.high is not None
        return variable(self.name, self.low, self.high, whole=self.whole, unit=self.unit)


class ResponseEntry(Config):
    """One ``[[response]]``."""

    name: str = Field(min_length=1)
    unit: str = ""


class SimulatorEntry(Config):
    """The table ``[simulator]``: a ``command``, or a ``function``; and how it is run."""

    command: tuple[str, ...] = ()
    function: str = ""
    kind: Literal["auto", "torch", "numpy"] = "auto"
    format: Literal["csv", "json", "npz"] = "csv"
    batch: int | None = Field(None, ge=1)
    time_limit: float = Field(3600.0, gt=0)
    retries: int = Field(1, ge=0)
    jobs: int = Field(1, ge=1, le=1024)
    version: str = ""

    @model_validator(mode="after")
    def _either(self) -> Self:
        if bool(self.command) == bool(self.function):
            raise ValueError("say either command or function")
        theirs = {"kind"} if self.command else {"format", "retries", "jobs"}
        for name in sorted(theirs & self.model_fields_set):
            other = "function" if self.command else "command"
            raise ValueError(f"{name} is for a {other}")
        return self


class SimulatorFile(Config):
    """The whole file."""

    simulator: SimulatorEntry
    design: tuple[DesignEntry, ...] = Field(min_length=1)
    response: tuple[ResponseEntry, ...] = ()
    constraints: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _programs_say_more(self) -> Self:
        if self.simulator.command and not self.response:
            raise ValueError("a command's responses have to be listed, each as [[response]]")
        for what, entries in (("design", self.design), ("response", self.response)):
            names = [entry.name for entry in entries]
            if len(set(names)) != len(names):
                raise ValueError(f"two of [[{what}]] have one name")
        return self


def read_simulator(path: str | Path) -> SimulatorTask:
    """The simulator that a TOML (or YAML) file describes; a program runs in the file's folder.

    Raises:
        ConfigError: the file cannot be read, or says what cannot be; with the field.
    """
    path = Path(path)
    file = SimulatorFile.parse(read_config(path), where=str(path))
    entry = file.simulator
    designs = Space.of(
        *(design.variable(path.parent, str(path)) for design in file.design),
        constraints=[
            Levels(variable=design.name, values=design.levels)
            for design in file.design if design.levels is not None
        ],
    )  # fmt: skip
    responses = None
    if file.response:
        responses = Space.of(*(Variable(name=r.name, unit=r.unit) for r in file.response))
    if entry.function:
        task = SimulatorTask(
            entry.function, designs, responses, kind=entry.kind, batch=entry.batch,
            time_limit=entry.time_limit, version=entry.version,
        )  # fmt: skip
        return task.constrained_by(file.constraints, str(path))
    settings = entry.model_dump(mode="json", exclude={"function", "kind"}, exclude_none=True)
    program = Program.parse(
        {**settings, "folder": str(path.resolve().parent)}, where=f"{path}: [simulator]"
    )
    return SimulatorTask(program, designs, responses).constrained_by(file.constraints, str(path))
