"""Configs in files: TOML and YAML as plain data."""

from pathlib import Path
from typing import Any

from invcore.base.errors import ConfigError
from invcore.base.text import printable
from invcore.configs.documents import FORMATS, parse_document, read_text

_ENDINGS = (".toml", ".yaml", ".yml")


def read_config(path: str | Path) -> dict[str, Any]:
    """Read a TOML or YAML file to plain data.

    Args:
        path: ends in .toml, .yaml or .yml.

    Raises:
        ConfigError: no such file, another ending, not well formed, or beyond the bounds of
            `invcore.configs.documents`; with the line.
    """
    path, place = Path(path), printable(path)
    text = read_text(path)
    if path.suffix not in _ENDINGS:
        raise ConfigError(f"{place}: a config ends in .toml, .yaml or .yml")
    data = parse_document(text, FORMATS[path.suffix], place)
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise ConfigError(f"{place}: expected 'key: value' lines")
    return data
