"""What the tests of the command line share: calling it, and plugins made up for one test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import Distribution
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from invcore.cli.main import cli
from invcore.registry import loader as loading
from invcore.registry.loader import Plugins
from invcore.registry.requirements import unmet_requirements


class Site:
    """A folder of distributions, each with one module and one entry point."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.points: list[Any] = []

    def add(
        self, name: str, source: str, *, point: str = "", version: str = "1.0",
        requires: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Add distribution ``name`` with module ``fake_name``."""
        module = "fake_" + name.replace("-", "_")
        (self.root / f"{module}.py").write_text(_HEADER + dedent(source))
        info = self.root / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        metadata += [f"Requires-Dist: {line}" for line in requires]
        (info / "METADATA").write_text("\n".join(metadata) + "\n")
        (info / "entry_points.txt").write_text(f"[invcore]\n{point or name} = {module}\n")
        self.points += Distribution.at(info).entry_points


_HEADER = "from invcore import Component, hookimpl\nAPI_VERSION = 1\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The plugins of this environment are those that the test adds here, and no others."""
    root = tmp_path / "site"
    root.mkdir()
    monkeypatch.syspath_prepend(root)
    made = Site(root)
    loaded: list[Plugins] = []

    unmet_requirements.cache_clear()

    def installed() -> Plugins:
        if not loaded:
            loaded.append(Plugins(points=made.points))
        return loaded[0]

    monkeypatch.setattr(loading, "installed", installed)
    monkeypatch.setattr(cli, "commands", {})
    monkeypatch.setattr(cli, "_asked_plugins", False)
    before = set(sys.modules)
    yield made
    for name in set(sys.modules) - before:
        if name.startswith("fake_"):
            del sys.modules[name]


SAMPLER = """
    @hookimpl
    def invcore_samplers():
        return [Component({name!r}, "Points, made up.", "fake_{module}:Made", tags=["fake"])]

    def __getattr__(name):  # the class is made on first use, as torch is heavy
        if name != "Made":
            raise AttributeError(name)
        import torch
        from invcore.plugin import Config, Field, Sampler

        class Settings(Config):
            presets = {{"quick": {{"tries": 1}}, "paper/sine-wave": {{"tries": 9}}}}
            tries: int = Field(3, ge=1, le=10, description="How often it tries.")

        class Made(Sampler[Settings]):
            '''Points that are made up,
            in two lines.

            Args:
                config: settings.
            '''

            Config = Settings
            latin = True

            def sample(self, count, dim, generator):
                return torch.rand(count, dim, generator=generator, dtype=torch.float64)

        return Made
"""


@pytest.fixture
def sampler(site: Site) -> Callable[..., None]:
    """Add a distribution with one sampler that works."""

    def add(distribution: str, name: str, **facts: Any) -> None:
        module = distribution.replace("-", "_")
        site.add(distribution, dedent(SAMPLER).format(name=name, module=module), **facts)

    return add
