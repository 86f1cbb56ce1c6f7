"""Categories from end to end: texts in tables, descriptors, simulators' files and programs."""

from __future__ import annotations

import csv
import json
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from invcore_solve import Program, SimulatorTask, fit, read_simulator, solve_with
from invcore_solve.schema.choices import Choices, ColumnChoice
from invcore_solve.schema.schema_file import read_schema, schema_text
from invcore_solve.tables.descriptors import descriptors_of, read_descriptors
from invcore_solve.tables.table_data import TableData

from invcore import DataError
from invcore.base.errors import ConfigError, SimulatorError
from invcore.plugin import Categorical, Space, Uniform, Variable, generator

METALS = ("air", "glass", "gold", "iron")
OF = {"air": 0.0, "glass": 1.0, "gold": 3.0, "iron": 2.0}
QUICK = {"judge_settings": {"members": ["linear"]}, "device": "cpu"}


@pytest.fixture
def table(tmp_path):
    """160 rows of a metal, a numbered batch, a width, and a gap that they make."""
    random = generator(0)
    width = torch.rand(160, generator=random, dtype=torch.float64)
    lines = ["metal,kind,width,gap"]
    for i in range(160):
        metal, kind = METALS[i % 4], (i // 4) % 3
        gap = OF[metal] + 0.1 * kind + float(width[i])
        lines.append(f"{metal},{kind},{float(width[i])!r},{gap!r}")
    (tmp_path / "all.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "metals.csv").write_text(
        "metal,index,density\ngold,0.2,19.3\nair,1.0,0.0\nglass,1.5,2.5\niron,2.9,7.9\ntin,2,7\n"
    )
    return tmp_path


def choices(**columns):
    return Choices(
        responses=("gap",), columns={n: ColumnChoice(**own) for n, own in columns.items()}
    )


def test_results_have_categories_as_texts_and_all_proposals_are_of_them(table):
    designer = fit(table / "all.csv", choices=choices(kind={"kind": "category"}), **QUICK)
    ranked = designer.propose([[2.55]], candidates=12)
    columns = ranked.columns()
    assert set(columns["metal"]) <= set(METALS) and set(columns["kind"]) <= {"0", "1", "2"}
    assert float((ranked.predicted - 2.55).abs().amax()) < 0.3
    ranked.save(table / "designs.csv")
    with (table / "designs.csv").open() as file:
        assert {row["metal"] for row in csv.DictReader(file)} <= set(METALS)


@pytest.mark.parametrize("column, value, text", [("metal", "gold", "gold"), ("kind", 2.0, "2")])
def test_a_category_is_fixed_by_its_text_and_by_its_number(table, column, value, text):
    said = choices(kind={"kind": "category"}).change(column, fix=value)
    ranked = fit(table / "all.csv", choices=said, **QUICK).propose([[3.1]], candidates=5)
    assert set(ranked.columns()[column]) == {text}


def test_a_list_of_designs_names_categories(table):
    (table / "stock.csv").write_text("width,metal,kind\n0.5,gold,1\n0.25,glass,0\n0.5,iron,2\n")
    designer = fit(table / "all.csv", choices=choices(), **QUICK)
    ranked = designer.propose([[2.7]], candidates=3, among=table / "stock.csv")
    assert ranked.columns()["metal"][0] == "iron"
    (table / "stock.csv").write_text("width,metal,kind\n0.5,tin,1\n")
    with pytest.raises(DataError, match=r"none of its categories \(air, glass, gold, iron\)"):
        designer.propose([[2.7]], candidates=3, among=table / "stock.csv")


def test_a_response_of_texts_is_refused_with_what_to_do(table):
    said = Choices(responses=("metal",))
    with pytest.raises(DataError, match="is category, no numbers; give a column that says it in"):
        fit(table / "all.csv", choices=said, **QUICK)


class TestDescriptors:
    """Numbers for each category, from a file."""

    def test_the_space_has_them_in_the_categories_order(self, table):
        known = read_descriptors(table / "metals.csv")
        from invcore_solve.tables.read import read

        data = TableData.of(read(table / "all.csv"), choices(metal={"descriptors": known}))
        prior = data.designs.variables[data.designs.index("metal")].prior
        assert prior.categories == METALS
        assert prior.descriptors == ((1.0, 0.0), (1.5, 2.5), (0.2, 19.3), (2.9, 7.9))

    def test_a_judge_learns_by_them_and_comes_back(self, table, tmp_path):
        from invcore import Store

        known = read_descriptors(table / "metals.csv")
        said, store = choices(metal={"descriptors": known}), Store(tmp_path / "runs")
        designer = fit(table / "all.csv", choices=said, store=store, **QUICK)
        again = type(designer).load(store, designer.record.id)
        rows = torch.tensor([[2.0, 1.0, 0.5]], dtype=torch.float64)
        assert torch.equal(
            designer.judge.predict(rows).response, again.judge.predict(rows).response
        )

    def test_many_texts_are_categories_if_they_have_descriptors(self):
        names = [f"m{i}" for i in range(30)]
        rows = [[name, i, 2.0 * i] for name in names for i in range(2)]
        from invcore_solve.schema.column_schema import text_column

        own = {name: (float(i),) for i, name in enumerate(names)}
        found = text_column("m", "", [row[0] for row in rows], ColumnChoice(descriptors=own))
        assert found.kind == "category" and len(found.categories) == 30

    @pytest.mark.parametrize(
        "text, message",
        [
            ("metal\ngold\n", "a column of categories and one of numbers"),
            ("metal,n\ngold,1\ngold,2\n", "row 3: category 'gold' comes twice"),
            ("metal,n\ngold,1\nair,x\n", "column 'n', row 2 is no number"),
            ("metal,n\ngold,1\nair,\n", "column 'n', row 3 is no number"),
            ("metal,n\ngold,1\n,2\n", "row 3 names no category"),
        ],
    )
    def test_a_file_that_cannot_be_used_is_refused(self, tmp_path, text, message):
        (tmp_path / "d.csv").write_text(text)
        with pytest.raises(ConfigError, match=message):
            read_descriptors(tmp_path / "d.csv")

    def test_a_category_without_is_named(self):
        with pytest.raises(ConfigError, match=r"category 'gold' has no descriptors.*'golt'"):
            descriptors_of(["gold"], {"golt": (1.0,)}, "column 'metal'")

    def test_a_schema_names_the_file_or_has_the_numbers(self, table):
        (table / "schema.toml").write_text(
            'responses = ["gap"]\n[columns.metal]\ndescriptors = "metals.csv"\n'
        )
        said = read_schema(table / "schema.toml")
        known = said.columns["metal"].descriptors
        assert known["gold"] == (0.2, 19.3) and len(known) == 5
        from invcore_solve.schema.inspection import inspect_table
        from invcore_solve.tables.read import read

        schema = inspect_table(read(table / "all.csv"), said).schema
        (table / "again.toml").write_text(schema_text(schema, said))
        assert read_schema(table / "again.toml").columns["metal"].descriptors == known

    def test_on_the_command_line(self, table, monkeypatch, call):
        monkeypatch.chdir(table)
        words = "solve --table all.csv --response-columns gap --target 2.5 --json --store runs"
        more = "--surrogate linear --candidates 4 --descriptors metal=metals.csv --fix metal=iron"
        done = call(*words.split(), *more.split())
        assert done.code == 0, done.err
        designs = json.loads(done.out)["designs"]
        assert {row["metal"] for row in designs} == {"iron"}


PROGRAM = """
import csv, json, sys
source, result = sys.argv[1:3]
of = {"air": 0.0, "glass": 1.0, "gold": 3.0, "iron": 2.0}
rows = json.load(open(source)) if source.endswith("json") else list(csv.DictReader(open(source)))
gaps = [of[row["metal"]] + 0.1 * int(row["layers"]) + float(row["width"]) for row in rows]
with open(result, "w") as file:
    if source.endswith("json"):
        json.dump([{"gap": gap, "more": None} for gap in gaps], file)
    else:
        file.write("gap\\n" + "".join(f"{gap!r}\\n" for gap in gaps))
"""
FILE = """
[simulator]
command = ["{python}", "-S", "sim.py", "{input}", "{output}"]
format = "FORMAT"

[[design]]
name = "metal"
categories = ["air", "glass", "gold", "iron"]
descriptors = "metals.csv"

[[design]]
name = "layers"
low = 1
high = 4
whole = true

[[design]]
name = "width"
levels = [0.25, 0.5, 1.0]

[[response]]
name = "gap"
"""


def truth(x):
    return torch.tensor([0.0, 1.0, 3.0, 2.0])[x[:, 0].long()].double() + 0.1 * x[:, 1] + x[:, 2]


class TestSimulators:
    """Categories and levels of simulators."""

    @pytest.fixture
    def program(self, table, request):
        (table / "sim.py").write_text(textwrap.dedent(PROGRAM))
        return table / "sim.toml"

    @pytest.mark.parametrize("form", ["csv", "json"])
    def test_a_program_is_told_categories_by_name(self, program, form):
        program.write_text(FILE.replace("FORMAT", form))
        task = read_simulator(program)
        prior = task.designs.variables[0].prior
        assert prior.categories == METALS and prior.descriptors[2] == (0.2, 19.3)
        x = task.designs.sample(20, generator(0))
        assert set(x[:, 2].tolist()) <= {0.25, 0.5, 1.0}
        torch.testing.assert_close(task.simulate(x)[:, 0], truth(x))

    def test_an_npz_file_has_the_categories_names_beside_their_numbers(self, tmp_path):
        (tmp_path / "sim.py").write_text(
            "import sys, numpy as np\n"
            "given = np.load(sys.argv[1])\n"
            "own = given['categories metal'][given['x'][:, 0].astype(int)]\n"
            "np.savez(sys.argv[2], y=np.array([[len(name)] for name in own], dtype=float))\n"
        )
        command = (sys.executable, "sim.py", "{input}", "{output}")
        program = Program(command=command, format="npz", folder=str(tmp_path))
        task = SimulatorTask(program, {"metal": METALS, "width": (0.0, 1.0)}, ["length"])
        x = torch.tensor([[0.0, 0.5], [1.0, 0.5]], dtype=torch.float64)
        assert task.simulate(x)[:, 0].tolist() == [3.0, 5.0]

    @pytest.mark.parametrize(
        "body, message",
        [
            ('[{"mass": 1}]', "no response 'gap'"),
            ('{"gap": 1}', "list of objects"),
            ("[[1], [2", "list of objects"),
        ],
    )
    def test_json_that_cannot_be_used_is_a_failure(self, tmp_path, body, message):
        (tmp_path / "sim.py").write_text(f"import sys\nopen(sys.argv[2], 'w').write({body!r})\n")
        command = (sys.executable, "-S", "sim.py", "{input}", "{output}")
        program = Program(command=command, format="json", folder=str(tmp_path), retries=0)
        with pytest.raises(SimulatorError, match=message):
            SimulatorTask(program, {"a": (0.0, 1.0)}, ["gap"]).simulate(torch.rand(1, 1).double())

    @pytest.mark.parametrize(
        "lines, message",
        [
            ('low = 1.0\ncategories = ["a", "b"]', "either low and high, or levels, or categories"),
            ("low = 1.0", "either low and high, or levels, or categories"),
            ('levels = [1.0, 2.0]\ndescriptors = "x.csv"', "descriptors are for categories"),
            ('categories = ["a", "b"]\nwhole = true', "whole is for low and high"),
            ('categories = ["a", "b"]\ndescriptors = {a = [1.0]}', "category 'b' has no descr"),
            ('categories = ["a", "a"]', "two categories have one name"),
        ],
    )
    def test_a_design_that_cannot_be_is_refused(self, tmp_path, lines, message):
        (tmp_path / "sim.toml").write_text(
            f'[simulator]\nfunction = "numpy:sin"\n[[design]]\nname = "metal"\n{lines}\n'
        )
        with pytest.raises(ConfigError, match=message):
            read_simulator(tmp_path / "sim.toml")

    @pytest.mark.parametrize("method", ["na", "cma-es", "random-search"])
    def test_designs_found_with_a_simulator_have_texts(self, method):
        def simulate(x):
            return np.stack([truth(torch.from_numpy(x)).numpy()], axis=1)

        designs = Space.of(
            Variable(name="metal", prior=Categorical(categories=METALS)),
            Variable(name="layers", prior=Uniform(low=1.0, high=4.0)),
            Variable(name="width", prior=Uniform(low=0.0, high=1.0)),
        )
        solution = solve_with(
            simulate, designs, targets=[[3.7]], responses=["gap"], method=method, preset="quick",
            pairs=60, candidates=8,
        )  # fmt: skip
        columns = solution.ranked.columns()
        assert set(columns["metal"]) <= set(METALS) and solution.ranked.error[0] < 0.01

    def test_categories_of_a_function_on_the_command_line(self, tmp_path, monkeypatch, call):
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        Path("layered.py").write_text("def gap(x):\n    return 0.1 * x[:, :1] + x[:, 1:]\n")
        words = "solve --simulator layered:gap --bounds width=0:1 --category metal=air,gold,iron "
        words += "--target 2.05 --method random-search --preset quick --candidates 3 --json"
        done = call(*words.split())
        assert done.code == 0, done.err
        assert json.loads(done.out)["designs"][0]["metal"] == "iron"
        wrong = words.replace("metal=air,gold,iron", "metal")
        assert "expected NAME=A,B" in call(*wrong.split()).err
