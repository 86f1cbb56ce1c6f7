"""A simulator as a program: how long a damped mass on a spring swings, a design a row.

python spring.py INPUT.csv OUTPUT.csv
"""

from __future__ import annotations

import csv
import math
import sys


def period(mass: float, stiffness: float, damping: float) -> float:
    """Seconds; NaN for a spring that is damped so much that it does not swing."""
    ratio = stiffness / mass - (damping / (2 * mass)) ** 2
    return 2 * math.pi / math.sqrt(ratio) if ratio > 0 else math.nan


def main(source: str, result: str) -> None:
    """Read designs from one file and write responses to another, row by row."""
    with open(source, newline="") as file:
        designs = list(csv.DictReader(file))
    with open(result, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["period"])
        for design in designs:
            numbers = [float(design[name]) for name in ("mass", "stiffness", "damping")]
            rows.writerow([period(*numbers)])


if __name__ == "__main__":
    main(*sys.argv[1:])
