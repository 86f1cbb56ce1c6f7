"""Functions by their names, ``package.module:function``, and what their results depend on."""

import hashlib
import importlib
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from invcore.plugin import ConfigError, close_names, one_line

_FOREIGN = ("site-packages", "dist-packages")
_DRIVERS = ("__main__", "__mp_main__", "conftest")  # scripts that ask for designs: no simulators


def load_function(name: str) -> Callable[..., Any]:
    """Import a function; modules in the current folder are found first.

    Args:
        name: ``package.module:function``.

    Raises:
        ConfigError: no such module or function, or the module raises when it is imported.

    Example:
        >>> load_function("math:floor")(2.5)
        2
    """
    module_name, colon, attribute = name.partition(":")
    if not (colon and module_name and attribute):
        raise ConfigError(f"simulator {name!r}: expected package.module:function, or a .toml file")
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    importlib.invalidate_caches()  # a module that was written a moment ago
    try:
        item: Any = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # a module of others may raise anything
        if isinstance(error, ModuleNotFoundError) and _is_part(error.name, module_name):
            raise ConfigError(
                f"simulator {name!r}: no module {error.name!r} in {here} or among what is installed"
            ) from None
        why = one_line(error)
        raise ConfigError(f"simulator {name!r}: importing {module_name} raised {why}") from error
    for part in attribute.split("."):
        if not hasattr(item, part):
            words = getattr(item, "__dict__", {}).items()  # without what it imported
            functions = [
                word
                for word, value in words
                if callable(value) and getattr(value, "__module__", "") == module_name
            ]
            raise ConfigError(
                f"simulator {name!r}: {module_name} has no {part!r}. {close_names(part, functions)}"
            )
        item = getattr(item, part)
    if not callable(item):
        raise ConfigError(f"simulator {name!r}: {attribute} is {type(item).__name__}, no function")
    return item


def _is_part(missing: str | None, module: str) -> bool:
    """Whether ``missing`` is the module, or a package that it lies in."""
    return missing is not None and (module == missing or module.startswith(f"{missing}."))


_LOADED: dict[Path, bytes] = {}  # digests of modules' files when they were first seen


def code_checksum(name: str) -> str:
    """A checksum of the code that a loaded function stands on, as far as that is known.

    Of its module, its package, all modules loaded from the same folder, and those there that any
    of its code imports when it is called; not of what is installed, nor of files that the code
    reads. A file that is edited after its module was loaded counts as it was: so does its code.

    Args:
        name: ``package.module:function``, loaded before.
    """
    module_name = name.partition(":")[0]
    top = module_name.partition(".")[0]
    root = _folder(module_name)
    files: dict[Path, bytes] = {}
    for other, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        own = other.partition(".")[0] == top
        if path and (own or (root and _beside(Path(path), root, other))):
            file = Path(path)
            if file not in _LOADED:
                _LOADED[file] = _digest(file)
            files[file] = _LOADED[file]
    for file in _imported(module_name, root) - files.keys() if root else ():
        files[file] = _digest(file)
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + files[file])
    return digest.hexdigest()


def _digest(file: Path) -> bytes:
    try:
        return hashlib.sha256(file.read_bytes()).digest()
    except OSError:  # of an archive, for instance
        return b""


def _imported(module_name: str, root: Path) -> set[Path]:
    """Files in the folder that a module imports, when it is loaded or when it is called."""
    from modulefinder import ModuleFinder  # takes as long to import as all of this file

    finder = ModuleFinder(path=[str(root)])
    try:
        finder.import_hook(module_name)
    except (ImportError, SyntaxError, OSError, ValueError):
        return set()
    paths = (getattr(module, "__file__", None) for module in finder.modules.values())
    return {Path(path) for path in paths if path}


def _folder(module_name: str) -> Path | None:
    """The folder that the function's top-level package lies in; None if that was installed."""
    path = getattr(sys.modules.get(module_name.partition(".")[0]), "__file__", None)
    if path is None or any(part in _FOREIGN for part in Path(path).parts):
        return None
    file = Path(path)
    return file.parent.parent if file.name == "__init__.py" else file.parent


def _beside(path: Path, root: Path, name: str) -> bool:
    """Whether a module is the user's own: in the folder, and not installed into it."""
    ours = name.partition(".")[0].startswith("invcore") or name in _DRIVERS
    return root in path.parents and not ours and not any(part in _FOREIGN for part in path.parts)


def source_checksum(function: Callable[..., Any]) -> str:
    """A checksum of a function's text; empty where there is none to read."""
    try:
        return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()
    except (OSError, TypeError):
        return ""
