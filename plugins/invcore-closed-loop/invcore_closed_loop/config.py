"""Settings of the loop; imports no torch."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from invcore.plugin import Config, Field


class ClosedLoopConfig(Config):
    """Settings of the loop ``closed-loop``."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {"calls": 25},
        "paper": {"calls": 400},
    }
    calls: int = Field(
        100,
        ge=1,
        description="Most simulator calls of all targets together, divided by their number.",
    )
    tolerance: float = Field(
        1e-12, ge=0, description="An exact target is answered when its error is below this share "
        "of the responses' variance."
    )  # fmt: skip
    designs: int = Field(
        1, ge=1, description="Different designs that shall meet a specification without goals, "
        "before its search ends; two differ by a fiftieth of a range at least. `solve` takes "
        "`--candidates` for it where these are said."
    )  # fmt: skip
    start: int = Field(
        0, ge=0, description="Rows that fill the space before there is a surrogate, known pairs "
        "among them; 0: by the numbers of targets and variables."
    )  # fmt: skip
    rows: int = Field(
        1500, ge=20, description="Most rows the Gaussian process rests on: of more, those whose "
        "responses are nearest to targets without an answer."
    )  # fmt: skip
    network: Literal["auto", "never"] = Field(
        "auto", description="auto: networks in the place of the process where their error on rows "
        "held out is smaller; never: the process alone."
    )  # fmt: skip
    noise: Literal["auto", "none", "present"] = Field(
        "auto",
        description="none: the simulator is exact; present: measurements vary; auto: exact, until "
        "rows of one design differ, as one that is asked for twice where a search is stuck.",
    )
