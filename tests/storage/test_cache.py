"""The cache: computed once, never believed where it is damaged, never kept where a link leads."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from invcore.storage.cache import Cache, read_entry

KEY = {"count": 3}
VALUE = {"x": torch.arange(3.0), "none": torch.empty(0, 2)}


@pytest.fixture
def cached(tmp_path):
    """A cache's file, what it says, and how often something was computed."""

    class Cached:
        said, computed = [], 0
        root = tmp_path / ".cache"

        def get(self, **key):
            def compute():
                self.computed += 1
                return VALUE

            return Cache(self.root, self.said.append).tensors("thing", {**KEY, **key}, compute)

        @property
        def files(self):
            return sorted(self.root.iterdir())

    work = Cached()
    work.said = []
    work.get()
    return work


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_it_is_computed_once(cached):
    assert same(cached.get(), VALUE) and cached.computed == 1 and cached.said == []
    assert [path.suffix for path in cached.files] == [".safetensors"]


def test_every_flipped_bit_and_every_cut_is_noticed_and_computed_again(cached):
    (path,) = cached.files
    whole = path.read_bytes()
    damages = [whole[:length] for length in (0, 5, 9, len(whole) // 2, len(whole) - 1)]
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        damages.append(bytes(flipped))
    for number, damage in enumerate(damages):
        path.write_bytes(damage)
        assert same(cached.get(), VALUE), number
        assert same(read_entry(path), VALUE), number  # mended, where it was damaged
    assert cached.computed == len(cached.said) + 1 >= len(damages) - 8, "padding says nothing"
    assert all("computed again" in line and "\n" not in line for line in cached.said)


def test_another_entry_under_its_name_is_noticed(cached):
    (path,) = cached.files
    cached.get(other=True)
    (other,) = set(cached.files) - {path}
    path.write_bytes(other.read_bytes())
    cached.get()
    assert cached.computed == 3 and "is the file thing-" in cached.said[0]


def test_what_earlier_versions_wrote_has_no_checksum_and_is_computed_again(cached):
    (path,) = cached.files
    save_file({"x": torch.zeros(3)}, path)
    assert same(cached.get(), VALUE) and "without a checksum" in cached.said[0]


def test_links_are_not_followed(cached, tmp_path):
    (path,) = cached.files
    outside = tmp_path / "outside"
    outside.mkdir()
    path.rename(outside / path.name)
    path.symlink_to(outside / path.name)
    before = (outside / path.name).read_bytes()
    cached.get()
    assert "is a link" in cached.said[0] and not path.is_symlink()
    cached.root.rename(tmp_path / "moved")
    cached.root.symlink_to(outside)
    cached.get(more=1)
    assert "nothing is kept there" in cached.said[1]
    assert [p.name for p in outside.iterdir()] == [path.name]
    assert (outside / path.name).read_bytes() == before
