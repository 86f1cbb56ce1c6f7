"""Small files that unpack to more than a machine has are refused before they are unpacked."""

import io
import zipfile

import numpy as np
import pytest

from invcore.base.errors import DataError
from invcore.data.tables import formats
from invcore.data.tables.read import read_table


def claimed(rows: int, content: bytes) -> bytes:
    """An array that claims to have so many rows."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows},), }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + content


@pytest.mark.parametrize("rows", [10**6, 10**12, 2**62, -1])
def test_arrays_that_claim_what_is_not_there(tmp_path, complaint, rows):
    (tmp_path / "a.npy").write_bytes(claimed(rows, bytes(8)))
    assert "cannot be read" in complaint(DataError, read_table, tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", claimed(rows, bytes(8)))
    assert "cannot be read" in complaint(DataError, read_table, tmp_path / "a.npz")


def test_packed_zeros(tmp_path, complaint, monkeypatch):
    monkeypatch.setattr(formats, "LARGEST_UNPACKED", 1 << 20)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=np.zeros((1000, 200)))
    (tmp_path / "a.npz").write_bytes(buffer.getvalue())
    assert len(buffer.getvalue()) < 10_000
    assert "unpacks to more" in complaint(DataError, read_table, tmp_path / "a.npz")


def test_repeated_values_of_parquet(tmp_path, complaint, monkeypatch):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(formats, "LARGEST_UNPACKED", 1 << 20)
    parquet.write_table(arrow.table({"a": np.zeros(200_000)}), tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 10_000
    assert "unpacks to more" in complaint(DataError, read_table, tmp_path / "a.parquet")
