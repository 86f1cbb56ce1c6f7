"""What ``invcore doctor`` looks at. Each check says what is, how good that is, and what to do."""

import platform
import re
import shutil
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

import invcore
from invcore.base.component_kinds import KINDS, Kind
from invcore.base.errors import InvcoreError, StoreError
from invcore.base.text import one_line
from invcore.registry.loader import Plugins
from invcore.registry.requirements import unmet_requirements

State = Literal["ok", "warning", "problem"]
_ENOUGH, _TOO_LITTLE = 2**30, 100 * 2**20  # bytes of a disk; a run takes some tens of megabytes
_BASIC_KINDS: tuple[Kind, ...] = ("task", "method", "sampler")
_STANDARD = "pip install 'invcore[standard]'"


@dataclass(frozen=True)
class Check:
    """One finding.

    Args:
        name: what was looked at.
        state: ``ok``, ``warning`` or ``problem``.
        found: what is.
        advice: what to do; empty where all is well.
        repaired: whether something was wrong, and has been mended now.
    """

    name: str
    state: State
    found: str
    advice: str = ""
    repaired: bool = False


def check_all(plugins: Plugins, out: str) -> Iterator[Check]:
    """All checks, the cheap ones first."""
    yield from check_versions()
    yield from check_plugins(plugins)
    yield from check_components(plugins)
    yield from check_devices()
    yield from check_store(Path(out))


def check_versions() -> Iterator[Check]:
    """Python, invcore, and what it depends on."""
    ok: State = "ok" if sys.version_info >= (3, 11) else "problem"
    where = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Check("python", ok, where, "" if ok == "ok" else "use Python 3.11 or newer")
    yield Check("invcore", "ok", invcore.__version__)
    for name in ("torch", "numpy", *_light_dependencies()):
        try:
            yield Check(name, "ok", version(name))
        except PackageNotFoundError:
            yield Check(name, "problem", "not installed", f"pip install {name}")


def _light_dependencies() -> list[str]:
    """The other dependencies of the core, as its distribution names them."""
    try:
        lines = requires("invcore") or []
    except PackageNotFoundError:
        return []
    names = {re.split(r"[^\w.-]", line)[0] for line in lines if "extra ==" not in line}
    return sorted(names - {"torch", "numpy"})


def check_plugins(plugins: Plugins) -> Iterator[Check]:
    """Every plugin, what they require and is not there, and names that two of them claim."""
    for info in plugins.infos:
        name = f"plugin {info.name}"
        if info.cause:
            found, advice = f"{info.version}: {info.cause}", "update or uninstall it"
            if info.status == "other API":
                found, _, advice = found.rpartition(": ")
            yield Check(name, "problem", found, advice)
        else:
            yield Check(name, "ok", f"{info.version}, {info.components} components")
    for plugin in dict.fromkeys(info.name for info in plugins.infos):
        for unmet in unmet_requirements(plugin):
            advice = f"pip install '{unmet.requirement}'"
            yield Check(f"plugin {plugin}", "problem", str(unmet), advice)
    for kind in _BASIC_KINDS:
        if not plugins.registry.entries(kind):
            yield Check(f"{kind}s", "problem", "none, so nothing can run", _STANDARD)
    for kind in KINDS:
        for line in plugins.registry.clashes(kind):
            found, _, advice = line.rpartition(": ")
            yield Check(f"{kind} names", "warning", found, advice)


def check_components(plugins: Plugins) -> Iterator[Check]:
    """Whether each component can be imported and is what it says; one line if all can."""
    loaded = 0
    for kind in KINDS:
        for entry in plugins.registry.entries(kind):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # what an import remarks is no failure
                    plugins.registry.load(kind, entry.component.name)
                loaded += 1
            except InvcoreError as error:
                advice = f"reinstall {entry.plugin}, or tell its authors"
                yield Check(f"{kind} {entry.component.name}", "problem", one_line(error), advice)
    yield Check("components", "ok", f"{loaded} load")


def check_devices() -> Iterator[Check]:
    """What torch can compute on; also what it has to say about that."""
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        try:
            from invcore.base.device import available

            names = available()
        except Exception as error:  # a broken torch raises all sorts of things
            yield Check("devices", "problem", one_line(error), "reinstall torch")
            return
    idle = "cuda:0" not in names and Path("/proc/driver/nvidia/version").exists()
    if remarks or idle:
        text = str(remarks[0].message) if remarks else "torch does not see the GPU"
        advice = "install the torch build for this driver: https://pytorch.org/get-started"
        yield Check("devices", "warning", f"{', '.join(names)} ({' '.join(text.split())})", advice)
    else:
        yield Check("devices", "ok", ", ".join(names))


def check_store(out: Path) -> Iterator[Check]:
    """Whether runs can be written, and how many; nothing is left behind."""
    from invcore.storage.store import Store

    there = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    try:
        Store(there).check_writable()
        yield Check("store", "ok", f"{out} can be " + ("written" if out.exists() else "made"))
    except StoreError as error:
        yield Check("store", "problem", str(error), "name another folder with --store")
    free = shutil.disk_usage(there).free
    state: State = "ok" if free >= _ENOUGH else "warning" if free >= _TOO_LITTLE else "problem"
    advice = "" if state == "ok" else "free some, or name a folder on another disk with --store"
    yield Check("disk", state, f"{free / 2**30:.1f} GiB free", advice)
