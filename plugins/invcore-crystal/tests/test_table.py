"""Fetching, checking and reading the table; what it holds."""

import pytest
import torch
from invcore_crystal import table as module
from invcore_crystal.lattice import design_space, equivalents
from invcore_crystal.table import CHECKSUMS, REGIONS, download, folder, read_rows, regions
from invcore_crystal.train import held_out, parts

from invcore import DataError


def one_line(error):
    return "\n" not in str(error.value)


def test_reads_numbers_and_drops_repeats(small):
    pairs = read_rows(small()[0], checksums=small()[1])
    assert pairs.x.dtype == torch.float64 and pairs.x.shape == (3, 7)
    assert pairs.x[1].tolist() == [3.1, 3.2, 12.3, 91.0, 90.0, 120.0, -0.5]
    assert pairs.y[:, 0].tolist() == [1.25, 0.0, 0.5]


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        ("3.1,3.2,12.3,90,90,120\n", "1\n", r"data_x.csv: has 6 columns, expected 7"),
        ("3.1,3.2,12.3,90,90,120,0\n", "1,2\n", r"data_y.csv: has 2 columns, expected 1"),
        ("3.1,3.2,12.3,90,90,120,0\n", "1\n2\n", r"data_x.csv has 1 rows, data_y.csv has 2"),
        ("3.1,3.2,12.3,90,90,wide,0\n", "1\n", r"data_x.csv"),
        ("3,3,12,90,90,120,0\n" * 2, "1\n2\n", r"rows 1 and 2 have one design, but two gaps"),
    ],
)
def test_bad_tables_are_refused_in_one_line(small, x, y, said):
    place, checksums = small(x, y)
    with pytest.raises(DataError, match=said) as error:
        read_rows(place, checksums=checksums)
    assert one_line(error)


def test_other_files_are_refused(small):
    place, _ = small()
    with pytest.raises(DataError, match=r"data_x.csv: its sha256 is .* published") as error:
        read_rows(place)
    assert one_line(error)


def test_absent_files_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"data_x.csv: cannot be read"):
        read_rows(tmp_path)


def test_download(small, tmp_path):
    source, checksums = small()
    place = download(tmp_path / "cache" / "mos2", url=source.as_uri(), checksums=checksums)
    assert sorted(file.name for file in place.iterdir()) == sorted(checksums)
    assert len(read_rows(place, checksums=checksums)) == 3


def test_download_of_a_wrong_file_leaves_nothing(small, tmp_path):
    source, checksums = small()
    wrong = {**checksums, "data_y.csv": "0" * 64}  # the first file is right
    with pytest.raises(DataError, match=r"data_y.csv: its sha256 is") as error:
        download(tmp_path / "cache", url=source.as_uri(), checksums=wrong)
    assert one_line(error) and not (tmp_path / "cache").exists()


def test_download_without_a_network_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"INVCORE_DATA") as error:
        download(tmp_path / "cache", url=(tmp_path / "nowhere").as_uri())
    assert one_line(error) and not (tmp_path / "cache").exists()


def test_download_into_a_file_is_refused(small, tmp_path):
    source, checksums = small()
    (tmp_path / "taken").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        download(tmp_path / "taken", url=source.as_uri(), checksums=checksums)


def test_folder_of_the_environment(small, tmp_path, monkeypatch):
    monkeypatch.setenv("INVCORE_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"mos2: has no data_x.csv and data_y.csv; unset"):
        folder()
    small()[0].rename(tmp_path / "mos2")
    assert folder() == tmp_path / "mos2"


def test_cache_is_filled_once(small, tmp_path, monkeypatch):
    source, checksums = small()
    fetched = []

    def fetch(to):
        fetched.append(to)
        return download(to, url=source.as_uri(), checksums=checksums)

    monkeypatch.delenv("INVCORE_DATA", raising=False)
    monkeypatch.setattr("click.get_app_dir", lambda name: str(tmp_path / name))
    monkeypatch.setattr(module, "download", fetch)
    assert folder() == folder() == tmp_path / "invcore" / "mos2"
    assert fetched == [tmp_path / "invcore" / "mos2"]


# The published table


def test_published_rows(rows):
    assert len(rows) == 10_430 and set(CHECKSUMS) == {"data_x.csv", "data_y.csv"}
    assert bool(design_space().contains(rows.x).all())
    assert float(rows.y.min()) == 0.0 and float(rows.y.max()) == 2.391


def test_bounds_are_the_table_s_ends(rows):
    space = design_space()
    width = space.high - space.low
    assert bool(((rows.x.amin(0) - space.low) / width < 1e-3).all())
    assert bool(((space.high - rows.x.amax(0)) / width < 1e-3).all())


def test_no_row_is_equivalent_to_another(rows):
    every = equivalents(rows.x)
    every = torch.where(every == 0, 0.0, every).round(decimals=6)
    smallest = [min(map(tuple, images)) for images in every.transpose(0, 1).tolist()]
    assert len(set(smallest)) == len(rows)


def test_held_out_rows_are_no_others(rows):
    known, unseen = held_out(rows, 0)
    assert len(known) + len(unseen) == len(rows) and abs(len(unseen) - 1043) <= 1
    assert not set(map(tuple, known.x.tolist())) & set(map(tuple, unseen.x.tolist()))
    found = parts(unseen)
    assert len(found["metals"]) + len(found["semiconductors"]) == len(unseen)
    assert sum(len(found[name]) for name in REGIONS) == len(unseen)
    assert bool((found["metals"].y == 0).all() and (found["semiconductors"].y > 0).all())


def test_regions_by_hand():
    x = torch.tensor(
        [
            [3.16, 2.6, 12.3, 90.0, 90.0, 120.0, 1.0],
            [3.16, 3.1, 12.0, 95.0, 90.0, 120.0, 1.0],
            [3.16, 3.1, 12.0, 75.0, 90.0, 120.0, 1.0],
        ],
        dtype=torch.float64,
    )
    assert regions(x).tolist() == [0, 1, 2]
