"""What decides the ids of a bench's cells, seen without importing what they are made of.

Code and files are told apart by their places, times, sizes and inodes, as the store's index does
it; so a change is seen at once, and a copy of the same code counts as another. No torch here.
"""

from __future__ import annotations

import ctypes
import importlib.machinery
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pydantic

from invcore.base.component_kinds import KINDS
from invcore.benchmarking.file import BenchFile
from invcore.configs.run_config import RunConfig
from invcore.registry.code import files_below, packages_of
from invcore.registry.loader import Plugins
from invcore.registry.versions import versions_of
from invcore.storage.identity import identity

_MOST_FILES = 10_000  # below a folder that a bench names
_LONGEST = 4096  # characters of a path
_CODE = (*importlib.machinery.all_suffixes(), ".pyc")
_NAMELESS = ("/proc/", "/sys/", "/dev/")
_DEVICES = re.compile(r"auto|cpu|cuda(:\d+)?")
_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


class UnseenError(Exception):
    """Something that decides a cell's id cannot be seen without planning it."""


def circumstances(file: BenchFile, plugins: Plugins) -> tuple[str, int]:
    """What stands for all that decides the cells of a bench, and when a file of it changed last.

    It covers the bench's text; Python, invcore, torch, and every plugin with what it shares, by
    version and by every file of their packages; which components there are; files and folders
    that the bench names; and whether there is a GPU, where its runs would use one.

    Args:
        file: the bench.
        plugins: where its names are looked up.

    Returns:
        Twelve digits, and nanoseconds since 1970.

    Raises:
        UnseenError: that cannot be said of this bench.
    """
    entries = [entry for kind in KINDS for entry in plugins.registry.entries(kind)]
    roots = sorted(packages_of(entries))
    stamps = [stamp(path) for root in roots for path in files_below(root)]
    named = {text: _stamps_of(Path(text)) for text in sorted(_texts(file))}
    torch = _torch()
    every = [*stamps, *(each for found in named.values() for each in found), stamp(torch)]
    document = {
        "bench": [file.source.text, file.source.path.suffix],
        "interpreter": [sys.version, pydantic.VERSION],
        "versions": versions_of(entries),
        "components": [[e.kind, e.component.name, e.component.target, e.plugin] for e in entries],
        "plugins": [[info.name, info.version, info.cause] for info in plugins.infos],
        "files": stamps, "named": named, "torch": stamp(torch),
        "device": _device_facts(RunConfig.resolve(file.shared).device, torch),
    }  # fmt: skip
    return identity(document), newest(every)


def stamp(path: str | Path) -> list[Any]:
    """The place, inode, size and times of a file or folder; empty after the place without one."""
    place = os.path.abspath(path)
    try:
        found = os.stat(place)
    except (OSError, ValueError):
        return [place, 0]
    return [place, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def newest(stamps: Iterable[list[Any]]) -> int:
    """When the last of some files changed, in nanoseconds since 1970."""
    return max((time for _, *facts in stamps for time in facts[2:]), default=0)


@contextmanager
def files_read() -> Iterator[set[str]]:
    """What Python opens in the block but for code: the places, which need not have been there.

    What a library opens by itself, as safetensors does, is not seen.
    """
    seen: set[str] = set()
    _WATCHING.append(seen)
    if not _HOOKED:
        _HOOKED.append(True)
        sys.addaudithook(_note)  # stays as long as the process
    try:
        yield seen
    finally:
        _WATCHING.remove(seen)


_WATCHING: list[set[str]] = []
_HOOKED: list[bool] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _WATCHING or not isinstance(arguments[0], str | bytes):
        return
    place = os.path.abspath(os.fsdecode(arguments[0]))
    if not place.endswith(_CODE) and not place.startswith(_NAMELESS):
        for seen in _WATCHING:
            seen.add(place)


def _texts(file: BenchFile) -> set[str]:
    """All texts in a bench that could be paths."""
    values = [file.grid.model_dump(), file.shared]
    found: set[str] = set()
    while values:
        value = values.pop()
        if isinstance(value, dict):
            values += value.values()
        elif isinstance(value, list | tuple):
            values += value
        elif isinstance(value, str) and 0 < len(value) <= _LONGEST and "\0" not in value:
            found.add(value)
    return found


def _stamps_of(path: Path) -> list[list[Any]]:
    """Of a path that a bench names, and of all below it."""
    found = [stamp(path)]
    if path.is_dir():
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                part = os.path.join(folder, name)
                if len(found) > _MOST_FILES or (os.path.islink(part) and os.path.isdir(part)):
                    raise UnseenError(part)
                found.append(stamp(part))
    return found


def _torch() -> Path:
    """The file that says which torch is installed, and what it was built for."""
    spec = find_spec("torch")
    if spec is None or not spec.origin:
        raise UnseenError("torch")
    return Path(spec.origin).with_name("version.py")


def _device_facts(name: str, torch: Path) -> list[int]:
    """What decides which device a name stands for."""
    if not _DEVICES.fullmatch(name):
        raise UnseenError(name)
    if name == "cpu":
        return []
    try:
        text = torch.read_text()
    except (OSError, UnicodeError):
        raise UnseenError(str(torch)) from None
    built = {
        kind: found is not None and found[1].strip() != "None"
        for kind in ("cuda", "hip")
        for found in [re.search(rf"^{kind}\b[^=\n]*=(.*)$", text, re.M)]
    }
    if built["hip"]:
        raise UnseenError("hip")
    return _driver() if built["cuda"] else []


def _driver() -> list[int]:
    """What the CUDA driver says: of its begin, its version and how many GPUs it shows."""
    try:
        library = ctypes.CDLL(_DRIVER)
        version, count = ctypes.c_int(0), ctypes.c_int(0)
        said = [library.cuInit(0), library.cuDriverGetVersion(ctypes.byref(version)),
                library.cuDeviceGetCount(ctypes.byref(count))]  # fmt: skip
    except (OSError, AttributeError):
        return []
    return [*said, version.value, count.value]


def unchanged(stamps: Iterable[list[Any]]) -> bool:
    """Whether files are those that they were, or still not there."""
    with suppress(OSError, ValueError):
        return all(stamp(each[0]) == each for each in stamps)
    return False
