"""The benchmark of few calls is no package: its folder is put where it is found."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
