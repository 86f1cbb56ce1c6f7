"""What runs have stored, without what is by the clock: to compare stores byte for byte."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from invcore.storage.store import Store

_TIMINGS = "timings.safetensors"
_SECONDS = re.compile(r"best-within-[0-9.e+-]+s")


def stored_bytes(store: Store) -> dict[str, dict[str, bytes]]:
    """All files of all runs of a store, by the runs' ids and the files' names.

    A search's ``timings.safetensors`` is left out, and of ``run.json`` the dates, the timings, the
    metrics that are about seconds, and the file's own checksum; all the rest is there, the other
    files' checksums among it.

    Example:
        >>> import invcore, tempfile
        >>> config = invcore.RunConfig.resolve(
        ...     {"targets": 20, "candidates": 4, "pairs": 200,
        ...      "method": {"name": "na", "surrogate": {"training": {"epochs": 2}}}})
        >>> stores = [invcore.Store(tempfile.mkdtemp()) for _ in range(2)]
        >>> for store in stores:
        ...     _ = invcore.run(config, store=store)
        >>> stored_bytes(stores[0]) == stored_bytes(stores[1])
        True
    """
    found = {}
    for run in store.ids():
        folder = store.path(run)
        paths = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != _TIMINGS]
        found[run] = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        record = _timeless(json.loads(found[run]["run.json"]))
        found[run]["run.json"] = json.dumps(record, indent=1).encode()
    return found


def _timeless(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what is by the clock."""
    for name in ("created", "timings", "checksum"):
        record.pop(name)
    record["files"].pop(_TIMINGS, None)
    for judged in record["scoring"].values():
        judged.pop("created")
    record["metrics"] = [
        each for each in record["metrics"]
        if each["unit"] != "s" and not _SECONDS.fullmatch(each["name"])
    ]  # fmt: skip
    return record
