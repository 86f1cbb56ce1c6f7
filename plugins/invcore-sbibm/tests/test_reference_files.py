"""Files of another package: read within bounds, and refused in one line."""

import bz2

import pytest
import torch
from invcore_sbibm import reference_files
from invcore_sbibm.reference_files import observation, reference_samples
from invcore_sbibm.tasks.gaussian_linear import GaussianLinear

from invcore.plugin import ConfigError, DataError

NAME = "reference_posterior_samples.csv.bz2"


def task(*numbers):
    return GaussianLinear(GaussianLinear.Config(observations=numbers))


def test_samples_and_observations_are_read(reference):
    samples = reference_samples("gaussian_linear", 1, 10)
    x, y = observation("gaussian_linear", 1)
    assert samples.shape == (400, 10) and samples.dtype == torch.float64
    assert x.shape == y.shape == (1, 10)
    assert float((samples.mean(dim=0) - y[0] / 2).abs().max()) < 0.05


def test_observations_are_the_targets_of_a_run(reference):
    chosen, drawn = task(2, 1).dataset(50, 9, 0), task().dataset(50, 9, 0)
    assert len(chosen.test) == 2 and len(drawn.test) == 9
    for row, number in enumerate((2, 1)):
        x, y = observation("gaussian_linear", number)
        assert torch.equal(chosen.test.x[row : row + 1], x)
        assert torch.equal(chosen.test.y[row : row + 1], y)
    assert torch.equal(chosen.train.x, drawn.train.x), "the pairs are the same"
    assert len(task(2, 1).dataset(50, 1, 0).test) == 1


def test_other_observations_are_another_run(reference):
    assert task().fingerprint == ""
    prints = [task(1).fingerprint, task(2).fingerprint, task(1, 2).fingerprint]
    assert len(set(prints)) == 3
    path = reference / "num_observation_1" / "observation.csv"
    path.write_text(path.read_text().replace(".", ".1", 1))
    assert task(1).fingerprint != prints[0] and task(2).fingerprint == prints[1]


@pytest.mark.parametrize("numbers", [[0], [11], [1, 1]])
def test_only_the_ten_observations_can_be_named(numbers):
    with pytest.raises(ConfigError, match="observation"):
        GaussianLinear.Config.parse({"observations": numbers})


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"no archive", "not readable"),
        (bz2.compress(b"a,b\n1,2\n")[:-6], "not readable"),
        (bz2.compress(b"a,b\n1,2\n3,4\n"), "expected samples of 10 numbers"),
        (bz2.compress(b"a,b\n1,x\n"), "no table of numbers"),
        (bz2.compress(b"a,b\n"), "no table of numbers"),
        (bz2.compress(b"\xff\xfe\n1,2\n"), "no table of numbers"),
        (bz2.compress(b"a,b\n1,nan\n"), "not finite"),
        (bz2.compress(b"0," * (1 << 25)), "more than 32 MiB"),
    ],
)
def test_files_that_are_not_as_they_should_be_are_refused(reference, content, fault):
    (reference / "num_observation_1" / NAME).write_bytes(content)
    with pytest.raises(DataError, match=fault) as error:
        reference_samples("gaussian_linear", 1, 10)
    assert NAME in str(error.value) and "\n" not in str(error.value)


def test_an_observation_of_another_size_is_refused(reference):
    (reference / "num_observation_1" / "observation.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="expected 10 columns"):
        task(1).observed(1)
    (reference / "num_observation_2" / "observation.csv").write_text("a\n1\n2\n")
    with pytest.raises(DataError, match="expected one row"):
        task(2).observed(2)


def test_a_missing_file_says_what_to_do(reference):
    (reference / "num_observation_2" / NAME).unlink()
    with pytest.raises(DataError, match="pip install --no-deps sbibm"):
        reference_samples("gaussian_linear", 2, 10)


def test_without_the_package_tasks_work_and_observations_say_what_to_do(monkeypatch):
    def missing(name):
        raise reference_files.PackageNotFoundError(name)

    monkeypatch.setattr(reference_files, "distribution", missing)
    assert len(task().dataset(20, 3, 0).test) == 3
    with pytest.raises(DataError, match="pip install --no-deps sbibm"):
        task(1).dataset(20, 3, 0)
