"""Draw docs/architecture.svg from the imports: which rooms of the core use which, and the plugins.

A row is a room, a column is what it imports. Rooms stand in the order of their layers, so that all
dots lie right of the diagonal: imports run one way. Below them stand the plugins, and the public
faces that they import from.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "architecture.svg"
FACES = (
    "invcore", "invcore.plugin", "invcore.learning", "invcore.search", "invcore.numerics",
    "invcore.results", "invcore.pipeline", "invcore.data.tables", "invcore.cli.kit",
)  # fmt: skip
_CELL, _NAME, _TEXT, _HEAD = 19, 150, 580, 118  # pixels
_LETTERS = 88  # of a description
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1d2733} .b{font-weight:600} .g{fill:#6b7785}"
    " .h{font-size:15px;font-weight:600} rect{fill:#f3f5f8} .d{fill:#2f6fb3} .i{fill:#c8d0da}"
    " .e{fill:#e3e8ee}"
)


def layers(root: Path = ROOT) -> list[str]:
    """The rooms of the core, those that stand on all others first, as pyproject.toml has them."""
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    contract = settings["tool"]["importlinter"]["contracts"][0]
    return [name.strip() for layer in contract["layers"] for name in layer.split("|")]


def imported(file: Path) -> Iterator[str]:
    """The modules that a file imports when it runs; what only type checkers import is left out."""
    tree = ast.parse(file.read_text())
    skipped = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def of(place: Path) -> set[str]:
    """All modules that a package or a module imports."""
    files = place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
    return {name for file in files for name in imported(file)}


def rooms(names: Sequence[str], root: Path = ROOT) -> dict[str, set[str]]:
    """For each room of the core, the rooms that it imports."""
    found = {}
    for name in names:
        modules = of(root / "invcore" / name)
        used = {m.split(".")[1] for m in modules if m.startswith("invcore.")}
        found[name] = (used & set(names)) - {name}
    return found


def plugins(root: Path = ROOT) -> dict[str, set[str]]:
    """For each plugin, the faces of the core that it imports, and other plugins."""
    folders = sorted(root.glob("plugins/*/invcore_*"))
    names = [folder.name for folder in folders]
    found = {}
    for folder in folders:
        modules = of(folder)
        others = {m.split(".")[0] for m in modules} & set(names) - {folder.name}
        found[folder.name] = (modules & set(FACES)) | others
    return found


def summary(name: str, root: Path = ROOT) -> str:
    """The first sentence of a room's docstring."""
    place = root / "invcore" / name
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return (ast.get_docstring(ast.parse(file.read_text())) or "").split("\n")[0]


def description(plugin: str, root: Path = ROOT) -> str:
    """What a plugin's pyproject.toml says of it, as far as there is room."""
    file = root / "plugins" / plugin.replace("_", "-") / "pyproject.toml"
    text = str(tomllib.loads(file.read_text())["project"]["description"])
    return text if len(text) <= _LETTERS else text[: _LETTERS - 1].rsplit(" ", 1)[0] + " …"


def matrix(
    rows: dict[str, set[str]], columns: Sequence[str], texts: dict[str, str], top: int, title: str
) -> list[str]:
    """The picture of one table: a row each, a dot where a row imports a column."""
    left = _NAME + _TEXT
    lines = [f'<text class="h" x="12" y="{top + 16}">{escape(title)}</text>']
    for j, name in enumerate(columns):
        x = left + j * _CELL + _CELL // 2 + 4
        turn = f'transform="rotate(-60 {x} {top + _HEAD - 8})"'
        lines.append(f'<text x="{x}" y="{top + _HEAD - 8}" {turn}>{escape(name)}</text>')
    for i, (name, used) in enumerate(rows.items()):
        y = top + _HEAD + i * _CELL
        if i % 2 == 0:
            width = left + len(columns) * _CELL
            lines.append(f'<rect x="8" y="{y}" width="{width - 8}" height="{_CELL}"/>')
        lines.append(f'<text class="b" x="12" y="{y + 14}">{escape(name)}</text>')
        text = escape(texts.get(name, ""))
        lines.append(f'<text class="g" x="{_NAME + 12}" y="{y + 14}">{text}</text>')
        for j, column in enumerate(columns):
            x = left + j * _CELL + _CELL // 2
            mark = 'class="i" r="3"' if column == name else 'class="e" r="1.5"'
            mark = 'class="d" r="5.5"' if column in used else mark
            lines.append(f'<circle {mark} cx="{x}" cy="{y + _CELL // 2}"/>')
    return lines


def picture(root: Path = ROOT) -> str:
    """The whole picture, as SVG."""
    names = layers(root)
    core, outside = rooms(names, root), plugins(root)
    others = sorted({name for used in outside.values() for name in used} - set(FACES))
    columns = [*FACES, *others]
    low = _HEAD + len(core) * _CELL + 36
    height = low + _HEAD + len(outside) * _CELL + 12
    width = _NAME + _TEXT + max(len(names), len(columns)) * _CELL + 60
    texts = {name: summary(name, root) for name in names}
    described = {name: description(name, root) for name in outside}
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">',
        f"<style>{_STYLE}</style>",
        '<rect width="100%" height="100%" style="fill:#fff"/>',
        *matrix(core, names, texts, 0, "The core: each room imports those below it alone"),
        *matrix(outside, columns, described, low, "The plugins: they import public faces alone"),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(picture())
