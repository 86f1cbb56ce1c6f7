"""What a bundle's ``task.json`` holds, and where its data came from."""

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal, Self

from pydantic import Field

from invcore.plugin import Config, DataError, Space
from invcore_proxy.config import ProxyConfig
from invcore_proxy.fitting import ProxyReport

SCHEMA: Literal[1] = 1


class Source(Config):
    """A table that pairs came from.

    Args:
        name: of the file, without its folder.
        sha256: of its bytes.
        rows: of pairs.
    """

    name: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    rows: int = Field(ge=0)

    @classmethod
    def of(cls, path: str | os.PathLike[str], rows: int) -> Self:
        """Of a file, which is read for its checksum.

        Raises:
            DataError: it cannot be read.
        """
        try:
            with Path(path).open("rb") as file:
                checksum = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from None
        return cls(name=Path(path).name, sha256=checksum, rows=rows)


class Provenance(Config):
    """Where a proxy came from.

    Args:
        tables: what it learnt from; empty where pairs were simulated.
        seed: root of all randomness.
        versions: of packages, by name.
        created: date and time, UTC.
        note: for people: which simulator, which settings.
    """

    tables: tuple[Source, ...] = ()
    seed: int = 0
    versions: dict[str, str] = {}
    created: str = ""
    note: str = ""

    @classmethod
    def now(cls, *, tables: Sequence[Source] = (), seed: int = 0, note: str = "") -> Self:
        """With the versions of the moment, and its date.

        Example:
            >>> sorted(Provenance.now().versions)
            ['invcore', 'invcore-proxy', 'torch']
        """
        return cls(
            tables=tuple(tables),
            seed=seed,
            versions={name: version(name) for name in ("invcore", "invcore-proxy", "torch")},
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            note=note,
        )


class BundleRecord(Config):
    """What ``task.json`` holds.

    Args:
        schema_version: of this form.
        task: the component that reads it.
        title: one line for people.
        designs: space of the designs.
        responses: space of the responses.
        config: what the proxy is made of.
        report: how far it is off.
        provenance: where it came from.
        licence: text under which the data, and so the proxy, may be used; empty where unknown.
        files: checksums (sha256) by file name.
    """

    schema_version: Literal[1] = SCHEMA
    task: Literal["proxy"] = "proxy"
    title: str = ""
    designs: Space
    responses: Space
    config: ProxyConfig
    report: ProxyReport
    provenance: Provenance = Provenance()
    licence: str = ""
    files: dict[str, str]
