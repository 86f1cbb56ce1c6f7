"""Limits of a job: how long it may take, and how much memory."""

from __future__ import annotations

import re
from typing import Any

from invcore.base.errors import ConfigError
from invcore.configs.config import Config, Field

_SECONDS = {"": 1.0, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_MIB = {
    "k": 1 / 1024, "m": 1.0, "g": 1024.0, "t": 1024.0**2,
    "kib": 1 / 1024, "mib": 1.0, "gib": 1024.0, "tib": 1024.0**2,
    "kb": 1e3 / 2**20, "mb": 1e6 / 2**20, "gb": 1e9 / 2**20, "tb": 1e12 / 2**20,
}  # fmt: skip
_TEXT = re.compile(r"\s*(\d{1,12}(?:\.\d{1,12})?)\s*([A-Za-z]*)\s*")


class Limits(Config):
    """What a job may take; nothing limits it where there is no number.

    Example:
        >>> Limits.of("10min", "4G").model_dump()
        {'time_s': 600.0, 'memory_mib': 4096.0}
    """

    time_s: float | None = Field(None, gt=0, description="Seconds from its beginning.")
    memory_mib: float | None = Field(
        None, gt=0, description="MiB of main memory, with the processes that it starts."
    )

    @classmethod
    def of(cls, time: str | float | None = None, memory: str | float | None = None) -> Limits:
        """Limits as people write them.

        Args:
            time: seconds, or with a unit: ``90``, ``90s``, ``10min``, ``2h``.
            memory: with a unit: ``4G``, ``4GiB``, ``500MB``.

        Raises:
            ConfigError: that is no time, or no size.
        """
        seconds = None if time is None else _measure(time, _SECONDS, "a time such as 90s or 10min")
        mib = None if memory is None else _measure(memory, _MIB, "a size such as 4G or 500MB")
        return cls(time_s=seconds, memory_mib=mib)

    @property
    def job(self) -> dict[str, Any]:
        """What a job says of them: nothing where there are none."""
        given = self.model_dump(exclude_none=True)
        return {"limits": given} if given else {}


def _measure(value: str | float, units: dict[str, float], expected: str) -> float:
    text = f"{value:g}" if isinstance(value, int | float) else str(value)
    found = _TEXT.fullmatch(text[:40])
    if found is None or found[2].lower() not in units or float(found[1]) <= 0:
        raise ConfigError(f"limit {text[:40]!r}: expected {expected}")
    return float(found[1]) * units[found[2].lower()]
