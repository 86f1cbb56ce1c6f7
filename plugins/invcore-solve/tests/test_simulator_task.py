"""A function as a simulator: tensors or arrays, gradients, and what is said of bad ones."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from invcore_solve import Program, SimulatorTask
from invcore_solve.simulators.file import read_simulator
from invcore_solve.simulators.journal import Journal
from invcore_solve.simulators.outcomes import Counts, Outcome

from invcore import Integers, Space, Uniform, Variable
from invcore.base.errors import ConfigError, ShapeError, SimulatorError, StoreError
from invcore.plugin import Simulator

BOUNDS = {"a": (0.0, 1.0), "b": (-1.0, 2.0)}
X = torch.rand(7, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def tensors(x):
    return torch.stack([torch.exp(x[:, 0]), x[:, 0] * x[:, 1] ** 2], dim=1)


def arrays(x):
    assert type(x) is np.ndarray and x.dtype == np.float64
    return np.stack([np.exp(x[:, 0]), x[:, 0] * x[:, 1] ** 2], axis=1)


def test_tensors_and_arrays_give_the_same():
    first, second = SimulatorTask(tensors, BOUNDS), SimulatorTask(arrays, BOUNDS)
    assert torch.equal(first.simulate(X), tensors(X))
    assert torch.allclose(second.simulate(X), tensors(X), rtol=1e-15)
    assert (first.kind, first.differentiable) == ("torch", True)
    assert (second.kind, second.differentiable) == ("numpy", False)
    assert first.responses.names == ("y1", "y2") and first.designs.names == ("a", "b")
    assert "NumPy" in second.why_no_gradient
    y = first.simulate(X.float())
    assert y.dtype == torch.float32 and first.simulate(X[:0]).shape == (0, 2)


def test_gradient_is_the_function_s():
    own = SimulatorTask(tensors, BOUNDS)
    x = X.clone().requires_grad_()
    (slope,) = torch.autograd.grad(own.simulate(x).sum(), x)
    exact = torch.stack([X[:, 0].exp() + X[:, 1] ** 2, 2 * X[:, 0] * X[:, 1]], dim=1)
    assert torch.allclose(slope, exact, rtol=1e-12)
    parts = SimulatorTask(tensors, BOUNDS, batch=3)
    (again,) = torch.autograd.grad(parts.simulate(x).sum(), x)
    assert torch.allclose(again, exact, rtol=1e-12)


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (lambda x: tensors(x.detach()), "torch"),
        (lambda x: torch.from_numpy(arrays(x.detach().numpy())), "torch"),
        (lambda x: arrays(x.detach().numpy()), "numpy"),
    ],
)
def test_output_without_a_gradient_is_not_differentiable(function, kind):
    if kind == "numpy":  # takes tensors, gives arrays: called with arrays from then on
        function = lambda x: arrays(np.asarray(x.detach() if hasattr(x, "detach") else x))  # noqa: E731
    own = SimulatorTask(function, BOUNDS)
    assert (own.kind, own.differentiable) == (kind, False) and own.why_no_gradient
    assert not own.simulate(X.clone().requires_grad_()).requires_grad
    assert torch.allclose(own.simulate(X), tensors(X))


def test_parameters_of_a_network_leave_no_gradient_behind():
    layer = torch.nn.Linear(2, 1, dtype=torch.float64)
    own = SimulatorTask(layer, BOUNDS)
    assert own.name == "Linear" and own.differentiable
    assert not own.simulate(X).requires_grad
    assert torch.equal(own.simulate(X), layer(X).detach())


def test_one_response_may_be_a_vector_and_whole_numbers():
    own = SimulatorTask(lambda x: (x[:, 0] > 0.5).astype(np.int64), BOUNDS, ["gap"], kind="numpy")
    assert own.simulate(X).flatten().tolist() == (X[:, 0] > 0.5).double().tolist()
    assert own.responses.names == ("gap",)


def test_designs_are_not_written_into():
    def greedy(x):
        x *= 2.0
        return x

    for kind in ("torch", "numpy"):
        before = X.clone()
        own = SimulatorTask(greedy, BOUNDS, kind=kind)
        assert torch.equal(own.simulate(before), 2 * X) and torch.equal(before, X)
    x = X.clone().requires_grad_()
    own = SimulatorTask(greedy, BOUNDS, kind="torch")
    assert own.differentiable
    assert torch.equal(torch.autograd.grad(own.simulate(x).sum(), x)[0], torch.full_like(X, 2.0))


def test_rows_without_a_response_are_nan_and_counted():
    def half(x):
        return torch.where(x[:, :1] < 0.5, torch.tensor([[torch.nan, torch.inf]]), tensors(x))

    own = SimulatorTask(half, BOUNDS)
    missing = X[:, 0] < 0.5
    y = own.simulate(X)
    assert torch.equal(y.isnan().all(dim=1), missing) and bool(y[~missing].isfinite().all())
    assert own.counts.failures == {"NaN": int(missing.sum())} and own.counts.calls == 7
    x = X.clone().requires_grad_()
    y = own.simulate(x)
    (slope,) = torch.autograd.grad(y[~missing].sum(), x)
    assert bool(slope[~missing].isfinite().all()) and own.counts.failed == 2 * int(missing.sum())
    own.restart()
    assert own.counts == Counts()


WRONG = {
    "raises": (lambda x: 1 / 0, "raised ZeroDivisionError: division by zero"),
    "exits": (lambda x: exit(3), "raised SystemExit: 3"),
    "none": (lambda x: None, "gave None, expected real numbers"),
    "text": (lambda x: "0.5", "expected real numbers"),
    "ragged": (lambda x: [[1.0], [2.0, 3.0], [4.0]], "expected real numbers"),
    "rows": (lambda x: x[:2], "gave shape (2, 2) for 3 designs, expected (3, Dy)"),
    "one number": (lambda x: x.sum(), "gave shape () for 3 designs"),
    "three dimensions": (lambda x: x[:, None], "gave shape (3, 1, 2)"),
    "no columns": (lambda x: x[:, :0], "gave shape (3, 0)"),
    "complex": (lambda x: x + 1j, "type complex128"),
    "truth": (lambda x: x > 0, "type bool"),
    "ambiguous": (lambda x: x.std(1), "other numbers for tensors than for NumPy arrays"),
    "random": (lambda x: torch.rand(len(x)), "is it random?"),
    "both ways": (
        lambda x: (_ for _ in ()).throw(TypeError(type(x).__name__)),
        "TypeError: ndarray for a NumPy array, and TypeError: Tensor for a tensor",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_bad_function_is_said_in_one_line(name, complaint):
    function, said = WRONG[name]
    own = SimulatorTask(function, BOUNDS, name="mine")
    message = complaint(SimulatorError, lambda: own.responses)
    assert message.startswith("simulator mine ") and said in message


def test_what_was_right_at_first_may_go_wrong_later(complaint):
    own = SimulatorTask(lambda x: x if len(x) < 4 else x[:, :1], BOUNDS)
    assert "gave shape (7, 1) for 7 designs, expected (7, 2)" in complaint(
        SimulatorError, own.simulate, X
    )
    told = SimulatorTask(lambda x: x, BOUNDS, ["one"])
    assert "expected (3, 1)" in complaint(SimulatorError, told.simulate, X)


def test_no_response_at_all_is_an_error(complaint):
    own = SimulatorTask(lambda x: x * torch.nan, BOUNDS)
    assert "none of its first 7 rows has a response (7 NaN)" in complaint(
        SimulatorError, own.simulate, X
    )
    later = SimulatorTask(lambda x: torch.where(x < 0.9, x, torch.nan), BOUNDS)
    assert later.simulate(X.clamp(max=0.5)).isfinite().all()
    assert later.simulate(torch.ones(5, 2)).isnan().all()  # it has responded before


def test_function_that_hangs_is_interrupted(complaint):
    def hang(x):
        while True:
            try:
                time.sleep(5)
            except Exception:
                continue

    own = SimulatorTask(hang, BOUNDS, time_limit=0.05)
    assert "longer than its time limit of 0.05 s" in complaint(SimulatorError, lambda: own.kind)
    quick = SimulatorTask(tensors, BOUNDS, time_limit=20.0)
    assert quick.simulate(X).shape == (7, 2)


def test_counted_simulator_counts_what_the_function_is_asked():
    asked = []

    def counting(x):
        asked.append(len(x))
        return x[:, :1]

    own = SimulatorTask(counting, BOUNDS, kind="torch", batch=3)
    simulator = Simulator(own, budget=30)
    assert simulator.differentiable and asked == [3]  # the try
    simulator(X)
    assert asked[1:] == [3, 3, 1] and simulator.calls == 7 == own.counts.calls
    with pytest.raises(ShapeError):
        simulator(X[:, :1])


def test_arrays_may_be_computed_with_tensors_within():
    weight = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    own = SimulatorTask(lambda x: [torch.as_tensor(row) @ weight for row in x], BOUNDS)
    assert torch.equal(own.simulate(X)[:, 0], (X @ weight).detach())


def test_spaces(complaint):
    space = Space.of(
        Variable(name="n", prior=Integers(low=1, high=9)),
        Variable(name="x", prior=Uniform(low=0.0, high=1.0)),
    )
    assert SimulatorTask(tensors, space).designs is space
    assert SimulatorTask(tensors, {"n": (0.5, 9.5)}, whole=["n"]).designs.high.tolist() == [9.0]
    for bounds, whole, said in [
        ({"a": (1, 1)}, (), "leaves no room"),
        ({"a": (0, float("inf"))}, (), "leaves no room"),
        ({"a": (0.2, 1.8)}, ["a"], "no room for two whole numbers"),
        ({"a": 3}, (), "expected (low, high)"),
        ({"alpha": (0, 1)}, ["alhpa"], "Did you mean 'alpha'?"),
        ({}, (), "needs its designs"),
    ]:
        assert said in complaint(ConfigError, SimulatorTask, tensors, bounds, whole=whole)
    for responses in ([], ["a", "a"], [""]):
        assert "different names" in complaint(
            ConfigError, SimulatorTask, tensors, BOUNDS, responses
        )


def slow(x):
    SLOW.append(len(x))
    time.sleep(0.11)
    return x[:, :1]


SLOW: list[int] = []


def test_journal_of_a_function_needs_a_version(tmp_path):
    for options, kept in [({}, False), ({"version": "1"}, True)]:
        SLOW.clear()
        for _ in range(2):
            own = SimulatorTask(
                slow, BOUNDS, ["y"], kind="numpy", batch=4, journal=tmp_path, **options
            )
            assert torch.equal(own.simulate(X), X[:, :1])
        assert SLOW == ([4, 3] if kept else [4, 3, 4, 3])
        assert own.counts.recalled == (7 if kept else 0)
    other = SimulatorTask(slow, BOUNDS, ["y"], kind="numpy", batch=4, journal=tmp_path, version="2")
    other.simulate(X)
    assert SLOW == [4, 3, 4, 3]
    quick = SimulatorTask(arrays, BOUNDS, journal=tmp_path / "quick", version="1")
    quick.simulate(X)
    assert not (tmp_path / "quick").exists()  # sooner computed than read


def test_damaged_batches_are_as_good_as_none(tmp_path):
    journal, x, y = Journal(tmp_path / "j"), X.numpy(), X.numpy()[:, :1]
    assert journal.find(x, 1) is None
    journal.keep(x, y)
    assert np.array_equal(journal.find(x, 1), y)
    assert journal.find(x, 2) is None and journal.find(x[:3], 1) is None
    assert journal.find(x.reshape(1, 14), 1) is None
    (file,) = (tmp_path / "j").iterdir()
    whole = file.read_bytes()
    for content in (whole[:-3], b"", b"\x80\x04.", whole[:-1] + b"\x00\x00"):
        file.write_bytes(content)
        assert journal.find(x, 1) is None
    other = Journal(tmp_path / "k")
    other.keep(x[::-1].copy(), y)
    (wrong,) = (tmp_path / "k").iterdir()
    file.write_bytes(wrong.read_bytes())  # another batch's, under this one's name
    assert journal.find(x, 1) is None
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        Journal(tmp_path / "file" / "deep").keep(x, y)


def test_counts():
    counts = Counts(calls=12, recalled=4)
    counts.add(np.array([[np.nan], [1.0]]), Outcome(None, "time limit", "late", 1))
    counts.add(np.array([[np.nan], [np.nan]]), Outcome(None))
    assert counts.summary() == (
        "12 calls, 4 of them read back, 1 batch tried again, "
        "3 without a response (2 NaN, 1 time limit)"
    )
    assert Counts.of(counts.document()).summary() == counts.summary()
    assert counts.document()["failures"] == {"NaN": 2, "time limit": 1}


FILE = """
[simulator]
command = ["{python}", "sim.py", "{input}", "{output}"]
time_limit = 5
[[design]]
name = "a"
low = 0
high = 1
unit = "m"
[[design]]
name = "n"
low = 1
high = 4
whole = true
[[response]]
name = "gap"
unit = "eV"
"""


def test_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(FILE)
    (tmp_path / "sim.py").write_text("")
    own = read_simulator(path)
    assert (own.name, own.kind, own.differentiable) == ("sim.py", "program", False)
    assert own.designs.whole.tolist() == [False, True] and own.designs.variables[0].unit == "m"
    assert own.responses.variables[0].unit == "eV"
    path.write_text(
        '[simulator]\nfunction = "none_such:x"\n[[design]]\nname = "a"\nlow = 0\nhigh = 1\n'
    )
    with pytest.raises(ConfigError, match="no module"):
        read_simulator(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("time_limit", "time_limt", "Did you mean 'time_limit'?"),
        ("time_limit = 5", "time_limit = 0", "simulator.time_limit"),
        ("time_limit = 5", 'function = "a:b"', "either command or function"),
        ("time_limit = 5", 'kind = "torch"', "kind is for a function"),
        ('"{input}", ', "", "needs {input}"),
        ("high = 1", "high = 0", "leaves no room"),
        ('name = "n"', 'name = "a"', "two of [[design]] have one name"),
        ('[[response]]\nname = "gap"\nunit = "eV"', "", "have to be listed"),
        ("low = 0", 'low = "0"', "design.0.low"),
        ("[simulator]", "[simulator", "mine.toml"),
    ],
)
def test_wrong_file(old, new, said, tmp_path, complaint):
    path = tmp_path / "mine.toml"
    path.write_text(FILE.replace(old, new, 1))
    message = complaint(ConfigError, read_simulator, path)
    assert said in message


def test_program_says_its_responses(complaint):
    program = Program(command=["sim", "{input}", "{output}"])
    assert "what a program's responses are" in complaint(
        ConfigError, SimulatorTask, program, BOUNDS
    )
