"""Configs in files: TOML and YAML as plain data."""

import tomllib
from pathlib import Path
from typing import Any

from invcore.base.errors import ConfigError
from invcore.base.text import one_line


def read_config(path: str | Path) -> dict[str, Any]:
    """Read a TOML or YAML file to plain data.

    Args:
        path: ends in .toml, .yaml or .yml.

    Raises:
        ConfigError: no such file, another ending, or not well formed; with the line.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path}: cannot be read ({why})") from None
    if path.suffix not in (".toml", ".yaml", ".yml"):
        raise ConfigError(f"{path}: a config ends in .toml, .yaml or .yml")
    try:
        if path.suffix == ".toml":
            return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from None
    import yaml

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: {one_line(error)}") from None
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise ConfigError(f"{path}: expected 'key: value' lines")
    return data
