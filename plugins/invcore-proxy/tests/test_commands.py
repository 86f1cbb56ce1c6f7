"""The commands, as a new user types them."""

from __future__ import annotations

import json

import pytest
import torch
from invcore_proxy import read_bundle

from invcore.plugin import generator

SMALL = (
    "--members", 2, "--preset", "quick", "--set", "training.epochs=15",
    "--set", "shapes=[{width = 16, depth = 2}]",
)  # fmt: skip


@pytest.fixture
def table(tmp_path):
    """A table of 400 rows: a force that a spring of some length and stiffness gives."""

    def write(name="springs.csv", rows=400, seed=0):
        x = torch.rand(rows, 2, generator=generator(seed, "springs")).double()
        lines = [f"{a},{b},{(a + 0.5) * b}" for a, b in x.tolist()]
        (tmp_path / name).write_text("\n".join(["length,stiffness,force", *lines]) + "\n")
        return name

    return write


@pytest.fixture
def springs(call, table):
    """A bundle of the table."""
    columns = ("--design-columns", "length,stiffness", "--response-columns", "force")
    done = call("proxy", "fit", table(), *columns, *SMALL, "--out", "springs", "--title", "Springs")
    assert done.code == 0, done.err
    return done


def test_a_new_user_gets_from_a_table_to_designs(call, springs):
    assert "320 rows learnt from" in springs.out
    assert "member 2" in springs.out and "ensemble" in springs.out
    assert "rank correlation" in springs.out
    said = springs.out.strip().split("\n")[-1]
    assert said == "next: invcore run --task springs/ --method na"
    done = call(
        *said.removeprefix("next: invcore ").split(), "--preset", "quick", "--targets", 10,
        "--candidates", 16, "--set", "pairs=400", "--set", "surrogate.training.epochs=10",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "na on springs/" in done.out
    assert call("proxy", "validate", "springs/", "--table", "springs.csv").code == 0


def test_a_run_is_another_one_with_another_bundle(call, springs, table):
    line = (
        "run", "--task", "springs/", "--method", "na", "--preset", "quick", "--targets", 3,
        "--candidates", 4, "--set", "pairs=100", "--set", "surrogate.training.epochs=2", "--json",
    )  # fmt: skip
    first = call(*line).json["id"]
    assert call(*line).json["id"] == first
    columns = ("--design-columns", "1-2", "--response-columns", "force")
    assert call("proxy", "fit", table(seed=1), *columns, *SMALL, "--out", "springs").code == 0
    assert call(*line).json["id"] != first


def test_fit_prints_json(call, table, tmp_path):
    (tmp_path / "LICENCE").write_text("CC0\n")
    done = call(
        "proxy", "fit", table("1.csv", 100), table("2.csv", 60, seed=1), "--design-columns", "1,2",
        "--response-columns", "3", *SMALL, "--out", "new/deep", "--json", "--non-negative",
        "--symmetry", "stiffness length", "--licence", "LICENCE", "--seed", 4, "--device", "cpu",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.json["report"]["train_rows"] == 128
    assert done.json["report"]["symmetries"] == 2
    assert done.json["config"]["output"] == "non-negative"
    found = read_bundle(tmp_path / "new/deep")
    assert found.checksum == done.json["checksum"]
    assert found.record.licence == "CC0\n"
    assert found.record.provenance.seed == 4
    assert [s.rows for s in found.record.provenance.tables] == [100, 60]
    assert found.designs.variables[0].bounds == found.designs.variables[1].bounds


def test_fit_takes_two_files_a_range_and_zeros(call, tmp_path):
    x = torch.rand(200, 1, generator=generator(0, "x")).double()
    (tmp_path / "x.csv").write_text("".join(f"{v}\n" for (v,) in x.tolist()))
    (tmp_path / "y.csv").write_text("".join(f"{max(v - 0.5, 0)}\n" for (v,) in x.tolist()))
    done = call(
        "proxy", "fit", "--x", "x.csv", "--y", "y.csv", "--zero-part", "--squash", "0:2", *SMALL,
        "--out", "gap",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "zero or not, right" in done.out
    config = read_bundle(tmp_path / "gap").record.config
    assert (config.output, config.low, config.high, config.zero_part) == ("squash", 0.0, 2.0, True)


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--squash", "0:1", "--non-negative"), 2, "exclude each other"),
        (("--squash", "wide"), 2, "expected LOW:HIGH"),
        (("--set", "widht=3"), 2, "widht"),
        (("--set", "members"), 2, "key=value"),
        (("--members", "0"), 2, "members"),
        (("--device", "tpu"), 2, "no device 'tpu'"),
        (("--licence", "none.txt"), 2, "none.txt: cannot be read"),
        (("--symmetry", "length"), 2, "each design variable once"),
        (("--squash", "0:0.1"), 2, "widen the range"),
        (("--out", "."), 3, "holds other things"),
    ],
)
def test_wrong_use_of_fit_is_one_line(call, table, tmp_path, more, code, said):
    columns = ("--design-columns", "1-2", "--response-columns", "3")
    done = call("proxy", "fit", table(), *columns, "--out", "out", *more)
    assert done.code == code
    assert said in done.err
    assert len(done.err.strip().split("\n")) == 1
    assert not (tmp_path / "out").exists()


def test_show_says_what_a_bundle_is(call, bundle, springs):
    done = call("proxy", "show", bundle)
    assert done.code == 0
    for part in (
        "Two waves", "2 design variables: a, b", "3 networks", "waves.csv, 400 rows", "seed 3",
        "two waves", "licence: CC0 1.0", "errors on 40 held-out rows",
    ):  # fmt: skip
        assert part in done.out
    document = json.loads((bundle / "task.json").read_text())
    assert len(document.pop("checksum")) == 64
    assert call("proxy", "show", bundle, "--json").json == document
    refused = call("proxy", "show", "nowhere")
    assert refused.code == 3 and "nowhere/task.json: cannot be read" in refused.err


def test_validate_compares_with_a_table(call, springs, table, tmp_path):
    fresh = table("fresh.csv", rows=50, seed=9)
    lines = (tmp_path / fresh).read_text().split("\n")
    lines[1] = "7,0.5,3.75"  # outside
    turned = [",".join(reversed(line.split(","))) for line in lines]
    (tmp_path / fresh).write_text("\n".join(turned))  # columns are found by name
    found = call("proxy", "validate", "springs", "--table", fresh, "--json").json
    assert (found["against"], found["outside"], found["errors"]["rows"]) == ("fresh.csv", 1, 50)
    assert found["errors"]["ensemble"]["worst"] > 0.3
    proxy = read_bundle("springs").proxy
    rows = torch.tensor([[float(v) for v in line.split(",")] for line in lines[1:] if line])
    error = (proxy(rows[:, :2].double()) - rows[:, 2:]).abs().mean()
    assert found["errors"]["ensemble"]["mae"] == pytest.approx(float(error), rel=1e-4)
    done = call("proxy", "validate", "springs", "--table", fresh)
    assert "1 designs lie outside" in done.out and "fresh pairs of fresh.csv" in done.out


def test_validate_compares_with_a_simulator(call, tmp_path):
    """Of a proxy of sine-wave's own pairs; its simulator has a response everywhere."""
    from invcore.plugin import installed

    task = installed().registry.load("task", "sine-wave")()
    pairs = task.pairs(500, generator(0, "pairs"))
    text = "".join(",".join(map(str, r)) + "\n" for r in torch.cat([pairs.x, pairs.y], 1).tolist())
    (tmp_path / "sine.csv").write_text(text)
    columns = ("--design-columns", "1-2", "--response-columns", "3")
    assert call("proxy", "fit", "sine.csv", *columns, *SMALL, "--out", "sine").code == 0
    line = ("proxy", "validate", "sine", "--simulator", "sine-wave", "--count", 60, "--json")
    found = call(*line).json
    assert (found["against"], found["lost"], found["errors"]["rows"]) == ("sine-wave", 0, 60)
    assert call(*line).json == found
    assert call(*line, "--seed", 1).json != found
    x = read_bundle("sine").designs.sample(60, generator(0, "validate"))
    mse = (read_bundle("sine").proxy(x) - task.simulate(x)).square().mean()
    assert found["errors"]["ensemble"]["mse"] == pytest.approx(float(mse))
    done = call("proxy", "validate", "sine", "--simulator", "ballistics")
    assert done.code == 2 and "4 designs and 1 responses, the bundle 2 and 1" in done.err
    done = call("proxy", "validate", "sine", "--simulator", "sin-wave")
    assert done.code == 2 and "sine-wave" in done.err


def test_validate_needs_one_thing_to_compare_with(call, bundle):
    assert "say --simulator TASK" in call("proxy", "validate", bundle).err
    both = call("proxy", "validate", bundle, "--table", "a.csv", "--simulator", "sine-wave")
    assert both.code == 2
    assert "no such file" in call("proxy", "validate", bundle, "--table", "a.csv").err


def test_validate_refuses_a_table_of_another_width(call, bundle, tmp_path):
    (tmp_path / "wide.csv").write_text("1,2,3\n" * 3)
    done = call("proxy", "validate", bundle, "--table", "wide.csv")
    assert done.code == 2 and "3 columns" in done.err and "4 columns" in done.err
    done = call("proxy", "validate", bundle, "--x", "wide.csv", "--y", "wide.csv")
    assert done.code == 2 and "expected 2 columns" in done.err
