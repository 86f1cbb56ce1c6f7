"""A new plugin's package, written whole or not at all: ``invcore new-plugin``."""

import keyword
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

import invcore
from invcore.base.component_kinds import KINDS, Kind
from invcore.base.errors import ConfigError, StoreError, close_names
from invcore.registry.component import Component
from invcore.storage.atomic import whole_folder

_DISTRIBUTION = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|[-_.](?=[A-Za-z0-9]))*")
_SUMMARIES: dict[Kind, str] = {
    "task": "A throw without air: where it lands, and how high it flies.",
    "method": "Designs of the pairs nearest to the target, moved a little.",
    "loop": "Designs near the best one so far, nearer in each round.",
    "surrogate": "A polynomial of degree three, by least squares.",
    "judge": "The rows of the table that are nearest to a design.",
    "sampler": "Random Latin hypercube.",
    "metric": "Share of targets for which some candidate comes near enough.",
    "executor": "Several runs at once, in processes.",
}
_TEMPLATES = files("invcore.registry") / "templates"


def _imported() -> set[str]:
    """The names that the modules of components import, which none can have for its class."""
    texts = ((_TEMPLATES / kind / f"{kind}.py.txt").read_text("utf-8") for kind in KINDS)
    heads = (text.partition("\n\n\n")[0] for text in texts)
    return {name for head in heads for name in re.findall(r"\b[A-Z]\w+", head)}


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
        clash = keyword.iskeyword(name) or name in _imported()
        return f"My{name}" if clash else name

    def files(self) -> dict[str, str]:
        """Texts by path within the package."""
        values = {
            "distribution": self.distribution, "module": self.module, "kind": self.kind,
            "name": self.name, "cls": self.cls, "summary": _SUMMARIES[self.kind],
            "invcore": invcore.__version__,
        }  # fmt: skip
        test = self.name.lower().replace("-", "_")
        paths = {
            "pyproject.toml": "pyproject.toml", "README.md": "README.md",
            f"{self.module}/__init__.py": "init.py", f"{self.module}/plugin.py": "plugin.py",
            f"{self.module}/{self.kind}.py": f"{self.kind}.py",
            f"tests/test_{test}.py": "test.py",
        }  # fmt: skip
        return {
            path: Template(self._template(name)).substitute(values) for path, name in paths.items()
        }

    def _template(self, name: str) -> str:
        """A kind's own text, or the one for all kinds."""
        own = _TEMPLATES / self.kind / f"{name}.txt"
        return (own if own.is_file() else _TEMPLATES / "common" / f"{name}.txt").read_text("utf-8")

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
        try:
            with whole_folder(final, overwrite=False) as folder:
                for path, text in self.files().items():
                    file = folder / path
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{final}: cannot be written ({error.strerror})") from None
        return final
