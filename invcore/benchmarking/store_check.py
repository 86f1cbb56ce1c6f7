"""A check of all that a store holds: every checksum of runs, manifests, journals and caches."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from safetensors import SafetensorError, safe_open

from invcore.base.errors import StoreError
from invcore.base.progress import Progress
from invcore.base.text import one_line
from invcore.benchmarking.manifest import bench_names, read_bench
from invcore.search.loop_journal.event_files import EventFolder
from invcore.storage.atomic import SCRATCH
from invcore.storage.store import Store

Kind = Literal["run", "bench", "loop", "cache", "leftover"]


class Finding(NamedTuple):
    """What was checked, and what is wrong with it.

    Args:
        kind: what it is. A ``leftover`` is what a process that was killed had begun to write.
        name: its id, name or file.
        problem: empty where all is well.
    """

    kind: Kind
    name: str
    problem: str = ""


def check_store(store: Store, progress: Progress | None = None) -> Iterator[Finding]:
    """Read all of a store with its checks.

    Args:
        store: which.
        progress: shows how it goes.
    """
    runs = store.ids()
    with (progress or Progress()).stage("checking", len(runs)) as bar:
        for run in runs:
            try:
                store.read(run)
            except StoreError as error:
                yield Finding("run", run, str(error))
            else:
                yield Finding("run", run)
            bar.advance(1)
    for name in bench_names(store):
        try:
            read_bench(store, name)
        except StoreError as error:
            yield Finding("bench", name, str(error))
        else:
            yield Finding("bench", name)
    for folder in _inside(store.root / "loops"):
        yield Finding("loop", folder.name, _loop_problem(folder))
    for path in _inside(store.cache):
        if path.suffix == ".safetensors":
            yield Finding("cache", path.name, _cache_problem(path))
    for place in (store.root, store.root / "benches", store.cache):
        for path in _inside(place):
            if path.name.startswith(SCRATCH):
                why = (
                    "was being written by a process that has ended, or still is; it may be deleted"
                )
                yield Finding("leftover", path.name, why)


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _loop_problem(folder: Path) -> str:
    """What is wrong with a loop's events, each of which names the one before."""
    files = EventFolder(folder)
    try:
        for _ in files.new():
            pass
        files.check_gaps()
    except StoreError as error:
        return str(error)
    return ""


def _cache_problem(path: Path) -> str:
    """What is wrong with a file of the cache, which may be deleted."""
    try:
        with safe_open(path, "np") as file:
            for name in file.keys():
                file.get_slice(name).get_shape()
    except (OSError, SafetensorError) as error:
        return f"{one_line(error)}; delete it, and it is computed again"
    return ""
