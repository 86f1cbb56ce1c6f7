"""The components that ``new-plugin`` writes: good ones, of which planted bad ones are made."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from functools import cache
from pathlib import Path

from invcore.registry.scaffold import NewPlugin
from invcore.testing import CHECKS, Subject, run_checks


@cache
def template(kind):
    """The module of the component that ``new-plugin --kind`` writes."""
    plugin = NewPlugin(f"invcore-reference-{kind}", kind, "reference")
    folder = Path(tempfile.mkdtemp(prefix="invcore-"))
    text = plugin.files()[f"{plugin.module}/{kind}.py"]
    (folder / f"{plugin.module}.py").write_text(text)
    spec = importlib.util.spec_from_file_location(plugin.module, folder / f"{plugin.module}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[plugin.module] = module
    spec.loader.exec_module(module)
    return module


def failing(kind, component):
    """The checks that a component fails, with the reasons."""
    outcomes = run_checks(CHECKS[kind], Subject.of(kind, "mutant", component))
    return {o.check.name: o.why for o in outcomes if o.result == "failed"}
