"""A bundle is whole or absent, the same after reading, and refused in one line if it is damaged."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch
from invcore_proxy import bundle as module
from invcore_proxy import read_bundle, write_bundle
from invcore_proxy.task import ProxyTask, ProxyTaskConfig
from safetensors.torch import load_file, save_file

from invcore import ConfigError, Normal, ShapeError, Space, StoreError, Variable

from .conftest import box, fitted, outputs, waves


def edit(folder, change):
    """Change ``task.json``."""
    document = json.loads((folder / "task.json").read_text())
    document.pop("checksum", None)
    change(document)
    (folder / "task.json").write_text(json.dumps(document))


def resave(folder, change):
    """Change the tensors, and record the checksum of the changed file."""
    path = folder / "proxy.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    edit(folder, lambda d: d["files"].update({"proxy.safetensors": checksum}))


def test_a_bundle_is_the_same_after_reading(small, bundle):
    proxy, report, pairs = small
    found = read_bundle(bundle)
    before, after = proxy.predict(pairs.x), found.proxy.predict(pairs.x)
    assert torch.equal(before.mean, after.mean) and torch.equal(before.spread, after.spread)
    assert found.report == report
    assert (found.designs, found.responses, found.title) == (box("ab"), outputs(2), "Two waves")
    assert found.record.licence == "CC0 1.0\nfree"
    assert found.record.provenance.tables[0].rows == 400
    assert found.record.config == proxy.config
    assert sorted(p.name for p in bundle.iterdir()) == [
        "held-out.png", "proxy.safetensors", "task.json",
    ]  # fmt: skip
    assert (bundle / "held-out.png").read_bytes().startswith(b"\x89PNG")


def test_the_checksum_is_of_all_that_decides_what_it_predicts(bundle):
    def changed(place, key, value):
        def change(document):
            for step in place:
                document = document[step]
            document[key] = value

        edit(bundle, change)
        return read_bundle(bundle).checksum

    first = read_bundle(bundle).checksum
    assert changed((), "title", "Other waves") == first
    prior = {"kind": "uniform", "low": 0.5, "high": 1.0}
    second = changed(("designs", "variables", 0), "prior", prior)
    third = changed(("config",), "activation", "tanh")
    assert len({first, second, third}) == 3


def test_half_the_bits_are_read_back_bit_by_bit(tmp_path):
    proxy, report, pairs = fitted(waves, half=True, zero_part=True, training={"epochs": 3})
    write_bundle(tmp_path / "half", proxy, report, box("ab"), outputs(2))
    found = read_bundle(tmp_path / "half")
    assert torch.equal(found.proxy(pairs.x), proxy(pairs.x))
    kinds = {v.dtype for v in load_file(tmp_path / "half" / "proxy.safetensors").values()}
    assert kinds == {torch.float16, torch.float64}


def test_other_priors_may_be_written_but_not_other_variables(small, tmp_path):
    proxy, report, _ = small
    prior = Normal(mean=0.0, std=0.5)
    normal = Space.of(*(Variable(name=n, prior=prior, low=-1.0, high=1.0) for n in "ab"))
    write_bundle(tmp_path / "normal", proxy, report, normal, outputs(2))
    assert read_bundle(tmp_path / "normal").designs == normal
    with pytest.raises(ShapeError, match="names or categories"):
        write_bundle(tmp_path / "other", proxy, report, box("ba"), outputs(2))
    with pytest.raises(ShapeError, match="1 responses, but the proxy gives 2"):
        write_bundle(tmp_path / "other", proxy, report, box("ab"), outputs(1))
    assert not (tmp_path / "other").exists()


def test_a_bundle_replaces_a_bundle_and_nothing_else(small, bundle, tmp_path):
    proxy, report, _ = small
    spaces = box("ab"), outputs(2)
    write_bundle(bundle, proxy, report, *spaces, title="Again")
    assert read_bundle(bundle).title == "Again"
    (tmp_path / "empty").mkdir()
    write_bundle(tmp_path / "empty", proxy, report, *spaces)
    (bundle / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="holds other things"):
        write_bundle(bundle, proxy, report, *spaces)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "task.json").write_text("[]")
    with pytest.raises(StoreError, match="holds other things"):
        write_bundle(tmp_path / "photos", proxy, report, *spaces)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="is a file"):
        write_bundle(tmp_path / "file", proxy, report, *spaces)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_nothing_is_left_behind_when_writing_fails(small, bundle, tmp_path, monkeypatch):
    proxy, report, _ = small
    before = {p.name: p.read_bytes() for p in bundle.iterdir()}

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "draw_held_out", full)
    with pytest.raises(StoreError, match="No space left"):
        write_bundle(bundle, proxy, report, box("ab"), outputs(2))
    with pytest.raises(StoreError, match="No space left"):
        write_bundle(tmp_path / "new", proxy, report, box("ab"), outputs(2))
    assert {p.name: p.read_bytes() for p in bundle.iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["waves"]


def flip(folder):
    path = folder / "proxy.safetensors"
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(bytes(data))


WEIGHT = "member.0.body.0.weight"
DAMAGES = {
    "a flipped bit": (flip, "proxy.safetensors: damaged, its checksum"),
    "cut short": (
        lambda f: (f / "proxy.safetensors").write_bytes(b"\0" * 9), "damaged, its checksum"
    ),
    "no tensors": (lambda f: (f / "proxy.safetensors").unlink(), "proxy.safetensors: cannot be"),
    "no task.json": (lambda f: (f / "task.json").unlink(), "task.json: cannot be read"),
    "no JSON": (lambda f: (f / "task.json").write_text("{"), "task.json: damaged"),
    "another number": (
        lambda f: (f / "task.json").write_text((f / "task.json").read_text().replace("3", "4", 1)),
        "task.json: damaged, its checksum",
    ),
    "another schema": (lambda f: edit(f, lambda d: d.update(schema_version=9)), "has schema 9"),
    "another task": (lambda f: edit(f, lambda d: d.update(task="crystal")), "task"),
    "an unknown key": (lambda f: edit(f, lambda d: d.update(code="x")), "code"),
    "no space": (lambda f: edit(f, lambda d: d.pop("designs")), "designs"),
    "no checksum": (lambda f: edit(f, lambda d: d.update(files={})), "its checksum"),
    "another config": (
        lambda f: edit(f, lambda d: d["config"].update(members=4)), "'member.3.body.0.weight' is"
    ),
    "a missing tensor": (lambda f: resave(f, lambda t: t.pop(WEIGHT)), "'member.0.body.0.weight'"),
    "a tensor too many": (
        lambda f: resave(f, lambda t: t.update({"member.0.more": torch.ones(1)})), "no member"
    ),
    "another shape": (
        lambda f: resave(f, lambda t: t.update({WEIGHT: torch.ones(24, 3)})),
        r"shape (24, 3), expected (24, 2)",
    ),
    "another type": (
        lambda f: resave(f, lambda t: t.update({WEIGHT: t[WEIGHT].double()})), "type torch.float64"
    ),
    "not finite": (
        lambda f: resave(f, lambda t: t.update({WEIGHT: t[WEIGHT] / 0})), "not finite"
    ),
    "fewer responses": (
        lambda f: edit(f, lambda d: d["responses"]["variables"].pop()), "1 responses"
    ),
    "a symmetry of others": (
        lambda f: edit(f, lambda d: d["config"].update(symmetries=[["a", "c"]])), "symmetry 'a c'"
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_bundle_is_refused_in_one_line(bundle, damage):
    change, said = DAMAGES[damage]
    change(bundle)
    with pytest.raises(StoreError) as error:
        read_bundle(bundle)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert str(bundle) in str(error.value)


def test_no_safetensors_at_all_is_refused(bundle):
    path = bundle / "proxy.safetensors"
    path.write_bytes(b"pickled?")
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    edit(bundle, lambda d: d["files"].update({"proxy.safetensors": checksum}))
    with pytest.raises(StoreError, match="does not fit"):
        read_bundle(bundle)


def test_the_task_is_the_bundle(small, bundle):
    task = ProxyTask(ProxyTaskConfig(bundle=str(bundle)))
    x = small[2].x[:9]
    assert torch.equal(task.simulate(x), small[0](x))
    assert task.fingerprint == read_bundle(bundle).checksum
    assert (task.designs, task.responses) == (box("ab"), outputs(2))
    with pytest.raises(ConfigError, match="needs a bundle"):
        ProxyTask()
    with pytest.raises(ShapeError):
        task.simulate(torch.zeros(2, 5))
