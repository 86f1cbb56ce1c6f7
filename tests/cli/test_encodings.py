"""Consoles that cannot show every sign: commands print what they can, and errors are one line."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_listing_on_a_console_of_another_encoding(encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "100"}
    line = [sys.executable, "-m", "invcore", "list-samplers"]
    ended = subprocess.run(line, env=environment, capture_output=True, check=False)
    assert ended.returncode == 0 and ended.stderr == b"" and b"sobol" in ended.stdout
