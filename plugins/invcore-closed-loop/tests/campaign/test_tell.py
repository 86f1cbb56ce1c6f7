"""Tables that come back from a laboratory, in all the ways that they do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from invcore_closed_loop import Campaign

from invcore.base.errors import DataError


def counts(result):
    return {k: v for k, v in result.document().items() if v and k not in ("notes", "rows")}


def test_what_was_understood_is_one_sentence(alloy):
    campaign = alloy()
    batch = campaign.ask(8)
    five = batch.head(5).astype({"strength": object})
    five["strength"] = [290.0, 299.5, "broken", 310.0, 280.0]
    said = campaign.tell(five)
    assert str(said) == "data frame: 5 rows: 5 new, of which 1 failed; 3 are still pending"
    assert campaign.best(1)[["id", "strength"]].values.tolist() == [[4, 310.0]]


def test_the_rest_comes_later_and_a_file_may_be_told_twice(alloy):
    campaign = alloy()
    batch = campaign.ask(4)
    batch["strength"] = [290.0, 301.5, np.nan, np.nan]
    assert counts(campaign.tell(batch)) == {"new": 2, "without_result": 2, "pending": 2}
    batch["strength"] = [290.0, 301.5, 280.0, np.nan]
    assert counts(campaign.tell(batch)) == {
        "new": 1, "repeated": 2, "without_result": 1, "pending": 1,
    }  # fmt: skip


def test_one_response_now_and_the_other_later(alloy):
    campaign = alloy(responses=["strength", "hardness"], want=["strength>=300", "hardness<=9"])
    batch = campaign.ask(2)
    batch["hardness"] = [7.0, 8.0]
    assert counts(campaign.tell(batch)) == {"new": 2, "partial": 2}
    assert campaign.status().partial == {1: ("strength",), 2: ("strength",)}
    later = pd.DataFrame({"id": [2, 1], "strength": [310.0, 290.0]})
    assert counts(campaign.tell(later)) == {"completed": 2}
    assert campaign.best(1)[["id", "strength", "hardness"]].values.tolist() == [[2, 310.0, 8.0]]


def test_designs_count_as_they_were_made(alloy):
    campaign = alloy()
    batch = campaign.ask(2)
    asked = batch.cu.tolist()
    batch["cu"] = [asked[0] + 0.02, asked[1] + 1e-9]  # the second is a spreadsheet's rounding
    batch["strength"] = [290.0, 301.0]
    said = campaign.tell(batch)
    assert campaign.rows().cu.tolist() == [asked[0] + 0.02, asked[1]]
    assert said.read.notes == ("1 row was made otherwise than asked for, and count as made",)


def test_a_slip_of_the_comma_is_asked_about(alloy):
    campaign = alloy(designs={"cu": (0, 5)})
    batch = campaign.ask(1)
    batch["cu"], batch["strength"] = batch["cu"] + 5, 300.0
    notes = campaign.tell(batch).read.notes
    assert any("cu is" in note and "is that right?" in note for note in notes)
    assert any("row 1 is beyond the bounds or constraints: it is learnt" in note for note in notes)


def test_rows_that_nobody_asked_for_and_repeated_measurements(alloy):
    campaign = alloy()
    batch = campaign.ask(1)
    batch["strength"] = 290.0
    campaign.tell(batch)
    batch["strength"] = 292.0
    assert counts(campaign.tell(batch)) == {"replicated": 1}
    own = pd.DataFrame({"oven": ["b"], "mg": [1.0], "cu": [2.0], "strength": [305.0]})
    assert counts(campaign.tell(own)) == {"unasked": 1}
    assert counts(campaign.tell(own)) == {"repeated": 1}
    assert campaign.rows().source.tolist() == ["asked", "measured again", "not asked for"]
    assert campaign.rows().oven.tolist()[-1] == "B"


def test_what_was_known_at_first_may_be_told_again(alloy, known):
    campaign = alloy(known=known)
    assert counts(campaign.tell(known)) == {"repeated": 5}
    assert len(campaign.rows()) == 5


def test_decimal_commas_units_other_orders_and_columns(alloy):
    campaign = alloy(responses=["strength [MPa]"])
    campaign.ask(2)
    Path("back.csv").write_text(
        "Strength (MPa);operator;ID;Note\n301,5;Ann;2;\n;Bob;1;sample was lost\n"
    )
    said = campaign.tell("back.csv")
    assert counts(said) == {"new": 2, "failed": 1}
    assert campaign.best(1)[["id", "strength"]].values.tolist() == [[2, 301.5]]
    assert said.read.notes == ("columns that are left aside: operator",)


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".tsv"])
def test_a_file_goes_out_and_comes_back(alloy, ending):
    campaign = alloy(designs={"=cu": (0, 5), "oven": ["=A", "B"], "n": (1, 9)}, whole=["n"])
    campaign.batch(3).save("next" + ending)
    assert counts(campaign.tell("next" + ending)) == {"without_result": 3, "pending": 3}
    frame = campaign.pending().frame()
    frame["strength"] = [1.0, 2.0, 3.0]
    assert counts(campaign.tell(frame)) == {"new": 3}
    assert campaign.rows()["=cu"].tolist() == frame["=cu"].tolist()


WRONG = {
    "an unknown id": ("id,strength\n1,300\n7,301\n", "row 3 has id 7, which was never asked for"),
    "no id": ("id,strength\nA1,300\n", "row 2 is 'A1', which is no id"),
    "a typo in a category": (
        "cu,mg,oven,strength\n1,1,C,300\n", "column 'oven', row 2 is 'C'; expected one of A, B"),
    "text": ("id,strength\n1,about 300\n", "column 'strength', row 2 is 'about 300'; expected a"),
    "infinity": ("id,strength\n1,inf\n", "column 'strength', row 2 is infinite"),
    "too large": ("id,strength\n1,1e200\n", "column 'strength': numbers of up to 1e+200"),
    "a design that is missing": (
        "id,cu,mg,oven,strength\n,1,,A,300\n", "row 2 has a result, but neither an id nor mg"),
    "no column": ("cu,strength\n1,300\n", "has no column 'mg', nor a column 'id'"),
    "no response": ("id,stiffness\n1,300\n", "has none of the responses strength"),
    "another unit": ("id,strength [kPa]\n1,300\n", "is in kPa, expected strength in MPa"),
    "two of one name": ("id,strength,Strength\n1,3,3\n", "strength"),
    "two ids": ("id,ID,strength\n1,1,3\n", "two columns 'id'"),
    "both decimal signs": ("id;strength\n1;3,5\n1;4.25\n", "decimal commas (row 2)"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_mistakes_are_told_and_nothing_is_taken(alloy, complaint, text, message):
    campaign = alloy(responses=["strength [MPa]"])
    campaign.ask(2)
    Path("back.csv").write_text(text)
    if message == "strength":  # the very name wins over one like it
        assert counts(campaign.tell("back.csv"))["new"] == 1
        return
    assert message in complaint(DataError, campaign.tell, "back.csv")
    assert campaign.status().told == 0


def test_nothing_is_lost_with_the_state_and_two_may_tell_at_once(alloy):
    campaign = alloy()
    batch = campaign.ask(4)
    batch["strength"] = [290.0, 301.0, 280.0, 299.0]
    colleague = Campaign.open("alloy")
    campaign.tell(batch.head(2))
    colleague.tell(batch.tail(3))
    (Path("alloy") / "state.safetensors").unlink(missing_ok=True)
    again = Campaign.open("alloy")
    assert again.rows().strength.tolist() == batch.strength.tolist()
    assert again.ask(2).cu.tolist() == campaign.pending().frame().cu.tolist()


def test_marked_rows_have_failed_whatever_their_numbers(alloy):
    campaign = alloy()
    batch = campaign.ask(2).assign(strength=[290.0, 900.0], failed=["", "yes"])
    said = campaign.tell(batch)
    assert counts(said) == {"new": 2, "failed": 1}
    assert said.read.notes[0] == "row 2 is marked as failed: their numbers are left aside"
    assert campaign.best(3).strength.tolist() == [290.0]
