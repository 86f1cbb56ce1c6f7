"""The published table, where it is at hand; a small one with the same form, where not."""

import hashlib
import os
from pathlib import Path

import pytest
from invcore_crystal.table import read_rows

_SHARED = Path(__file__).resolve().parents[4] / "shared/data"
DATA = Path(os.environ.get("INVCORE_DATA") or _SHARED) / "mos2"

X = (
    "3.1,3.2,12.3,90,90,120,0.5\n"
    "3.1,3.2,12.3,91,90,120,-0.5\n"
    "2.6,3.7,14.0,75,100,130,0\n"
    "3.1,3.2,12.3,90,90,120,0.5\n"
)
Y = "1.25\n0\n0.5\n1.25\n"


@pytest.fixture(scope="session")
def rows():
    """The table without repeats."""
    if not DATA.is_dir():
        pytest.skip("no INVCORE_DATA, no ../shared/data")
    return read_rows(DATA)


@pytest.fixture
def small(tmp_path):
    """A function that writes two files, and says where they are and what their checksums are."""

    def write(x=X, y=Y):
        folder = tmp_path / "small"
        folder.mkdir(exist_ok=True)
        checksums = {}
        for name, text in (("data_x.csv", x), ("data_y.csv", y)):
            (folder / name).write_text(text)
            checksums[name] = hashlib.sha256(text.encode()).hexdigest()
        return folder, checksums

    return write
