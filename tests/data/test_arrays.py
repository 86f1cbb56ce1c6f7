"""Numbers that come in from Python: what is a number, what is a missing one, what is refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch

from invcore.base.errors import DataError
from invcore.data.tables.arrays import real_array
from invcore.plugin import Pairs, Table, read_table

NAN = float("nan")
MASKED = np.ma.masked_array([[1.0, -999.0], [3.0, 4.0]], mask=[[False, True], [False, False]])
GRADIENT = torch.tensor([1.5, 2.5], requires_grad=True)
RIGHT = {
    "lists": ([[1, 2.5], [True, -3]], [[1.0, 2.5], [1.0, -3.0]]),
    "a masked value": (MASKED, [[1.0, NAN], [3.0, 4.0]]),
    "masked whole numbers": (np.ma.masked_equal([7, -9], -9), [7.0, NAN]),
    "a mask that hides nothing": (np.ma.masked_array([1.0, 2.0]), [1.0, 2.0]),
    "masked rows in a list": ([MASKED[0], MASKED[1]], [[1.0, NAN], [3.0, 4.0]]),
    "the masked constant": ([np.ma.masked, 1.0], [NAN, 1.0]),
    "None": ([[None, 1.0]], [[NAN, 1.0]]),
    "half": (np.array([0.5, 65504.0], dtype=np.float16), [0.5, 65504.0]),
    "long": (np.array([0.5, 0.25], dtype=np.longdouble), [0.5, 0.25]),
    "too long": (np.array([np.longdouble("1e4000")]), [float("inf")]),
    "flags": (np.array([True, False]), [1.0, 0.0]),
    "objects": (np.array([1, Fraction(1, 4), Decimal("2.5")], dtype=object), [1.0, 0.25, 2.5]),
    "whole numbers that fit": ([2**53, -(2**53), 2**60], [2.0**53, -(2.0**53), 2.0**60]),
    "a tensor with a gradient": (GRADIENT, [1.5, 2.5]),
    "tensors in a list": ([GRADIENT, GRADIENT.detach()], [[1.5, 2.5], [1.5, 2.5]]),
    "bfloat16": (torch.tensor([1.5], dtype=torch.bfloat16), [1.5]),
    "a sparse tensor": (torch.eye(2).to_sparse(), [[1.0, 0.0], [0.0, 1.0]]),
}


@pytest.mark.parametrize(("given", "wanted"), RIGHT.values(), ids=RIGHT)
def test_numbers_are_taken_for_what_they_are(given, wanted):
    found = real_array(given, "x")
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, wanted)


COMPLEX = [[1 + 2j, 3.0], [0.5, 1.0]]
BAD = {
    "complex": (np.array(COMPLEX), "complex numbers; give the real and the imaginary part"),
    "complex without imaginary parts": (np.array([1 + 0j]), "complex"),
    "complex in lists": (COMPLEX, "complex"),
    "complex objects": (np.array([np.complex128(1 + 2j), 1.0], dtype=object), "complex"),
    "complex tensor": (torch.tensor(COMPLEX), "complex"),
    "complex tensors in a list": ([torch.tensor([1j]), torch.tensor([1.0])], "complex"),
    "masked complex": (np.ma.masked_array([1j, 2.0], mask=[False, True]), "complex"),
    "text": ([["1.5", "2"]], "text"),
    "text among numbers": ([[1.0, "2.5"]], "text"),
    "bytes": (np.array([b"1.5"]), "text"),
    "text objects": (np.array([1.0, "2.5"], dtype=object), "text"),
    "dates": (np.array(["2020-01-01"], dtype="datetime64[D]"), "dates"),
    "date objects": (np.array([np.datetime64("2020-01-01"), 1.0], dtype=object), "dates"),
    "durations": (np.array([3], dtype="timedelta64[s]"), "durations"),
    "records": (np.zeros(2, dtype=[("a", float)]), "records"),
    "too many digits": ([2**53 + 1, 1], "9007199254740993 has more digits than float64"),
    "too many digits beside fractions": ([[2**53 + 1, 0.5]], "more digits"),
    "too many digits in an array": (np.array([2**62 + 1]), "more digits"),
    "too many digits in a tensor": (torch.tensor([2**62 + 1]), "more digits"),
    "too many digits, unsigned": (np.array([2**64 - 1], dtype=np.uint64), "more digits"),
    "too many digits, masked": (np.ma.masked_equal([2**53 + 1, 5], 5), "more digits"),
    "no float at all": ([10**400, 1.0], "more digits"),
    "no values": (torch.zeros(2, device="meta"), "device 'meta'"),
    "ragged": ([[1.0, 2.0], [1.0]], "not a table of numbers"),
    "ragged tensors": ([torch.zeros(2), torch.zeros(1)], "not a table of numbers"),
    "nothing like it": ([object()], "not a table of numbers"),
}


@pytest.mark.parametrize(("given", "said"), BAD.values(), ids=BAD)
def test_what_is_no_real_number_is_refused_in_one_line(given, said, complaint):
    text = complaint(DataError, real_array, given, "x.csv")
    assert said in text and text.startswith("x.csv: ")


def test_tables_and_pairs_refuse_complex_numbers(complaint):
    where = complaint(DataError, Table, ("a", "b"), np.array(COMPLEX), "mine", 1)
    assert where.startswith("mine: ") and "complex" in where
    assert np.isnan(Table(("a", "b"), MASKED, "mine", 1).values[0, 1])
    x = torch.zeros(2, 1)
    for x_part, y_part in ((x, x + 1j), (x + 1j, x)):
        assert "complex" in complaint(DataError, Pairs, x_part, y_part)


KINDS = {
    "complex": np.array(COMPLEX),
    "flags": np.array([[True, False]]),
    "dates": np.array(["2020-01-01"], dtype="datetime64[D]"),
    "objects": np.array([1.0, None], dtype=object),
    "digits": np.array([[2**53 + 1, 1]]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_numpy_files_of_other_kinds_are_refused(kind, tmp_path, complaint):
    np.savez(tmp_path / "t.npz", KINDS[kind])
    assert "t.npz: array 'arr_0'" in complaint(DataError, read_table, tmp_path / "t.npz")


@pytest.mark.parametrize("kind", ["null", "flags", "dates", "text", "digits", "nested"])
def test_parquet_columns_of_other_kinds_are_refused(kind, tmp_path, complaint):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {
        "null": [1.0, None], "flags": [True, False], "text": ["1.5", "2"], "digits": [1, 2**53 + 1],
        "dates": np.array(["2020-01-01"] * 2, dtype="datetime64[D]"), "nested": [[1.0], [2.0]],
    }  # fmt: skip
    path = tmp_path / "t.parquet"
    parquet.write_table(arrow.table({"good": [1.0, 2.0], "bad": columns[kind]}), path)
    assert "column 'bad'" in complaint(DataError, read_table, path)
