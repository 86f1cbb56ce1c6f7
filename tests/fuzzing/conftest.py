"""The readers and their inputs lie beside `benchmarks/fuzz.py`, which gives them many more."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
