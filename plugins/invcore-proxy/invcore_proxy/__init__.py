"""Proxy simulators for plugins of invcore: ensembles of networks that stand in for a simulator.

The public names; they are imported on first use, so that the command line needs no torch.
"""

from typing import TYPE_CHECKING

from invcore import lazy_names

if TYPE_CHECKING:
    from invcore_proxy.bundle import Bundle as Bundle
    from invcore_proxy.bundle import read_bundle as read_bundle
    from invcore_proxy.bundle import write_bundle as write_bundle
    from invcore_proxy.config import ProxyConfig as ProxyConfig
    from invcore_proxy.config import Shape as Shape
    from invcore_proxy.ensemble import Prediction as Prediction
    from invcore_proxy.ensemble import Proxy as Proxy
    from invcore_proxy.fitting import ProxyReport as ProxyReport
    from invcore_proxy.fitting import fit_proxy as fit_proxy
    from invcore_proxy.record import Provenance as Provenance
    from invcore_proxy.record import Source as Source
    from invcore_proxy.reliability import ProxyErrors as ProxyErrors
    from invcore_proxy.reliability import evaluate_proxy as evaluate_proxy

__getattr__, _NAMES = lazy_names(__name__, {
    "bundle": "Bundle read_bundle write_bundle",
    "config": "ProxyConfig Shape",
    "ensemble": "Prediction Proxy",
    "fitting": "ProxyReport fit_proxy",
    "record": "Provenance Source",
    "reliability": "ProxyErrors evaluate_proxy",
})  # fmt: skip

__all__ = [*_NAMES]
