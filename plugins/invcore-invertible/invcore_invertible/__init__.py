"""Invertible networks for plugins of invcore: a library, it adds no component."""

from invcore_invertible.densities import normal_log_density, without_padding
from invcore_invertible.discrepancy import mmd
from invcore_invertible.multiscale import Multiscale, MultiscaleConfig
from invcore_invertible.network import CouplingConfig, InvertibleNetwork
from invcore_invertible.padded import PaddedConfig, PaddedNetwork

__all__ = [
    "CouplingConfig",
    "InvertibleNetwork",
    "Multiscale",
    "MultiscaleConfig",
    "PaddedConfig",
    "PaddedNetwork",
    "mmd",
    "normal_log_density",
    "without_padding",
]
