"""The report's folder is whole or absent, and nobody's files are lost."""

from __future__ import annotations

import pytest
from invcore_report.folder import MARK, replacing

from invcore import StoreError


def write(to, text="one"):
    with replacing(to) as new:
        (new / "index.html").write_text(f"<html>{MARK}{text}")
        (new / "pictures" / f"{text}.svg").write_text("")


def test_an_earlier_report_is_replaced(tmp_path):
    to = tmp_path / "deep" / "report"
    write(to)
    write(to, "two")
    assert [path.name for path in (to / "pictures").iterdir()] == ["two.svg"]
    assert "two" in (to / "index.html").read_text()
    assert [path.name for path in to.parent.iterdir()] == ["report"]


def test_nothing_half_written_is_seen(tmp_path):
    to = tmp_path / "report"
    write(to)
    with pytest.raises(ZeroDivisionError), replacing(to) as new:
        (new / "index.html").write_text("half")
        assert "one" in (to / "index.html").read_text()
        raise ZeroDivisionError
    assert "one" in (to / "index.html").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_an_empty_folder_is_fine(tmp_path):
    (tmp_path / "report").mkdir()
    write(tmp_path / "report")
    assert (tmp_path / "report" / "index.html").is_file()


@pytest.mark.parametrize(
    "foreign",
    ["notes.txt", "pictures/cat.jpg", "pictures/more/one.svg", "pictures/index.html"],
)
def test_the_files_of_others_are_kept(tmp_path, foreign):
    to = tmp_path / "report"
    write(to)
    (to / foreign).parent.mkdir(exist_ok=True)
    (to / foreign).write_text("mine")
    with pytest.raises(StoreError, match="to=FOLDER names another"):
        write(to, "two")
    assert (to / foreign).read_text() == "mine" and "one" in (to / "index.html").read_text()


def test_a_page_of_others_is_kept(tmp_path, call, runs):
    to = tmp_path / "site"
    to.mkdir()
    (to / "index.html").write_text("<html>my site")
    runs.add("na", candidates=3, targets=2)
    done = call("report", "--store", runs.store.root, "--to", to)
    assert done.code == 3 and "would be lost" in done.err
    assert (to / "index.html").read_text() == "<html>my site"


def test_what_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link"):
        with pytest.raises(StoreError, match="is no folder"):
            write(tmp_path / name)


def test_what_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        write(tmp_path / "file" / "report")
    to = tmp_path / "report"
    with pytest.raises(StoreError, match="holds other things"), replacing(to) as new:
        (new / "index.html").write_text(MARK)
        to.mkdir()
        (to / "meanwhile.txt").write_text("mine")  # somebody was quicker
    assert [path.name for path in to.iterdir()] == ["meanwhile.txt"]
