"""Run invcore's commands and tests in an environment of its own, from a fresh checkout.

    python dev.py run --method ipage --sampler lhs    any command of invcore
    python dev.py test                                lint, types, import contracts, tests
    python dev.py benchmarks [NAME ...]               the scripts of benchmarks/
    python dev.py generate                            write what is generated anew: the tables of
                                                      docs/configs.md, docs/architecture.svg, the
                                                      plugins' list in pyproject.toml

Needs Python 3.11 or later and pip. The first call makes `.venv` with the pinned versions of
constraints.txt (by uv, installed into `.tools` if it is not on the path).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
STAMP = VENV / "installed-from"
# A file at a time on each core: fixtures that fit a network are shared within their file.
PARALLEL = ["--numprocesses=auto", "--maxprocesses=8", "--dist=loadfile"]
GENERATORS = ("list_plugins", "settings_tables", "draw_architecture")
CHECKS = (
    ("lint", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "."]),
    ("types", ["mypy"]),
    ("import contracts", ["lint-imports", "--no-cache"]),
    ("tests and doc examples", ["python", "-m", "pytest", *PARALLEL]),
)


def call(command: list[str | Path]) -> None:
    """Run a command in the checkout; its failure is ours."""
    code = subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode
    if code:
        sys.exit(code)


def find_uv() -> Path:
    """Find uv on the path, or install it into the checkout, which a system's Python allows too."""
    found = shutil.which("uv")
    if found:
        return Path(found)
    tools = ROOT / ".tools"
    installed = tools / "bin" / ("uv.exe" if os.name == "nt" else "uv")
    if not installed.exists():
        pip: list[str | Path] = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--target",
            tools,
            "uv",
        ]
        call(pip)
    return installed


def install() -> None:
    """Make the environment, unless it stands as the checkout wants it."""
    projects = [ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
    files = [ROOT / "constraints.txt", *(path / "pyproject.toml" for path in projects)]
    wanted = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    uv = find_uv()
    if not BIN.exists():
        call(
            [uv, "venv", "--quiet", "--seed", "--python", sys.executable, VENV]
        )  # pip: for plugins
    editable: list[str | Path] = []
    for project in projects:
        editable += ["--editable", project]
    call([
        uv, "pip", "install", "--python", BIN / "python", "--constraint", "constraints.txt",
        "--group", "dev", *editable,
    ])  # fmt: skip
    STAMP.write_text(wanted)


def main(words: list[str]) -> None:
    """Install if need be, then test or run."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what finds out
        sys.exit("invcore needs Python 3.11 or later")
    if not words or words[0] in ("-h", "--help"):
        print(__doc__)  # noqa: T201 - a script's help
        return
    install()
    os.environ["PATH"] = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    if words[0] == "generate":
        for name in GENERATORS:
            call([BIN / "python", ROOT / "docs" / "scripts" / f"{name}.py"])
        return
    if words[0] == "benchmarks":
        for script in sorted((ROOT / "benchmarks").glob("*.py")):
            if not words[1:] or script.stem in words[1:]:
                print(f"== {script.stem}", flush=True)  # noqa: T201 - says what runs
                call([BIN / "python", script])
        return
    if words[0] != "test":
        call([BIN / "invcore", *words])
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the tests' networks are too small to share
    for name, command in CHECKS:
        print(f"== {name}", flush=True)  # noqa: T201 - says what runs
        extra = words[1:] if "pytest" in command else []
        call([BIN / command[0], *command[1:], *extra])


if __name__ == "__main__":
    main(sys.argv[1:])
