"""The spaces that a schema implies: priors, bounds and constraints."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from invcore_solve.schema.choices import Choices
from invcore_solve.schema.inspection import inspect_table
from invcore_solve.schema.spaces import design_space, listed_space, response_space
from invcore_solve.tables.read import read

from invcore.base.errors import ConfigError
from invcore.plugin import Categorical, Fixed, Integers, Levels, LogUniform, Periodic, Uniform

ROWS = 60
DRAWS = np.random.default_rng(0)
CELLS = {
    "p": DRAWS.random(ROWS) / 2, "q": DRAWS.random(ROWS) / 2, "step": np.arange(ROWS) % 4 * 0.5,
    "metal": np.array(["tin", "brass", "iron"])[np.arange(ROWS) % 3],
    "count": DRAWS.permutation(ROWS), "angle": DRAWS.random(ROWS) * 300,
    "dose": 10 ** (4 * DRAWS.random(ROWS)),
}  # fmt: skip
CELLS["r"] = 1 - CELLS["p"] - CELLS["q"]


def space(said=None, names=tuple(CELLS)):
    said = (said or Choices()).model_copy(update={"responses": ("y",)})
    found = inspect_table(
        read(pd.DataFrame({**{n: CELLS[n] for n in names}, "y": DRAWS.random(ROWS)})), said
    )
    return design_space(found.schema, said, found.x), found


def one(said, name, **choice):
    made, _ = space(said.change(name, **choice) if choice else said)
    return made.variables[made.index(name)], [
        c for c in made.constraints if getattr(c, "variable", None) == name
    ]


def test_what_is_found_is_what_the_space_says():
    made, found = space()
    priors = {v.name: v.prior for v in made.variables}
    for name in ("p", "angle", "dose"):
        assert priors[name] == Uniform(low=CELLS[name].min(), high=CELLS[name].max())
    assert priors["count"] == Integers(low=0, high=ROWS - 1)
    assert priors["metal"] == Categorical(categories=("brass", "iron", "tin"))
    kinds = sorted(c.kind for c in made.constraints)
    assert kinds == ["levels", "linear-equality"], kinds
    (relation,) = (c for c in made.constraints if c.kind == "linear-equality")
    assert relation.coefficients == {"p": 1, "q": 1, "r": 1} and relation.value == 1
    assert bool(made.contains(torch.from_numpy(found.x)).all()), "the rows themselves are allowed"


def test_what_is_said_is_what_the_space_says():
    said = Choices()
    assert one(said, "step", kind="number")[1] == []
    assert one(said, "step", levels=(0.25, 4))[1] == [Levels(variable="step", values=(0.25, 4))]
    assert one(said, "step", levels=(0.25, 4))[0].bounds == (0.25, 4)
    variable, (turn,) = one(said, "angle", periodic=(0, 360))
    assert variable.bounds == (0, 360) and turn == Periodic(variable="angle", low=0, high=360)
    dose, _ = one(said, "dose", log=True)
    assert dose.prior == LogUniform(low=CELLS["dose"].min(), high=CELLS["dose"].max())
    assert one(said, "dose", log=True, bounds=(-5, 10))[0].prior.low == CELLS["dose"].min()
    assert one(said, "dose", positive=True, bounds=(-5, 10))[0].bounds == (0, 10)
    assert one(said, "step", fix=1.25)[1] == [Fixed(variable="step", value=1.25)]
    assert one(said, "metal", fix="iron")[1] == [Fixed(variable="metal", value=1)]


@pytest.mark.parametrize("ends", [(-1, 9), (0.1, 0.2), (0.1, 9)])
def test_bounds_may_be_wider_or_narrower_than_the_data(ends):
    variable, _ = one(Choices(), "angle", bounds=ends)
    assert variable.bounds == ends


def test_bounds_of_one_side_and_of_whole_numbers_and_levels():
    assert one(Choices(), "count", bounds=(2.5, 7.5))[0].prior == Integers(low=3, high=7)
    low = CELLS["p"].min()
    assert one(Choices(), "p", bounds=(None, 0.25))[0].bounds == (low, 0.25)
    (levels,) = one(Choices(), "step", bounds=(0.4, 1.1))[1]
    assert levels.values == (0.5, 1.0)


WRONG = {
    "no level": ({"step": {"bounds": (0.6, 0.9)}}, "no level lies between 0.6 and 0.9"),
    "no number": ({"step": {"fix": "wide"}}, "'wide' is no number"),
    "no category": ({"metal": {"fix": "irn"}}, "Did you mean 'iron'"),
    "no whole number": ({"count": {"bounds": (3.2, 3.8)}}, "between 3.2 and 3.8"),
    "nothing positive": ({"p": {"log": True, "bounds": (-3, -1)}}, "leaves no room"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_leaves_nothing_is_refused(name, complaint):
    columns, words = WRONG[name]
    assert words in complaint(ConfigError, space, Choices(columns=columns))


def test_what_is_fixed_stays_part_of_a_relation():
    made, _ = space(Choices().change("p", fix=0.2), ("p", "q", "r"))
    assert [c.kind for c in made.constraints] == ["fixed", "linear-equality"]


def test_a_list_is_all_that_there_is():
    made, found = space(names=("p", "step", "metal"))
    listed = np.array([[3.0, 0.5, 1], [0.1, 0.5, 0], [0.1, 0.5, 0]])
    only = listed_space(made, listed)
    assert [c.kind for c in only.constraints] == ["among"]
    assert only.constraints[0].designs == ((0.1, 0.5, 0), (3.0, 0.5, 1))
    assert only.variables[0].bounds[1] == 3.0, "beyond the table's own"
    assert only.contains(torch.from_numpy(listed)).tolist() == [True] * 3
    assert only.contains(torch.from_numpy(found.x[:1])).tolist() == [False]


def test_responses_are_in_the_order_in_which_they_were_named():
    frame = pd.DataFrame({"b": DRAWS.random(20), "x": DRAWS.random(20), "a [mm]": DRAWS.random(20)})
    said = Choices(responses=("a [mm]", "b"))
    made = response_space(inspect_table(read(frame), said).schema, said.responses)
    assert made.names == ("a [mm]", "b") and made.variables[0].unit == "mm"
