"""Train the proxy that is shipped, on the published table.

python -m invcore_crystal.train --out proxy
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import torch

from invcore.plugin import FitEnvironment, Pairs, generator
from invcore_crystal.lattice import SYMMETRIES, feature_space, features, response_space
from invcore_crystal.table import CHECKSUMS, COMMIT, REGIONS, folder, read_rows, regions

# Chosen by the rows that `fit_proxy` holds out, which are none of the tenth that main() holds out.
SETTINGS: dict[str, Any] = {
    "members": 5,
    "shapes": [{"width": 128, "depth": 3}],
    "zero_part": True,
    "output": "non-negative",
    "half": True,
    "training": {"epochs": 60, "batch_size": 256, "lr": 2e-3, "average": 0.998},
}
LICENCE = (
    "The weights learnt from a table under the MIT licence, Copyright (c) 2021 Jiaxin Zhang, "
    "https://github.com/jxzhangjhu/MatDesINNe; and are under the MIT licence themselves."
)


def held_out(rows: Pairs, seed: int) -> tuple[Pairs, Pairs]:
    """The table in two: nine tenths to learn and choose from, one tenth to measure on.

    The rows have different designs; a design and one equivalent to it are never both in the
    table.
    """
    train_rows, unseen = rows.split(0.9, generator=generator(seed, "held out"))
    return train_rows, unseen


def parts(unseen: Pairs) -> Mapping[str, Pairs]:
    """Held-out rows by what is asked of them."""
    where, metal = regions(unseen.x), unseen.y[:, 0] == 0
    groups = {"held out": unseen, "metals": unseen[metal], "semiconductors": unseen[~metal]}
    return groups | {name: unseen[where == place] for place, name in enumerate(REGIONS)}


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The proxy's folder.")
@click.option("--epochs", type=click.IntRange(min=1), help="Instead of the default.")
@click.option("--seed", default=0, show_default=True, help="Root of all randomness.")
def main(out: Path, epochs: int | None, seed: int) -> None:
    """Fit the ensemble, measure it on held-out rows, write the bundle."""
    from invcore_proxy import (
        Provenance,
        ProxyConfig,
        Source,
        evaluate_proxy,
        fit_proxy,
        write_bundle,
    )

    place = folder()
    rows = read_rows(place)
    train_rows, unseen = held_out(rows, seed)
    options = {**SETTINGS, "symmetries": SYMMETRIES}
    if epochs:
        options["training"] = {**options["training"], "epochs": epochs}
    config = ProxyConfig.resolve(options)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    env = FitEnvironment(seed, device, log=_say)
    designs, responses = feature_space(), response_space()
    pairs = Pairs(features(train_rows.x), train_rows.y)
    proxy, report = fit_proxy(pairs, designs, responses, config, env)
    tests = {
        name: evaluate_proxy(proxy, Pairs(features(part.x), part.y))
        for name, part in parts(unseen).items()
    }
    write_bundle(
        out, proxy, report.model_copy(update={"tests": tests}), designs, responses,
        title="Band gap of strained MoS2 in a field",
        provenance=Provenance.now(
            tables=[Source.of(place / name, len(rows)) for name in CHECKSUMS],
            seed=seed,
            note=f"MatDesINNe, commit {COMMIT}; rows without repeats; features of "
            "invcore_crystal.lattice",
        ),
        licence=LICENCE,
    )  # fmt: skip
    for name, errors in {"chosen by": report.held_out, **tests}.items():
        error = errors.ensemble
        click.echo(
            f"{name}: {errors.rows} rows, MAE {error.mae:.4f} eV, RMSE {error.mse**0.5:.4f} eV, "
            f"metal or not right {error.zero_right:.2%}"
        )


def _say(record: dict[str, Any]) -> None:
    if record.get("epoch", 0) % 10 == 0:
        click.echo(" ".join(f"{key} {value}" for key, value in record.items()), err=True)


if __name__ == "__main__":
    main()
