"""Files of tensors from anywhere: what their headers declare is never believed."""

from __future__ import annotations

import json

import pytest
import torch

from invcore.storage.sealed_tensors import checksum_of, read_sealed, sealed_tensors

X = {"x": torch.arange(6.0).view(2, 3)}


def head(document, data=b"\0" * 8, length=None):
    text = json.dumps(document).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(shape, offsets, kind="F64"):
    return {"x": {"dtype": kind, "shape": shape, "data_offsets": offsets}}


HOSTILE = {
    "nothing": b"",
    "a header of 2^62 bytes": head({}, length=2**62),
    "a header of nearly 100 MB": head({}, length=99_999_999),
    "2^40 numbers": head(entry([2**40], [0, 8])),
    "2^40 numbers said to be there": head(entry([2**40], [0, 2**43])),
    "more numbers than can be counted": head(entry([2**40, 2**40, 2**40], [0, 8])),
    "fewer bytes than none": head(entry([1], [8, 0])),
    "no type": head(entry([1], [0, 8], "F65")),
    "no object": b"\x02\0\0\0\0\0\0\0[]",
    "no text": b"\x02\0\0\0\0\0\0\0\xff\xfe",
    "a deep one": head({})[:8] + b"[" * 100,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_headers_that_cannot_be_are_refused(what, tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(HOSTILE[what])
    with pytest.raises(ValueError, match="no file of tensors") as caught:
        read_sealed(path, kind="entry")
    assert "\n" not in str(caught.value)


def test_what_was_written_comes_back_and_only_that_is_whole(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(sealed_tensors(X, "text", kind="entry"))
    found = read_sealed(path, kind="entry")
    assert found.whole is True and found.text == "text" and torch.equal(found.tensors["x"], X["x"])
    other = read_sealed(path, kind="batch")
    assert other.whole is False
    with pytest.raises(FileNotFoundError):
        read_sealed(tmp_path / "none", kind="entry")


def test_the_checksum_knows_names_types_shapes_and_text():
    sums = {
        checksum_of("a", X), checksum_of("b", X), checksum_of("a", {"y": X["x"]}),
        checksum_of("a", {"x": X["x"].double()}), checksum_of("a", {"x": X["x"].view(3, 2)}),
        checksum_of("a", {"x": X["x"] + 1}), checksum_of("a", {**X, "none": torch.empty(0)}),
    }  # fmt: skip
    assert len(sums) == 7
