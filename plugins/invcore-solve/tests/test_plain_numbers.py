"""Large files of plain numbers are read as the careful reader reads them."""

from __future__ import annotations

import numpy as np
import pytest
from invcore_solve.tables import read as module
from invcore_solve.tables.read import read

HEAD = "width [mm],load,n\n"
LINES = [f"{n * 0.1!r},{'' if n % 9 == 4 else n - 50},{n}" for n in range(200)]


def both(path, text, monkeypatch, **options):
    """What the quick and the careful way make of a text, and whether the quick one was taken."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    taken = []
    plain = module.plain_numbers

    def noted(*args):
        taken.append(plain(*args))
        return taken[-1]

    found = []
    for large in (0, 1 << 40):
        with monkeypatch.context() as patch:
            patch.setattr(module, "LARGE", large)
            patch.setattr(module, "plain_numbers", noted)
            try:
                found.append(read(path, **options))
            except Exception as error:
                found.append((type(error), str(error)))
    return *found, bool(taken and taken[0] is not None)


def same(first, second):
    if isinstance(first, tuple) or isinstance(second, tuple):
        assert first == second
        return
    assert (first.names, first.units, first.notes) == (second.names, second.units, second.notes)
    assert (first.named, first.decimal) == (second.named, second.decimal)
    assert first.rows.tolist() == second.rows.tolist()
    for name in first.names:
        one, other = first.column(name), second.column(name)
        assert (one.kind, one.texts, one.unit) == (other.kind, other.texts, other.unit)
        assert np.array_equal(one.values, other.values, equal_nan=True)
        assert np.array_equal(one.missing, other.missing)


PLAIN = {
    "plain": HEAD + "\n".join(LINES),
    "end": HEAD + "\n".join(LINES) + "\n\n\n",
    "windows": (HEAD + "\n".join(LINES)).replace("\n", "\r\n"),
    "mark": b"\xef\xbb\xbf" + (HEAD + "\n".join(LINES)).encode(),
    "powers": HEAD + "\n".join(f"{n}e-{n},{-n}.5E+3,.5" for n in range(200)),
}
UNUSUAL = {
    "quote": HEAD + "\n".join([*LINES, '"1",2,3']),
    "comment": HEAD + "\n".join([*LINES, "# 1,2,3"]),
    "text": HEAD + "\n".join([*LINES, "a,2,3"]),
    "nan": HEAD + "\n".join([*LINES, "nan,2,3"]),
    "inf": HEAD + "\n".join([*LINES, "inf,2,3"]),
    "hexadecimal": HEAD + "\n".join([*LINES, "0x10,2,3"]),
    "blank": HEAD + "\n".join([*LINES, "", "1,2,3"]),
    "commas": HEAD + "\n".join([*LINES, ",,", "1,2,3"]),
    "short": HEAD + "\n".join([*LINES, "1,2"]),
    "long": HEAD + "\n".join([*LINES, "1,2,3,4"]),
    "huge": HEAD + "\n".join([*LINES, "1,2,12345678901234567891"]),
    "whole": HEAD + "\n".join([*LINES, "1,2,9007199254740993"]),
    "truth": HEAD + "\n".join(["true,1,2"] * 200),
    "date": HEAD + "\n".join(["2020-01-01,1,2"] * 200),
    "no names": "\n".join(LINES),
    "units": HEAD + "mm,kN,-\n" + "\n".join(LINES),
    "title": "My table\n" + HEAD + "\n".join(LINES),
    "semicolons": (HEAD + "\n".join(LINES)).replace(",", ";"),
    "one column": "a\n" + "\n".join(str(n) for n in range(200)),
    "latin": "bre\xefte,b\n".encode("latin-1") + b"\n".join(b"1,2" for _ in range(200)),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_files_are_read_quickly_and_the_same(tmp_path, monkeypatch, name):
    quick, careful, taken = both(tmp_path / "t.csv", PLAIN[name], monkeypatch)
    assert taken and len(quick) == 200
    same(quick, careful)


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_unusual_is_left_to_the_careful_reader(tmp_path, monkeypatch, name):
    quick, careful, taken = both(tmp_path / "t.csv", UNUSUAL[name], monkeypatch)
    assert not taken
    same(quick, careful)


@pytest.mark.parametrize("options", [{"header": False}, {"units": True}, {"expected": ["load"]}])
def test_options_mean_the_same(tmp_path, monkeypatch, options):
    quick, careful, _ = both(tmp_path / "t.csv", PLAIN["plain"], monkeypatch, **options)
    same(quick, careful)
