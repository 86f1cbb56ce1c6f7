"""Constraints of one's own on tables and simulators: as options, in files, in Python."""

from __future__ import annotations

import csv
import json

import invcore_solve
import pytest
import torch
from click.testing import CliRunner
from invcore_solve.schema.choices import Choices
from invcore_solve.schema.schema_file import read_schema
from invcore_solve.tables.table_data import TableData

from invcore.cli.main import cli
from invcore.plugin import ConfigError, generator


@pytest.fixture
def table(tmp_path):
    """Mixtures: y = 2 cement + ash, of 3 metals."""
    path = tmp_path / "mixes.csv"
    x = torch.rand(120, 2, generator=generator(0)).double()
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["run", "cement", "fly ash", "metal", "y"])
        for i, (a, b) in enumerate(x.tolist()):
            rows.writerow([f"r{i}", a, b, ("Fe", "Cu", "Al")[i % 3], 2 * a + b])
    return path


def data_of(table, *texts):
    from invcore_solve.tables.read import read

    choices = Choices(responses=("y",), designs=("cement", "fly ash", "metal"), constraints=texts)
    return TableData.of(read(table), choices)


def test_texts_name_columns_as_the_table_has_them(table):
    designs = data_of(table, "#2 + fly <= 1", "metal in {Fe, Cu}").designs
    assert designs.constraint_texts == ("cement + `fly ash` <= 1", 'metal in {"Cu", "Fe"}')


def test_rows_that_violate_them_are_named_and_kept(table):
    data = data_of(table, "cement + `fly ash` <= 1.5")
    (note,) = data.schema.notes
    over = (data.pairs.x[:, :2].sum(1) > 1.5).nonzero()[:, 0]
    assert note.startswith(f"{len(over)} of 120 rows violate the constraints")
    assert f"row {int(data.rows[over[0]])}, " in note and len(data.pairs) == 120


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cement + sand <= 1", "no column 'sand'"),
        ("cement + y <= 1", "no variable 'y'"),
        ("cement >= 3", "cement >= 3 is outside the bounds"),
        ("cement +", "expected a number or a name"),
    ],
)
def test_what_cannot_be_is_refused(table, text, said):
    with pytest.raises(ConfigError, match=said):
        data_of(table, text)


def test_levels_of_both_are_kept(table):
    from invcore_solve.tables.read import read

    said = Choices(responses=("y",), designs=("cement", "fly ash"))
    said = said.giving("levels", {"cement": (0.1, 0.5, 0.7, 0.9)})
    said = said.model_copy(update={"constraints": ("cement in {0.25, 0.5, 0.9}",)})
    designs = TableData.of(read(table), said).designs
    assert designs.constraint_texts == ("cement in {0.5, 0.9}",)


def test_solve_proposes_what_they_allow(table, tmp_path):
    out = tmp_path / "designs.csv"
    schema = tmp_path / "schema.toml"
    schema.write_text('constraints = ["if metal == Fe then cement <= 0.3"]\n')
    assert read_schema(schema).constraints == ("if metal == Fe then cement <= 0.3",)
    done = CliRunner().invoke(cli, [
        "solve", str(table), "--response-columns", "y", "--ignore", "run", "--target", "1.4",
        "--constraint", "cement + `fly ash` <= 1", "--schema", str(schema), "--candidates", "20",
        "--surrogate", "gaussian-process", "--out", str(out), "--store", str(tmp_path / "runs"),
        "--json",
    ])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "violate the constraints" in done.output
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 10
    for row in rows:
        assert float(row["cement"]) + float(row["fly ash"]) <= 1 + 1e-9
        assert row["metal"] != "Fe" or float(row["cement"]) <= 0.3 + 1e-9


def test_simulators_are_asked_allowed_designs_alone():
    asked = []

    def simulate(x):
        asked.append(x.detach().clone())
        return x[:, :1] + 2 * x[:, 1:2]

    few = {"surrogate": {"training": {"epochs": 20}}}
    for method, settings, pairs in (("na", few, 60), ("random-search", {}, None)):
        solution = invcore_solve.solve_with(
            simulate, {"a": (0, 1), "b": (0, 1), "n": (0, 4)}, targets=[[1.2]], whole=["n"],
            constraints=["a + b <= 0.9", "n == 2 or a >= 0.25"], method=method, pairs=pairs,
            settings=settings,
            candidates=5, preset="quick", budget=200,
        )  # fmt: skip
        x = torch.cat([part.double() for part in asked if part.shape[1] == 3])
        off = (x[:, 0] + x[:, 1] > 0.9 + 1e-6) | ((x[:, 2] != 2) & (x[:, 0] < 0.25 - 1e-6))
        assert len(x) > 50 and not bool(off.any())
        assert float(solution.ranked.error[0]) < 0.05
        strata = "60 designs by maximin-lhs: of its strata the constraints leave a "
        assert any(note.startswith(strata) for note in solution.notes) == (pairs is not None)
        asked.clear()


def test_files_of_simulators_have_constraints(tmp_path):
    file = tmp_path / "simulator.toml"
    file.write_text(
        'constraints = ["a <= b"]\n[simulator]\nfunction = "math:hypot"\n'
        '[[design]]\nname = "a"\nlow = 0\nhigh = 1\n[[design]]\nname = "b"\nlow = 0\nhigh = 1\n'
        '[[response]]\nname = "y"\n'
    )
    task = invcore_solve.read_simulator(file)
    assert task.designs.constraint_texts == ("a <= b",)
    both = task.constrained_by(["`a` == 0.5", "b in {0.25, 0.75}"])
    x = both.designs.sample(20, generator(0))
    assert x[:, 0].unique().tolist() == [0.5] and x[:, 1].unique().tolist() == [0.75]
    with pytest.raises(ConfigError, match="within the bounds satisfies a <= b; a >= 0"):
        task.constrained_by(["a >= 0.5 and b <= 0.25"])
    assert json.dumps(task.document())
