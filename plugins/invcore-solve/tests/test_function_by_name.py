"""Functions by their names, and the checksum of their code."""

from __future__ import annotations

import sys
import types

import torch
from invcore_solve import SimulatorTask
from invcore_solve.simulators import function_by_name as modules
from invcore_solve.simulators.function_by_name import code_checksum, load_function

from invcore.base.errors import ConfigError

BOUNDS = {"a": (0.0, 1.0), "b": (-1.0, 2.0)}
X = torch.rand(7, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_functions_by_name(tmp_path, monkeypatch, complaint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_package_7").mkdir()
    (tmp_path / "my_package_7" / "__init__.py").write_text("")
    (tmp_path / "my_package_7" / "sums.py").write_text(
        "from my_helper_7 import double\n\n\ndef add(x):\n    return double(x.sum(1))\n\n\nN = 3\n"
    )
    (tmp_path / "my_helper_7.py").write_text("def double(x):\n    return 2 * x\n")
    (tmp_path / "my_broken_7.py").write_text("import absent_module_7\n")
    (tmp_path / "my_leaving_7.py").write_text("raise SystemExit(0)\n")
    own = SimulatorTask("my_package_7.sums:add", BOUNDS)
    assert torch.equal(own.simulate(X)[:, 0], 2 * X.sum(1)) and own.name == "my_package_7.sums:add"
    wrong = {
        "my_package_7.sums:ad": "Did you mean 'add'?",
        "my_package_7.sums:N": "N is int, no function",
        "my_package_7.summs:add": "no module 'my_package_7.summs'",
        "absent_package_7.x:add": "no module 'absent_package_7'",
        "my_broken_7:add": "importing my_broken_7 raised ModuleNotFoundError",
        "my_leaving_7:add": "importing my_leaving_7 raised SystemExit: 0",
        "math:pi.x": "math has no 'x'",
        "my_package_7": "expected package.module:function",
        ":add": "expected package.module:function",
    }
    for name, said in wrong.items():
        assert said in complaint(ConfigError, load_function, name)


def test_the_checksum_is_of_the_code_that_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = {
        "my_model_8": "import my_near_8\n\n\ndef f(x):\n    import my_late_8\n    return x\n",
        "my_near_8": "A = 1\n", "my_late_8": "import my_later_8\n", "my_later_8": "B = 1\n",
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)

    def checksum(*, restarted=False):
        if restarted:
            monkeypatch.setattr(modules, "_LOADED", {})
        return code_checksum("my_model_8:f")

    load_function("my_model_8:f")
    before = checksum()
    for name in ("my_model_8", "my_near_8"):
        (tmp_path / f"{name}.py").write_text(texts[name] + "# edited\n")
        assert checksum() == before  # what is loaded goes on as it was
        edited = checksum(restarted=True)
        assert edited != before
        before = edited
    for name in ("my_late_8", "my_later_8"):  # which only a call of the function imports
        (tmp_path / f"{name}.py").write_text(texts[name] + "# edited\n")
        assert checksum() != before
        before = checksum()


def test_a_script_that_asks_is_no_part_of_the_simulator(tmp_path, monkeypatch):
    """Its processes, also those of ``multiprocessing``, have it under names of their own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_model_9.py").write_text("def f(x):\n    return x\n")
    load_function("my_model_9:f")
    alone = code_checksum("my_model_9:f")
    module = types.ModuleType("script")
    module.__file__ = str(tmp_path / "my_script_9.py")
    for name in ("__main__", "__mp_main__"):
        monkeypatch.setitem(sys.modules, name, module)
        assert code_checksum("my_model_9:f") == alone
    monkeypatch.setitem(sys.modules, "my_script_9", module)
    assert code_checksum("my_model_9:f") != alone
