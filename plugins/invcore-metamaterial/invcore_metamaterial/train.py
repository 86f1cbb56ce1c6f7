"""Train the proxy that is shipped, on spectra made by ``invcore_metamaterial.generate``.

python -m invcore_metamaterial.train --shards spectra --test fresh --out proxy
"""

from pathlib import Path
from typing import Any

import click
import torch

from invcore.plugin import FitEnvironment, Pairs
from invcore_metamaterial.generate import read_shards
from invcore_metamaterial.spectra import EQUIVALENT, design_space, response_space

# Found on held-out cells, not on those of --test. Half precision keeps the file small.
SETTINGS: dict[str, Any] = {
    "members": 5,
    "shapes": [{"width": 512, "depth": 4}],
    "output": "squash",
    "symmetrise": False,
    "half": True,
    "training": {"epochs": 200, "batch_size": 256, "lr": 2e-3, "average": 0.998},
}
LICENCE = "MIT, as invcore: made with the solver of this package; no data of others."


@click.command()
@click.option("--shards", type=click.Path(path_type=Path), required=True, help="To learn from.")
@click.option("--test", type=click.Path(path_type=Path), required=True, help="Other cells.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The proxy's folder.")
@click.option("--epochs", type=int, help="Instead of the default.")
@click.option("--seed", default=0, show_default=True, help="Root of all randomness.")
def main(shards: Path, test: Path, out: Path, epochs: int | None, seed: int) -> None:
    """Fit the ensemble, measure it on the cells of --test, write the bundle."""
    from invcore_proxy import Provenance, ProxyConfig, evaluate_proxy, fit_proxy, write_bundle

    x, y, settings = read_shards(shards)
    fresh_x, fresh_y, fresh = read_shards(test)
    if fresh["seed"] == settings["seed"]:
        raise click.UsageError("--test was made with the seed of --shards: it holds the same cells")
    names = design_space().names
    swaps = [[names[i] for i in (*order, *(4 + p for p in order))] for order in EQUIVALENT[1:]]
    options = {**SETTINGS, "symmetries": swaps}
    if epochs:
        options["training"] = {**options["training"], "epochs": epochs}
    config = ProxyConfig.resolve(options)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    env = FitEnvironment(seed, device, log=_say)
    designs, responses = design_space(), response_space()
    proxy, report = fit_proxy(Pairs(x, y), designs, responses, config, env)
    unseen = evaluate_proxy(proxy, Pairs(fresh_x, fresh_y))
    report = report.model_copy(update={"tests": {"fresh cells": unseen}})
    note = f"invcore_metamaterial.generate: {len(x)} cells, {settings}"
    write_bundle(
        out, proxy, report, designs, responses,
        title="Reflectance of four silicon cylinders, 0.8-1.5 THz",
        provenance=Provenance.now(seed=seed, note=note), licence=LICENCE,
    )  # fmt: skip
    click.echo(f"{len(x)} cells; fresh cells: {unseen}")


def _say(record: dict[str, Any]) -> None:
    """Every tenth epoch: one takes about ten seconds."""
    if record.get("epoch", 0) % 10 == 0:
        click.echo(" ".join(f"{key} {value}" for key, value in record.items()), err=True)


if __name__ == "__main__":
    main()
