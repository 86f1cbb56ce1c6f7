"""Devices by name."""

from __future__ import annotations

import pytest
import torch

from invcore.base import device
from invcore.base.errors import DeviceError


@pytest.fixture(params=[0, 2])
def cards(request, monkeypatch):
    """A machine with so many CUDA cards."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: request.param > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: request.param)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    return request.param


def test_names_are_resolved(cards):
    assert device.available() == [*(f"cuda:{i}" for i in range(cards)), "cpu"]
    assert device.resolve_device("cpu") == torch.device("cpu")
    assert device.resolve_device() == torch.device("cuda:0" if cards else "cpu")
    if cards:
        assert device.resolve_device("cuda") == torch.device("cuda:0")
        assert device.resolve_device("cuda:1") == torch.device("cuda:1")


@pytest.mark.parametrize("name", ["cuda:2", "cuda:99", "mps", "gpu", "CPU", "", "cpu:0", "cuda:x"])
def test_no_such_device(cards, name, complaint):
    message = complaint(DeviceError, device.resolve_device, name)
    assert repr(name) in message and "cpu, or 'auto'" in message


def test_mps_is_taken_if_it_is_asked_for(cards, monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert device.resolve_device("mps").type == "mps"
    assert device.resolve_device().type == ("cuda" if cards else "cpu")


def test_cuda_where_there_is_none(monkeypatch, complaint):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "'cuda'" in complaint(DeviceError, device.resolve_device, "cuda")
