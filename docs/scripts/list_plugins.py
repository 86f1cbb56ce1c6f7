"""Write the list of plugins in pyproject.toml anew, from the folders below plugins/.

The extra `standard` and uv's sources need every plugin's name, and take no pattern; all else finds
plugins by their folders.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "pyproject.toml"
FIRST = "# Written by `python dev.py generate`: the plugins, by their folders.\n"
LAST = "# End of what is written.\n"


def block(root: Path = ROOT) -> str:
    """The part of pyproject.toml that lists the plugins."""
    names = sorted(path.parent.name for path in root.glob("plugins/*/pyproject.toml"))
    extra = "".join(f'    "{name}",\n' for name in names)
    sources = "".join(f"{name} = {{ workspace = true }}\n" for name in names)
    return (
        f"{FIRST}[project.optional-dependencies]\n"
        'parquet = ["pyarrow>=17"]\ntesting = ["pytest>=8"]\n'
        f"standard = [\n{extra}]\n\n[tool.uv.sources]\n{sources}{LAST}"
    )


def updated(text: str, root: Path = ROOT) -> str:
    """The file's text with that part as it should be."""
    head, _, rest = text.partition(FIRST)
    return head + block(root) + rest.partition(LAST)[2]


if __name__ == "__main__":
    FILE.write_text(updated(FILE.read_text()))
