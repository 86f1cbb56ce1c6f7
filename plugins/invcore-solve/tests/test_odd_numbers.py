"""Numbers of unusual size or kind: they work, or one line says which column and what to do."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch
from invcore_solve import fit, solve_with
from invcore_solve.simulators.bounds import box
from invcore_solve.tables.sources import as_targets
from invcore_solve.tables.table_data import TableData

from invcore import Space, Variable
from invcore.base.errors import ConfigError, DataError, SimulatorError

X = np.random.default_rng(0).random((60, 2))
Y = X[:, :1] + X[:, 1:] ** 2
LINEAR = {"members": ["linear"]}
MIXED = 10.0 ** (-200 + 400 * X[:, :1])


def masked(values):
    return np.ma.masked_array(values, mask=np.arange(values.size).reshape(values.shape) == 3)


@pytest.mark.parametrize("size", [1e-99, 1e-30, 1e30, 1e99])
def test_the_unit_makes_no_difference(size):
    plain = fit(X, Y, judge_settings=LINEAR).propose([[0.9]], candidates=3)
    scaled = fit(X * size, Y * size, judge_settings=LINEAR)
    ranked = scaled.propose([[0.9 * size]], candidates=3)
    np.testing.assert_allclose(ranked.designs / size, plain.designs, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(ranked.predicted / size, plain.predicted, rtol=1e-3)


SIZES = {
    "huge": (X * 1e200, "numbers of up to 9.97e+199 have no squares in float64"),
    "tiny": (X * 1e-200, "differences of at most 9.83e-201"),
    "subnormal": (X * 1e-310, "differences of at most"),
    "differences that overflow": ((X - 0.5) * 1.7e308, "numbers of up to"),
    "mixed": (np.c_[MIXED, X[:, 1:]], "numbers of up to"),
}


@pytest.mark.parametrize(("values", "said"), SIZES.values(), ids=SIZES)
def test_numbers_without_squares_are_refused(values, said, complaint):
    for x, y, name in ((values, Y, "x1"), (X, values, "y1")):
        text = complaint(DataError, TableData.read, x, y)
        assert said in text and f"column '{name}'" in text and "rescale its unit" in text


def test_targets_and_bounds_without_squares_are_refused(complaint):
    responses = Space.of(Variable(name="gap"))
    assert "1e+200" in complaint(DataError, as_targets, [[1e200]], responses)
    assert as_targets([[1e-200], [0.0]], responses).flatten().tolist() == [1e-200, 0.0]
    for ends in ((0, 1e200), (-1e308, 1e308), (0, 1e-200), (0, 5e-324)):
        assert "bounds of 'a'" in complaint(ConfigError, box, {"a": ends})


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_a_simulator_whose_responses_have_no_squares_is_refused(size, complaint):
    text = complaint(
        DataError, solve_with, lambda x: x * size, {"a": (0, 1)}, targets=[[0.0]], pairs=40
    )
    assert "responses, column 'y1'" in text and "rescale its unit" in text


def test_a_column_that_is_constant_but_for_rounding_is_refused(complaint):
    text = complaint(DataError, TableData.read, X, 1e6 + 1e-7 * Y)
    assert "'y1' is constant" in text
    TableData.read(X, 1e6 + Y)


def test_the_command_line_says_so_too(call, tmp_path):
    path = tmp_path / "all.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["a", "b", "force"], *np.c_[X, Y * 1e200].tolist()])
    said = call(
        "solve", "--table", path, "--design-columns", "a,b", "--response-columns", "force",
        "--target", "0.5", "--out", tmp_path / "out.csv",
    )  # fmt: skip
    assert said.code == 2 and "column 'force'" in said.err and "rescale its unit" in said.err


KINDS = {
    "complex": (lambda v: v + 1j, "complex numbers"),
    "complex tensor": (lambda v: torch.tensor(v) + 1j, "complex numbers"),
}


@pytest.mark.parametrize(("change", "said"), KINDS.values(), ids=KINDS)
def test_other_kinds_of_numbers_are_refused_wherever_they_come_in(change, said, complaint):
    assert said.format("x") in complaint(DataError, TableData.read, change(X), Y)
    assert said.format("y") in complaint(DataError, TableData.read, X, change(np.c_[Y, X[:, :1]]))
    both = Space.of(Variable(name="gap"), Variable(name="mass"))
    assert said.format("y") in complaint(DataError, as_targets, change(X), both)


def test_what_is_masked_is_missing(complaint):
    assert len(TableData.read(masked(X), Y).pairs) == 59, "the second row is left out"
    both = Space.of(Variable(name="gap"), Variable(name="mass"))
    assert "missing" in complaint(DataError, as_targets, masked(X), both)


def test_numbers_that_are_written_as_text_are_numbers():
    pairs = TableData.read(X.astype(str), Y.astype(str)).pairs
    np.testing.assert_array_equal(pairs.x, X)
    np.testing.assert_array_equal(pairs.y, Y)


@pytest.mark.parametrize("ends", [(0, 1j), (0, np.complex128(1 + 2j)), ("0", "1"), (0,), 3, None])
def test_bounds_of_other_kinds_are_refused(ends, complaint):
    assert "bounds of 'x1': expected" in complaint(ConfigError, box, {"x1": ends})
    if ends is not None:  # then nothing is said
        text = complaint(ConfigError, TableData.read, X, Y, bounds={"x1": ends})
        assert text.startswith("column 'x1'")


@pytest.mark.parametrize("rows", [lambda y: y, list], ids=["array", "list of rows"])
def test_what_a_simulator_masks_is_no_response(rows):
    def simulate(x):
        return rows(np.ma.masked_greater(np.asarray(x), 0.9))

    solution = solve_with(
        simulate, {"a": (0, 1)}, targets=[[0.5]], pairs=60, candidates=2, method="random-search"
    )
    assert solution.simulator["failures"]["NaN"] > 0
    assert float(solution.ranked.responses.nan_to_num().max()) <= 0.9


def test_tensors_of_other_kinds_from_a_simulator(complaint):
    def given(simulate):
        return solve_with(
            simulate, {"a": (0, 1)}, targets=[[0.5]], pairs=40, candidates=2, method="random-search"
        )

    assert bool(given(lambda x: (1 * x).to_sparse()).ranked.responses.isfinite().all())
    for bad in (lambda x: x * 1j, lambda x: torch.zeros(len(x), 1, device="meta")):
        assert "gave" in complaint(SimulatorError, given, bad)
