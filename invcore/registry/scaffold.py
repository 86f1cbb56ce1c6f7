"""A new plugin's package, written whole or not at all: ``invcore new-plugin``."""

from __future__ import annotations

import keyword
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

import invcore
from invcore.base.errors import ConfigError, StoreError, close_names
from invcore.base.kinds import KINDS, Kind
from invcore.registry.component import Component

_DISTRIBUTION = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|[-_.](?=[A-Za-z0-9]))*")
_SUMMARIES: dict[Kind, str] = {
    "task": "A throw without air: where it lands, and how high it flies.",
    "method": "Designs of the pairs nearest to the target, moved a little.",
    "sampler": "Random Latin hypercube.",
    "metric": "Share of targets for which some candidate comes near enough.",
    "executor": "Several runs at once, in threads.",
}


@dataclass(frozen=True)
class NewPlugin:
    """What to call a package and its component.

    Args:
        distribution: what pip installs, for instance ``invcore-foo``.
        kind: of its component.
        name: of its component.

    Raises:
        ConfigError: a name that Python, pip or invcore would refuse.

    Example:
        >>> NewPlugin("invcore-gap-search", "method", "gap-search").cls
        'GapSearch'
    """

    distribution: str
    kind: Kind
    name: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"no kind {self.kind!r}. {close_names(self.kind, KINDS)}")
        if not _DISTRIBUTION.fullmatch(self.distribution):
            raise ConfigError(
                f"package name {self.distribution!r}: use letters, digits and '-', a letter first"
            )
        if keyword.iskeyword(self.module) or self.module in ("invcore", "torch", "tests"):
            raise ConfigError(f"package name {self.distribution!r} is taken: try another")
        try:
            Component(self.name, "x", "x:x")
        except ImportError as error:
            raise ConfigError(str(error)) from None

    @property
    def module(self) -> str:
        """The package that Python imports."""
        return re.sub(r"[-.]", "_", self.distribution.lower())

    @property
    def cls(self) -> str:
        """The class of the component."""
        words = re.split(r"[-_]+", self.name)
        name = "".join(word[:1].upper() + word[1:] for word in words)
        taken = keyword.iskeyword(name) or name in re.findall(
            r"\w+", self._template(f"{self.kind}.py")
        )
        return f"My{name}" if taken else name

    def files(self) -> dict[str, str]:
        """Texts by path within the package."""
        values = {
            "distribution": self.distribution,
            "module": self.module,
            "kind": self.kind,
            "name": self.name,
            "cls": self.cls,
            "summary": _SUMMARIES[self.kind],
            "invcore": invcore.__version__,
        }
        test = self.name.lower().replace("-", "_")
        paths = {
            "pyproject.toml": "pyproject.toml",
            "README.md": "README.md",
            f"{self.module}/__init__.py": "init.py",
            f"{self.module}/plugin.py": "plugin.py",
            f"{self.module}/{self.kind}.py": f"{self.kind}.py",
            f"tests/test_{test}.py": "test.py",
        }
        return {
            path: Template(self._template(name)).substitute(values) for path, name in paths.items()
        }

    def _template(self, name: str) -> str:
        """A kind's own text, or the one for all kinds."""
        for folder in (self.kind, "common"):
            text = files("invcore.registry") / "templates" / folder / f"{name}.txt"
            if text.is_file():
                return text.read_text(encoding="utf-8")
        raise FileNotFoundError(name)

    def write(self, into: Path) -> Path:
        """Write the package; nothing is overwritten, and nothing half-written is left.

        Args:
            into: the folder to make the package's folder in; made if it is missing.

        Returns:
            The package's folder.

        Raises:
            StoreError: it exists already, or cannot be written.
        """
        final = into / self.distribution
        if final.exists() or final.is_symlink():
            raise StoreError(f"{final} exists already: nothing was written")
        scratch: Path | None = None
        try:
            into.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(prefix=".new-plugin-", dir=into))
            scratch.chmod(0o755)
            for path, text in self.files().items():
                file = scratch / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            os.rename(scratch, final)
        except OSError as error:
            raise StoreError(f"{final}: cannot be written ({error.strerror})") from None
        finally:
            if scratch is not None:
                shutil.rmtree(scratch, ignore_errors=True)
        return final
