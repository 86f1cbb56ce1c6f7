"""How campaigns begin, from whatever says what can be made, and what is known."""

from __future__ import annotations

from pathlib import Path

import invcore_solve
import numpy as np
import pandas as pd
import pytest
import torch
from invcore_closed_loop import Campaign
from invcore_closed_loop.campaign.table_designs import found_designs
from invcore_solve.measured.sources import read_known

from invcore import Store
from invcore.base.errors import ConfigError, DataError, StoreError, UnknownNameError


def test_every_row_that_is_asked_for_is_allowed(alloy):
    campaign = alloy(
        designs={"cu": (0, 5), "mg": (0, 3), "n": (1, 9), "oven": ["A", "B"]}, whole=["n"],
        levels={"mg": "0:3:0.5"}, constraints=["cu + mg <= 4", "if oven == 'B' then cu <= 1"],
    )  # fmt: skip
    batch = campaign.ask(40)
    assert bool((batch.cu + batch.mg <= 4 + 1e-9).all())
    assert set(batch.mg) <= {0, 0.5, 1, 1.5, 2, 2.5, 3}
    assert batch.n.dtype == int
    assert bool((batch[batch.oven == "B"].cu <= 1).all())
    assert len(batch[batch.oven == "B"]) > 0


def test_designs_may_be_a_list_to_choose_from(alloy):
    stock = pd.DataFrame({"mg": [1.0, 2, 9], "oven": ["a", "B", "B"], "cu": [1.0, 2, 3]})
    batch = alloy(among=stock).ask(20)
    assert set(zip(batch.cu, batch.mg, batch.oven, strict=True)) == {(1, 1, "A"), (2, 2, "B")}


def test_a_choice_may_be_fixed_for_one_batch(alloy, complaint):
    campaign = alloy()
    assert set(campaign.ask(6, fix={"oven": "b", "mg": 1.5}).oven) == {"B"}
    assert campaign.pending().frame().mg.tolist() == [1.5] * 6
    assert "no 'C'" in complaint(ConfigError, campaign.ask, 1, fix={"oven": "C"})
    assert "no design 'oven2'" in complaint(UnknownNameError, campaign.ask, 1, fix={"oven2": 1})


def test_the_only_choice_may_be_fixed_while_the_loop_knows_much(alloy, known):
    campaign = alloy(
        loop="closed-loop", known=pd.concat([known, known.assign(mg=1.5, strength=299.0)]),
        responses=["strength", "cost = 2*cu + 4*mg"], want=["strength>=305", "cost=min"],
    )  # fmt: skip
    assert campaign.ask(2, fix={"oven": "B"}).oven.tolist() == ["B", "B"]


def test_computed_responses_need_no_measurement(alloy):
    campaign = alloy(
        responses=["strength [MPa]", "price = 2*cu + 1", "ratio = price / strength"],
        want=["strength>=300", "price=min"],
    )  # fmt: skip
    batch = campaign.ask(2)
    assert batch["expected price"].tolist() == pytest.approx((2 * batch.cu + 1).tolist())
    assert campaign.measured == ("strength",)
    batch["strength"] = [100.0, 200.0]
    campaign.tell(batch)
    price = (2 * batch.cu + 1).to_numpy()
    rows = campaign.rows()
    assert np.allclose(rows[["price", "ratio"]].T, [price, price / [100.0, 200.0]])


def test_known_rows_of_a_table_say_what_designs_are(alloy):
    x = torch.rand(12, 2, generator=torch.Generator().manual_seed(0)).numpy()
    table = pd.DataFrame(x, columns=["cu", "mg"]).assign(operator=[*"ABCDEFGHIJKL"])
    table["strength"] = x.sum(1)
    campaign = alloy(designs=None, known=table)
    assert campaign.problem.designs.names == ("cu", "mg")
    assert campaign.notes[1] == "designs: cu, mg"
    low, high = campaign.problem.designs.variables[0].bounds
    assert (low, high) == (table.cu.min(), table.cu.max())
    few = table.head(4)
    with pytest.raises(DataError, match="expected at least 10"):
        alloy("few", designs=None, known=few)
    assert not Path("few").exists()


def test_failed_and_partial_rows_may_be_known(alloy, known):
    table = known.assign(hardness=[1.0, np.nan, 3.0, np.nan, 5.0], note="")
    table = pd.concat([table, table.tail(2).assign(strength=np.nan, hardness=np.nan)])
    table.iloc[-1, -1] = "cracked"
    campaign = alloy(responses=["strength", "hardness"], known=table.reset_index(drop=True))
    assert campaign.notes[0] == ("known rows: 6 rows are known, of which 1 failed and 2 in part")
    assert campaign.rows().state.value_counts().to_dict() == {"told": 3, "in part": 2, "failed": 1}


def test_another_campaign_may_be_known(alloy, known):
    first = alloy(known=known)
    batch = first.ask(3)
    batch["strength"] = [290.0, 310.0, np.nan]
    first.tell(batch.astype({"strength": object}).fillna({"strength": "failed"}))
    second = alloy("more", known="alloy")
    assert len(second.rows()) == 8
    assert sorted(second.rows().strength.dropna()) == sorted(first.rows().strength.dropna())
    assert second.best(1).strength.tolist() == first.best(1).strength.tolist()


def test_a_stored_run_may_be_known(alloy, monkeypatch):
    store = Store("runs")
    x = torch.rand(40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    table = pd.DataFrame(x.numpy(), columns=["cu", "mg"]).assign(strength=x.sum(1).numpy())
    designer = invcore_solve.fit(
        table, responses=["strength"], judge_settings={"members": ["linear"]}, store=store
    )
    campaign = alloy(
        designs={"cu": (0, 1), "mg": (0, 1)}, known=designer.record.id, store=store,
        want="strength>=1",
    )  # fmt: skip
    assert campaign.rows().strength.tolist() == table.strength.tolist()


WRONG = {
    "no response": ({"responses": []}, ConfigError, "what is measured"),
    "nothing wanted": ({"want": []}, ConfigError, "say what is wanted"),
    "an unknown response": ({"want": ["strenght>=3"]}, UnknownNameError, "strength"),
    "nothing in particular": ({"want": ["strength=any"]}, ConfigError, "nothing is wanted"),
    "relative": ({"want": ["strength=±5%"]}, ConfigError, "no wishes relative"),
    "no room": ({"designs": {"cu": (1, 1)}}, ConfigError, "leaves no room"),
    "no designs": ({"designs": {}}, ConfigError, "needs its designs"),
    "nothing at all": ({"designs": None}, ConfigError, "or known rows"),
    "no such design": ({"whole": ["cuu"]}, ConfigError, "no design 'cuu'"),
    "impossible": ({"constraints": ["cu >= 9"]}, ConfigError, "cu"),
    "levels": ({"levels": {"cu": "0:5"}}, ConfigError, "expected 0,0.5,1 or LOW:HIGH:STEP"),
    "one name": ({"responses": ["cu"], "want": ["cu>=3"]}, ConfigError, "the name is taken"),
    "a column of ours": ({"responses": ["Note"], "want": ["Note>=3"]}, ConfigError, "rename it"),
    "noise of what": ({"noise": {"x": 1}}, ConfigError, "no response 'x'"),
    "negative noise": ({"noise": {"strength": -1}}, ConfigError, "standard deviation"),
    "a missing file": ({"known": "m.csv"}, DataError, "m.csv: no such file"),
    "a table of other things": (
        {"known": pd.DataFrame({"a": [1.0], "strength": [2.0]})}, DataError, "no column 'cu'"),
    "a loop": ({"loop": "closed"}, UnknownNameError, "closed-loop"),
    "a setting": ({"settings": {"call": 3}}, ConfigError, "call"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "kind", "message"), WRONG.values(), ids=WRONG)
def test_mistakes_leave_nothing_behind(alloy, complaint, options, kind, message):
    assert message in complaint(kind, alloy, **options)
    assert not Path("alloy").exists()


def test_a_folder_has_one_campaign_and_says_what_is_damaged(alloy, complaint):
    campaign = alloy()
    campaign.ask(2)
    assert "there is a campaign already" in complaint(StoreError, alloy)
    assert "there is no campaign" in complaint(StoreError, Campaign.open, "other")
    event = Path("alloy/events/000001.safetensors")
    whole = event.read_bytes()
    event.write_bytes(whole[:-8])
    assert "000001.safetensors" in complaint(StoreError, Campaign.open, "alloy")
    event.write_bytes(whole)
    assert len(Campaign.open("alloy").pending()) == 2


def test_a_copied_folder_goes_on(alloy):
    import shutil

    campaign = alloy()
    campaign.ask(2)
    shutil.copytree("alloy", "copy")
    assert Campaign.open("copy").ask(1).equals(campaign.ask(1))


def test_responses_of_other_units_are_weighed_by_their_deviations(alloy):
    campaign = alloy(responses=["load", "gap"], want=["load>=900", "gap<=0.001"])
    assert campaign.journal.targets.spread.tolist() == [1.0, 1.0]
    batch = campaign.ask(6)
    batch["load"], batch["gap"] = 500 * batch.cu, 0.01 * batch.mg
    campaign.tell(batch.head(4))
    assert campaign.journal.targets.spread.tolist() == [1.0, 1.0]  # too few
    campaign.tell(batch)
    spread = campaign.journal.targets.spread.tolist()
    assert spread == pytest.approx([batch.load.std(), batch.gap.std()])
    campaign.tell(pd.DataFrame({"id": [1], "load": [3.0], "gap": [1.0]}))
    assert campaign.journal.targets.spread.tolist() == spread  # it does not change any more


def test_a_campaign_says_where_it_stands(alloy):
    campaign = alloy()
    campaign.ask(2)
    assert repr(campaign) == "Campaign('alloy': 0 told, 2 pending)"


def test_a_response_is_found_by_its_name_without_the_unit():
    cu = pd.Series(range(12)) * 0.4
    table = pd.DataFrame({"cu (wt%)": cu, "mg": cu.iloc[::-1].to_numpy() ** 2})
    table["strength [MPa]"] = 200 + 20 * cu
    designs, _ = found_designs(read_known(table, None), ["strength"])
    assert designs.names == ("cu (wt%)", "mg")


def test_a_loop_that_is_no_campaign_is_left_alone(alloy, complaint):
    campaign = alloy()
    campaign.journal.change(facts={"owner": "somebody"})
    assert "no campaign that this version knows" in complaint(StoreError, Campaign.open, "alloy")


def test_what_is_wanted_and_allowed_may_change(alloy, known, complaint):
    campaign = alloy(known=known, responses=["strength", "cost = 2*cu"], want=["strength>=300"])
    campaign.change(want=["strength>=305", "cost=min"], constraints=["cu <= 2"])
    assert campaign.facts.want == ("strength>=305", "cost=min")
    assert bool((campaign.ask(10).cu <= 2 + 1e-9).all())
    assert campaign.best(1).cu.tolist() == [2.0]  # the stronger ones are not allowed any more
    campaign.change(want="strength>=306", bounds={"mg": (0, 1)}, noise={"strength": 2.0})
    again = Campaign.open("alloy")
    assert again.facts.want == ("strength>=306", "cost=min")
    assert again.facts.noise == {"strength": 2.0}
    assert again.problem.designs.variables[1].bounds == (0.0, 1.0)
    before = again.journal.events
    assert "say what is to change" in complaint(ConfigError, again.change)
    assert "no design 'x'" in complaint(UnknownNameError, again.change, bounds={"x": (0, 1)})
    complaint(ConfigError, again.change, constraints=["cu >= 9"])
    assert again.journal.events == before
