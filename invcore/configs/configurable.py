"""What all components share: they are built from a config."""

from abc import ABC
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from invcore.base.errors import ConfigError
from invcore.configs.config import Config

C = TypeVar("C", bound=Config)


class Configurable(ABC, Generic[C]):
    """Something built from a frozen config.

    A component without settings leaves ``Config`` as it is.

    Raises:
        ConfigError: the config is of another class.
    """

    Config: ClassVar[type[Any]] = Config
    expected_failures: ClassVar[Mapping[str, str]] = {}
    """Why it does not keep some of its contract: reasons, by the names of the kit's checks."""
    config: C

    def __init__(self, config: C | None = None) -> None:
        if config is None:
            config = self.Config()
        if not isinstance(config, self.Config):
            raise ConfigError(
                f"{type(self).__name__}: expected {self.Config.__name__}, "
                f"got {type(config).__name__}"
            )
        self.config = config
