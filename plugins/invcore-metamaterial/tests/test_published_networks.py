"""The published networks: the form of their weights, and files that are none."""

import io
import pickle
import zipfile

import pytest
import torch
from invcore_metamaterial.published_networks import Member, download, git_blob, read_weights
from invcore_metamaterial.task import MetaMaterial
from torch.nn import functional

from invcore import DataError
from invcore.plugin import generator


def weights(seed=0):
    torch.manual_seed(seed)
    state = Member().state_dict()
    for name, value in state.items():
        if name.endswith("running_var"):
            state[name] = torch.rand_like(value) + 0.5
    return state


def archive(path, states, name="state_dicts/mm{}.pth"):
    with zipfile.ZipFile(path, "w") as file:
        for number, state in enumerate(states, start=1):
            data = io.BytesIO()
            torch.save(state, data)
            file.writestr(name.format(number), data.getvalue())
    return path


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    with torch.random.fork_rng():
        states = [weights(seed) for seed in range(5)]
    return archive(tmp_path_factory.mktemp("w") / "state_dicts.zip", states), states


def by_hand(state, x):
    """The network as the paper describes it, layer by layer."""
    out = x
    for i in range(4):
        out = functional.linear(out, state[f"linears.{i}.weight"], state[f"linears.{i}.bias"])
        mean, var = state[f"bn_linears.{i}.running_mean"], state[f"bn_linears.{i}.running_var"]
        out = (out - mean) / (var + 1e-5).sqrt()
        out = out * state[f"bn_linears.{i}.weight"] + state[f"bn_linears.{i}.bias"]
        out = out.clamp(min=0)
    out = functional.linear(out, state["linears.4.weight"], state["linears.4.bias"])[:, None]
    for i, (stride, padding) in enumerate([(2, 3), (1, 2), (1, 2)]):
        out = functional.conv_transpose1d(
            out, state[f"convs.{i}.weight"], state[f"convs.{i}.bias"], stride, padding
        )
    return functional.conv1d(out, state["convs.3.weight"], state["convs.3.bias"])[:, 0]


def test_task_is_the_mean_of_the_five_networks(published):
    path, states = published
    task = MetaMaterial(MetaMaterial.Config(simulator="bdimnna", weights=str(path)))
    x = task.designs.sample(6, generator(0))
    low, high = torch.tensor([30.0] * 4 + [42.0] * 4), torch.tensor([52.0] * 8)
    scaled = (2 * (x - low) / (high - low) - 1).float()
    expected = torch.stack([by_hand(state, scaled) for state in states]).mean(0)
    torch.testing.assert_close(task.simulate(x).float(), expected, rtol=1e-4, atol=1e-5)


def test_folder_and_archive_are_the_same(published, tmp_path):
    path, _ = published
    with zipfile.ZipFile(path) as file:
        file.extractall(tmp_path)
    assert read_weights(tmp_path)[1] == read_weights(path)[1]


def test_fingerprint_tells_weights_apart(published, tmp_path):
    path, states = published
    other = archive(tmp_path / "other.zip", [*states[:4], states[0]])
    prints = {
        MetaMaterial(MetaMaterial.Config(simulator="bdimnna", weights=str(p))).fingerprint
        for p in (path, other)
    }
    assert len(prints) == 2


class Bomb:
    def __reduce__(self):
        return print, ("code of the file was run",)


def test_code_in_a_file_is_not_run(published, tmp_path, capsys):
    _, states = published
    path = archive(tmp_path / "bad.zip", states)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("mm0.pth", pickle.dumps(Bomb()))
    with zipfile.ZipFile(path) as file, zipfile.ZipFile(tmp_path / "five.zip", "w") as kept:
        for name in file.namelist()[1:]:
            kept.writestr(name, file.read(name))
    with pytest.raises(DataError, match="plain tensors"):
        read_weights(tmp_path / "five.zip")
    assert "was run" not in capsys.readouterr().out


def test_an_archive_of_more_files_is_refused_before_any_is_unpacked(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(6):
            file.writestr(f"mm{number}.pth", bytes(10**6))
    monkeypatch.setattr(zipfile.ZipFile, "read", None)
    with pytest.raises(DataError, match="has 6"):
        read_weights(tmp_path / "bomb.zip")


@pytest.mark.parametrize("place", [60, 200, 400])
def test_a_damaged_archive_is_refused_in_one_line(tmp_path, place):
    path = tmp_path / "damaged.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(5):
            file.writestr(f"mm{number}.pth", bytes(range(256)) * 4)
    data = bytearray(path.read_bytes())
    data[place : place + 8] = b"\xff" * 8
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match="damaged"):
        read_weights(path)


def test_other_shapes_are_refused_in_one_line(published, tmp_path):
    _, states = published
    wrong = dict(states[0], **{"linears.0.weight": torch.zeros(1000, 7)})
    with pytest.raises(DataError, match=r"mm5.*not weights of the published") as error:
        read_weights(archive(tmp_path / "wrong.zip", [*states[:4], wrong]))
    assert "\n" not in str(error.value)


def test_four_networks_are_refused(published, tmp_path):
    with pytest.raises(DataError, match="has 4"):
        read_weights(archive(tmp_path / "four.zip", published[1][:4]))


def test_no_archive_is_refused(tmp_path):
    (tmp_path / "text.zip").write_text("hello")
    for path in (tmp_path / "text.zip", tmp_path / "absent.zip"):
        with pytest.raises(DataError, match="cannot be read"):
            read_weights(path)


def test_without_weights_the_error_says_what_to_do():
    task = MetaMaterial(MetaMaterial.Config(simulator="bdimnna"))
    with pytest.raises(DataError, match="set weights to the path"):
        task.simulate(torch.zeros(1, 8))


def test_download_checks_the_blob(tmp_path):
    source = tmp_path / "served"
    source.write_bytes(b"not them")
    url, target = source.as_uri(), tmp_path / "cache" / "w.zip"
    with pytest.raises(DataError, match="git blob id is"):
        download(target, url=url)
    assert not target.parent.exists()
    assert download(target, url=url, blob=git_blob(b"not them")).read_bytes() == b"not them"


def test_download_without_a_network_says_what_to_do(tmp_path):
    url = (tmp_path / "nowhere").as_uri()
    with pytest.raises(DataError, match="fetch it by other means"):
        download(tmp_path / "w.zip", url=url)
