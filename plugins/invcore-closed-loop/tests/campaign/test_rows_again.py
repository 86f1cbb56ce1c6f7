"""Rows that come back: known ones, in part, again, with notes, and with the digits of a sheet."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from invcore_closed_loop import Campaign
from invcore_closed_loop.campaign.tables.sheet_digits import sheet_designs
from invcore_solve.simulators.bounds import variable

from invcore.base.errors import DataError
from invcore.plugin import LinearEquality, LinearInequality, LogUniform, Space, Uniform, Variable

TWO = {"responses": ["strength [MPa]", "hardness"], "want": ["strength>=300", "hardness<=9"]}


def test_known_rows_that_failed_or_lack_a_response_count_as_known(alloy, known):
    known = known.assign(hardness=7.0).astype({"strength": object})
    known.loc[0, "strength"], known.loc[0, "hardness"] = "cracked", np.nan
    known.loc[1, "strength"] = np.nan
    campaign = alloy(known=known, **TWO)
    batch = campaign.ask(3)
    batch["hardness"], batch["strength"] = 8.0, 290.0
    batch = batch.astype({"strength": object})
    batch.loc[2, ["strength", "hardness"]] = ["lost", np.nan]
    campaign.tell(batch)
    status = campaign.status()
    assert (status.known, status.known_failed, status.known_partial) == (5, 1, 1)
    assert (status.told, status.failed) == (3, 1)
    line = ("3 rows told, of which 1 failed, beside 5 rows known at first, of which 1 failed and "
            "1 are known in part")  # fmt: skip
    assert line in status.text
    assert campaign.rows()["source"].tolist() == ["known"] * 5 + ["asked"] * 3
    own = pd.DataFrame({"cu": [1.5], "mg": [1], "oven": ["A"], "strength": ["broken"]})
    campaign.tell(own)
    assert (campaign.status().told, campaign.rows()["source"].iloc[-1]) == (4, "not asked for")


def test_a_remark_that_is_no_failure_is_told(alloy):
    campaign = alloy()
    batch = campaign.ask(4)
    batch["note"] = ["kaput", "cracked", "", "fine"]
    batch.loc[3, "strength"] = 299.0
    said = campaign.tell(batch)
    [note] = said.read.notes
    assert note.startswith(
        "not understood as a failure, and so without a result: row 1 ('kaput'); words for a "
        "failure are failed, fail,"
    )
    assert said.document()["failed"] == 1 and said.document()["without_result"] == 2


def test_what_is_lacking_is_listed_and_written(alloy, call):
    campaign = alloy(**TWO)
    batch = campaign.ask(3)
    batch.loc[0, "strength"] = 290.0
    batch.loc[1, ["strength", "hardness"]] = [310.0, 7.0]
    campaign.tell(batch)
    pending = campaign.pending()
    assert [number + 1 for number in pending.ids] == [1, 3]
    listed = call("campaign", "ask", "alloy", "--pending", "--out", "lacking.csv")
    assert listed.code == 0 and "290" in listed.out
    sheet = pd.read_csv("lacking.csv")
    assert sheet["strength [MPa]"].tolist()[0] == 290.0 and sheet["hardness"].isna().all()
    sheet["hardness"] = [8.0, 8.0]
    sheet.loc[1, "strength [MPa]"] = 280.0
    done = campaign.tell(sheet).document()
    assert (done["completed"], done["new"], done["pending"]) == (1, 1, 0)
    assert str(campaign.pending()) == "no row is pending"
    assert "no row is pending" in call("campaign", "ask", "alloy", "--pending").out


def test_a_design_is_asked_for_again_and_counts_as_a_second_measurement(alloy, call):
    campaign = alloy()
    batch = campaign.ask(3)
    batch["strength"] = [290.0, 310.0, 280.0]
    batch["cu"] += [0.0, 0.05, 0.0]  # as it was made
    campaign.tell(batch)
    again = campaign.again(2, "best").frame()
    assert again["id"].tolist() == [4, 5]
    assert again["cu"].tolist() == [batch["cu"][1]] * 2
    again["strength"] = [310.0, 308.0]  # the same number is another measurement
    assert campaign.tell(again).document()["new"] == 2
    assert campaign.status().measured == 3
    shown = call("campaign", "ask", "alloy", "--repeat", 1, "--repeat", "best", "--json")
    assert [row["id"] for row in json.loads(shown.out)["rows"]] == [6, 7]
    assert (
        "id 99 was never asked for; ids go from 1 to 7"
        in call("campaign", "ask", "alloy", "--repeat", 99).err
    )
    for words in (["--repeat", "x"], ["--repeat", 1, "-n", 2], ["--repeat", 1, "--pending"]):
        assert call("campaign", "ask", "alloy", *words).code == 2
    assert len(Campaign.open("alloy").ask(2)) == 2  # the loop goes on


def test_an_export_has_units_and_notes_and_can_be_known_again(alloy, known):
    campaign = alloy(designs={"cu [wt%]": (0, 5), "mg": (0, 3), "oven": ["A", "B"]},
                     responses=["strength [MPa]"], known=known)  # fmt: skip
    batch = campaign.ask(3).astype({"strength": object})
    batch["strength"] = [290.0, "broken", np.nan]
    batch["note"] = ["made by\nnight [red]", "fell down", ""]
    campaign.tell(batch)
    campaign.export("rows.csv")
    table = pd.read_csv("rows.csv")
    assert list(table)[:5] == ["id", "cu [wt%]", "mg", "oven", "strength [MPa]"]
    assert table["note"].tolist()[5:7] == ["made by\\nnight [red]", "fell down"]
    other = alloy("other", known="rows.csv", designs={"cu": (0, 5), "mg": (0, 3),
                                                      "oven": ["A", "B"]})  # fmt: skip
    assert "7 rows are known, of which 1 failed" in other.notes[0]
    assert not any("not understood" in note for note in other.notes)


def test_a_sheet_has_few_digits_and_is_recognised(alloy):
    campaign = alloy(designs={"cu": (0, 5), "mg": (0, 3), "zn": (0, 5)},
                     constraints=["cu + mg + zn = 6", "cu - zn <= 1.3"])  # fmt: skip
    batch = campaign.batch(8)
    batch.save("next.csv")
    sheet = pd.read_csv("next.csv", dtype=str)
    assert max(len(cell.split(".")[-1]) for name in ("cu", "mg", "zn") for cell in sheet[name]) <= 7
    numbers = pd.read_csv("next.csv")
    made = torch.tensor(numbers[["cu", "mg", "zn"]].to_numpy().copy())
    assert bool(campaign.problem.designs.contains(made).all())
    numbers["strength"] = 290.0
    said = campaign.tell(numbers)
    assert not said.read.notes
    assert torch.equal(campaign.journal.rows.made, campaign.journal.rows.asked)


def test_digits_by_range_by_size_and_by_constraints():
    def space(*named, constraints=()):
        return Space.of(*(Variable(name=n, **v) for n, v in named), constraints=constraints)

    wide = {"prior": Uniform(low=0.0, high=2000.0)}
    tiny = {"prior": LogUniform(low=1e-9, high=1.0)}
    x = torch.tensor([[1234.56789012, 3.0, 3.14159265358e-7]]).double()
    own = Space.of(
        *space(("a", wide)).variables, variable("n", 0, 9, whole=True),
        *space(("s", tiny)).variables,
    )  # fmt: skip
    assert sheet_designs(own, x).tolist() == [[1234.57, 3.0, 3.14159e-7]]
    unit = {"prior": Uniform(low=0.0, high=1.0)}
    edge = space(
        ("a", unit), ("b", unit),
        constraints=[LinearInequality(coefficients={"a": 1.0, "b": 1.0}, high=1.0)],
    )  # fmt: skip
    x = torch.tensor([[0.4444466, 0.5555534]]).double()  # both would be rounded up
    rounded = sheet_designs(edge, x)
    assert float(rounded.sum()) <= 1.0 and float((rounded - x).abs().max()) < 1.1e-5
    thirds = space(
        *((n, unit) for n in "abc"),
        constraints=[LinearEquality(coefficients=dict.fromkeys("abc", 1.0), value=1.0)],
    )  # fmt: skip
    x = torch.full((1, 3), 1 / 3, dtype=torch.float64)
    assert sorted(sheet_designs(thirds, x)[0].tolist()) == [0.33333, 0.33333, 0.33334]


def test_expectations_of_a_data_frame_and_what_it_lacks(alloy, known, complaint):
    campaign = alloy(known=known)
    said = campaign.expectation()
    frame = pd.DataFrame({"oven": ["a", "B"], "mg": [1.0, 2.0], "cu": [2.0, 3.0]})
    there = said.at(torch.tensor([[2.0, 1.0, 0.0], [3.0, 2.0, 1.0]]).double())
    assert torch.equal(said.at(frame).mean, there.mean)
    lacking = complaint(DataError, said.at, frame.drop(columns="mg"))
    assert "has no column 'mg' of the designs; it has 'oven', 'cu'" in lacking
    assert "row 2 lacks a design" in complaint(DataError, said.at, frame.replace(3.0, np.nan))
    told = complaint(DataError, campaign.tell, {"a": [1]})
    assert "no column 'cu'" in told and "'id'" in told


def test_all_that_is_wrong_is_told_at_once(alloy, complaint):
    campaign = alloy()
    campaign.ask(2)
    Path("back.csv").write_text(
        "id,cu,mg,oven,strength\n1,,,,300\n7,,,,301\n,high,1,C,302\n,1,low,A,about 3\n,1,,A,4\n"
    )
    said = complaint(DataError, campaign.tell, "back.csv")
    for part in ("6 cells are to be corrected", "row 3 has id 7, which was never asked for",
                 "column 'cu', row 4 is 'high'", "column 'oven', row 4 is 'C'",
                 "column 'mg', row 5 is 'low'", "column 'strength', row 5 is 'about 3'",
                 "row 6 has a result, but neither an id nor mg"):  # fmt: skip
        assert part in said
    assert len(campaign.journal.pending()) == 2
    rows = "".join(f",bad {i},1,A,300\n" for i in range(25))
    Path("many.csv").write_text("id,cu,mg,oven,strength\n,1,1,A,300\n" + rows)
    with pytest.raises(DataError, match=r"25 cells are .*row 12 is 'bad 9'; and 15 more"):
        campaign.tell("many.csv")


def test_wishes_that_are_replaced_are_said(alloy):
    campaign = alloy(want=["strength=max"])
    assert campaign.change(want=["strength>=310"]) == ("strength=max",)
    assert campaign.change(noise={"strength": 1.0}) == ()
