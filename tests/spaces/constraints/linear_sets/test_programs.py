import subprocess
import sys

import numpy as np
import pytest

from invcore.spaces.constraints.linear_sets.programs import Program

INF = np.inf


def unit_square(**options):
    row = np.array([[1.0, 1.0]])
    return Program(row, np.array([-INF]), np.array([1.5]), np.zeros(2), np.ones(2), **options)


@pytest.mark.parametrize("presolve", [True, False])
def test_corners_are_found_one_after_another(presolve):
    program = unit_square(presolve=presolve)
    assert program.minimise(np.array([-2.0, -1.0])).point.tolist() == [1.0, 0.5]
    assert program.minimise(np.array([-1.0, -2.0])).point.tolist() == [0.5, 1.0]
    program.bound(np.zeros(2), np.array([0.25, 1.0]))
    assert program.minimise().point.tolist() == [0.25, 1.0]
    program.limit(0, -INF, 0.5)
    assert program.minimise().point.tolist() == [0.0, 0.5]


def test_infeasible_and_unbounded_programs_say_so():
    program = unit_square()
    program.limit(0, 2.5, INF)
    outcome = program.minimise()
    assert outcome.status == "infeasible" and outcome.infeasible and outcome.point is None
    one = np.ones((1, 1))
    free = Program(one, np.array([0.0]), np.array([INF]), np.array([-INF]), np.array([INF]))
    assert free.minimise(np.array([-1.0])).status == "unbounded"
    assert free.minimise(np.array([1.0])).point.tolist() == [0.0]


def test_a_gap_of_a_millionth_is_seen():
    program = unit_square()
    program.limit(0, 2.0 + 1e-6, INF)
    assert program.minimise().infeasible
    program.limit(0, 2.0, INF)
    assert program.minimise().point.tolist() == [1.0, 1.0]


def test_whole_numbers():
    row, zero, high = np.array([[2.0, 2.0]]), np.zeros(2), np.full(2, 5.0)
    whole = np.array([True, True])
    odd = Program(row, np.array([5.0]), np.array([5.0]), zero, high, whole)
    assert odd.minimise().infeasible
    most = Program(row, np.array([-INF]), np.array([5.0]), zero, high, whole)
    assert most.minimise(np.array([-1.0, -1.0])).point.sum() == 2.0


def test_a_program_without_rows_or_columns():
    none = np.zeros(0)
    assert Program(np.zeros((0, 0)), none, none, none, none).minimise().point.shape == (0,)
    found = Program(np.zeros((0, 1)), none, none, np.zeros(1), np.ones(1)).minimise(
        np.array([-1.0])
    )
    assert found.point.tolist() == [1.0]


def test_nothing_is_printed():
    code = (
        "import numpy as np\n"
        "from invcore.spaces.constraints.linear_sets.programs import Program\n"
        "one = np.ones(1)\n"
        "assert Program(np.ones((1, 1)), one, one, 0 * one, one).minimise(one).point == 1\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert result.stdout == b""


def test_the_solver_is_imported_on_use():
    code = (
        "import sys\n"
        "import invcore.spaces.constraints.linear_sets.conflict\n"
        "assert 'highspy' not in sys.modules and 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
