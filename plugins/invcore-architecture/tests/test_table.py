"""Tables of cells: identity, files that are checked, and the one that is shipped."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from invcore_architecture.families import FIELDS, random_cells
from invcore_architecture.generate import SHARES, both_moduli, generate, main
from invcore_architecture.table import CellTable, first_seen, identity, shipped

from invcore import DataError
from invcore.plugin import generator


def test_shifts_and_mirrors_are_the_same_cell_and_others_are_not():
    cells = torch.cat([random_cells(name, 30, 16, generator(0, name)) for name in FIELDS])
    keys = identity(cells)
    assert identity(cells.roll((5, 11), (1, 2))) == keys
    assert identity(cells.flip(1)) == keys and identity(cells.flip(2)) == keys
    assert identity(cells.flip(1).flip(2).roll(3, 1)) == keys
    assert sum(a == b for a, b in zip(identity(cells.mT), keys, strict=True)) < 30
    other = cells.clone()
    other[:, 0, 0] ^= True
    assert not set(identity(other)) & set(keys)


def test_the_first_of_each_kind_is_kept():
    cells = random_cells("foam", 3, 8, generator(0))
    known: set[bytes] = set()
    many = torch.cat([cells, cells.roll(1, 1), cells[:1].flip(2)])
    assert first_seen(many, known).tolist() == [0, 1, 2]
    assert first_seen(many, known).tolist() == []


def made(tmp_path, **more):
    return generate(40, tmp_path / "cells.npz", 3, side=8, shard=8, **more)


def test_a_table_is_written_and_read(tmp_path):
    table = made(tmp_path)
    again = CellTable.load(tmp_path / "cells.npz")
    assert torch.equal(again.cells, table.cells) and torch.equal(again.moduli, table.moduli)
    assert torch.equal(again.family, table.family) and again.families == tuple(SHARES)
    assert again.settings == table.settings and again.settings["seed"] == 3
    assert len(table) == 40 and len(set(identity(table.cells))) == 40
    counts = torch.bincount(table.family, minlength=len(SHARES)).tolist()
    assert counts == [14, 4, 6, 5, 5, 4, 2]
    assert torch.allclose(table.moduli, both_moduli(table.cells, 1e-3, 0.3), rtol=1e-9)


def test_an_interrupted_generation_goes_on(tmp_path):
    whole = made(tmp_path / "whole")
    made(tmp_path / "cut")
    parts = tmp_path / "cut" / "cells.npz.parts"
    assert len(list(parts.iterdir())) >= len(SHARES)
    kept = parts / "foam-0000.npz"
    before = kept.stat().st_mtime_ns
    for path in parts.glob("ellipses-*"):
        path.unlink()
    (tmp_path / "cut" / "cells.npz").unlink()
    again = made(tmp_path / "cut")
    assert torch.equal(again.cells, whole.cells) and torch.equal(again.moduli, whole.moduli)
    assert kept.stat().st_mtime_ns == before


def test_shards_of_other_settings_are_refused(tmp_path):
    made(tmp_path)
    with pytest.raises(DataError, match=r"random-field-0000\.npz: made with other settings"):
        made(tmp_path, soft=1e-2)


def test_the_command_writes_a_table_or_says_why_not(tmp_path):
    path = tmp_path / "cells.npz"
    given = ["--count", "10", "--side", "8", "--out", str(path)]
    done = CliRunner().invoke(main, given)
    assert done.exit_code == 0 and "10 cells in" in done.output
    assert len(CellTable.load(path)) == 10
    refused = CliRunner().invoke(main, [*given, "--seed", "1"])
    assert refused.exit_code == 1 and "made with other settings" in refused.output
    assert "Traceback" not in refused.output


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(DataError, match="absent"):
        CellTable.load(tmp_path / "absent.npz")
    text = tmp_path / "text.npz"
    text.write_text("cells")
    with pytest.raises(DataError, match="no table of cells"):
        CellTable.load(text)
    np.savez(tmp_path / "pickle.npz", cells=np.array([{}], dtype=object))
    with pytest.raises(DataError, match="no table of cells"):
        CellTable.load(tmp_path / "pickle.npz")
    made(tmp_path)
    arrays = dict(np.load(tmp_path / "cells.npz"))
    for name, change in (("cells", 1), ("moduli", 1e-9), ("family", 1)):
        altered = arrays | {name: arrays[name].copy()}
        altered[name].flat[0] += change
        np.savez(tmp_path / "altered.npz", **altered)
        with pytest.raises(DataError, match="damaged"):
            CellTable.load(tmp_path / "altered.npz")
    np.savez(tmp_path / "facts.npz", **(arrays | {"facts": np.array("{")}))
    with pytest.raises(DataError, match=r"facts\.npz: no table of cells"):
        CellTable.load(tmp_path / "facts.npz")


def test_the_shipped_table_is_what_it_says():
    table = shipped()
    assert len(table) == 20_000 and table.cells.shape[1:] == (32, 32)
    assert table.settings["soft"] == 1e-3 and table.settings["poisson"] == 0.3
    porosity = 1 - table.cells.double().mean(dim=(1, 2))
    assert porosity.min() >= 0.25 and porosity.max() <= 0.75
    assert len(set(identity(table.cells))) == len(table)
    rows = torch.randperm(len(table), generator=generator(0))[:40]
    assert torch.allclose(table.moduli[rows], both_moduli(table.cells[rows], 1e-3, 0.3), rtol=1e-9)
    voigt = (1 - porosity) + porosity * 1e-3
    assert (table.moduli <= voigt[:, None] * (1 + 1e-9)).all()
    assert (table.moduli >= 1e-3).all()


def test_the_shipped_table_begins_as_its_seed_says():
    """The first cells of each random family, drawn again."""
    table = shipped()
    for place, name in enumerate(table.families):
        if name in FIELDS:
            draw = generator(table.settings["seed"], "cells", name, 0)
            first = random_cells(name, table.settings["shard"], 32, draw)
            ours = table.cells[table.family == place][:20]
            assert torch.equal(ours, first[first_seen(first, set())][:20])
