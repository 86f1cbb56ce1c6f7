"""The code that a result was made by: checksums of files that can be edited in place.

A version says what code a wheel has; of what is installed editable, it says nothing. There the
content of the files counts, read once a process: what was imported since does not change either.
"""

import ast
import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from invcore.registry.registry import Entry
from invcore.registry.versions import shared_of

CORE = "invcore"
APART = ("cli", "scoring", "benchmarking", "testing")
"""Rooms of the core that do not take part in a run: it is the same whatever they are."""


def code_of(entries: Iterable[Entry]) -> dict[str, str]:
    """Checksums of the core's code, of components' plugins, and of what these share.

    Args:
        entries: components that take part.

    Returns:
        By the names of distributions, those alone whose files can be edited in place.

    Example:
        >>> sorted(code_of([])) in ([], ["invcore"])
        True
    """
    code = {CORE: _core_code(APART)}
    for entry in entries:
        module = entry.component.target.partition(":")[0]
        code[entry.plugin] = _code(entry.plugin, module, entry.metric_modules)
        for name in shared_of(entry.plugin):
            code[name] = _code(name, "")
    return {name: checksum for name, checksum in sorted(code.items()) if checksum}


def scoring_code_of(entry: Entry) -> dict[str, str]:
    """What decides a metric's numbers beside the run: its own code, and the core's scoring."""
    whole = replace(entry, metric_modules=frozenset())
    return {**code_of([whole]), CORE: _core_code()}


@cache
def _core_code(apart: tuple[str, ...] = ()) -> str:
    """Of the whole core but for some rooms; without any, of the room of scoring alone."""
    root = Path(__file__).resolve().parents[1]
    if _is_recorded(_distribution(CORE), root / "__init__.py"):
        return ""
    if not apart:
        return _checksum([root / "scoring"])
    return _checksum([path for path in root.iterdir() if path.name not in apart])


@cache
def _code(plugin: str, module: str, metrics: frozenset[str] = frozenset()) -> str:
    """Of the packages that a distribution brings; empty for a wheel, whose version says it.

    The modules of its metrics are left out, unless others of its modules import them.
    """
    installed = _distribution(plugin)
    found = _packages(installed, plugin, [module])
    loose = {root for root in found if not _is_recorded(installed, _first_file(root))}
    return _checksum(loose, _metric_files(loose, metrics))


def _packages(installed: Distribution | None, plugin: str, modules: Iterable[str]) -> set[Path]:
    """The folders of the packages that a distribution brings, and files that are modules."""
    names = {*modules, plugin.lower().replace("-", "_").replace(".", "_")}
    if installed is not None:
        names |= {point.module for point in installed.entry_points if point.group == CORE}
        names |= set((installed.read_text("top_level.txt") or "").split())
    return {root for name in names if (root := _root(name)) is not None}


def packages_of(entries: Iterable[Entry]) -> set[Path]:
    """Where the code is that a result could be made by: invcore's and that of components' plugins.

    Args:
        entries: components that take part.

    Returns:
        Folders of packages and files that are modules, editable in place or not.

    Example:
        >>> [root.name for root in packages_of([])]
        ['invcore']
    """
    modules: dict[str, set[str]] = {}
    for entry in entries:
        modules.setdefault(entry.plugin, set()).add(entry.component.target.partition(":")[0])
        for name in shared_of(entry.plugin):
            modules.setdefault(name, set())
    found = {Path(__file__).resolve().parents[1]}
    for plugin, names in modules.items():
        found |= _packages(_distribution(plugin), plugin, names)
    return found


def _metric_files(roots: Iterable[Path], metrics: Iterable[str]) -> set[Path]:
    """The files of metrics that no other file of these packages imports."""
    files = {
        path
        for root in roots
        for name in metrics
        if (path := root.joinpath(*name.split(".")[1:]).with_suffix(".py")).is_file()
    }
    others = [
        p for root in roots for p in files_below(root) if p.suffix == ".py" and p not in files
    ]
    imported = {word for path in others for word in _imports(path)} if files else set()
    return {path for path in files if path.stem not in imported}


def _imports(path: Path) -> Iterator[str]:
    """All words of what a file imports; of one that is no Python, every word."""
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        nodes = ast.walk(ast.parse(text))
    except (SyntaxError, ValueError):
        yield from re.findall(r"\w+", text)
        return
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            for name in (*names, getattr(node, "module", None) or ""):
                yield from name.split(".")


def _distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except (PackageNotFoundError, ValueError):  # a plugin of a test, say, is in none
        return None


def _root(name: str) -> Path | None:
    """The folder of the package that a module is in, or its file; not of a namespace's."""
    parts = name.split(".") if name else []
    for length in range(1, len(parts) + 1):
        try:
            spec = find_spec(".".join(parts[:length]))
        except (ImportError, ValueError, AttributeError):
            return None
        if spec is None:
            return None
        if spec.origin and spec.has_location:
            origin = Path(spec.origin).resolve()
            root = origin.parent if spec.submodule_search_locations else origin
            return root if root.exists() else None  # within an archive it cannot be edited
    return None


def _first_file(root: Path) -> Path:
    return root / "__init__.py" if root.is_dir() else root


def _is_recorded(installed: Distribution | None, file: Path) -> bool:
    """Whether a file is one that a wheel's installation wrote."""
    if installed is None or installed.read_text("RECORD") is None:
        return False
    paths = (Path(str(entry.locate())) for entry in installed.files or [])
    return any(path.name == file.name and path.resolve() == file for path in paths)


def _checksum(roots: Iterable[Path], apart: Collection[Path] = ()) -> str:
    """Of the names and contents of all files in folders but some; empty where there are none."""
    digest, some = hashlib.sha256(), False
    for root in sorted(roots):
        for path in files_below(root):
            some = True
            if path in apart:
                continue
            digest.update(f"{path.relative_to(root.parent)}\0".encode(errors="surrogateescape"))
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12] if some else ""


def files_below(root: Path) -> Iterator[Path]:
    """Files below a folder in an order of their own; caches and hidden ones are no code."""
    if root.is_file():
        if root.suffix not in (".pyc", ".pyo") and not root.name.startswith("."):
            yield root
        return
    if root.name == "__pycache__" or root.name.startswith("."):
        return
    for name in sorted(os.listdir(root)):
        path = root / name
        if not path.is_symlink() or path.exists():  # a broken link has no content
            yield from files_below(path)
